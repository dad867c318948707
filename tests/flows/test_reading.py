"""Reading without missing one: unreadable orders, late commits, repeated pages, wrong clocks, orders that wait."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.fulfilment import sync_fulfilment
from flows.inventory import sync_inventory
from flows.orders import sync_orders
from tasks.errors import UnexpectedResponseError
from tasks.extract import orders as extract
from tests.builders import an_order
from tests.installation import Installation

ANYWHERE = "GET /V1/orders*"
LIST = "GET /V1/orders"


def ago(**time: float) -> str:
    """Return the instant this long before now, as Magento writes it."""
    return f"{datetime.now(UTC) - timedelta(**time):%Y-%m-%d %H:%M:%S}"


def changed(number: str, at: str, **fields: Any) -> dict[str, Any]:
    """Return an order that was placed and changed at an instant."""
    return an_order(number, **{"created_at": at, "updated_at": at, **fields})


def posted(installation: Installation) -> list[str]:
    """Return the Magento numbers of the orders that PRIMA has."""
    with installation.ledger() as ledger:
        known = {order.order_number_prima: order.order_number for order in ledger.orders_in_state("accepted")}
    return sorted(known[number] for number in installation.prima.order_numbers())


def watermark(installation: Installation) -> datetime:
    """Return the instant up to which the stream of orders is recorded."""
    with installation.ledger() as ledger:
        found = ledger.watermark("orders")
    assert found is not None
    return found.at


def calls(installation: Installation) -> int:
    """Return how many times PRIMA was given an order."""
    return sum(1 for request in installation.prima.requests() if request["request_type"] == "MultiNewOrder")


@pytest.fixture
def quick(installation: Installation) -> Installation:
    """An installation that reads as fast as the settings allow, seven orders a page."""
    installation.configure(calls_per_second="15\npage_size = 7")
    return installation


def test_one_unreadable_order_holds_up_no_other_and_is_an_exception_on_its_entity_id(quick: Installation) -> None:
    orders = [changed(f"{n:09d}", ago(hours=3, seconds=-n)) for n in range(1, 21)]
    quick.holds(*orders)
    quick.magento.faults.add(ANYWHERE, "unreadable_order", times=None, increment_id="000000011")

    sync_orders()

    assert posted(quick) == [order["increment_id"] for order in orders if order["increment_id"] != "000000011"]
    assert quick.open_codes() == {"order entity 1011": "RECORD_UNREADABLE"}
    assert f"{watermark(quick):%Y-%m-%d %H:%M:%S}" == orders[-1]["updated_at"]


def test_an_unreadable_order_is_asked_for_by_each_run_and_carried_once_it_reads(quick: Installation) -> None:
    quick.holds(*(changed(f"{n:09d}", ago(hours=3, seconds=-n)) for n in range(1, 4)))
    quick.magento.faults.add(ANYWHERE, "unreadable_order", times=None, increment_id="000000002")
    sync_orders()
    quick.magento.forget_calls()
    sync_orders()
    failed = [call["path"] for call in quick.magento.calls() if call["status"] == 500]
    assert failed == ["/V1/orders/1002"], "known to be unreadable, it is asked for once, and no list holds it"

    quick.magento.faults.clear()
    sync_orders()

    assert posted(quick) == ["000000001", "000000002", "000000003"]
    assert quick.open_codes() == {}
    with quick.ledger() as ledger:
        (note,) = ledger.exceptions(state="closed", code="RECORD_UNREADABLE")
    assert note.occurrences == 2


def test_an_order_that_only_lists_choke_on_is_read_by_its_id(quick: Installation) -> None:
    quick.holds(*(changed(f"{n:09d}", ago(hours=3, seconds=-n)) for n in range(1, 4)))
    quick.magento.faults.add(LIST, "unreadable_order", times=None, increment_id="000000002")

    sync_orders()

    assert posted(quick) == ["000000001", "000000002", "000000003"]
    assert quick.open_codes() == {}


def test_a_waiting_order_that_becomes_unreadable_holds_up_no_other_waiting_one(quick: Installation) -> None:
    orders = [changed(f"{n:09d}", ago(hours=3, seconds=-n)) for n in range(1, 4)]
    quick.magento.load_orders(_plain(orders))
    sync_orders()
    assert set(quick.open_codes().values()) == {"SKU_UNKNOWN"}
    quick.magento.faults.add(ANYWHERE, "unreadable_order", times=None, increment_id="000000002")
    quick.prima.items_from_orders(_plain(orders))

    sync_orders()

    assert posted(quick) == ["000000001", "000000003"]
    assert quick.open_codes() == {"order 000000002": "SKU_UNKNOWN", "order entity 1002": "RECORD_UNREADABLE"}
    quick.magento.faults.clear()
    sync_orders()
    assert posted(quick) == ["000000001", "000000002", "000000003"]
    assert quick.open_codes() == {}


def test_an_unreadable_order_stops_neither_stock_nor_dispatches(quick: Installation) -> None:
    orders = [changed(f"{n:09d}", ago(hours=3, seconds=-n)) for n in range(1, 4)]
    quick.holds(*orders)
    sync_orders()
    quick.magento.faults.add(ANYWHERE, "unreadable_order", times=None, increment_id="000000002")
    for number in quick.prima.order_numbers():
        quick.prima.dispatch(number)

    sync_fulfilment()
    sync_inventory()

    assert len(quick.magento.shipments()) == 2
    quick.magento.faults.clear()
    sync_fulfilment()
    assert len(quick.magento.shipments()) == 3


def test_the_watermark_stays_where_magento_fails_on_every_list(quick: Installation) -> None:
    quick.holds(changed("000000001", ago(hours=3)))
    sync_orders()
    before = watermark(quick)
    quick.holds(changed("000000002", ago(hours=2)))
    quick.magento.faults.add(ANYWHERE, "status", times=None, status=500)

    with pytest.raises(UnexpectedResponseError):
        sync_orders()

    assert watermark(quick) == before
    assert quick.open_codes() == {}
    quick.magento.faults.clear()
    sync_orders()
    assert posted(quick) == ["000000001", "000000002"]


def test_the_watermark_stays_where_no_order_at_all_can_be_read(
    quick: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "UNREADABLE_A_BATCH", 3)
    quick.holds(*(changed(f"{n:09d}", ago(hours=3, seconds=-n)) for n in range(1, 5)))
    for n in range(1, 5):
        quick.magento.faults.add(ANYWHERE, "unreadable_order", times=None, entity_id=1000 + n)

    with pytest.raises(UnexpectedResponseError, match="one after the other"):
        sync_orders()

    with quick.ledger() as ledger:
        assert ledger.watermark("orders") is None


def test_a_run_that_stops_before_the_exception_is_written_reads_the_order_again(
    quick: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.holds(*(changed(f"{n:09d}", ago(hours=3, seconds=-n)) for n in range(1, 4)))
    quick.magento.faults.add(ANYWHERE, "unreadable_order", times=None, increment_id="000000003")
    with monkeypatch.context() as broken:
        broken.setattr("flows.carrying.unreadable.note_unreadable", _stop)
        with pytest.raises(KeyboardInterrupt):
            sync_orders()
    with quick.ledger() as ledger:
        assert ledger.watermark("orders") is None

    sync_orders()

    assert posted(quick) == ["000000001", "000000002"]
    assert quick.open_codes() == {"order entity 1003": "RECORD_UNREADABLE"}


def test_an_order_that_was_committed_late_is_found_inside_the_overlap(quick: Installation) -> None:
    quick.holds(changed("000000001", ago(minutes=60)))
    sync_orders()
    quick.holds(changed("000000002", ago(minutes=69)))

    sync_orders()

    assert posted(quick) == ["000000001", "000000002"]


def test_reading_the_overlap_again_posts_nothing_twice(quick: Installation) -> None:
    quick.holds(*(changed(f"{n:09d}", ago(minutes=60, seconds=-n)) for n in range(1, 10)))
    for _ in range(3):
        sync_orders()

    assert calls(quick) == 9
    assert len(quick.prima.order_numbers()) == 9
    with quick.ledger() as ledger:
        totals = [batch.control_totals for batch in ledger.batches("orders")]
        assert ledger.batches("orders waiting") == [], "no order waits"
    assert [each["fetched"]["count"] for each in totals] == [9, 9, 9]
    assert [each["already posted"]["count"] for each in totals] == [9, 9, 0], "read again, and known to be posted"


def test_a_page_that_comes_twice_posts_nothing_twice(quick: Installation) -> None:
    quick.holds(*(changed(f"{n:09d}", ago(minutes=60, seconds=-n)) for n in range(1, 21)))
    quick.magento.faults.add(LIST, "duplicate_page", times=3)

    sync_orders()

    assert calls(quick) == 20
    assert len(posted(quick)) == 20


def test_an_order_that_only_our_own_note_changed_is_not_carried_a_second_time_in_a_run(quick: Installation) -> None:
    quick.holds(*(changed(f"{n:09d}", ago(minutes=60, seconds=-n)) for n in range(1, 4)))
    first = extract.fetch_new_orders()
    with extract.connect.open_magento(quick.settings) as magento:
        for entity_id in (1001, 1002):
            magento.save_order(entity_id, ext_order_id=f"3000{entity_id}")
            magento.comment(entity_id, "Accepted by PRIMA.")
        magento.cancel(1002)

    again = extract.fetch_new_orders(first.position, carried=first.fingerprints)
    unknown = extract.fetch_new_orders(first.position)

    assert [record["increment_id"] for record in first.records] == ["000000001", "000000002", "000000003"]
    assert [record["increment_id"] for record in again.records] == ["000000002"], "cancelled meanwhile"
    assert {record["increment_id"] for record in unknown.records} == {"000000001", "000000002"}
    assert again.position == unknown.position, "the stream goes on behind what was left out"


def test_orders_of_one_second_on_both_sides_of_a_batch_are_all_read(
    quick: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "RECORDS_A_BATCH", 7)
    at = ago(minutes=60)
    quick.holds(*(changed(f"{n:09d}", at) for n in range(1, 21)))

    sync_orders()

    assert len(posted(quick)) == 20
    assert calls(quick) == 20


def test_a_held_order_whose_updated_at_stands_still_is_taken_up_when_it_changes(quick: Installation) -> None:
    order = changed("000000001", ago(hours=3), state="holded", status="holded")
    order |= {"hold_before_state": "new", "hold_before_status": "pending"}
    quick.holds(order, changed("000000002", ago(hours=1)))
    sync_orders()
    assert quick.open_codes() == {"order 000000001": "ORDER_ON_HOLD"}
    quick.magento.faults.add("POST /V1/orders/*/unhold", "frozen_updated_at")
    with extract.connect.open_magento(quick.settings) as magento:
        magento.unhold(1001)
    assert quick.magento.order("000000001")["updated_at"] == order["updated_at"]

    sync_orders()

    assert posted(quick) == ["000000001", "000000002"]
    assert quick.open_codes() == {}


def test_an_order_changed_in_the_future_does_not_carry_the_watermark_past_others(quick: Installation) -> None:
    quick.holds(changed("000000001", ago(minutes=1), updated_at=ago(hours=-1)))
    sync_orders()
    assert watermark(quick) <= datetime.now(UTC)
    quick.holds(changed("000000002", ago(minutes=0)))

    sync_orders()
    sync_orders()

    assert posted(quick) == ["000000001", "000000002"]
    assert calls(quick) == 2


def test_a_young_order_waits_without_an_exception_and_is_posted_when_it_is_old_enough(quick: Installation) -> None:
    quick.configure(import_states='["new"]\nminimum_age_minutes = 15')
    quick.holds(changed("000000001", ago(minutes=5)), changed("000000002", ago(minutes=20)))

    sync_orders()

    assert posted(quick) == ["000000002"]
    assert quick.open_codes() == {}
    with quick.ledger() as ledger:
        assert ledger.order_states(["000000001"]) == {"000000001": "seen"}
        assert ledger.batches("orders")[0].control_totals["too young"]["count"] == 1

    quick.configure(minimum_age_minutes="4")
    sync_orders()
    assert posted(quick) == ["000000001", "000000002"]


def test_a_store_view_may_let_its_orders_wait_for_longer(quick: Installation) -> None:
    quick.configure(code='"default"\nminimum_age_minutes = 30')
    quick.holds(changed("000000001", ago(minutes=20)))
    sync_orders()
    assert posted(quick) == []


def test_an_unpaid_order_expires_and_comes_back_when_it_is_paid_after_all(quick: Installation) -> None:
    quick.configure(import_states='["new", "processing"]\nexpire_unpaid_days = 10')
    quick.configure(order_category='"CHEQUE"\nimport_when = "paid"')
    old = changed("000000001", ago(days=11))
    quick.holds(old, changed("000000002", ago(days=9)))

    sync_orders()

    assert quick.open_codes() == {"order 000000001": "ORDER_EXPIRED", "order 000000002": "ORDER_UNPAID"}
    with quick.ledger() as ledger:
        states = ledger.order_states(["000000001", "000000002"])
    assert states == {"000000001": "excluded", "000000002": "held"}

    with extract.connect.open_magento(quick.settings) as magento:
        magento.invoice(old["entity_id"], capture=True)
    sync_orders()
    assert posted(quick) == ["000000001"]
    assert quick.open_codes() == {"order 000000002": "ORDER_UNPAID"}


def _plain(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return orders with numbers as the stand-in keeps them."""
    return list(json.loads(json.dumps(orders, default=float)))


def _stop(*_: object) -> None:
    raise KeyboardInterrupt
