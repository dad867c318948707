"""The deployments of `prefect.yaml`, as a Prefect server holds them after `prefect deploy --all`."""

import asyncio
import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.server.schemas.schedules import CronSchedule as ServerCronSchedule
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

from flows import automations, orchestration
from sandbox import embedded
from sandbox.processes import Children
from tasks.errors import ConfigurationError
from tasks.extract.recovery import COMES_BACK
from tests import commands, handbook

ROOT = Path(__file__).resolve().parents[2]
LONDON = ZoneInfo("Europe/London")
ON_OTHER_TERMS = (  # a form of dates, an order number, a SKU or a hold; or no stream
    "accept-suggestion",
    "alerts",
    "backfill",
    "census",
    "daily-report",
    "release",
    "dispatch-census",
    "exceptions-accept",
    "exceptions-assign",
    "exceptions-close",
    "exceptions-comment",
    "exceptions-ignore",
    "exceptions-map",
    "exceptions-refuse",
    "exceptions-release",
    "exceptions-retry",
    "exceptions-snooze",
    "erasure",
    "evidence-check",
    "evidence-expiry",
    "health",
    "order",
    "period-check",
    "period-lock",
    "period-preview",
    "period-reopen",
    "period-sign-off",
    "replay",
    "replay-range",
    "settle-refund",
    "stock",
    "break-decision",
    "tolerance",
    "stock-brake",
    "stock-check",
    "stock-repair",
    "withdraw-release",
    "withdraw-suggestion",
)
NAMES = ("fulfilment", "inventory", "orders", "reconciliation", "refunds", "verification")
EVERY = {
    "inventory": timedelta(minutes=15),
    "orders": timedelta(minutes=5),
    "fulfilment": timedelta(minutes=10),
    "refunds": timedelta(minutes=30),
    "verification": timedelta(minutes=30),
}
DEPLOY_SECONDS = 240
PAUSE, DEPLOY = "prefect work-pool pause magento-prima", "prefect --no-prompt deploy --all"


@pytest.fixture
def client() -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def deployed() -> Iterator[dict[str, DeploymentResponse]]:
    """What the server holds after the two commands of the handbook, by name."""
    orchestration.prepare()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MAGENTO_"))}
    subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=ROOT,
        env=env | {"PREFECT_API_URL": str(get_current_settings().api.url), "DO_NOT_TRACK": "1"},
        stdin=subprocess.DEVNULL,
        timeout=DEPLOY_SECONDS,
        check=True,
    )
    with get_client(sync_client=True) as opened:
        found = {deployment.name: deployment for deployment in opened.read_deployments()}
        yield found
        for deployment in found.values():
            opened.delete_deployment(deployment.id)
        opened.delete_work_pool(orchestration.WORK_POOL)


def schedule_of(deployment: DeploymentResponse) -> CronSchedule:
    (entry,) = deployment.schedules
    assert entry.active
    assert isinstance(entry.schedule, CronSchedule)
    return entry.schedule


def starts(deployment: DeploymentResponse, after: datetime, count: int) -> list[datetime]:
    """The next starts at or after an aware time, in London, worked out as the server does."""
    held = schedule_of(deployment)
    times = asyncio.run(ServerCronSchedule(cron=held.cron, timezone=held.timezone).get_dates(count, after))
    return [datetime.fromtimestamp(time.timestamp(), LONDON) for time in times]


def flow_of(deployment: DeploymentResponse) -> Flow[..., object]:
    """The flow itself: a module that cannot be imported is an error here, not a placeholder."""
    return load_flow_from_entrypoint(str(deployment.entrypoint), use_placeholder_flow=False)


def test_the_four_flows_are_deployed_to_the_process_pool(
    deployed: dict[str, DeploymentResponse], client: SyncPrefectClient
) -> None:
    assert sorted(deployed) == sorted((*NAMES, *ON_OTHER_TERMS))
    assert {deployment.work_pool_name for deployment in deployed.values()} == {orchestration.WORK_POOL}
    assert client.read_work_pool(orchestration.WORK_POOL).type == "process"


@pytest.mark.parametrize("name", NAMES)
def test_an_entrypoint_is_a_module_path_to_a_flow_that_runs_without_parameters(
    deployed: dict[str, DeploymentResponse], name: str
) -> None:
    deployment = deployed[name]
    signature = inspect.signature(flow_of(deployment).fn)

    assert re.fullmatch(r"flows\.\w+\.\w+", str(deployment.entrypoint))
    assert set(deployment.parameters) <= set(signature.parameters)
    signature.bind(**deployment.parameters)


