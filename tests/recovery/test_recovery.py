"""A killed run, a killed worker and a stopped server: everything goes on without a hand, and is told once."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from prefect import flow, states
from prefect.client.orchestration import SyncPrefectClient
from prefect.events import Event, RelatedResource, Resource

from tests.builders import an_order
from tests.installation import Installation
from tests.recovery.machinery import DEAD, Machinery, machinery, runs_of, states_of, wait_for

NO_ANSWER, SLOW_ANSWER = 60.0, 16.0  # seconds: until long after the kill; until the server is away

ENDED = ("COMPLETED", "FAILED", "CRASHED")

Running = tuple[Installation, Machinery, SyncPrefectClient]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    installation = Installation(tmp_path / "installation")
    installation.start()
    with machinery(tmp_path, installation.environment) as (found, client):
        yield installation, found, client
    installation.stop()


@flow(name="dead")
def dead() -> None:
    """Has no process: only its heartbeat is told to the server, once."""


def begin_and_stop_in_a_call(running: Running, number: str, seconds: float) -> UUID:
    """Begin a run of orders, and return when PRIMA has taken the order but has not answered yet."""
    installation, found, client = running
    before = len(installation.prima.order_numbers())
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    installation.holds(an_order(number, created_at=now, updated_at=now))
    installation.prima.faults.add("MultiNewOrder", "delay", seconds=seconds)
    run_id = client.create_flow_run_from_deployment(found.deployed["orders"]).id
    wait_for(lambda: len(installation.prima.order_numbers()) == before + 1, f"PRIMA has order {number}")
    return run_id


def begin_run_without_a_process(client: SyncPrefectClient, tag: str) -> UUID:
    """Let the server believe that a run lives, which says nothing from then on."""
    run_id = client.create_flow_run(dead, tags=[tag], state=states.Running()).id
    heartbeat = Event(
        event="prefect.flow-run.heartbeat",
        resource=Resource({"prefect.resource.id": f"prefect.flow-run.{run_id}"}),
        related=[RelatedResource({"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"})],
    )
    # Straight to this server: `emit_event` tells the one that an earlier test of this process told first.
    told = httpx.post(f"{str(client.api_url).rstrip('/')}/events", json=[heartbeat.model_dump(mode="json")])
    told.raise_for_status()
    return run_id


def look(found: Machinery, client: SyncPrefectClient) -> None:
    """Run the deployment health to its end, as its schedule does."""
    run_id = client.create_flow_run_from_deployment(found.deployed["health"]).id

    def is_done() -> bool:
        state = client.read_flow_run(run_id).state
        return state is not None and state.is_completed()

    wait_for(is_done, "health looked")


def is_crashed(client: SyncPrefectClient, run_id: UUID) -> bool:
    state = client.read_flow_run(run_id).state
    return state is not None and state.is_crashed()


@pytest.mark.timeout(900)
def test_a_killed_run_comes_back_and_one_outlives_its_worker_and_a_stop_of_the_server_each_told_once(
    running: Running, pytestconfig: pytest.Config
) -> None:
    installation, found, client = running
    orders = found.deployed["orders"]

    # The process of a run dies in the middle of a call.
    killed = begin_and_stop_in_a_call(running, "000000101", NO_ANSWER)
    found.kill_run(killed)
    wait_for(lambda: bool(states_of(client, found.deployed["health"])), "health looks at once")
    silent, other = (begin_run_without_a_process(client, tag) for tag in (DEAD, "other"))
    wait_for(lambda: states_of(client, orders) == ["CRASHED", "COMPLETED"], "a run came back by itself")
    again = runs_of(client, orders)[1]
    assert again.name.endswith(" again 1")
    assert len(installation.prima.order_numbers()) == 1

    # A run whose process and worker both died is found by its silence; one of another product is left alone.
    wait_for(lambda: is_crashed(client, silent), "the silent run was found")
    assert not is_crashed(client, other)

    # The worker of a run is killed, another one starts, and the server goes while the run is in the middle of a call.
    begin_and_stop_in_a_call(running, "000000102", SLOW_ANSWER)
    found.kill_worker()
    found.start_worker()
    found.server.stop()
    time.sleep(pytestconfig.getoption("--server-away"))
    found.start_server()
    wait_for(lambda: states_of(client, orders)[2] in ENDED, "the run outlived worker and server, or ended")
    if states_of(client, orders)[2] != "COMPLETED":
        look(found, client)  # as every five minutes: what the server is told in its first seconds it does not act on
    wait_for(lambda: states_of(client, orders)[-1] == "COMPLETED", "its work was done")
    look(found, client)

    # Each order is in PRIMA once, and each death was told once and is over.
    assert len(installation.prima.order_numbers()) == 2
    died = [state for state in states_of(client, orders) if state != "COMPLETED"]
    assert len(died) <= 2  # the killed one, and the other only if it needed the server while it was away
    with installation.ledger() as ledger:
        told = [(note.code, note.subject, note.state) for note in ledger.exceptions(state="all")]
    assert told == [("FLOW_CRASHED", "flow orders", "closed")] * len(died)
