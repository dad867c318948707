"""Prefect for the demo: a server on SQLite, one process worker, and the deployments of `prefect.yaml`.

Importing this module reads Prefect's settings from the environment, so the demo imports it once that is in place.
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    LogFilter,
    LogFilterFlowRunId,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort, LogSort

from flows import automations, orchestration
from sandbox.processes import Child, Children, DemoError

DEPLOY_SECONDS = 120.0
POLL_SECONDS = 0.25
LOG_LINES = 15
LOG_SECONDS = 3.0
PREFECT = (sys.executable, "-m", "prefect", "--no-prompt")
WORKER_COMMAND = (*PREFECT, "worker", "start", "--pool", orchestration.WORK_POOL, "--name", "demo")
DEPLOY_COMMAND = (sys.executable, "-m", "sandbox.deploying")


class FlowRunFailedError(DemoError):
    """A run of a deployment ended otherwise than completed; the text ends with the tail of its log."""


class ServerInUseError(DemoError):
    """The Prefect server that the environment names already serves an installation of this product."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A completed run of a deployment: its name, the name of its end state and how long the flow itself took."""

    deployment: str
    state: str
    run_time: timedelta


class Deployments:
    """The deployments of `prefect.yaml` on the server that `PREFECT_API_URL` names."""

    def __init__(self, client: SyncPrefectClient) -> None:
        self._client = client
        self._found: dict[str, DeploymentResponse] = {}

    def require_unused(self) -> None:
        """Raise ServerInUseError when the work pool exists: the demo's worker would take that installation's runs."""
        if orchestration.has_work_pool(self._client):
            raise ServerInUseError(
                f"The Prefect server at PREFECT_API_URL already has the work pool {orchestration.WORK_POOL}: a demo "
                "worker would take the runs of that installation. Unset PREFECT_API_URL for a server of the demo's own."
            )

    def deploy(self, deployer: Child, children: Children) -> list[str]:
        """Wait until every deployment is there, each paused; make the automations, and return the names."""
        children.finish(deployer, DEPLOY_SECONDS)
        automations.prepare_automations()
        ours = WorkPoolFilter(name=WorkPoolFilterName(any_=[orchestration.WORK_POOL]))
        self._found = {found.name: found for found in self._client.read_deployments(work_pool_filter=ours)}
        return sorted(self._found)

    def start(self, name: str, **parameters: Any) -> FlowRun:
        """Ask for one run of a deployment; a worker takes it."""
        return self._client.create_flow_run_from_deployment(self._found[name].id, parameters=parameters)

    def wait(self, name: str, run: FlowRun, children: Children, seconds: float) -> FinishedRun:
        """Wait for the end of a run.

        Raises FlowRunFailedError when it ends otherwise than completed or takes longer, ProcessFailedError when the
        server, the worker or the sandbox ends meanwhile.
        """
        deadline = time.monotonic() + seconds
        while run.state is None or not run.state.is_final():
            if time.monotonic() > deadline:
                raise FlowRunFailedError(f"{name} was not done after {seconds:.0f} s.\n{self._tail(run)}")
            children.require_running()
            time.sleep(POLL_SECONDS)
            run = self._client.read_flow_run(run.id)
        if not run.state.is_completed():
            raise FlowRunFailedError(f"{name} ended as {run.state.name}: {run.state.message}\n{self._tail(run)}")
        return FinishedRun(name, run.state.name or "Completed", run.total_run_time)

    def resume(self, children: Children, seconds: float) -> dict[str, datetime]:
        """Let the schedules run, wait until the server has planned each, and return the next start by deployment.

        Raises FlowRunFailedError when a schedule is not planned in that time.
        """
        waiting = {deployment.id: name for name, deployment in self._found.items() if deployment.schedules}
        for deployment in self._found.values():
            self._client.resume_deployment(deployment.id)
        deadline = time.monotonic() + seconds
        planned: dict[str, datetime] = {}
        while len(planned) < len(waiting):
            if time.monotonic() > deadline:
                late = ", ".join(sorted(set(waiting.values()) - set(planned)))
                raise FlowRunFailedError(f"The Prefect server planned no run of {late} in {seconds:.0f} s.")
            children.require_running()
            time.sleep(POLL_SECONDS)
            planned = self._next_starts(waiting)
        return planned

    def _next_starts(self, deployments: Mapping[UUID, str]) -> dict[str, datetime]:
        ours = DeploymentFilter(id=DeploymentFilterId(any_=list(deployments)))
        planned = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
        runs = self._client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=planned),
            deployment_filter=ours,
            sort=FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC,
        )
        starts: dict[str, datetime] = {}
        for run in runs:
            if run.deployment_id is not None and run.next_scheduled_start_time is not None:
                starts.setdefault(deployments[run.deployment_id], run.next_scheduled_start_time)
        return starts

    def remove(self) -> None:
        """Take pool, limits, automations and deployments off a server that is not the demo's own."""
        automations.remove_automations(self._client)
        for deployment in self._found.values():
            self._client.delete_deployment(deployment.id)
        self._client.delete_work_pool(orchestration.WORK_POOL)
        for name in orchestration.LIMITS:
            self._client.delete_global_concurrency_limit_by_name(name)

    def _tail(self, run: FlowRun) -> str:
        """Return the last lines that a run logged."""
        time.sleep(LOG_SECONDS)  # they arrive a little after the end of the run
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
        logs = self._client.read_logs(wanted, limit=LOG_LINES, sort=LogSort.TIMESTAMP_DESC)
        lines = [line for log in reversed(logs) for line in log.message.splitlines()]
        return "\n".join([f"--- the end of the log of {run.name}", *(f"    {line}" for line in lines)])


def open_client() -> SyncPrefectClient:
    """Return a client of the server that `PREFECT_API_URL` names."""
    return get_client(sync_client=True)


def prepare() -> None:
    """Create the work pool and the limits."""
    orchestration.prepare()


def start_deployer(children: Children, env: Mapping[str, str]) -> Child:
    """Start the process that deploys `prefect.yaml` as soon as the work pool exists."""
    return children.start("prefect deploy", DEPLOY_COMMAND, env)


def start_worker(children: Children, env: Mapping[str, str]) -> None:
    """Start the one worker of the demo."""
    children.start("prefect worker", WORKER_COMMAND, env)
