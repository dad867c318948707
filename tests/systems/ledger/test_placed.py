"""Orders by when they were placed, on both databases."""

from datetime import timedelta

from tasks.systems.ledger import Ledger
from tests.systems.ledger.builders import PLACED, an_accepted_order, an_order

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
