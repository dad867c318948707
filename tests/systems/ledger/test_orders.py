"""Orders as Magento tells them, and the units that are still open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.errors import ConfigurationError
from tasks.systems.ledger import Ledger, LineProgress, MovedLine, OrderRecord, SeenOrders
from tests.systems.ledger.builders import PLACED, a_line, an_accepted_order, an_order
from tests.systems.ledger.conftest import TestClock

LATER = PLACED + timedelta(minutes=5)


def _stored(order: OrderRecord | None) -> OrderRecord:
    assert order is not None
    return order


def test_an_order_comes_back_as_it_was_told(ledger: Ledger, clock: TestClock) -> None:
    told = an_order(order_number_prima="00000101", lines=(a_line(11), a_line(12, sku="HAT", vat_rate_percent="0")))
    assert ledger.see_orders([told]) == SeenOrders(new=1, new_numbers=("000000101",))
    assert ledger.order("000000101") == replace(told, state="seen", state_since=clock(), seen_at=clock())
    assert ledger.order_by_prima_number("00000101") == ledger.order("000000101")
    assert ledger.order("000000102") is None


def test_an_order_told_again_changes_nothing(ledger: Ledger) -> None:
    ledger.see_orders([an_order()])
    before = ledger.order("000000101")
    assert ledger.see_orders([an_order(), an_order()]) == SeenOrders(unchanged=1)
    assert ledger.order("000000101") == before


def test_a_change_is_taken_and_leaves_the_state_alone(ledger: Ledger) -> None:
    ledger.see_orders([an_order()])
    ledger.set_order_state("000000101", "ready")
    told = an_order(state_magento="complete", updated_at=LATER)
    assert ledger.see_orders([told]) == SeenOrders(changed=1, changed_numbers=("000000101",))
    found = _stored(ledger.order("000000101"))
    assert (found.state_magento, found.updated_at, found.state) == ("complete", LATER, "ready")


def test_an_older_reading_does_not_replace_a_newer_one(ledger: Ledger) -> None:
    ledger.see_orders([an_order(state_magento="complete", updated_at=LATER)])
    assert ledger.see_orders([an_order()]) == SeenOrders(unchanged=1)
    assert _stored(ledger.order("000000101")).state_magento == "complete"


def test_shipped_units_never_shrink_when_readings_overtake_each_other(ledger: Ledger) -> None:
    ledger.see_orders([an_order()])
    moved = ledger.update_order_progress([LineProgress("000000101", 11, quantity_shipped=2)])
    assert moved == [MovedLine("000000101", 11, "DRESS-RED-10", "default")]
    ledger.see_orders([an_order(status_magento="picking")])  # read before the shipment, told after it
    assert ledger.update_order_progress([LineProgress("000000101", 11, quantity_shipped=1)]) == []
    assert _stored(ledger.order("000000101")).lines[0].quantity_shipped == 2


def test_progress_of_a_line_nobody_knows_is_left_out(ledger: Ledger) -> None:
    ledger.see_orders([an_order()])
    unknown = [LineProgress("000000101", 99, quantity_shipped=1), LineProgress("000000999", 11, quantity_shipped=1)]
    assert ledger.update_order_progress(unknown) == []


def test_a_line_that_an_edited_order_lost_is_removed(ledger: Ledger) -> None:
    ledger.see_orders([an_order(lines=(a_line(11), a_line(12, sku="HAT")))])
    ledger.see_orders([an_order(lines=(a_line(12, sku="HAT"),), updated_at=LATER)])
    assert [line.sku for line in _stored(ledger.order("000000101")).lines] == ["HAT"]


def test_a_prima_number_once_given_stays(ledger: Ledger) -> None:
    ledger.see_orders([an_order(order_number_prima="")])
    ledger.see_orders([an_order(order_number_prima="00000101")])
    ledger.see_orders([an_order(order_number_prima="77000101", updated_at=LATER)])
    ledger.see_orders([an_order(order_number_prima="", updated_at=LATER)])
    assert _stored(ledger.order("000000101")).order_number_prima == "00000101"


def test_two_orders_cannot_have_one_prima_number(ledger: Ledger) -> None:
    ledger.see_orders([an_order("000000101", order_number_prima="00000101")])
    with pytest.raises(ConfigurationError, match=r"00000101 \(orders 000000101 and 000000102\)"):
        ledger.see_orders([an_order("000000102", order_number_prima="00000101")])
    with pytest.raises(ConfigurationError, match="00000103"):
        ledger.see_orders([an_order(number, order_number_prima="00000103") for number in ("000000103", "000000104")])
    ledger.see_orders([an_order("000000102")])
    with pytest.raises(ConfigurationError, match="already belongs"):
        ledger.set_order_state("000000102", "ready", order_number_prima="00000101")
    assert ledger.order_numbers_known(["000000102", "000000103", "000000104"]) == {"000000102"}


def test_orders_are_found_by_state_oldest_first(ledger: Ledger) -> None:
    ledger.see_orders([an_order("000000102"), an_order("000000101"), an_order("000000100", placed_at=LATER)])
    ledger.set_order_state("000000101", "held")
    found = ledger.orders_in_state("seen", "held")
    assert [order.order_number for order in found] == ["000000101", "000000102", "000000100"]
    assert [order.order_number for order in ledger.orders_in_state("seen", limit=1)] == ["000000102"]
    assert ledger.order_states(["000000101", "000000999"]) == {"000000101": "held"}
    assert ledger.count_orders() == {"held": 1, "seen": 2}


def test_accepted_orders_are_found_by_magentos_id(ledger: Ledger) -> None:
    assert ledger.oldest_open_order() is None
    ledger.see_orders([an_order("000000102")])
    an_accepted_order(ledger, "000000101", placed_at=LATER)
    assert ledger.accepted_numbers([101, 102, 103]) == {"000000101"}
    assert ledger.oldest_open_order() == LATER


def test_thousands_of_orders_are_seen_in_one_call(ledger: Ledger) -> None:
    told = [an_order(f"{number:09}", lines=(a_line(11), a_line(12), a_line(13))) for number in range(1, 5001)]
    assert ledger.see_orders(told).new == 5000
    assert ledger.see_orders(told) == SeenOrders(unchanged=5000)
    again = ledger.see_orders([replace(order, updated_at=LATER) for order in told])
    assert (again.new, again.changed) == (0, 5000)
    assert len(ledger.orders([order.order_number for order in told])) == 5000


# Open units


@pytest.mark.parametrize(
    ("progress", "units"),
    [
        ({}, 3),
        ({"quantity_shipped": 1}, 2),
        ({"quantity_shipped": 3}, 0),
        ({"quantity_cancelled": 1}, 2),
        ({"quantity_shipped": 1, "quantity_cancelled": 2}, 0),
        ({"quantity_refunded": 2}, 1),  # refunded before shipping
        ({"quantity_shipped": 2, "quantity_refunded": 2}, 1),  # shipped and came back
        ({"quantity_shipped": 1, "quantity_refunded": 2}, 1),  # one of them refunded before shipping
        ({"quantity_cancelled": 2, "quantity_refunded": 3}, 0),
        ({"quantity_shipped": 5}, 0),
        ({"quantity_shipped": -1}, 3),
        ({"quantity_invoiced": 3}, 3),
        ({"quantity_invoiced": 2, "product_type": "virtual"}, 1),
        ({"quantity_invoiced": 3, "product_type": "virtual"}, 0),
    ],
)
def test_open_units_are_what_magento_still_reserves(ledger: Ledger, progress: dict[str, int], units: int) -> None:
    line = a_line(quantity=3, **progress)
    order = an_accepted_order(ledger, lines=(line,))
    expected = {("DRESS-RED-10", "default"): units} if units else {}
    assert ledger.open_units(LATER + timedelta(days=1)) == expected
    assert order.lines[0].open_units == units


def test_open_units_count_only_what_prima_accepted_before_the_snapshot(ledger: Ledger, clock: TestClock) -> None:
    ledger.see_orders([an_order("000000100"), an_order("000000102")])
    ledger.set_order_state("000000102", "ready")
    an_accepted_order(ledger)
    snapshot_at = clock()
    assert ledger.open_units(snapshot_at) == {}
    assert ledger.open_units(snapshot_at + timedelta(microseconds=1)) == {("DRESS-RED-10", "default"): 3}


def test_open_units_add_up_by_sku_and_source_and_can_be_explained(ledger: Ledger, clock: TestClock) -> None:
    an_accepted_order(ledger, "000000101", lines=(a_line(11), a_line(12, sku="HAT", quantity=1)))
    an_accepted_order(ledger, "000000102", lines=(a_line(11, quantity=2), a_line(12, source_code="leeds")))
    later = clock.passes(seconds=1)
    assert ledger.open_units(later) == {
        ("DRESS-RED-10", "default"): 5,
        ("HAT", "default"): 1,
        ("DRESS-RED-10", "leeds"): 3,
    }
    lines = ledger.open_lines("DRESS-RED-10", later)
    assert [(line.order_number, line.source_code, line.units) for line in lines] == [
        ("000000101", "default", 3),
        ("000000102", "default", 2),
        ("000000102", "leeds", 3),
    ]


def test_units_stay_open_when_prima_cancels_what_magento_still_reserves(ledger: Ledger, clock: TestClock) -> None:
    an_accepted_order(ledger)
    ledger.set_order_state("000000101", "cancelled")
    assert ledger.open_units(clock.passes(seconds=1)) == {("DRESS-RED-10", "default"): 3}
    ledger.update_order_progress([LineProgress("000000101", 11, quantity_cancelled=3)])
    assert ledger.open_units(clock()) == {}
