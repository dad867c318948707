"""Bundles, grouped products and lines below zero: taken by their documented shapes, held when totals do not tie up."""

from decimal import Decimal
from typing import Any

import pytest

from schemas.money import pounds_text
from schemas.rules import OrderRules
from tests.builders import an_item_index, an_order, an_order_line, frames_of, order_rules, plan_of, rejections

ITEMS = an_item_index("SET", "CAP", "SCARF")


def a_bundle(*components: dict[str, Any]) -> dict[str, Any]:
    """Return an order of one bundle for £30.00 with £5.00 VAT, and its components."""
    order = an_order(lines=[an_order_line("SET", quantity=1, gross="30.00", vat="5.00")], delivery=("0.00", "0.00"))
    (parent,) = order["items"]
    parent["product_type"] = "bundle"
    children = [
        {**component, "item_id": parent["item_id"] + place, "parent_item_id": parent["item_id"]}
        for place, component in enumerate(components, start=1)
    ]
    return {**order, "items": [parent, *children]}


CAP = an_order_line("CAP", quantity=1, gross="12.00", vat="2.00")
SCARF = an_order_line("SCARF", quantity=2, gross="18.00", vat="3.00")
PART_OF_FIXED = an_order_line("CAP", quantity=1, gross="0.00", vat="0.00")


def posting(**changes: Any) -> OrderRules:
    return order_rules(bundles="post", **changes)


def test_a_bundle_is_held_until_the_settings_post_bundles() -> None:
    (note,) = plan_of(a_bundle(CAP, SCARF), items=ITEMS).exceptions

    assert note.code == "BUNDLE_HELD"
    assert "orders.bundles" in note.detail


def test_a_bundle_with_dynamic_prices_is_its_components_with_their_own_money() -> None:
    (order,) = plan_of(a_bundle(CAP, SCARF), items=ITEMS, rules=posting()).to_post

    lines = [(line.line_number, line.sku, line.quantity, line.vat_pence, line.gross_pence) for line in order.lines]
    assert lines == [(1, "CAP", 1, 200, 1200), (2, "SCARF", 2, 300, 1800)]
    assert order.gross_pence == 3000


def test_a_bundle_with_a_fixed_price_is_one_line() -> None:
    (order,) = plan_of(a_bundle(PART_OF_FIXED), items=ITEMS, rules=posting()).to_post

    assert [(line.sku, line.gross_pence) for line in order.lines] == [("SET", 3000)]


def test_a_bundle_whose_components_do_not_make_its_price_is_held_and_never_guessed() -> None:
    frames = frames_of(a_bundle(CAP, an_order_line("SCARF", quantity=2, gross="17.00", vat="3.00")))

    assert rejections(frames)["000000101"][0] == "TOTALS_DISAGREE"


def test_the_simples_of_a_grouped_product_are_plain_lines() -> None:
    lines = [{**line, "product_type": "grouped"} for line in (CAP, SCARF)]

    (order,) = plan_of(an_order(lines=lines), items=ITEMS).to_post

    assert [line.sku for line in order.lines] == ["CAP", "SCARF"]


def with_line_below_zero(units: int = 1, price: str = "0.99", discount: str = "1.19") -> dict[str, Any]:
    """Return an order with a line whose discount is larger than its price: shown as 0, the total keeps the negative."""
    below = (Decimal(price) * units - Decimal(discount)).quantize(Decimal("0.01"))
    free = an_order_line(
        "CAP", quantity=units, gross="0.00", vat="0.00", price=Decimal(price), discount_amount=Decimal(discount)
    )
    order = an_order(lines=[SCARF, free])
    for prefix in ("", "base_"):
        order[f"{prefix}subtotal"] += Decimal(price) * units
        order[f"{prefix}discount_amount"] = -Decimal(discount)
        order[f"{prefix}grand_total"] += below
    return order


def test_a_line_below_zero_is_held_and_names_the_setting() -> None:
    (note,) = plan_of(with_line_below_zero(), items=ITEMS).exceptions

    assert (note.code, note.detail) == ("LINE_FLOORED", "-£0.20 on no line: set prima.orders.rounding_product")


@pytest.mark.parametrize(("units", "price", "discount"), [(1, "0.99", "1.19"), (3, "0.10", "9.00")])
def test_what_a_line_is_below_zero_goes_to_the_rounding_line_alone(units: int, price: str, discount: str) -> None:
    rules = order_rules(has_rounding_line=True)

    (order,) = plan_of(with_line_below_zero(units, price, discount), items=ITEMS, rules=rules).to_post

    assert pounds_text(order.rounding_pence) == f"{Decimal(price) * units - Decimal(discount):.2f}"
    lines = sum(line.gross_pence for line in order.lines)
    assert lines + order.delivery_gross_pence + order.rounding_pence == order.gross_pence
    assert sum(line.vat_pence for line in order.lines) + order.delivery_vat_pence == order.vat_pence


@pytest.mark.parametrize("more", ["-0.01", "0.01"])
def test_a_penny_that_no_line_below_zero_explains_is_held(more: str) -> None:
    order = with_line_below_zero()
    order["grand_total"] += Decimal(more)
    order["subtotal"] += Decimal(more)

    assert rejections(frames_of(order))["000000101"][0] == "TOTALS_DISAGREE"


def test_an_order_that_adds_up_has_no_rounding_whatever_its_discounts() -> None:
    free = an_order_line("CAP", quantity=1, gross="0.00", vat="0.00", price=Decimal("0.99"), discount_amount=Decimal(2))

    (row,) = frames_of(an_order(lines=[SCARF, free])).orders.to_dict("records")

    assert row["floored_pence"] == 0
