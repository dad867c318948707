"""Carts rebuilt from the recordings: what a customer must have put together for a recorded basket or order."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.magento.carts import (
    Cart,
    CartLine,
    Coupon,
    CouponAction,
    Customer,
    Ids,
    PostalAddress,
    TaxSettings,
)
from sandbox.magento.deliveries import delivery_price
from sandbox.magento.totals import collect_totals
from sandbox.magento.vat import rate_for

RECORDINGS = Path(__file__).parent.parent / "recordings"

COUPONS = {
    "PCT15": Coupon("PCT15", CouponAction.PERCENT, Decimal(15), rule_id=2),
    "PCT3333": Coupon("PCT3333", CouponAction.PERCENT, Decimal("33.33"), rule_id=3),
    "FIX10": Coupon("FIX10", CouponAction.FIXED_CART, Decimal(10), rule_id=1),
    "EACH3": Coupon("EACH3", CouponAction.FIXED_EACH, Decimal(3), rule_id=5),
    "B2G1": Coupon("B2G1", CouponAction.BUY_X_GET_Y, Decimal(1), step=2, rule_id=4),
    "PCT10SHIP": Coupon("PCT10SHIP", CouponAction.PERCENT, Decimal(10), applies_to_shipping=True, rule_id=7),
    "FIX777SHIP": Coupon("FIX777SHIP", CouponAction.FIXED_CART, Decimal("7.77"), applies_to_shipping=True, rule_id=8),
    "SHIPFREE": Coupon("SHIPFREE", CouponAction.PERCENT, Decimal(0), rule_id=6),
    "FULL100": Coupon("FULL100", CouponAction.PERCENT, Decimal(100), applies_to_shipping=True, rule_id=9),
}


def recorded_baskets() -> list[dict[str, Any]]:
    """Return the 308 recorded baskets, amounts as Decimal or int."""
    text = (RECORDINGS / "tax-baskets.json").read_text()
    return list(json.loads(text, parse_float=Decimal)["baskets"])


def recorded_orders() -> list[dict[str, Any]]:
    """Return the 84 recorded orders as they are: amounts as int or float."""
    text = (RECORDINGS / "orders" / "sample-orders.json").read_text()
    return [entry["order"] for entry in json.loads(text)["orders"]]


def cart_of_basket(basket: dict[str, Any]) -> Cart:
    """Return the cart behind a recorded basket."""
    given = basket["input"]
    lines = tuple(
        CartLine(line["sku"], line["qty"], Decimal(line["catalogue_price"]), vat_class=line["vat_class"])
        for line in given["lines"]
    )
    cart = Cart(
        lines=lines,
        customer=Customer("Test", "Buyer", "buyer@example.test"),
        address=PostalAddress(
            "Test", "Buyer", ("1 High Street",), "Leicester", "LE1 5YA", given["destination_country"]
        ),
        settings=TaxSettings.from_record(basket["settings"]),
        coupon=COUPONS.get(given["coupon"]),
        shipping_method=given["shipping_method"],
    )
    return with_delivery_price(cart)


def with_delivery_price(cart: Cart) -> Cart:
    """Return the cart with the price that its delivery method has for its goods."""
    figures = collect_totals(replace(cart, shipping_price=Decimal(0))).base
    value = figures.subtotal + figures.discount_amount
    return replace(cart, shipping_price=delivery_price(cart.shipping_method, value, cart.address.country))


def vat_classes(orders: list[dict[str, Any]]) -> dict[str, str]:
    """Return the VAT class of each recorded SKU, told by the rates that it was charged at home or abroad."""
    classes: dict[str, str] = {}
    for order in orders:
        country = order["billing_address"]["country_id"]
        rates = {vat_class: rate_for(country, vat_class) for vat_class in ("standard", "reduced", "zero")}
        of_code = {rate.code: vat_class for vat_class, rate in rates.items() if rate}
        for item in order["items"]:
            for tax in item["extension_attributes"]["itemized_taxes"]:
                classes.setdefault(item["sku"], of_code[tax["tax_code"]])
            if country == "GB" and not item["tax_percent"] and "parent_item_id" not in item:
                classes.setdefault(item["sku"], "zero")
    return classes


def cart_of_order(order: dict[str, Any], classes: dict[str, str]) -> Cart:
    """Return the cart behind a recorded order."""
    children = {item["parent_item_id"]: item for item in order["items"] if "parent_item_id" in item}
    lines = tuple(
        _line(item, children.get(item["item_id"], {}), classes)
        for item in order["items"]
        if "parent_item_id" not in item
    )
    shipping = order["extension_attributes"]["shipping_assignments"][0]["shipping"]
    cart = Cart(
        lines=lines,
        customer=Customer(
            order["customer_firstname"],
            order["customer_lastname"],
            order["customer_email"],
            order.get("customer_id", 0),
            order["customer_group_id"],
        ),
        address=_address(shipping.get("address", order["billing_address"])),
        billing_address=_address(order["billing_address"]),
        coupon=COUPONS.get(order.get("coupon_code", "")),
        shipping_method=shipping.get("method", ""),
        shipping_description=order.get("shipping_description", ""),
        payment_method=order["payment"]["method"],
        purchase_order_number=order["payment"].get("po_number", ""),
        store_id=order["store_id"],
    )
    return cart if cart.is_virtual else with_delivery_price(cart)


def ids_of_order(order: dict[str, Any]) -> Ids:
    """Return the numbers that a recorded order was given."""
    extension = order["extension_attributes"]
    tax_items = [tax for item in order["items"] for tax in item["extension_attributes"]["itemized_taxes"]]
    tax_items += extension["additional_itemized_taxes"]
    shipping = extension["shipping_assignments"][0]["shipping"]
    return Ids(
        entity_id=order["entity_id"],
        increment_id=order["increment_id"],
        quote_id=order["quote_id"],
        first_address_id=shipping.get("address", order["billing_address"])["entity_id"],
        first_item_id=order["items"][0]["item_id"],
        first_quote_item_id=order["items"][0]["quote_item_id"],
        first_tax_id=min((tax["tax_id"] for tax in extension["taxes"]), default=0),
        first_tax_item_id=min((tax["tax_item_id"] for tax in tax_items), default=0),
    )


def moment_of_order(order: dict[str, Any]) -> datetime:
    """Return when a recorded order was placed."""
    return datetime.fromisoformat(order["created_at"]).replace(tzinfo=UTC)


def _line(item: dict[str, Any], child: dict[str, Any], classes: dict[str, str]) -> CartLine:
    chosen = item.get("product_option", {}).get("extension_attributes", {}).get("configurable_item_options", [])
    return CartLine(
        sku=item["sku"],
        quantity=item["qty_ordered"],
        catalogue_price=Decimal(str(item["base_original_price"])),
        name=item["name"],
        vat_class=classes.get(item["sku"], "standard"),
        product_type=item["product_type"],
        child_name=child.get("name", ""),
        options=tuple((option["option_id"], option["option_value"]) for option in chosen),
        weight=Decimal(str(item["weight"])) if "weight" in item else None,
        product_id=item["product_id"],
        child_product_id=child.get("product_id", 0),
    )


def _address(record: dict[str, Any]) -> PostalAddress:
    return PostalAddress(
        forename=record["firstname"],
        surname=record["lastname"],
        street=tuple(record["street"]),
        town=record["city"],
        postcode=record["postcode"],
        country=record["country_id"],
        county=record.get("region", ""),
        phone=record["telephone"],
        company=record.get("company", ""),
        vat_number=record.get("vat_id", ""),
        county_code=record.get("region_code", ""),
        region_id=record.get("region_id", 0),
    )
