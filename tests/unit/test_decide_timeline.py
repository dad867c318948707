"""The facts about an order stand in the order of time, and what happens next is said for every state it can be in."""

from datetime import UTC, date, datetime
from typing import get_args

import pytest

from schemas.timeline import Fact, OpenProblem, OrderNow
from tasks.decide.timeline import next_step, timeline
from tasks.systems.ledger import OrderStateName


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_a_fact_of_which_only_the_date_is_known_stands_at_the_end_of_its_day() -> None:
    placed, left = Fact(at(23, 9), "Magento", "placed", "a"), Fact(at(23, 17), "PRIMA", "dispatched", "b")
    invoiced, told = Fact(at(23), "PRIMA", "invoiced", "c", is_day=True), Fact(at(24, 1), "Magento", "told", "d")

    assert [fact.what for fact in timeline([told, invoiced, left, placed])] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("state", get_args(OrderStateName))
def test_every_state_says_what_is_next(state: OrderStateName) -> None:
    said = next_step(OrderNow(state, "processing", units_left=0))
    assert said.endswith(".")
    assert said[0].isupper()


def test_what_people_must_do_comes_before_what_happens_by_itself() -> None:
    problem = OpenProblem("CARRIER_UNKNOWN", "operations", "Map the carrier.")
    now = OrderNow("part_dispatched", "processing", 2, [problem], ["D7"], [("000000004", date(2026, 12, 7))])

    assert next_step(now) == (
        "operations (CARRIER_UNKNOWN): Map the carrier. The next run of fulfilment tells the customer of dispatch D7. "
        "PRIMA dispatches the 2 units that are left; the customer hears of each parcel when it leaves. "
        "PRIMA's credit note for refund 000000004 is due by 2026-12-07."
    )
    assert next_step(OrderNow("held", "new", 3, [problem])) == "operations (CARRIER_UNKNOWN): Map the carrier."
    assert next_step(OrderNow("dispatched", "complete", 0)) == "Nothing: every unit has left or was given back."