@pytest.mark.parametrize("name", NAMES)
def test_the_form_in_the_ui_offers_every_parameter_of_the_flow(
    deployed: dict[str, DeploymentResponse], name: str
) -> None:
    offered = (deployed[name].parameter_openapi_schema or {}).get("properties", {})

    assert set(offered) == set(inspect.signature(flow_of(deployed[name]).fn).parameters)


def test_reconciliation_can_be_asked_for_a_date_or_a_range(deployed: dict[str, DeploymentResponse]) -> None:
    offered = (deployed["reconciliation"].parameter_openapi_schema or {})["properties"]

    assert list(offered) == ["business_date", "from_date", "to_date"]


@pytest.mark.parametrize(("name", "apart"), EVERY.items())
def test_a_stream_runs_at_its_interval_all_day(
    deployed: dict[str, DeploymentResponse], name: str, apart: timedelta
) -> None:
    day = datetime(2026, 11, 23, tzinfo=LONDON)
    times = starts(deployed[name], day, timedelta(days=1) // apart)

    assert {later - earlier for earlier, later in pairwise(times)} == {apart}


def test_no_two_of_the_larger_flows_start_in_the_same_minute(deployed: dict[str, DeploymentResponse]) -> None:
    day = datetime(2026, 11, 23, tzinfo=LONDON)
    inventory = set(starts(deployed["inventory"], day, 96))

    assert inventory.isdisjoint(starts(deployed["fulfilment"], day, 144))


@pytest.mark.parametrize("day", [datetime(2026, 3, 28, 12, tzinfo=LONDON), datetime(2026, 10, 24, 12, tzinfo=LONDON)])
@pytest.mark.parametrize(("name", "at"), [("reconciliation", (2, 30)), ("daily-report", (7, 0))])
def test_a_flow_runs_at_its_hour_in_london_on_the_nights_the_clocks_change(
    deployed: dict[str, DeploymentResponse], day: datetime, name: str, at: tuple[int, int]
) -> None:
    (start,) = starts(deployed[name], day, 1)

    assert (start.date() - day.date(), start.hour, start.minute) == (timedelta(days=1), *at)


@pytest.mark.parametrize("name", NAMES)
def test_a_schedule_is_read_in_london(deployed: dict[str, DeploymentResponse], name: str) -> None:
    assert schedule_of(deployed[name]).timezone == "Europe/London"


@pytest.mark.parametrize("name", NAMES)
def test_the_server_plans_the_runs_of_a_schedule(
    deployed: dict[str, DeploymentResponse], client: SyncPrefectClient, name: str
) -> None:
    # What the scheduler does every few seconds, asked for now. Prefect 3.8 fails here on SQLAlchemy 2.1, while
    # everything else works: a set of versions that passes the other tests may still never start a run.
    client.request(
        "POST", "/deployments/{id}/schedule", path_params={"id": deployed[name].id}, json={"min_runs": 3}
    ).raise_for_status()

    of_this = DeploymentFilter(id=DeploymentFilterId(any_=[deployed[name].id]))
    planned = client.read_flow_runs(deployment_filter=of_this)

    assert len(planned) >= 3
    assert all(run.auto_scheduled and run.state is not None and run.state.is_scheduled() for run in planned)


@pytest.mark.parametrize("name", NAMES)
def test_a_deployment_says_what_it_does_and_carries_its_tags(
    deployed: dict[str, DeploymentResponse], name: str
) -> None:
    assert len(deployed[name].description or "") > 60
    assert {"magento", "prima", name} <= set(deployed[name].tags)


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("inventory", ConcurrencyLimitStrategy.CANCEL_NEW),
        ("orders", ConcurrencyLimitStrategy.CANCEL_NEW),
        ("fulfilment", ConcurrencyLimitStrategy.CANCEL_NEW),
        ("reconciliation", ConcurrencyLimitStrategy.ENQUEUE),
    ],
)
def test_a_flow_never_runs_twice_at_once(
    deployed: dict[str, DeploymentResponse], name: str, strategy: ConcurrencyLimitStrategy
) -> None:
    limit, options = deployed[name].global_concurrency_limit, deployed[name].concurrency_options

    assert limit is not None
    assert options is not None
    assert (limit.limit, options.collision_strategy) == (1, strategy)


