"""The state machine of an order, and sharing orders out among workers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import NotFoundError
from tasks.systems.ledger import ORDER_STATES, Ledger, LedgerStateError, OrderRecord, OrderStateName
from tests.systems.ledger.builders import PLACED, an_accepted_order, an_order
from tests.systems.ledger.conftest import TestClock

# Written out once more, so that a slip in the table of the product shows.
MOVES = """
    seen -> ready held excluded
    excluded -> seen ready held
    held -> ready excluded
    ready -> posting held excluded refused
    posting -> accepted refused unknown
    refused -> ready held excluded
    unknown -> accepted ready
    accepted -> part_dispatched dispatched
    part_dispatched -> dispatched
    dispatched -> closed
    closed ->
    cancelled ->
"""
ALLOWED = {
    state.strip(): {*following.split(), state.strip(), "cancelled"}
    for state, following in (line.split("->") for line in MOVES.strip().splitlines())
}
_numbers = count(200_000_000)


def _stored(ledger: Ledger, order_number: str) -> OrderRecord:
    order = ledger.order(order_number)
    assert order is not None
    return order


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=st.lists(st.sampled_from(ORDER_STATES), max_size=12))
def test_an_order_goes_only_where_the_state_machine_lets_it(ledger: Ledger, wishes: list[OrderStateName]) -> None:
    number = str(next(_numbers))
    ledger.see_orders([an_order(number)])
    state, was_accepted = "seen", False
    for wish in wishes:
        if wish in ALLOWED[state]:
            ledger.set_order_state(number, wish)
            state = wish
            was_accepted = was_accepted or wish == "accepted"
        else:
            with pytest.raises(LedgerStateError):
                ledger.set_order_state(number, wish)
        stored = _stored(ledger, number)
        assert (stored.state, stored.accepted_at is not None) == (state, was_accepted)


@pytest.mark.parametrize("start", ORDER_STATES)
def test_every_move_from_every_state(ledger: Ledger, start: OrderStateName) -> None:
    """The whole table: 12 states by 12."""
    way_to: dict[str, list[str]] = {"seen": []}
    while len(way_to) < len(ORDER_STATES):
        for state, way in list(way_to.items()):
            for following in ALLOWED[state]:
                way_to.setdefault(following, [*way, following])
    for wish in ORDER_STATES:
        number = str(next(_numbers))
        ledger.see_orders([an_order(number)])
        for state in way_to[start]:
            ledger.set_order_state(number, state)  # type: ignore[arg-type]
        moved = ledger.set_order_states([number], wish)
        assert (moved == [number]) is (wish in ALLOWED[start]), f"{start} to {wish}"


def test_a_move_that_is_not_expected_is_refused_and_says_so(ledger: Ledger) -> None:
    ledger.see_orders([an_order()])
    with pytest.raises(LedgerStateError, match=r"000000101.*is seen and may not become ready \(expected held\)"):
        ledger.set_order_state("000000101", "ready", expected={"held"})
    with pytest.raises(NotFoundError, match="000000999"):
        ledger.set_order_state("000000999", "ready")


def test_acceptance_keeps_its_first_time_and_the_customer_code(ledger: Ledger, clock: TestClock) -> None:
    ledger.see_orders([an_order()])
    for state in ("ready", "posting", "unknown"):
        ledger.set_order_state("000000101", state)
    ledger.set_order_state("000000101", "accepted", customer_code="C42", accepted_at=PLACED)
    ledger.set_order_state("000000101", "accepted", order_number_prima="00000101")
    stored = _stored(ledger, "000000101")
    assert (stored.accepted_at, stored.customer_code, stored.order_number_prima) == (PLACED, "C42", "00000101")


def test_the_time_in_a_state_counts_from_the_move_not_from_its_repetition(ledger: Ledger, clock: TestClock) -> None:
    ledger.see_orders([an_order()])
    moved_at = clock.passes(hours=1)
    ledger.set_order_state("000000101", "held")
    clock.passes(hours=1)
    ledger.set_order_state("000000101", "held")
    assert _stored(ledger, "000000101").state_since == moved_at


def test_many_orders_move_together_and_those_that_may_not_stay(ledger: Ledger) -> None:
    an_accepted_order(ledger, "000000103")
    ledger.see_orders([an_order("000000102"), an_order("000000101")])
    moved = ledger.set_order_states(["000000103", "000000102", "000000101", "000000999"], "ready")
    assert moved == ["000000101", "000000102"]
    assert _stored(ledger, "000000103").state == "accepted"


def test_of_two_workers_that_move_one_order_one_succeeds(ledger: Ledger) -> None:
    ledger.see_orders([an_order()])
    ledger.set_order_state("000000101", "ready")
    start = Barrier(8)

    def worker(_: int) -> bool:
        start.wait()
        try:
            ledger.set_order_state("000000101", "posting", expected={"ready"})
        except LedgerStateError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(worker, range(8))) == 1


# Claims


def test_eight_workers_claim_every_order_once(ledger: Ledger) -> None:
    numbers = [f"{number:09}" for number in range(1, 401)]
    ledger.see_orders([an_order(number) for number in numbers])
    ledger.set_order_states(numbers, "ready")
    start = Barrier(8)

    def worker(name: int) -> list[str]:
        claimed: list[str] = []
        start.wait()
        while some := ledger.claim_orders(f"worker {name}", states={"ready"}, limit=7, lease_seconds=60):
            claimed.extend(some)
        return claimed

    with ThreadPoolExecutor(8) as pool:
        claimed = [number for part in pool.map(worker, range(8)) for number in part]
    # A worker may leave while others still hold locked rows; what is left over is free to be claimed.
    claimed += ledger.claim_orders("last", states={"ready"}, limit=400, lease_seconds=60)
    assert sorted(claimed) == numbers


def test_a_claim_ends_with_its_lease_or_when_given_back(ledger: Ledger, clock: TestClock) -> None:
    ledger.see_orders([an_order("000000101"), an_order("000000102", placed_at=PLACED + timedelta(hours=1))])

    def claim(owner: str) -> list[str]:
        return ledger.claim_orders(owner, states={"seen"}, limit=5, lease_seconds=60)

    assert claim("a") == ["000000101", "000000102"]
    assert claim("a") == []
    assert ledger.release_orders("b", ["000000101"]) == 0
    assert ledger.release_orders("a", ["000000102"]) == 1
    assert claim("b") == ["000000102"]
    clock.passes(seconds=60)
    assert claim("c") == ["000000101", "000000102"]


def test_only_the_asked_states_are_claimed(ledger: Ledger) -> None:
    ledger.see_orders([an_order("000000101"), an_order("000000102")])
    ledger.set_order_state("000000102", "held")
    assert ledger.claim_orders("a", states={"held", "ready"}, limit=5, lease_seconds=60) == ["000000102"]
