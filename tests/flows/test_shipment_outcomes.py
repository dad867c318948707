"""Shipments whose call went wrong: none is made twice, none is forgotten, and what is not clear is said."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows import restocking
from flows.daily_view import daily_view
from flows.fulfilment import sync_fulfilment
from flows.orders import sync_orders
from schemas.daily_facts import LONDON
from tasks.errors import SystemUnavailableError
from tests.flows.shopping import (
    JEANS,
    TEE,
    Order,
    a_line,
    accepted_order,
    buy,
    levels,
    prima_number,
    ship_by_hand,
    ship_calls,
    shipped_units,
    state,
)
from tests.installation import Installation

SHIP = "POST /V1/order/*/ship"


@pytest.fixture
def order(installation: Installation) -> Order:
    """An order of 3 tees and 2 pairs of jeans that PRIMA has accepted."""
    return accepted_order(installation)


def report_of_today(installation: Installation) -> str:
    """Return the headline of the daily report as it would be now."""
    return str(daily_view(installation.settings, datetime.now(LONDON).date())["headline"])


@pytest.mark.parametrize("kind", ["lose_answer", "truncate"])
def test_a_shipment_whose_answer_is_lost_is_found_and_not_made_again(
    installation: Installation, order: Order, kind: Any
) -> None:
    installation.prima.dispatch(prima_number(order), {1: 1})
    installation.magento.faults.add(SHIP, kind)

    sync_fulfilment()
    sync_fulfilment()

    (shipment,) = installation.magento.shipments()
    assert shipped_units(shipment, order) == {TEE: 1}
    assert (len(installation.magento.emails), ship_calls(installation)) == (1, 1)
    assert state(installation, order) == "part_dispatched"
    assert installation.open_codes() == {}


def test_a_shipment_that_cannot_be_looked_up_stays_open_until_it_can(installation: Installation, order: Order) -> None:
    number = installation.prima.dispatch(prima_number(order))
    installation.magento.faults.add(SHIP, "lose_answer")
    installation.configure(overlap_minutes="10\nread_attempts = 1")
    # Until the look at the order's shipments nothing of them is read.
    installation.magento.faults.add("GET /V1/shipments", "status", status=503)

    sync_fulfilment()
    assert installation.open_codes() == {f"dispatch {number}": "SHIPMENT_OUTCOME_UNKNOWN"}

    sync_fulfilment()
    assert installation.open_codes() == {}
    assert (len(installation.magento.shipments()), len(installation.magento.emails)) == (1, 1)
    assert state(installation, order) == "dispatched"


def test_a_run_killed_after_magento_shipped_leaves_one_shipment_and_one_email(
    installation: Installation, order: Order
) -> None:
    installation.prima.dispatch(prima_number(order))
    installation.magento.faults.add(SHIP, "delay", seconds=120)
    run = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", "fulfilment"],
        env={**os.environ, **installation.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not installation.magento.shipments():
        assert run.poll() is None, "the run ended before Magento had the shipment"
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()

    sync_fulfilment()
    sync_fulfilment()

    assert (len(installation.magento.shipments()), len(installation.magento.emails)) == (1, 1)
    assert ship_calls(installation) == 1
    assert installation.open_codes() == {}
    assert state(installation, order) == "dispatched"


def test_a_shipment_that_never_arrived_is_told_by_the_next_run(installation: Installation, order: Order) -> None:
    installation.prima.dispatch(prima_number(order))
    installation.magento.faults.add(SHIP, "reset")

    summary = sync_fulfilment()
    assert summary.counts["waiting"] == 1
    assert installation.magento.shipments() == []
    assert installation.open_codes() == {}
    assert state(installation, order) == "accepted"

    sync_fulfilment()
    assert (len(installation.magento.shipments()), len(installation.magento.emails)) == (1, 1)
    assert state(installation, order) == "dispatched"


def test_what_waits_is_told_in_the_end_however_long_ago_it_left(installation: Installation, order: Order) -> None:
    installation.prima.clock.set(datetime.now(UTC) - timedelta(days=90))
    installation.prima.dispatch(prima_number(order), {1: 3})
    installation.prima.clock.set(None)
    installation.prima.dispatch(prima_number(order), {2: 2})
    lane = f"order {order['increment_id']}"
    with installation.ledger() as ledger, ledger.lane(lane, owner="elsewhere:1:1", seconds=60):
        sync_fulfilment()
    assert ship_calls(installation) == 0, "another worker has the order: two parcels of one order never go at once"

    installation.magento.faults.add(SHIP, "reset")
    sync_fulfilment()
    assert [shipped_units(each, order) for each in installation.magento.shipments()] == [{JEANS: 2}]
    sync_fulfilment()
    assert [shipped_units(each, order) for each in installation.magento.shipments()] == [{JEANS: 2}, {TEE: 3}]


def test_magento_in_maintenance_lets_every_dispatch_wait_and_marks_none_as_failed(
    installation: Installation, order: Order
) -> None:
    installation.prima.dispatch(prima_number(order), {1: 3})
    installation.prima.dispatch(prima_number(order), {2: 2})
    installation.magento.faults.add(SHIP, "status", times=None, status=503)

    with pytest.raises(SystemUnavailableError):
        sync_fulfilment()
    assert installation.open_codes() == {}
    assert installation.magento.shipments() == []
    assert "2 dispatches wait for the next run to be told." in report_of_today(installation)

    installation.magento.faults.clear()
    sync_fulfilment()
    assert len(installation.magento.shipments()) == len(installation.magento.emails) == 2
    assert installation.open_codes() == {}
    assert "to be told" not in report_of_today(installation)


def test_a_source_that_holds_too_little_gets_the_right_quantity_and_the_goods_are_shipped(
    installation: Installation, order: Order
) -> None:
    installation.prima.dispatch(prima_number(order))
    installation.magento.set_source_quantity(TEE, 1)

    sync_fulfilment()

    assert len(installation.magento.shipments()) == len(installation.magento.emails) == 1
    assert ship_calls(installation) == 2
    assert installation.open_codes() == {}
    # PRIMA has 97 to sell, and 3 units were open until they were shipped.
    assert levels(installation, TEE) == (97, 97)


def test_a_shipment_that_magento_refuses_all_the_same_is_an_exception_with_magentos_words(
    installation: Installation, order: Order
) -> None:
    number = installation.prima.dispatch(prima_number(order))
    installation.magento.set_source_quantity(TEE, 1)
    installation.magento.faults.add("POST /V1/inventory/source-items", "status", times=None, status=400)

    sync_fulfilment()
    installation.magento.faults.clear()
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code="SHIPMENT_WITHOUT_STOCK")
    assert note.subject == f"dispatch {number}"
    assert "Could not save a shipment" in note.detail
    assert ship_calls(installation) == 2

    installation.magento.faults.add(SHIP, "status", status=503)
    with pytest.raises(SystemUnavailableError):
        sync_fulfilment()
    with installation.ledger() as ledger:
        (still,) = ledger.exceptions(code="SHIPMENT_WITHOUT_STOCK")
    assert (still.id, still.state) == (note.id, "open"), "what waits is not over: its age runs on"

    sync_fulfilment()
    assert len(installation.magento.shipments()) == 1
    assert installation.open_codes() == {}


def test_an_order_that_magento_does_not_hand_out_or_has_no_more_is_not_said_to_be_unknown(
    installation: Installation, order: Order
) -> None:
    other, gone = (buy(installation, a_line(TEE)) for _ in range(2))
    sync_orders()
    waits, _, never = (installation.prima.dispatch(prima_number(each)) for each in (order, other, gone))
    with sqlite3.connect(installation.folder / "magento.db") as database:
        database.execute("delete from orders where entity_id = ?", (gone["entity_id"],))
    unreadable = {"entity_id": order["entity_id"], "times": None}
    installation.magento.faults.add("GET /V1/orders*", "unreadable_order", **unreadable)

    sync_fulfilment()
    assert [shipped_units(each, other) for each in installation.magento.shipments()] == [{TEE: 1}]
    with installation.ledger() as ledger:
        notes = {note.subject: note for note in ledger.exceptions()}
    assert {subject: note.code for subject, note in notes.items()} == dict.fromkeys(
        (f"dispatch {waits}", f"dispatch {never}"), "SHIPMENT_REFUSED"
    )
    assert "the order cannot be read" in notes[f"dispatch {waits}"].detail
    assert notes[f"dispatch {waits}"].value_at_risk_pence == round(100 * order["grand_total"])
    assert "Magento does not have the order any more" in notes[f"dispatch {never}"].detail

    installation.magento.faults.clear()
    sync_fulfilment()
    assert installation.open_codes() == {f"dispatch {never}": "SHIPMENT_REFUSED"}
    assert len(installation.magento.shipments()) == 2


def test_units_that_somebody_ships_in_the_same_moment_are_noticed_and_stay_on_the_list(
    installation: Installation, order: Order
) -> None:
    number = installation.prima.dispatch(prima_number(order), {1: 3})
    fault = installation.magento.faults.add(SHIP, "delay", seconds=2, before_effect=True)

    run = threading.Thread(target=sync_fulfilment)
    run.start()
    while any(each["id"] == fault for each in installation.magento.faults.pending()):
        assert run.is_alive(), "the run ended before it could ship"
    ship_by_hand(installation, order, 2)
    run.join()
    sync_fulfilment()

    assert [shipped_units(each, order) for each in installation.magento.shipments()] == [{TEE: 2}, {TEE: 1}]
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert (note.subject, note.code) == (f"dispatch {number}", "SHIPMENT_DIFFERS")
    assert "1 of 3 units" in note.detail


def test_units_that_somebody_shipped_after_the_plan_are_not_asked_for_again(
    installation: Installation, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = installation.prima.dispatch(prima_number(order), {1: 3})
    ship = restocking.ship

    def ship_after_somebody(*plan_and_more: Any) -> Any:
        ship_by_hand(installation, order, 2)
        return ship(*plan_and_more)

    monkeypatch.setattr(restocking, "ship", ship_after_somebody)
    sync_fulfilment()

    assert [shipped_units(each, order) for each in installation.magento.shipments()] == [{TEE: 2}]
    assert installation.open_codes() == {f"dispatch {number}": "DISPATCH_TOO_MANY"}
    assert ship_calls(installation) == 1


def test_a_call_that_arrives_after_it_was_given_up_is_found_before_another_is_made(
    installation: Installation, order: Order
) -> None:
    installation.configure(calls_per_second="15\nread_timeout_seconds = 0.5")
    installation.prima.dispatch(prima_number(order), {1: 1})
    fault = installation.magento.faults.add(SHIP, "delay", seconds=3, before_effect=True)

    sync_fulfilment()  # gives up; nothing is there yet
    installation.configure(read_timeout_seconds="60")
    assert all(each["id"] != fault for each in installation.magento.faults.pending())
    while not installation.magento.shipments():
        time.sleep(0.05)
    sync_fulfilment()

    assert (len(installation.magento.shipments()), len(installation.magento.emails)) == (1, 1)
    assert ship_calls(installation) == 1
    assert installation.open_codes() == {}


def test_a_shipment_whose_comment_magento_did_not_keep_is_known_by_its_units_and_tracks(
    installation: Installation, order: Order
) -> None:
    number = installation.prima.dispatch(prima_number(order), {1: 1}, tracking=["1550"])
    installation.magento.faults.add(SHIP, "lose_answer")
    installation.magento.faults.add("GET /V1/shipments", "status", status=503, times=4)
    sync_fulfilment()
    assert installation.open_codes() == {f"dispatch {number}": "SHIPMENT_OUTCOME_UNKNOWN"}
    with sqlite3.connect(installation.folder / "magento.db") as database:
        for key, text in database.execute("select rowid, document from documents where kind = 'shipment'").fetchall():
            document = {**json.loads(text), "comments": []}
            database.execute("update documents set document = ? where rowid = ?", (json.dumps(document), key))

    sync_fulfilment()

    assert len(installation.magento.shipments()) == len(installation.magento.emails) == 1
    assert installation.open_codes() == {}


def test_a_call_whose_answer_was_lost_is_not_repeated_before_it_has_settled(
    installation: Installation, order: Order
) -> None:
    installation.configure(settle_seconds="600")
    installation.prima.dispatch(prima_number(order))
    installation.magento.faults.add(SHIP, "reset")

    sync_fulfilment()
    sync_fulfilment()
    assert ship_calls(installation) == 1

    installation.configure(settle_seconds="0")
    sync_fulfilment()
    assert len(installation.magento.shipments()) == len(installation.magento.emails) == 1
    assert installation.open_codes() == {}