def test_a_run_of_a_schedule_comes_back_when_it_crashed_but_the_flow_that_brings_it_back_does_not(
    deployed: dict[str, DeploymentResponse],
) -> None:
    scheduled = {name for name, deployment in deployed.items() if deployment.schedules}
    tagged = {name for name, deployment in deployed.items() if COMES_BACK in deployment.tags}

    assert tagged == scheduled - {"health"} | {"backfill", "replay", "replay-range"}


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_of_a_run_is_chosen_by_the_worker_that_runs_it(
    deployed: dict[str, DeploymentResponse], name: str
) -> None:
    assert deployed[name].pull_steps == [{"flows.orchestration.enter_home": {}}]
    assert str(ROOT) not in deployed[name].model_dump_json()


def test_a_run_works_in_the_folder_that_the_worker_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MAGENTO_PRIMA_HOME", str(tmp_path))

    assert orchestration.enter_home() == {"directory": str(tmp_path.resolve())}
    assert Path.cwd() == tmp_path.resolve()


def test_a_worker_that_names_no_folder_stops_before_a_ledger_is_made_where_it_would_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAGENTO_PRIMA_HOME", raising=False)
    with pytest.raises(ConfigurationError, match="MAGENTO_PRIMA_HOME is not set"):
        orchestration.enter_home()

    monkeypatch.setenv("MAGENTO_PRIMA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigurationError, match="no folder"):
        orchestration.enter_home()


def test_preparing_again_sets_the_limits_and_leaves_a_pause_of_the_pool_alone(client: SyncPrefectClient) -> None:
    orchestration.prepare()
    client.update_work_pool(orchestration.WORK_POOL, WorkPoolUpdate(is_paused=True))

    prepared = orchestration.prepare({"magento-api": 1, "prima-web-service": 3})

    held = {name: client.read_global_concurrency_limit_by_name(name).limit for name in prepared.limits}
    assert held == {"magento-api": 1, "prima-web-service": 3}
    assert client.read_work_pool(orchestration.WORK_POOL).is_paused
    client.update_work_pool(orchestration.WORK_POOL, WorkPoolUpdate(is_paused=False))
    orchestration.prepare()


def test_the_commands_of_the_cut_over_let_nothing_start_before_the_pool_is_resumed(
    deployed: dict[str, DeploymentResponse], client: SyncPrefectClient
) -> None:
    words = handbook.case("cut-over-deploy")
    pause, deploy = (words.index(shlex.split(line)) for line in (PAUSE, DEPLOY))
    assert pause < deploy, "a schedule could start a run"

    follow([each for each in words if each not in (shlex.split(DEPLOY), ["magento-prima", "migrate"])])
    assert client.read_work_pool(orchestration.WORK_POOL).is_paused
    assert all(client.read_automations_by_name(name) for name in (automations.ZOMBIES, automations.CRASHES))
    follow(handbook.case("cut-over-resume"))
    assert not client.read_work_pool(orchestration.WORK_POOL).is_paused
    automations.remove_automations(client)


def test_what_make_up_deploys_with_makes_the_automations_too(
    deployed: dict[str, DeploymentResponse], client: SyncPrefectClient, tmp_path: Path
) -> None:
    with Children(tmp_path / "logs", ROOT) as children:
        deployer = children.start("deployed before", [sys.executable, "-c", ""], os.environ)
        names = embedded.Deployments(client).deploy(deployer, children)

    assert names == sorted(deployed)
    assert all(client.read_automations_by_name(name) for name in (automations.ZOMBIES, automations.CRASHES))
    automations.remove_automations(client)


def follow(commands_of_a_page: list[list[str]]) -> None:
    """Run commands of the handbook against this server; each must end well. `deployed` ran the one that deploys."""
    env = {**os.environ, "PREFECT_API_URL": str(get_current_settings().api.url), "DO_NOT_TRACK": "1"}
    for program, *words in commands_of_a_page:
        if program == "magento-prima":
            assert commands.run(tuple(words), env).returncode == 0, words
        else:
            subprocess.run(
                [sys.executable, "-m", program, *words], env=env, timeout=60, check=True, capture_output=True
            )


def test_a_pool_of_another_type_is_not_taken_over(client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestration, "WORK_POOL", "somebody-elses")
    client.create_work_pool(WorkPoolCreate(name="somebody-elses", type="docker"))

    with pytest.raises(ConfigurationError, match="has the type docker"):
        orchestration.prepare()


def test_without_a_server_there_is_nothing_to_prepare() -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        with pytest.raises(ConfigurationError, match="PREFECT_API_URL is not set"):
            orchestration.prepare()
