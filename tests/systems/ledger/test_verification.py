"""Which accepted orders are still to be verified."""

from tasks.systems.ledger import Ledger
from tests.systems.ledger.builders import an_accepted_order, an_order
from tests.systems.ledger.conftest import TestClock


def test_an_accepted_order_is_to_be_verified_until_it_is_noted(ledger: Ledger, clock: TestClock) -> None:
    an_accepted_order(ledger, "000000101")
    an_accepted_order(ledger, "000000102")
    verified_at = clock.passes(minutes=5)

    assert ledger.note_verified(["000000101", "000000999"]) == 1

    assert [order.order_number for order in ledger.unverified_orders()] == ["000000102"]
    first = ledger.order("000000101")
    assert first is not None
    assert first.verified_at == verified_at


def test_noting_a_verified_order_again_keeps_the_first_time(ledger: Ledger, clock: TestClock) -> None:
    an_accepted_order(ledger)
    ledger.note_verified(["000000101"])
    first_at = clock()
    clock.passes(hours=1)

    assert ledger.note_verified(["000000101"]) == 0

    order = ledger.order("000000101")
    assert order is not None
    assert order.verified_at == first_at


def test_orders_that_prima_never_accepted_or_that_are_cancelled_are_not_to_be_verified(ledger: Ledger) -> None:
    ledger.see_orders([an_order("000000101")])
    an_accepted_order(ledger, "000000102")
    ledger.set_order_state("000000102", "cancelled")

    assert ledger.unverified_orders() == []


def test_reading_a_verified_order_again_from_magento_leaves_it_verified(ledger: Ledger, clock: TestClock) -> None:
    an_accepted_order(ledger)
    ledger.note_verified(["000000101"])

    ledger.see_orders([an_order(state_magento="complete", updated_at=clock.passes(days=1))])

    assert ledger.unverified_orders() == []


def test_orders_are_found_by_primas_numbers_with_their_lines(ledger: Ledger) -> None:
    ledger.see_orders([an_order("000000101", order_number_prima="30000101"), an_order("000000102")])

    found = ledger.orders_by_prima_numbers(["30000101", "30000999", ""])

    assert [order.order_number for order in found] == ["000000101"]
    assert found[0].lines[0].gross_pence == 5997
