"""Shipments whose call went wrong: none is made twice, none is forgotten, and what is not clear is said."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.fulfilment import sync_fulfilment
from tasks import connect
from tasks.errors import SystemUnavailableError
from tests.flows.shopping import (
    JEANS,
    TEE,
    Order,
    accepted_order,
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

    installation.magento.faults.clear()
    sync_fulfilment()
    assert len(installation.magento.shipments()) == len(installation.magento.emails) == 2
    assert installation.open_codes() == {}


def test_a_shipment_that_magento_refuses_is_an_exception_with_magentos_words(
    installation: Installation, order: Order
) -> None:
    number = installation.prima.dispatch(prima_number(order))
    installation.magento.set_source_quantity(TEE, 1)

    sync_fulfilment()
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert (note.code, note.subject) == ("SHIPMENT_REFUSED", f"dispatch {number}")
    assert "Could not save a shipment" in note.detail

    installation.magento.set_source_quantity(TEE, 100)
    sync_fulfilment()
    assert len(installation.magento.shipments()) == 1
    assert installation.open_codes() == {}


def test_a_shipment_in_which_magento_silently_left_units_out_stays_on_the_list(
    installation: Installation, order: Order
) -> None:
    number = installation.prima.dispatch(prima_number(order), {1: 3})

    with _stock_being_written(installation):
        run = threading.Thread(target=sync_fulfilment)
        run.start()
        while not _is_about_to_ship(installation, number):
            assert run.is_alive(), "the run ended before it could ship"
        ship_by_hand(installation, order, 2)
    run.join()
    sync_fulfilment()

    assert [shipped_units(each, order) for each in installation.magento.shipments()] == [{TEE: 2}, {TEE: 1}]
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert (note.subject, note.code) == (f"dispatch {number}", "SHIPMENT_REFUSED")
    assert "1 of 3 units" in note.detail


@contextmanager
def _stock_being_written(installation: Installation) -> Iterator[None]:
    """Hold the lane of the source, so that a shipment has to wait in front of its call."""
    with installation.ledger() as ledger:
        with ledger.lane("stock default", owner=connect.owner(), seconds=300) as is_ours:
            assert is_ours
            yield


def _is_about_to_ship(installation: Installation, dispatch_number: str) -> bool:
    with installation.ledger() as ledger:
        return ledger.dispatch_link(dispatch_number) is not None
