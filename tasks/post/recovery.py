"""Another run in the place of one that crashed: each crash has one at most, however often it is looked at."""

from collections.abc import Sequence
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.logging import get_run_logger
from prefect.states import Crashed

from schemas.health import Restart

NEVER_BEGAN = "A worker took it and never began: it is gone."


@task(cache_policy=NO_CACHE)
def end_stuck_runs(run_ids: Sequence[str]) -> int:
    """Mark as crashed what a worker took and never began, so that it holds up no other run; return how many."""
    if not run_ids:
        return 0
    ended = 0
    with get_client(sync_client=True) as client:
        for run_id in run_ids:
            state = client.read_flow_run(UUID(run_id)).state
            if state is not None and state.is_pending():
                client.set_flow_run_state(UUID(run_id), Crashed(message=NEVER_BEGAN), force=True)
                ended += 1
    return ended


@task(cache_policy=NO_CACHE)
def start_again(restarts: Sequence[Restart]) -> int:
    """Start a run with the same parameters in the place of each of these; return how many.

    The crashed run stays as it is. Its id is the key of the new one, under which the server makes one run only. One
    that has not crashed after all is left alone.
    """
    if not restarts:
        return 0
    with get_client(sync_client=True) as client:
        return sum(_start(client, restart) for restart in restarts)


def _start(client: SyncPrefectClient, restart: Restart) -> bool:
    crashed = client.read_flow_run(UUID(restart.run_id))
    state = crashed.state
    if state is None or not (state.is_crashed() or state.is_failed()) or crashed.deployment_id is None:
        return False
    run = client.create_flow_run_from_deployment(
        crashed.deployment_id,
        parameters=crashed.parameters,
        name=f"{restart.name.partition(' again')[0]} again {restart.crashes}",
        job_variables=crashed.job_variables,
        idempotency_key=f"in the place of {restart.run_id}",
    )
    get_run_logger().warning(f"{restart.deployment}: run {restart.name} crashed; {run.name} takes its place")
    return True
