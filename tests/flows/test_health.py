"""Runs as a real Prefect server holds them: crashed ones come back once each, and people are told once each."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect import states
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.schedules import IntervalSchedule

from flows import automations, health_view
from flows.health import watch_health
from schemas.documents import ExceptionNote
from tasks.errors import ConfigurationError
from tasks.post.recovery import end_stuck_runs
from tasks.systems.ledger import Ledger
from tests.installation import Installation

TAGS = ["magento", "prima"]
CAUSE = "Process exited with status code -9"
LOST_SERVER = "Flow run encountered an exception: ConnectError: All connection attempts failed"  # as Prefect says it


class Server:
    """What the server of the session holds for these tests: two deployments, and runs that never had a process."""

    def __init__(self, client: SyncPrefectClient) -> None:
        self.client = client
        self.made: dict[str, UUID] = {}

    def deploy(self, name: str, *tags: str, schedule: IntervalSchedule | None = None) -> None:
        flow = self.client.create_flow_from_name(name)
        schedules = [DeploymentScheduleCreate(schedule=schedule)] if schedule else None
        self.made[name] = self.client.create_deployment(flow, name, tags=[*TAGS, *tags], schedules=schedules)

    def run(self, deployment: str, *after: State, **parameters: str) -> UUID:
        """Make a run and take it through these states, as its worker and its process would."""
        run = self.client.create_flow_run_from_deployment(self.made[deployment], parameters=parameters)
        for state in after:
            self.client.set_flow_run_state(run.id, state, force=True)
        return run.id

    def runs(self, deployment: str) -> list[FlowRun]:
        # By its deployment: a server hands out 200 runs at a time, and other tests have left theirs on this one.
        of_this = DeploymentFilter(id=DeploymentFilterId(any_=[self.made[deployment]]))
        found = self.client.read_flow_runs(deployment_filter=of_this)
        return sorted(found, key=lambda run: (str(run.created), str(run.id)))

    def crash_the_last(self, deployment: str) -> None:
        last = self.runs(deployment)[-1]
        self.client.set_flow_run_state(last.id, states.Running(), force=True)
        self.client.set_flow_run_state(last.id, states.Crashed(message=CAUSE), force=True)


@pytest.fixture
def server() -> Iterator[Server]:
    with get_client(sync_client=True) as client:
        found = Server(client)
        found.deploy("stream", "comes-back")
        found.deploy("form")
        yield found
        for name, deployment in found.made.items():
            for run in found.runs(name):
                client.delete_flow_run(run.id)
            client.delete_deployment(deployment)
        automations.remove_automations(client)


def open_findings(ledger: Ledger) -> dict[str, str]:
    return {note.subject: note.code for note in ledger.exceptions() if note.code.startswith("FLOW_")}


def test_a_crash_reported_twice_comes_back_once_is_told_once_and_is_over_when_the_other_run_completed(
    installation: Installation, server: Server
) -> None:
    crashed = server.run("stream", states.Running(), states.Crashed(message=CAUSE), store="uk")

    assert watch_health().restarted == 1
    server.client.set_flow_run_state(crashed, states.Crashed(message="Flow run infrastructure exited"), force=True)
    assert [watch_health().restarted for _ in range(2)] == [0, 0]

    first, again = server.runs("stream")
    assert (again.name, again.parameters) == (f"{first.name} again 1", {"store": "uk"})
    assert again.state is not None
    assert again.state.is_scheduled()
    with installation.ledger() as ledger:
        assert open_findings(ledger) == {"flow stream": "FLOW_CRASHED"}
        server.client.set_flow_run_state(again.id, states.Running(), force=True)
        server.client.set_flow_run_state(again.id, states.Completed(), force=True)
        assert (watch_health().restarted, len(server.runs("stream"))) == (0, 2)
        assert open_findings(ledger) == {}
        (told,) = ledger.exceptions(state="closed", code="FLOW_CRASHED")
    assert first.name in told.detail


def test_a_run_that_always_crashes_is_started_again_twice_and_then_it_is_down(
    installation: Installation, server: Server
) -> None:
    server.run("stream", states.Running(), states.Failed(message="it went wrong: PRIMA says no"))
    assert watch_health().restarted == 0
    server.run("stream", states.Running(), states.Failed(message=LOST_SERVER))

    restarted = []
    for _ in range(4):
        restarted.append(watch_health().restarted)
        if restarted[-1]:
            server.crash_the_last("stream")

    assert restarted == [1, 1, 0, 0]
    assert len(server.runs("stream")) == 4
    with installation.ledger() as ledger:
        assert open_findings(ledger) == {"flow stream": "FLOW_DOWN"}
    shown = installation.command("health", "--json")
    assert shown.returncode == 1, shown.stderr
    view = json.loads(shown.stdout)
    assert [(found["code"], found["subject"]) for found in view["findings"]] == [("FLOW_DOWN", "flow stream")]
    assert [(row["flow"], row["state"]) for row in view["flows"] if row["flow"] == "stream"] == [("stream", "crashed")]


def test_a_crash_is_found_however_many_deployments_of_others_the_server_holds(
    installation: Installation, server: Server
) -> None:
    flow = server.client.create_flow_from_name("of another project")
    for number in range(200):
        name = f"another {number}"
        server.made[name] = server.client.create_deployment(flow, name)
    server.run("stream", states.Running(), states.Crashed(message=CAUSE))

    assert watch_health().restarted == 1

    with installation.ledger() as ledger:
        assert open_findings(ledger) == {"flow stream": "FLOW_CRASHED"}


def test_a_form_that_is_filled_in_wrongly_again_and_again_is_not_down_and_a_flow_with_a_schedule_is(
    installation: Installation, server: Server
) -> None:
    server.deploy("scheduled", schedule=IntervalSchedule(interval=timedelta(minutes=5)))
    for deployment in ("form", "scheduled"):
        for _ in range(3):
            server.run(deployment, states.Running(), states.Failed(message="the order is unknown"))

    watch_health()

    with installation.ledger() as ledger:
        assert open_findings(ledger) == {"flow scheduled": "FLOW_DOWN"}
    found = health_view.health(installation.settings, datetime.now(UTC))["findings"]
    assert [row["subject"] for row in found] == ["flow scheduled"]


def test_what_a_person_started_is_not_started_again_and_what_a_worker_took_and_never_began_is_ended(
    installation: Installation, server: Server
) -> None:
    form = server.run("form", states.Running(), states.Crashed(message=CAUSE), order_number="000000101")
    stuck, running = server.run("stream", states.Pending()), server.run("form", states.Running())

    # The server gives each state its own time: that a run waited for long is shown in tests/unit.
    assert end_stuck_runs([str(stuck), str(running)]) == 1
    assert watch_health().restarted == 1

    untouched, _ = server.runs("form")
    assert untouched.id == form
    ended = server.client.read_flow_run(stuck).state
    assert ended is not None
    assert ended.is_crashed()
    with installation.ledger() as ledger:
        assert open_findings(ledger) == {
            "flow stream": "FLOW_CRASHED",
            f"flow form, run {untouched.name}": "FLOW_INTERRUPTED",
        }


HISTORY = """
[health]
history_weeks = 2
dispatches_expected = 3
batches_expected = 3
"""


def every_two_hours(installation: Installation, until: datetime) -> None:
    """Let the ledger hold 16 days of batches of two streams and of dispatches, one every two hours."""
    at = until - timedelta(days=16)
    with Ledger(installation.settings.ledger.url, now=lambda: at) as ledger:
        ledger.migrate()
        number = 0
        while at <= until:
            number += 1
            for stream in ("orders", "stock"):
                ledger.close_batch(ledger.open_batch(stream, at, at), "closed", {})
            ledger.link_dispatch(f"D{number}", f"{number:09d}", f"{number}", "shipped")
            at += timedelta(hours=2)


def test_a_late_and_a_stalled_run_and_streams_that_stand_still_are_found_and_are_over_when_they_move(
    installation: Installation, server: Server
) -> None:
    installation.add_settings(HISTORY)
    now = datetime.now(UTC)
    every_two_hours(installation, now - timedelta(hours=9))
    late = server.run("form", states.Scheduled(scheduled_time=now - timedelta(minutes=61)))
    running = server.run("stream", states.Running())

    watch_health()
    silent = {
        "stream dispatches": "DISPATCHES_SILENT",
        "stream orders": "STREAM_STANDS_STILL",
        "stream stock": "SNAPSHOT_OLD",
    }
    assert installation.open_codes() == {"flow form": "FLOW_LATE", **silent}
    shown = installation.command("health", "--json")
    assert (shown.returncode, len(json.loads(shown.stdout)["findings"])) == (1, 4)
    for minutes, codes in ((59, []), (61, ["flow stream"])):
        view = health_view.health(installation.settings, now + timedelta(minutes=minutes))
        assert [row["subject"] for row in view["findings"] if row["code"] == "FLOW_STALLED"] == codes

    for run in (late, running):
        server.client.set_flow_run_state(run, states.Completed(), force=True)
    with installation.ledger() as ledger:
        for stream, state in (("orders", "waiting"), ("stock", "held")):
            ledger.close_batch(ledger.open_batch(stream, now, now), state, {})
        ledger.link_dispatch("D9999", "000009999", "", "seen")
    watch_health()
    # A batch that left something for another run has not moved the watermark of its stream.
    assert installation.open_codes() == {"stream orders": "STREAM_STANDS_STILL"}
    with installation.ledger() as ledger:
        ledger.close_batch(ledger.open_batch("orders", now, now), "closed", {})
    watch_health()
    assert installation.open_codes() == {}


def test_the_automations_need_the_deployment_health_are_made_once_and_stay_off_where_they_were_switched_off(
    installation: Installation, server: Server
) -> None:
    with pytest.raises(ConfigurationError, match="no deployment health"):
        automations.prepare_automations()
    server.deploy("health")

    made_by_command = installation.command("automations")
    assert made_by_command.returncode == 0, made_by_command.stderr
    names = [line.partition(": ")[2] for line in made_by_command.stdout.splitlines()]
    assert names == [automations.ZOMBIES, automations.CRASHES]
    for name in names:
        (made,) = server.client.read_automations_by_name(name)
        assert made.enabled
    server.client.pause_automation(made.id)
    automations.prepare_automations()

    assert [len(server.client.read_automations_by_name(name)) for name in names] == [1, 1]
    assert [server.client.read_automations_by_name(name)[0].enabled for name in names] == [True, False]


def test_without_a_finding_the_command_says_that_nothing_is_wrong(installation: Installation) -> None:
    with installation.ledger() as ledger:
        ledger.raise_exceptions("", [ExceptionNote("CARRIER_UNKNOWN", "order 000000101", "not of the machinery")])

    shown = installation.command("health")

    assert (shown.returncode, shown.stdout.splitlines()[0]) == (0, "Nothing is wrong."), shown.stdout + shown.stderr
