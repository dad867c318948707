"""Validation loses nothing: each row is accepted or rejected, and the control totals of both make the whole."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.batches import CheckedBatch, totals_of
from schemas.orders import OrderFrames, OrderLines, Orders
from schemas.reasons import REASONS
from tasks import validate
from tests.builders import an_order, an_order_line, frames_of

AMOUNTS = ("grand_total", "tax_amount", "subtotal", "shipping_amount", "shipping_tax_amount", "discount_amount")
ROW_AMOUNTS = ("row_total_incl_tax", "tax_amount", "qty_ordered", "qty_shipped", "tax_percent", "sku", "item_id")
FIELDS = (*AMOUNTS, "items", "increment_id", "entity_id", "created_at", "order_currency_code", "extension_attributes")
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "x", 0, 1, -1, Decimal("0.005"), Decimal("3.55e-15"), Decimal("1e30"), float("nan"), True, [], {}, [{}]]
)
CORRUPTION = st.tuples(
    st.sampled_from([("order", name) for name in FIELDS] + [("line", n) for n in ROW_AMOUNTS]), VALUES
)
BATCH = st.lists(st.lists(CORRUPTION, max_size=3), min_size=1, max_size=5)


def corrupted(number: int, corruptions: list[tuple[tuple[str, str], Any]]) -> dict[str, Any]:
    """Return order `number` with values replaced in it or in its first line."""
    order = an_order(f"{number:09d}", lines=[an_order_line("A"), an_order_line("B", gross="1.20", vat="0.20")])
    for (where, name), value in corruptions:
        if where == "order":
            order[name] = value
        elif isinstance(order["items"], list) and order["items"]:
            order["items"][0][name] = value
    return order


def identities(frame: pd.DataFrame) -> Counter[tuple[Any, ...]]:
    """Return how often each row stands in a frame, told by the columns that come from the record alone."""
    columns = ["order_number", "net_pence", "vat_pence", "gross_pence", "line_count"]
    return Counter(tuple(map(str, row)) for row in frame[columns].itertuples(index=False, name=None))


@settings(max_examples=30, deadline=None)
@given(BATCH)
@example([[(("line", "item_id"), [])]])
def test_each_order_is_accepted_or_rejected_and_the_totals_of_both_make_the_whole(batch: Any) -> None:
    frames = frames_of(*(corrupted(number, corruptions) for number, corruptions in enumerate(batch, start=1)))

    checked = validate.check_orders.fn(frames)

    assert identities(checked.accepted) + identities(checked.rejected) == identities(frames.orders)
    assert totals_of(checked.accepted) + totals_of(checked.rejected) == totals_of(frames.orders)
    assert set(checked.rejected["reason"]) <= {"ROW_REJECTED", "TOTALS_DISAGREE"}
    assert checked.rejected["detail"].str.len().gt(0).all()
    untouched = {f"{number:09d}" for number, corruptions in enumerate(batch, start=1) if not corruptions}
    assert untouched <= set(checked.accepted["order_number"])
    _assert_sound(checked, frames)


def _assert_sound(checked: CheckedBatch, frames: OrderFrames) -> None:
    """What is accepted adds up by itself, and so do all lines of it."""
    lines = frames.lines[frames.lines["order_number"].isin(checked.accepted["order_number"])]
    Orders.validate(checked.accepted)
    OrderLines.validate(lines)
    goods = lines.groupby("order_number")["gross_pence"].sum()
    for row in checked.accepted.to_dict("records"):
        assert goods[row["order_number"]] + row["delivery_gross_pence"] == row["gross_pence"]


def test_an_order_is_rejected_with_its_line_and_says_which() -> None:
    order = an_order(lines=[an_order_line("A"), an_order_line("B")])
    order["items"][1]["sku"] = ""

    checked = validate.check_orders.fn(frames_of(order, an_order("000000102")))

    (rejected,) = checked.rejected.to_dict("records")
    assert (rejected["order_number"], rejected["reason"]) == ("000000101", "ROW_REJECTED")
    assert rejected["detail"].startswith("line 2: sku")
    assert list(checked.accepted["order_number"]) == ["000000102"]


def test_an_order_that_is_wrong_itself_names_its_wrong_lines_as_well() -> None:
    order = an_order()
    order["items"][0]["qty_ordered"] = Decimal("0.5")

    (rejected,) = validate.check_orders.fn(frames_of(order)).rejected.to_dict("records")

    assert "quantity_total is empty" in rejected["detail"]
    assert "line 1: quantity is empty" in rejected["detail"]


def test_a_shape_that_is_wrong_outweighs_totals_that_disagree() -> None:
    order = an_order(grand_total=Decimal("1.00"), order_currency_code="pounds")

    (rejected,) = validate.check_orders.fn(frames_of(order)).rejected.to_dict("records")

    assert rejected["reason"] == "ROW_REJECTED"
    assert "gross 1.00" in rejected["detail"]


def test_totals_that_disagree_are_shown_as_three_sums() -> None:
    order = an_order(grand_total=Decimal("63.93"))

    (rejected,) = validate.check_orders.fn(frames_of(order)).rejected.to_dict("records")

    assert rejected["reason"] == "TOTALS_DISAGREE"
    for figure in (
        "goods_gross 59.97",
        "delivery_gross 3.95",
        "header_gross 63.92",
        "; gross 63.93",
        "applied_vat 10.65",
    ):
        assert figure in rejected["detail"]


def test_reasons_of_checks_are_codes_of_the_table() -> None:
    assert {"ROW_REJECTED", "TOTALS_DISAGREE"} <= set(REASONS)


def test_a_batch_that_lacks_a_column_is_wrong_as_a_whole() -> None:
    frames = frames_of(an_order())

    with pytest.raises(pa.errors.SchemaErrors, match="vat_pence"):
        validate.split_batch(Orders, frames.orders.drop(columns="vat_pence"))


def test_an_empty_batch_is_accepted_as_it_is() -> None:
    checked = validate.check_orders.fn(frames_of())

    assert (len(checked.accepted), len(checked.rejected)) == (0, 0)
    assert totals_of(checked.accepted) == totals_of(checked.rejected)
