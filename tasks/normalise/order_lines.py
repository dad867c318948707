"""The items of a Magento order as lines that can be sold: parents and children merged, amounts in pence. Pure.

A configurable is one line: the parent has the money, and its child's SKU. A grouped product is no item at all: each of
its simples is an item by itself. A bundle with dynamic prices has its money in its components, and they are the lines;
one with a fixed price has it in the parent, which then is the line. (Adobe's handbook: "Bundle product", price type;
no recording has a bundle. Whether the lines chosen here are right is for the order's totals to say.)
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from schemas.money import vat_on_net
from tasks.normalise.fields import parts, pence_of, rate, text, whole, whole_of

Record = Mapping[str, Any]
BUNDLE = "bundle"


def sellable_items(record: Record) -> list[Record]:
    """Return the items that carry money and are shipped: parents, but the components of bundles with dynamic prices."""
    items = parts(record.get("items"))
    # By text: an id that is no number is refused with its row later, and must not end the batch here.
    children: dict[str, list[Record]] = {}
    for item in items:
        if item.get("parent_item_id"):
            children.setdefault(str(item["parent_item_id"]), []).append(item)
    found: list[Record] = []
    for item in items:
        if not item.get("parent_item_id"):
            own = children.get(str(item.get("item_id")), [])
            found.extend(own if _has_dynamic_price(item, own) else [item])
    return found


def has_bundle(record: Record) -> bool:
    """Tell whether an order has a bundle, whose units PRIMA and Magento count in different ways."""
    return any(item.get("product_type") == BUNDLE for item in parts(record.get("items")))


def floored(record: Record, prefix: str) -> Any:
    """Return by how much Magento shows lines too high, in pence, negative; 0 where it does not.

    A discount larger than the price makes a line negative. REST shows it as 0, while the totals keep the negative. Its
    true gross is price x quantity - discount + VAT + discount tax compensation.
    """
    return sum((_below_zero(item, prefix) for item in sellable_items(record)), start=0)


def _below_zero(item: Record, prefix: str) -> Any:
    shown = pence_of(item, f"{prefix}row_total_incl_tax")
    units = whole(item.get("qty_ordered"))
    true = (
        pence_of(item, f"{prefix}price") * units
        - pence_of(item, f"{prefix}discount_amount")
        + pence_of(item, f"{prefix}tax_amount")
        + pence_of(item, f"{prefix}discount_tax_compensation_amount")
    )
    is_shown_as_nothing = pd.notna(true) and pd.notna(shown) and shown == 0
    return min(true, 0) if is_shown_as_nothing else 0


def _has_dynamic_price(item: Record, children: list[Record]) -> bool:
    return item.get("product_type") == BUNDLE and any(child.get("row_total_incl_tax") for child in children)


def order_lines(record: Record, prefix: str) -> list[dict[str, Any]]:
    """Return the lines of an order as rows of `OrderLines`, numbered from 1."""
    number = text(record.get("increment_id"))
    rows = []
    for position, line in enumerate(sellable_items(record), start=1):
        gross = pence_of(line, f"{prefix}row_total_incl_tax")
        vat = pence_of(line, f"{prefix}tax_amount")
        rows.append(
            {
                "order_number": number,
                "line_number": position,
                "item_id_magento": whole(line.get("item_id")),
                "sku": text(line.get("sku")),
                "product_type": text(line.get("product_type")),
                "quantity": whole(line.get("qty_ordered")),
                "vat_rate_percent": rate(line.get("tax_percent", 0)),
                "net_pence": gross - vat,
                "vat_pence": vat,
                "gross_pence": gross,
                **_discount(line, prefix),
                "quantity_shipped": whole_of(line, "qty_shipped"),
                "quantity_cancelled": whole_of(line, "qty_canceled"),
                "quantity_refunded": whole_of(line, "qty_refunded"),
                "quantity_invoiced": whole_of(line, "qty_invoiced"),
            }
        )
    return rows


def _discount(line: Record, prefix: str) -> dict[str, Any]:
    """Return the discount that is off the line already, net and gross.

    With prices that include VAT `discount_amount` is gross, and the VAT in it is `discount_tax_compensation_amount`;
    with prices that exclude it it is net, the compensation is 0, and the gross is worked out at the line's rate.
    """
    given = pence_of(line, f"{prefix}discount_amount")
    vat_within = pence_of(line, f"{prefix}discount_tax_compensation_amount")
    percent = rate(line.get("tax_percent", 0))
    if pd.isna(given) or pd.isna(vat_within) or not percent:
        return {"discount_net_pence": given, "discount_gross_pence": given}
    gross = given if vat_within else given + vat_on_net(int(given), Decimal(percent))
    return {"discount_net_pence": given - vat_within, "discount_gross_pence": gross}
