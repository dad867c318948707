"""Records that are valid by default: a test says only what it is about.

Orders have the shape of a recorded one; their figures follow from their lines and delivery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from schemas.documents import StockLevel, StockTuple
from schemas.items import ItemIndex
from schemas.order_checks import Circumstances
from schemas.orders import OrderFrames, OrderPlan
from schemas.rules import DeliveryRule, NumberRule, OrderRules, PaymentRule, StoreRule, VatPeriod
from tasks import validate
from tasks.decide import orders as decide
from tasks.normalise import orders as normalise
from tasks.normalise.tender import ATTRIBUTES
from tests.recorded import sample_order

SHAPE = "000000090"
SKU = "OB-1234-BLK-8"


def an_order_line(
    sku: str = SKU, *, quantity: int = 3, gross: str = "59.97", vat: str = "9.99", **fields: Any
) -> dict[str, Any]:
    """Return one order item as REST gives it: a simple product, prices with VAT, no discount."""
    (shape, _) = sample_order(SHAPE)["items"]
    amounts = {
        "row_total": Decimal(gross) - Decimal(vat),
        "row_total_incl_tax": Decimal(gross),
        "tax_amount": Decimal(vat),
    }
    line = {
        **{name: value for name, value in shape.items() if name != "product_option"},
        "product_type": "simple",
        "sku": sku,
        "qty_ordered": quantity,
        "tax_percent": 20 if Decimal(vat) else 0,
        **amounts,
        **{f"base_{name}": amount for name, amount in amounts.items()},
    }
    return {**line, **fields}


def a_child_of(line: Mapping[str, Any], sku: str = SKU, **fields: Any) -> dict[str, Any]:
    """Return the child item that REST lists after a configurable one: same SKU, no money, parts of it missing.

    It belongs to the item before it.
    """
    (_, child) = sample_order(SHAPE)["items"]
    return {**child, "parent_item": dict(line), "sku": sku, "qty_ordered": line["qty_ordered"], **fields}


def an_order(
    order_number: str = "000000101",
    *,
    lines: Sequence[Mapping[str, Any]] | None = None,
    delivery: tuple[str, str] = ("3.95", "0.66"),
    country: str = "GB",
    **fields: Any,
) -> dict[str, Any]:
    """Return a Magento order record: new, unpaid, by cheque, to Leicester; 3 x £19.99 and £3.95 delivery.

    `delivery` is gross and VAT. Totals follow from lines and delivery unless they are given.
    """
    order = sample_order(SHAPE)
    items = [dict(line) for line in (lines if lines is not None else [an_order_line()])]
    number = int("".join(filter(str.isdigit, order_number)) or 0) % 10**6 + 1000
    for position, item in enumerate(items, start=1):
        item["item_id"] = number * 10 + position
        if "parent_item_id" in item:
            item["parent_item_id"] = item["item_id"] - 1
    sold = [item for item in items if "parent_item_id" not in item]
    delivery_gross, delivery_vat = map(Decimal, delivery)
    net = sum((Decimal(item["row_total"]) for item in sold), start=Decimal(0))
    vat = sum((Decimal(item["tax_amount"]) for item in sold), start=Decimal(0)) + delivery_vat
    figures = {
        "subtotal": net,
        "shipping_amount": delivery_gross - delivery_vat,
        "shipping_tax_amount": delivery_vat,
        "tax_amount": vat,
        "grand_total": net + vat + delivery_gross - delivery_vat,
    }
    order |= {"increment_id": order_number, "entity_id": number, "items": items}
    order |= {f"{prefix}{name}": amount for prefix in ("", "base_") for name, amount in figures.items()}
    tax = {"code": "GB Standard 20", "title": "GB Standard 20", "percent": 20, "amount": vat, "base_amount": vat}
    order["extension_attributes"]["applied_taxes"] = [tax] if vat else []
    rate = next((item["tax_percent"] for item in sold if item["tax_percent"]), 20)
    of_delivery = {"type": "shipping", "applied_taxes": [{**tax, "percent": rate, "amount": delivery_vat}]}
    order["extension_attributes"]["item_applied_taxes"] = [of_delivery] if delivery_vat else []
    order["billing_address"]["country_id"] = country
    order["extension_attributes"]["shipping_assignments"][0]["shipping"]["address"]["country_id"] = country
    return {**order, **fields}


def with_address(order: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the order with changes in its delivery address."""
    order["extension_attributes"]["shipping_assignments"][0]["shipping"]["address"] |= fields
    return order


