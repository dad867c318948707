"""Dispatch decisions, for any batch: no unit is shipped twice, and every dispatch is in exactly one list."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dispatches import DispatchEvidence, DispatchPlan, OpenLine, OpenOrder, ToldDispatch
from schemas.documents import StockTuple
from schemas.rules import CarrierRule, DispatchRules
from tasks.decide import dispatches as decide
from tasks.normalise.reporting import extract_rows

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LINES_OF_AN_ORDER = 3
VIRTUAL_LINE = 3
DELIVERY = StockTuple("DELIVERY")
RULES = DispatchRules({"DPD": CarrierRule("DPD", "custom")}, "hold", notify_customer=True)

Dispatch = dict[str, Any]


def dispatch(
    number: str, order: str, lines: Mapping[int, int], carrier: str = "DPD", minutes: int = 0, tracking: str = "T1"
) -> Dispatch:
    """Return a dispatch of `{line number of the order: units}`."""
    return {
        "header": {
            "dispatch_number": number,
            "order_number_prima": order,
            "dispatched_at": START + timedelta(minutes=minutes),
            "carrier": carrier,
            "service": "NEXTDAY",
            "tracking_numbers": tracking,
            "updated_at": START,
        },
        "lines": [
            {
                "dispatch_number": number,
                "order_number_prima": order,
                "line_number": position,
                "order_line_number": line,
                "product": "TEE",
                **{f"mtrx{level}": "" for level in (1, 2, 3, 4)},
                "quantity": units,
                "updated_at": START,
            }
            for position, (line, units) in enumerate(lines.items(), start=1)
        ],
    }


def an_order(number: str, left: Sequence[int], state: str = "processing") -> OpenOrder:
    """Return an order with these units left on its lines; the third line is virtual."""
    lines = [
        OpenLine(line, 100 * int(number) + line, f"SKU-{line}", line != VIRTUAL_LINE, units)
        for line, units in enumerate(left, start=1)
    ]
    return OpenOrder(f"00000000{number}", int(number), state, "GBP", 1200, lines)


def decided(dispatches: Sequence[Dispatch], evidence: DispatchEvidence, rules: DispatchRules = RULES) -> DispatchPlan:
    rows = extract_rows("dispatches", [each["header"] for each in dispatches])
    lines = extract_rows("dispatch_lines", [line for each in dispatches for line in each["lines"]])
    return decide.dispatches(rows, lines, evidence, rules)


line_units = st.dictionaries(st.sampled_from([1, 1, 1, 2, 2, VIRTUAL_LINE, 9]), st.integers(1, 3), max_size=3)
batches = st.lists(
    st.tuples(st.sampled_from(["1", "1", "2", "unknown"]), line_units, st.sampled_from(["DPD", "DPD", "OTHER"])),
    max_size=8,
).map(lambda drawn: [dispatch(f"D{position}", *each) for position, each in enumerate(drawn)])
lefts = st.lists(st.integers(0, 6), min_size=LINES_OF_AN_ORDER, max_size=LINES_OF_AN_ORDER)
orders = st.fixed_dictionaries({"1": lefts, "2": lefts})
some = st.frozensets(st.sampled_from([f"D{position}" for position in range(4)]), max_size=2)


@settings(deadline=None)
@given(batch=batches, left=orders, told=some, unclear=some, is_cancelled=st.booleans())
def test_every_dispatch_is_in_exactly_one_list_and_no_unit_is_shipped_twice(
    batch: list[Dispatch],
    left: dict[str, list[int]],
    told: frozenset[str],
    unclear: frozenset[str],
    is_cancelled: bool,
) -> None:
    state = "canceled" if is_cancelled else "processing"
    open_orders = {number: an_order(number, units, state) for number, units in left.items()}
    plan = decided(batch, DispatchEvidence(open_orders, {each: ToldDispatch("1") for each in told}, unclear))

    listed = [
        *plan.already_told,
        *(number for number, _ in plan.nothing_to_ship),
        *(request.dispatch_number for request in plan.to_ship),
        *(note.subject.removeprefix("dispatch ") for note in plan.exceptions),
    ]
    assert sorted(listed) == sorted(each["header"]["dispatch_number"] for each in batch)
    assert told.isdisjoint(request.dispatch_number for request in plan.to_ship)
    assert unclear.isdisjoint(request.dispatch_number for request in plan.to_ship)

    shipped: dict[int, int] = {}
    for request in plan.to_ship:
        assert request.lines, "Magento would ship everything"
        for line in request.lines:
            shipped[line.item_id_magento] = shipped.get(line.item_id_magento, 0) + line.quantity
    allowed = {
        line.item_id_magento: line.left for order in open_orders.values() for line in order.lines if line.is_shipped
    }
    assert all(units <= allowed.get(item, 0) for item, units in shipped.items())
    assert not (is_cancelled and plan.to_ship)


@settings(deadline=None)
@given(first=st.integers(0, 5), second=st.integers(0, 5))
def test_of_two_dispatches_for_the_same_units_the_one_that_left_first_is_shipped(first: int, second: int) -> None:
    batch = [dispatch("D1", "1", {1: 3}, minutes=first), dispatch("D2", "1", {1: 3}, minutes=second)]
    plan = decided(batch, DispatchEvidence({"1": an_order("1", [4, 0, 0])}, {}))
    assert [request.dispatch_number for request in plan.to_ship] == ["D2" if second < first else "D1"]
    (note,) = plan.exceptions
    assert (note.code, note.detail) == ("DISPATCH_TOO_MANY", "3 of SKU-1 dispatched, 1 left to ship in Magento")


def test_a_dispatch_that_fits_is_shipped_with_exactly_its_units_and_each_track_once() -> None:
    batch = [dispatch("D1", "1", {1: 2, VIRTUAL_LINE: 1}, tracking=" T1 ;;T2;T1")]
    (request,) = decided(batch, DispatchEvidence({"1": an_order("1", [5, 5, 5])}, {})).to_ship
    assert [(line.item_id_magento, line.quantity) for line in request.lines] == [(101, 2)]
    assert [(track.number, track.carrier_code, track.title) for track in request.tracks] == [
        ("T1", "custom", "DPD"),
        ("T2", "custom", "DPD"),
    ]


def test_a_held_dispatch_leaves_its_units_to_the_next_one() -> None:
    batch = [dispatch("D1", "1", {1: 3}, carrier="OTHER"), dispatch("D2", "1", {1: 3}, minutes=1)]
    plan = decided(batch, DispatchEvidence({"1": an_order("1", [3, 0, 0])}, {}))
    assert [request.dispatch_number for request in plan.to_ship] == ["D2"]
    assert [note.code for note in plan.exceptions] == ["CARRIER_UNKNOWN"]


def test_two_rows_of_one_order_line_are_added_up() -> None:
    twice = dispatch("D1", "1", {1: 2})
    twice["lines"].append({**twice["lines"][0], "line_number": 2, "quantity": 1})
    (request,) = decided([twice], DispatchEvidence({"1": an_order("1", [3, 0, 0])}, {})).to_ship
    assert [(line.item_id_magento, line.quantity) for line in request.lines] == [(101, 3)]


def test_a_delivery_line_is_not_asked_of_the_order() -> None:
    rules = DispatchRules(RULES.carriers, "hold", notify_customer=True, service_items=frozenset({DELIVERY}))
    both = dispatch("D1", "1", {1: 1, 9: 1})
    both["lines"][1]["product"] = DELIVERY.product
    only = dispatch("D2", "1", {9: 1})
    only["lines"][0]["product"] = DELIVERY.product
    plan = decided([both, only], DispatchEvidence({"1": an_order("1", [3, 0, 0])}, {}), rules)
    assert [request.dispatch_number for request in plan.to_ship] == ["D1"]
    assert plan.nothing_to_ship == [("D2", "000000001")]


def test_an_empty_batch_is_an_empty_plan() -> None:
    assert decided([], DispatchEvidence({}, {})) == DispatchPlan()
    assert isinstance(extract_rows("dispatches", []), pd.DataFrame)
