"""Orders by when they were placed, on both databases."""

from datetime import timedelta

from tasks.systems.ledger import Ledger
from tests.systems.ledger.builders import PLACED, a_line, an_accepted_order, an_order

HOUR = timedelta(hours=1)


def test_orders_placed_in_a_window_come_oldest_first_with_their_state(ledger: Ledger) -> None:
    an_accepted_order(ledger, "000000102", placed_at=PLACED, order_number_prima="30000102")
    ledger.see_orders([an_order("000000101", placed_at=PLACED + HOUR), an_order("000000103", placed_at=PLACED - HOUR)])

    found = ledger.orders_placed(PLACED, PLACED + HOUR)

    assert [(order.order_number, order.state, order.order_number_prima) for order in found] == [
        ("000000102", "accepted", "30000102")
    ]
    assert found[0].accepted_at is not None
    assert found[0].placed_at == PLACED
    everything = ledger.orders_placed(PLACED - HOUR)
    assert [order.order_number for order in everything] == ["000000103", "000000102", "000000101"]
    assert everything[0].accepted_at is None


def test_orders_by_number_are_those_that_are_known(ledger: Ledger) -> None:
    ledger.see_orders([an_order("000000101"), an_order("000000102")])
    assert [order.order_number for order in ledger.placed_by_number(["000000102", "000000999"])] == ["000000102"]
    assert ledger.placed_by_number([]) == []


def test_times_of_orders_in_every_state_come_oldest_first(ledger: Ledger) -> None:
    an_accepted_order(ledger, "000000102", placed_at=PLACED + HOUR)
    ledger.see_orders([an_order("000000101", placed_at=PLACED), an_order("000000103", placed_at=PLACED - HOUR)])
    assert ledger.times_placed(PLACED) == [PLACED, PLACED + HOUR]


def test_lines_of_orders_in_a_window_come_with_sku_and_units_and_with_both_ends(ledger: Ledger) -> None:
    two_lines = (a_line(11), a_line(12, sku="HAT", quantity=1))
    an_accepted_order(ledger, "000000101", placed_at=PLACED, lines=two_lines)
    an_accepted_order(ledger, "000000102", placed_at=PLACED + HOUR)
    an_accepted_order(ledger, "000000103", placed_at=PLACED + 2 * HOUR)
    ledger.see_orders([an_order("000000104", placed_at=PLACED)])

    found = ledger.lines_placed([(PLACED - HOUR, PLACED), (PLACED + HOUR, PLACED + HOUR)], "accepted", "ready")

    assert [(order.order_number, order.placed_at) for order in found] == [
        ("000000101", PLACED),
        ("000000102", PLACED + HOUR),
    ]
    assert sorted(found[0].lines) == [("DRESS-RED-10", 3), ("HAT", 1)]
    assert ledger.lines_placed([], "accepted") == []


def test_a_number_of_prima_is_taken_by_the_order_that_has_it(ledger: Ledger) -> None:
    ledger.see_orders([an_order("000000101", order_number_prima="30000101"), an_order("000000102")])

    assert ledger.numbers_taken(["30000101", "30000102", ""]) == {"30000101": "000000101"}
