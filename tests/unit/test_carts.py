"""Order documents made from carts, against every recorded order."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sandbox.magento.carts import (
    Cart,
    CartLine,
    Coupon,
    CouponAction,
    Customer,
    Ids,
    PostalAddress,
    ids_needed,
    order_document,
)
from tests.unit.recorded_carts import cart_of_order, ids_of_order, moment_of_order, recorded_orders, vat_classes

ORDERS = recorded_orders()
CLASSES = vat_classes(ORDERS)
# What later events put into a recorded order, or what differs from one installation to the next.
LATER = {"updated_at", "ext_order_id", "protect_code", "quote_item_id"}
LATER |= {"cc_exp_year", "cc_ss_start_month", "cc_ss_start_year"}
NEW = [order for order in ORDERS if order["state"] == "new"]
MOMENT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("order", NEW, ids=[order["increment_id"] for order in NEW])
def test_a_recorded_new_order_comes_out_again_key_by_key_and_figure_by_figure(order: dict[str, Any]) -> None:
    document = order_document(cart_of_order(order, CLASSES), ids_of_order(order), moment_of_order(order))
    expected = without(order, LATER)
    expected["status_histories"] = []
    assert json.dumps(without(document, LATER)) == json.dumps(expected)


@pytest.mark.parametrize("order", ORDERS, ids=[order["increment_id"] for order in ORDERS])
def test_a_new_order_has_no_key_that_its_recorded_life_does_not_know(order: dict[str, Any]) -> None:
    document = order_document(cart_of_order(order, CLASSES), ids_of_order(order), moment_of_order(order))
    assert key_paths(document) <= key_paths(order)


def test_the_new_recorded_orders_cover_every_kind() -> None:
    assert len(NEW) == 41
    assert {order["store_id"] for order in NEW} == {1, 2, 4}
    assert {order["customer_is_guest"] for order in NEW} == {0, 1}
    assert any(item["product_type"] == "configurable" for order in NEW for item in order["items"])
    assert any(order["grand_total"] == 0 for order in NEW)


def test_an_order_uses_exactly_the_numbers_it_asked_for() -> None:
    for order in NEW:
        cart = cart_of_order(order, CLASSES)
        needed = ids_needed(cart)
        extension = order["extension_attributes"]
        itemized = [tax for item in order["items"] for tax in item["extension_attributes"]["itemized_taxes"]]
        assert needed.items == len(order["items"])
        assert needed.taxes == len(extension["taxes"])
        assert needed.tax_items == len(itemized) + len(extension["additional_itemized_taxes"])


def test_an_order_shown_in_euro_has_both_currencies() -> None:
    order = next(order for order in ORDERS if order["order_currency_code"] != order["base_currency_code"])
    document = order_document(cart_of_order(order, CLASSES), ids_of_order(order), moment_of_order(order))
    names = ("grand_total", "base_grand_total", "tax_amount", "base_tax_amount", "subtotal", "base_subtotal")
    assert {name: document[name] for name in names} == {name: order[name] for name in names}
    assert document["base_to_order_rate"] == 1.1743
    assert [item["original_price"] for item in document["items"]] == [7.8326, 39.1394, 14.5026]


def test_a_virtual_order_is_delivered_nowhere() -> None:
    cart = a_cart(CartLine("PAT-PDF", 2, Decimal("7.50"), product_type="virtual", weight=None))
    document = order_document(cart, IDS, MOMENT)
    assert document["is_virtual"] == 1
    assert document["weight"] == 0
    assert "shipping_description" not in document
    assert list(document["extension_attributes"]["shipping_assignments"][0]["shipping"]) == ["total"]
    assert document["billing_address"]["entity_id"] == IDS.first_address_id
    assert "weight" not in document["items"][0]


def test_a_configurable_line_is_a_parent_with_the_money_and_an_empty_child() -> None:
    line = CartLine(
        "HARBOUR-BLK-10",
        2,
        Decimal("39.99"),
        name="Harbour dress",
        product_type="configurable",
        child_name="Harbour dress Black 10",
        options=((137, 5), (138, 14)),
    )
    parent, child = order_document(a_cart(line), IDS, MOMENT)["items"]
    assert (parent["sku"], parent["product_type"], parent["qty_ordered"]) == ("HARBOUR-BLK-10", "configurable", 2)
    assert (child["sku"], child["product_type"], child["qty_ordered"]) == ("HARBOUR-BLK-10", "simple", 2)
    assert (parent["row_total_incl_tax"], child["row_total_incl_tax"]) == (79.98, 0)
    assert child["parent_item_id"] == parent["item_id"]
    assert child["parent_item"] == parent
    assert "price_incl_tax" not in child


def test_a_free_line_stays_in_the_order() -> None:
    cart = a_cart(CartLine("FREEBIE", 1, Decimal(0)), CartLine("A", 1, Decimal("19.99")))
    free, paid = order_document(cart, IDS, MOMENT)["items"]
    assert (free["price"], free["row_total_incl_tax"], free["tax_percent"]) == (0, 0, 20)
    assert paid["row_total_incl_tax"] == 19.99


def test_an_order_for_nothing_is_paid_by_the_free_method_only() -> None:
    everything = Coupon("FULL100", CouponAction.PERCENT, Decimal(100), applies_to_shipping=True)
    cart = replace(a_cart(CartLine("A", 1, Decimal("19.99"))), coupon=everything)
    with pytest.raises(ValueError, match="does not fit a grand total of 0"):
        order_document(cart, IDS, MOMENT)
    assert order_document(replace(cart, payment_method="free"), IDS, MOMENT)["grand_total"] == 0


def test_a_line_of_no_units_or_of_an_unknown_vat_class_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one unit"):
        CartLine("A", 0, Decimal(1))
    with pytest.raises(ValueError, match="VAT class 'luxury'"):
        CartLine("A", 1, Decimal(1), vat_class="luxury")


IDS = Ids(
    entity_id=7,
    increment_id="000000007",
    quote_id=8,
    first_address_id=13,
    first_item_id=20,
    first_quote_item_id=30,
    first_tax_id=40,
    first_tax_item_id=50,
)


def a_cart(*lines: CartLine) -> Cart:
    address = PostalAddress("Test", "Buyer", ("1 High Street",), "Leicester", "LE1 5YA")
    return Cart(lines, Customer("Test", "Buyer", "buyer@example.test"), address)


def without(document: Any, names: set[str]) -> Any:
    if isinstance(document, dict):
        return {key: without(value, names) for key, value in document.items() if key not in names}
    if isinstance(document, list):
        return [without(value, names) for value in document]
    return document


def key_paths(document: Any, path: str = "") -> set[str]:
    if isinstance(document, dict):
        inner = (key_paths(value, f"{path}.{key}") | {f"{path}.{key}"} for key, value in document.items())
        return set().union(*inner)
    if isinstance(document, list):
        return set().union(*(key_paths(value, f"{path}[]") for value in document))
    return set()
