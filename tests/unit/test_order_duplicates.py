"""The same lines for one customer within minutes: the second to reach PRIMA is held, whichever was placed first."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.order_checks import Basket, Circumstances, signature
from schemas.rules import OrderRules
from tasks.decide.order_checks.duplicates import baskets
from tasks.extract.order_checks import merged
from tests.builders import an_item_index, an_order, an_order_line, frames_of, order_rules, plan_of

WITHIN = timedelta(minutes=5)
ITEMS = an_item_index("A", "B")


def looking(**changes: Any) -> OrderRules:
    """Return rules that look for duplicates within five minutes."""
    return order_rules(duplicate_within=WITHIN, **changes)


def placed(number: str, minute: int, skus: str = "AB", **fields: Any) -> dict[str, Any]:
    """Return an order placed at 10:00 and so many minutes, with a line for each SKU."""
    lines = [an_order_line(sku, quantity=1, gross="12.00", vat="2.00") for sku in skus]
    return an_order(number, lines=lines, created_at=f"2026-11-23 10:{minute:02d}:00", **fields)


def other(order: dict[str, Any], email: str = "other@shop.example") -> dict[str, Any]:
    """Return the order as one of somebody else."""
    order["billing_address"]["email"] = email
    return order | {"customer_email": email, "customer_id": 99}


def test_a_second_order_of_the_same_lines_is_held_and_the_first_is_posted() -> None:
    plan = plan_of(placed("000101", 0), placed("000102", 3, "BA"), items=ITEMS, rules=looking())

    assert [order.order_number for order in plan.to_post] == ["000101"]
    (note,) = plan.exceptions
    assert (note.code, note.order_number) == ("SUSPECTED_DUPLICATE", "000102")
    assert note.detail == "same customer and same lines as order 000101, 3 min 0 s earlier"


@pytest.mark.parametrize(
    "second",
    [
        placed("000102", 6),
        placed("000102", 1, "A"),
        placed("000102", 1, "ABB"),
        other(placed("000102", 1)),
    ],
    ids=["later than the minutes", "other lines", "other quantities", "another customer"],
)
def test_an_order_that_differs_is_no_duplicate(second: Mapping[str, Any]) -> None:
    assert len(plan_of(placed("000101", 0), second, items=ITEMS, rules=looking()).to_post) == 2


def test_a_guest_is_told_by_the_e_mail_address_whatever_its_case() -> None:
    first, second = placed("000101", 0), placed("000102", 1)
    for order, email in ((first, "Ada@Shop.example"), (second, "ada@shop.EXAMPLE ")):
        order.pop("customer_id", None)
        order["billing_address"]["email"] = email

    assert [note.code for note in plan_of(first, second, items=ITEMS, rules=looking()).exceptions] == [
        "SUSPECTED_DUPLICATE"
    ]


def test_an_order_that_is_not_posted_itself_holds_no_other() -> None:
    plan = plan_of(placed("000101", 0, state="canceled"), placed("000102", 1), items=ITEMS, rules=looking())

    assert [order.order_number for order in plan.to_post] == ["000102"]


def test_an_order_in_prima_holds_one_that_was_placed_before_it() -> None:
    late, there = placed("000101", 0), placed("000102", 2)

    plan = plan_of(late, there, items=ITEMS, rules=looking(), posted={"000102"})

    (note,) = plan.exceptions
    assert note.detail == "same customer and same lines as order 000102, 2 min 0 s later"


def test_an_order_outside_the_batch_counts_like_one_in_it() -> None:
    outside = Circumstances(alike=baskets(frames_of(placed("000101", 0))))

    plan = plan_of(placed("000102", 1), items=ITEMS, rules=looking(), circumstances=outside)
    assert [note.code for note in plan.exceptions] == ["SUSPECTED_DUPLICATE"]

    plan = plan_of(placed("000101", 0), items=ITEMS, rules=looking(), circumstances=outside)
    assert plan.exceptions == []


def test_a_released_duplicate_is_posted() -> None:
    released = Circumstances(released={"000102": frozenset({"SUSPECTED_DUPLICATE"})})

    plan = plan_of(placed("000101", 0), placed("000102", 1), items=ITEMS, rules=looking(), circumstances=released)

    assert len(plan.to_post) == 2


def test_nothing_is_looked_for_where_the_settings_give_no_minutes() -> None:
    assert len(plan_of(placed("000101", 0), placed("000102", 0), items=ITEMS).to_post) == 2


def test_a_basket_shows_nobody() -> None:
    (basket,) = baskets(frames_of(placed("000101", 0)))

    assert basket.email
    assert basket.email not in repr(basket)


LINES = st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), st.integers(1, 3)), min_size=1, max_size=4)


@given(LINES, st.randoms())
def test_the_order_of_the_lines_does_not_matter(lines: list[tuple[str, int]], shuffle: Any) -> None:
    mixed = list(lines)
    shuffle.shuffle(mixed)

    assert signature(mixed) == signature(lines)


START = datetime(2026, 11, 23, tzinfo=UTC)
MINUTES = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 30)), max_size=12)


@settings(max_examples=50)
@given(MINUTES, st.integers(0, 600))
def test_merged_windows_hold_the_same_moments_and_do_not_overlap(spans: Any, minute: int) -> None:
    windows = [(START + timedelta(minutes=at), START + timedelta(minutes=at + length)) for at, length in spans]
    moment = START + timedelta(minutes=minute)

    found = merged(windows)

    assert any(since <= moment <= until for since, until in windows) == any(a <= moment <= b for a, b in found)
    assert all(first[1] < second[0] for first, second in pairwise(found))


def test_two_baskets_are_alike_in_either_direction() -> None:
    one = Basket("1", START, (("A", 1),), 7, "")
    two = Basket("2", START + WITHIN, (("A", 1),), 7, "x@shop.example")

    assert one.is_like(two, WITHIN)
    assert two.is_like(one, WITHIN)
    assert not one.is_like(one, WITHIN)