def paid_by(order: dict[str, Any], *, at_top_level: bool = False, **amounts: str) -> dict[str, Any]:
    """Return the order, a part of it paid by `gift_card`, `store_credit` or `reward_points` as Adobe Commerce has it.

    The amounts are pounds; `grand_total` is what they leave to the payment method.
    """
    held = order if at_top_level else order["extension_attributes"]
    for prefix in ("", "base_"):
        held |= {f"{prefix}{ATTRIBUTES[kind]}": Decimal(amount) for kind, amount in amounts.items()}
        order[f"{prefix}grand_total"] -= sum(map(Decimal, amounts.values()))
    return order


def an_item_index(*skus: str) -> ItemIndex:
    """Return an index that knows these SKUs, or the one of `an_order()`."""
    return ItemIndex([(sku, StockTuple(f"PRODUCT{number}")) for number, sku in enumerate(skus or (SKU,))])


def order_rules(**changes: Any) -> OrderRules:
    """Return rules that import every order of `an_order()` as 30 and its entity id."""
    rules = OrderRules(
        import_states=frozenset({"new", "processing", "complete"}),
        start_date=None,
        stores={1: StoreRule("default", True, "MailOrder", ""), 2: StoreRule("outlet", False, "MailOrder", "")},
        payments={"checkmo": PaymentRule("CSH", "CHEQUE", "NONE", "CHEQUE", "always")},
        deliveries={"flatrate_flatrate": DeliveryRule("STD48", "", "")},
        vat_rates={
            "GB": [VatPeriod(frozenset({Decimal(20), Decimal(5), Decimal(0)}))],
            "IE": [VatPeriod(frozenset({Decimal(23), Decimal("13.5")}))],
        },
        number=NumberRule("30", "entity_id", 8),
        shipped_before_posting="hold",
        is_held_in_prima=False,
    )
    return replace(rules, **changes)


def frames_of(*orders: Mapping[str, Any]) -> OrderFrames:
    """Return orders after `normalise`."""
    return normalise.orders(orders)


def plan_of(
    *orders: Mapping[str, Any],
    items: ItemIndex | None = None,
    posted: set[str] | None = None,
    rules: OrderRules | None = None,
    circumstances: Circumstances | None = None,
) -> OrderPlan:
    """Return what is decided about orders that pass validation."""
    frames = frames_of(*orders)
    checked = validate.check_orders.fn(frames)
    assert checked.rejected.empty, checked.rejected[["order_number", "detail"]].to_dict("records")
    return decide.orders(
        checked.accepted,
        frames,
        items or an_item_index(),
        dict.fromkeys(posted or (), "accepted"),
        rules or order_rules(),
        circumstances or Circumstances(),
    )


def rejections(frames: OrderFrames) -> dict[str, tuple[str, str]]:
    """Return reason and detail of each rejected order by its number."""
    rejected: pd.DataFrame = validate.check_orders.fn(frames).rejected
    return {row["order_number"]: (row["reason"], row["detail"]) for row in rejected.to_dict("records")}


def a_stock_level(sku: str = SKU, **changes: Any) -> StockLevel:
    """Return a stock level: 10 available, no buffer, 2 open units, so 12 for Magento's default source."""
    level = StockLevel(sku, "default", 10, 0, 2, 12, datetime(2026, 11, 23, 9, 15, tzinfo=UTC))
    return replace(level, **changes)


def a_dispatch(number: str = "D900021", *, order_number_prima: str = "30001101", **fields: Any) -> dict[str, Any]:
    """Return one record of the extract `dispatches`, types as the reporting source gives them."""
    record = {
        "dispatch_number": number,
        "order_number_prima": order_number_prima,
        "dispatched_at": datetime(2026, 11, 23, 15, 40, tzinfo=UTC),
        "carrier": "DPD",
        "service": "NEXTDAY",
        "tracking_numbers": "15501234567890",
        "updated_at": datetime(2026, 11, 23, 15, 41, tzinfo=UTC),
    }
    return {**record, **fields}
