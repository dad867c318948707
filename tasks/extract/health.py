"""How the runs of the deployments went, from the Prefect server, and how the streams move, from the ledger."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas import objects
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import get_current_settings

from schemas.health import ENDED, FlowRun, HealthRule, SeenRuns, StreamTimes
from tasks import connect
from tasks.settings import Settings

TAG = "prima"  # every deployment of prefect.yaml carries it
STREAMS = ("dispatches", "orders", "refunds", "sales orders", "stock")
LOOK_BACK = timedelta(hours=2)
LONGEST_LOOK_BACK = timedelta(days=1)
LATEST_KEPT = 10
PAGE = 200
_OPEN = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)


@task(cache_policy=NO_CACHE)
def fetch_flow_runs(now: datetime) -> SeenRuns | None:
    """Return the open runs that are due and the latest ended ones of each deployment.

    Source: POST /flow_runs/filter of the Prefect server, and what the ledger kept of it. None without a server: a flow
    that is run by hand.
    """
    if not get_current_settings().api.url:
        return None
    return seen_runs(Settings.from_env(), now)


def seen_runs(settings: Settings, now: datetime) -> SeenRuns:
    """Return what `fetch_flow_runs` does, outside a flow."""
    with connect.open_ledger(settings) as ledger, get_client(sync_client=True) as client:
        deployments = our_deployments(client)
        names = {deployment.id: deployment.name for deployment in deployments}
        known = ledger.open_flow_runs()
        last = ledger.flow_runs(sorted(names.values()), since=now - LONGEST_LOOK_BACK)
        since = max(now - LONGEST_LOOK_BACK, last[-1].expected_at - LOOK_BACK) if last else now - LONGEST_LOOK_BACK
        found = {run.id: run for run in _changed(client, since, now, [UUID(run.run_id) for run in known])}
    changed = [_flow_run(run, names[run.deployment_id]) for run in found.values() if run.deployment_id in names]
    crashed_before = {run.run_id for run in last if run.state == "CRASHED"}
    gone = {run.run_id for run in known} - {str(run_id) for run_id in found}
    return SeenRuns(
        latest=_open_and_latest([*(run for run in last if run.run_id not in gone), *changed], now),
        changed=changed,
        gone=sorted(gone),
        newly_crashed=frozenset(run.run_id for run in changed if run.state == "CRASHED") - crashed_before,
        forms=frozenset(deployment.name for deployment in deployments if not deployment.schedules),
    )


def our_deployments(client: SyncPrefectClient) -> list[DeploymentResponse]:
    """Return the deployments of this project, of all that a server may hold for others (POST /deployments/filter)."""
    # The server hands out 200, and ours are far fewer.
    return client.read_deployments(deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])))


@task(cache_policy=NO_CACHE)
def fetch_run_history(deployments: Sequence[str], now: datetime, rule: HealthRule) -> dict[str, list[FlowRun]]:
    """Return the runs of the last weeks of these deployments. Source: the ledger."""
    return run_history(Settings.from_env(), deployments, now, rule)


def run_history(
    settings: Settings, deployments: Sequence[str], now: datetime, rule: HealthRule
) -> dict[str, list[FlowRun]]:
    """Return what `fetch_run_history` does, outside a flow."""
    history: dict[str, list[FlowRun]] = {name: [] for name in deployments}
    if deployments:
        with connect.open_ledger(settings) as ledger:
            for run in ledger.flow_runs(deployments, since=now - timedelta(weeks=rule.weeks)):
                history[run.deployment].append(run)
    return history


@task(cache_policy=NO_CACHE)
def fetch_stream_times(now: datetime, rule: HealthRule) -> StreamTimes:
    """Return when batches of each stream were recorded and dispatches seen; of what moves only what shows that."""
    return stream_times(Settings.from_env(), now, rule)


def stream_times(settings: Settings, now: datetime, rule: HealthRule) -> StreamTimes:
    """Return what `fetch_stream_times` does, outside a flow."""
    with connect.open_ledger(settings) as ledger:
        # Twice the history: the silence itself does not count as history.
        long_ago, recent = now - timedelta(weeks=2 * rule.streams.weeks), now - rule.streams.shortest
        batches = {
            stream: ledger.batch_times(stream, since=recent) or ledger.batch_times(stream, since=long_ago)
            for stream in STREAMS
        }
        long_ago, recent = now - timedelta(weeks=2 * rule.dispatches.weeks), now - rule.dispatches.shortest
        dispatches = ledger.dispatch_times(since=recent) or ledger.dispatch_times(since=long_ago)
    return StreamTimes(batches, dispatches)


def _changed(
    client: SyncPrefectClient, since: datetime, now: datetime, known: Sequence[UUID]
) -> Iterator[objects.FlowRun]:
    tagged = FlowRunFilterTags(all_=[TAG])
    due = FlowRunFilterExpectedStartTime(before_=now, after_=since)
    earlier = FlowRunFilterExpectedStartTime(before_=since)
    still_open = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(_OPEN)))
    wanted = [
        FlowRunFilter(tags=tagged, expected_start_time=due),
        FlowRunFilter(tags=tagged, expected_start_time=earlier, state=still_open),
    ]
    wanted += [
        FlowRunFilter(id=FlowRunFilterId(any_=list(known[start : start + PAGE])))
        for start in range(0, len(known), PAGE)
    ]
    for chosen in wanted:
        offset = 0
        while True:
            page = client.read_flow_runs(
                flow_run_filter=chosen, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=PAGE, offset=offset
            )
            yield from page
            if len(page) < PAGE:
                break
            offset += PAGE


def _flow_run(run: objects.FlowRun, deployment: str) -> FlowRun:
    state = run.state
    is_running = state is not None and state.is_running()
    kind = "SCHEDULED" if state is None else state.type.value
    expected = run.next_scheduled_start_time or run.expected_start_time or run.created
    assert expected is not None  # the server gives each run a time at which it was made
    return FlowRun(
        run_id=str(run.id),
        deployment=deployment,
        state=kind,
        expected_at=expected,
        started_at=state.timestamp if state is not None and is_running else run.start_time,
        ended_at=run.end_time if kind in ENDED else None,
        run_count=run.run_count,
    )


def _open_and_latest(runs: Sequence[FlowRun], now: datetime) -> list[FlowRun]:
    by_id = {run.run_id: run for run in runs}
    chosen: list[FlowRun] = []
    ended: dict[str, int] = {}
    for run in sorted(by_id.values(), key=lambda run: run.expected_at, reverse=True):
        if run.state in ENDED:
            ended[run.deployment] = ended.get(run.deployment, 0) + 1
        if run.expected_at <= now and (run.state not in ENDED or ended[run.deployment] <= LATEST_KEPT):
            chosen.append(run)
    return chosen
