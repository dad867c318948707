"""Asking for open orders: by age, inside a budget, none forgotten; and what the answers stand for."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.documents import Parcel
from schemas.polls import PollLine, PollOrder, PollRules, PollTier
from tasks.decide import polls as decide

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RULES = PollRules(
    [
        PollTier(timedelta(hours=48), timedelta(minutes=30)),
        PollTier(timedelta(hours=168), timedelta(hours=3)),
    ],
    calls=3,
    statuses={"despatched": "dispatched", "partdespatched": "part_dispatched", "onorder": "accepted"},
)


def an_order(
    number: int, *, hours_old: float = 10, asked_minutes_ago: float | None = None, units: int = 2
) -> PollOrder:
    """Return an open order of one line."""
    asked_at = None if asked_minutes_ago is None else NOW - timedelta(minutes=asked_minutes_ago)
    accepted_at = NOW - timedelta(hours=hours_old)
    return PollOrder(
        f"{number:09d}", f"30{number:06d}", accepted_at, asked_at, 1200, "GBP", [PollLine(1, "TEE", units)]
    )


def numbers(orders: list[PollOrder]) -> list[int]:
    return [int(order.order_number) for order in orders]


def test_young_orders_are_asked_for_often_old_ones_seldom_and_very_old_ones_never() -> None:
    orders = [
        an_order(1, asked_minutes_ago=29),
        an_order(2, asked_minutes_ago=31),
        an_order(3, hours_old=100, asked_minutes_ago=31),
        an_order(4, hours_old=100, asked_minutes_ago=181),
        an_order(5, hours_old=200),
    ]
    assert numbers(decide.due(orders, NOW, RULES)) == [2, 4]


def test_the_budget_takes_the_longest_overdue_first() -> None:
    orders = [an_order(number, asked_minutes_ago=30 + number) for number in range(1, 6)]
    assert numbers(decide.due(orders, NOW, RULES)) == [5, 4, 3]


@settings(deadline=None)
@given(st.lists(st.integers(0, 47), min_size=1, max_size=25))
def test_in_the_end_every_open_order_is_asked_for_however_small_the_budget(ages: list[int]) -> None:
    orders = {number: an_order(number, hours_old=age) for number, age in enumerate(ages, start=1)}
    asked: set[int] = set()
    for _ in range(len(orders)):
        for order in decide.due(list(orders.values()), NOW, RULES):
            number = int(order.order_number)
            asked.add(number)
            orders[number] = an_order(number, hours_old=ages[number - 1], asked_minutes_ago=0)
    assert asked == set(orders)


def test_an_order_that_has_left_is_a_dispatch_of_what_was_open_without_carrier_or_tracking() -> None:
    orders = [an_order(1), an_order(2, units=0), an_order(3), an_order(4)]
    words = {"30000001": "Despatched", "30000002": "Despatched", "30000003": "On Order"}

    plan = decide.dispatches(orders, words, NOW, RULES, wordless={"30000004"})

    (dispatch,) = plan.dispatches
    assert dispatch.dispatch_number == "STATUS-30000001"
    assert (dispatch.header["carrier"], dispatch.header["tracking_numbers"]) == ("", "")
    assert [(line["order_line_number"], line["quantity"]) for line in dispatch.lines] == [(1, 2)]
    assert plan.words == {"000000001": "Despatched", "000000002": "Despatched", "000000003": "On Order"}
    assert (plan.wordless, plan.notes) == (["000000004"], [])


def test_an_order_of_which_a_part_has_left_is_for_a_person() -> None:
    plan = decide.dispatches([an_order(1)], {"30000001": "Part-Despatched"}, NOW, RULES)
    (note,) = plan.notes
    assert (note.code, note.subject, note.value_at_risk_pence) == ("DISPATCH_PART_UNTOLD", "order 000000001", 1200)
    assert plan.dispatches == []


def test_parcels_that_prima_points_to_go_with_the_dispatch_and_two_carriers_are_left_to_a_person() -> None:
    order = an_order(1)
    words = {order.order_number_prima: "Despatched"}

    def header(*parcels: Parcel) -> tuple[str, str, str]:
        (made,) = decide.dispatches([order], words, NOW, RULES, {order.order_number_prima: parcels}).dispatches
        return made.header["carrier"], made.header["service"], made.header["tracking_numbers"]

    assert header(Parcel("T1", "DPD", "24"), Parcel("T2", "DPD", "24")) == ("DPD", "24", "T1;T2")
    assert header(Parcel("T1", "DPD"), Parcel("T2", "RM")) == ("DPD+RM", "", "T1;T2")
    assert header() == ("", "", "")
