"""The runs that crashed lately, and those that may have done their work since; from the Prefect server."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import get_current_settings

from schemas.health import RecentRun
from tasks.extract.health import PAGE, TAG, our_deployments

COMES_BACK = "comes-back"  # the tag of deployments that may be started again without a person
LOOK_BACK = timedelta(days=1)
# A run that needed the Prefect server while it was away: our own systems' errors are of other kinds.
_LOST_SERVER = re.compile(r"exception: (Connect|Read|Write|RemoteProtocol|Pool)(Error|Timeout)\b")


@task(cache_policy=NO_CACHE)
def fetch_recent_runs(now: datetime) -> list[RecentRun]:
    """Return the runs, of the last day, of the deployments of which one crashed in it or waits for its process.

    Source: POST /flow_runs/filter. Empty when nothing crashed, which is one call; without a server there are none.
    """
    if not get_current_settings().api.url:
        return []
    since = now - LOOK_BACK
    with get_client(sync_client=True) as client:
        troubled = _troubled(client, since)
        if not troubled:
            return []
        deployments = {found.id: found for found in our_deployments(client)}
        ids = sorted({run.deployment_id for run in troubled if run.deployment_id in deployments})
        first = min(run.expected_start_time or run.created or now for run in troubled)
        runs = {run.id: run for run in [*troubled, *_since(client, ids, first)]}
    return [_recent(run, deployments) for run in runs.values() if run.deployment_id in deployments]


def _troubled(client: SyncPrefectClient, since: datetime) -> list[FlowRun]:
    tagged = FlowRunFilterTags(all_=[TAG])
    crashed = FlowRunFilter(
        tags=tagged,
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CRASHED, StateType.FAILED])),
        end_time=FlowRunFilterEndTime(after_=since),
    )
    taken = FlowRunFilter(tags=tagged, state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PENDING])))
    ended = [run for run in _pages(client, crashed, None) if _state(run) == "CRASHED"]
    return [*ended, *_pages(client, taken, None)]


def _since(client: SyncPrefectClient, deployments: list[UUID], first: datetime) -> list[FlowRun]:
    due = FlowRunFilter(expected_start_time=FlowRunFilterExpectedStartTime(after_=first))
    return _pages(client, due, DeploymentFilter(id=DeploymentFilterId(any_=deployments)))


def _pages(client: SyncPrefectClient, chosen: FlowRunFilter, of: DeploymentFilter | None) -> list[FlowRun]:
    runs: list[FlowRun] = []
    while True:
        page = client.read_flow_runs(
            flow_run_filter=chosen,
            deployment_filter=of,
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
            limit=PAGE,
            offset=len(runs),
        )
        runs += page
        if len(page) < PAGE:
            return runs


def _state(run: FlowRun) -> str:
    """Return the type of its state; one that lost the server has crashed, whatever it still managed to say."""
    assert run.state is not None  # the server gives each run a state as it is made
    is_lost = run.state.is_failed() and _LOST_SERVER.search(run.state.message or "")
    return "CRASHED" if is_lost else run.state.type.value


def _recent(run: FlowRun, deployments: Mapping[UUID, DeploymentResponse]) -> RecentRun:
    assert run.deployment_id is not None  # only runs of deployments are asked for
    assert run.state is not None  # the server gives each run a state as it is made
    deployment = deployments[run.deployment_id]
    expected = run.next_scheduled_start_time or run.expected_start_time or run.state.timestamp
    return RecentRun(
        run_id=str(run.id),
        name=run.name,
        deployment=deployment.name,
        # The parameters may name a person: only their hash goes on from here.
        purpose=hashlib.sha256(json.dumps(run.parameters, sort_keys=True, default=str).encode()).hexdigest(),
        state=_state(run),
        at=run.start_time or expected,
        since=run.state.timestamp,
        comes_back=COMES_BACK in deployment.tags,
    )
