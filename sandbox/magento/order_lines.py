"""The items of an order document: a line as it is sold, and the empty child under a configurable one."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.magento.baskets import CartLine
from sandbox.magento.figures import number
from sandbox.magento.totals import LineFigures

Item = dict[str, Any]


def parent_item(
    line: CartLine,
    order: LineFigures,
    base: LineFigures,
    place: Mapping[str, Any],
    rule_fields: Mapping[str, str],
    itemized_taxes: Sequence[Item],
) -> Item:
    """Return the item that carries the money of a line: simple, virtual, or the parent of a configurable.

    `place` gives item_id, order_id, quote_item_id, store_id and the moment as text.
    """
    is_virtual = line.product_type == "virtual" or line.weight is None
    weight = {} if is_virtual else {"weight": number(line.weight or Decimal(0))}
    row_weight = Decimal(0) if is_virtual else (line.weight or Decimal(0)) * line.quantity
    return {
        "amount_refunded": 0,
        **rule_fields,
        "base_amount_refunded": 0,
        "base_discount_amount": number(base.discount_amount),
        "base_discount_invoiced": 0,
        "base_discount_tax_compensation_amount": number(base.discount_tax_compensation_amount),
        "base_original_price": number(base.original_price),
        "base_price": number(base.price),
        "base_price_incl_tax": number(base.price_incl_tax),
        "base_row_invoiced": 0,
        "base_row_total": number(base.shown_row_total),
        "base_row_total_incl_tax": number(base.shown_row_total_incl_tax),
        "base_tax_amount": number(base.tax_amount),
        "base_tax_invoiced": 0,
        "created_at": place["moment"],
        "discount_amount": number(order.discount_amount),
        "discount_invoiced": 0,
        "discount_percent": number(order.discount_percent),
        "free_shipping": 0,
        "discount_tax_compensation_amount": number(order.discount_tax_compensation_amount),
        "is_qty_decimal": 0,
        "is_virtual": int(is_virtual),
        "item_id": place["item_id"],
        "name": line.name or line.sku,
        "no_discount": 0,
        "order_id": place["order_id"],
        "original_price": number(order.original_price),
        "price": number(order.price),
        "price_incl_tax": number(order.price_incl_tax),
        "product_id": line.product_id,
        "product_type": line.product_type,
        "qty_canceled": 0,
        "qty_invoiced": 0,
        "qty_ordered": line.quantity,
        "qty_refunded": 0,
        "qty_shipped": 0,
        "quote_item_id": place["quote_item_id"],
        "row_invoiced": 0,
        "row_total": number(order.shown_row_total),
        "row_total_incl_tax": number(order.shown_row_total_incl_tax),
        "row_weight": number(row_weight),
        "sku": line.sku,
        "store_id": place["store_id"],
        "tax_amount": number(order.tax_amount),
        "tax_invoiced": 0,
        "tax_percent": number(order.tax_percent),
        "updated_at": place["moment"],
        **weight,
        **_options(line),
        "extension_attributes": {"itemized_taxes": list(itemized_taxes)},
    }


def child_item(line: CartLine, parent: Item, place: Mapping[str, Any]) -> Item:
    """Return the child under a configurable item: its SKU, the units, no money, and the parent inside it."""
    return {
        "amount_refunded": 0,
        "base_amount_refunded": 0,
        "base_discount_amount": 0,
        "base_discount_invoiced": 0,
        "base_price": 0,
        "base_row_invoiced": 0,
        "base_row_total": 0,
        "base_tax_amount": 0,
        "base_tax_invoiced": 0,
        "created_at": place["moment"],
        "discount_amount": 0,
        "discount_invoiced": 0,
        "discount_percent": 0,
        "free_shipping": 0,
        "is_qty_decimal": 0,
        "is_virtual": 0,
        "item_id": place["item_id"] + 1,
        "name": line.child_name or line.sku,
        "no_discount": 0,
        "order_id": place["order_id"],
        "original_price": 0,
        "parent_item_id": place["item_id"],
        "price": 0,
        "product_id": line.child_product_id,
        "product_type": "simple",
        "qty_canceled": 0,
        "qty_invoiced": 0,
        "qty_ordered": line.quantity,
        "qty_refunded": 0,
        "qty_shipped": 0,
        "quote_item_id": place["quote_item_id"] + 1,
        "row_invoiced": 0,
        "row_total": 0,
        "row_weight": 0,
        "sku": line.sku,
        "store_id": place["store_id"],
        "tax_amount": 0,
        "tax_invoiced": 0,
        "tax_percent": 0,
        "updated_at": place["moment"],
        "weight": number(line.weight or Decimal(0)),
        "parent_item": parent,
        "extension_attributes": {"itemized_taxes": []},
        "row_total_incl_tax": 0,
        "base_row_total_incl_tax": 0,
    }


def _options(line: CartLine) -> Item:
    if line.product_type != "configurable":
        return {}
    options = [{"option_id": str(attribute), "option_value": value} for attribute, value in line.options]
    return {"product_option": {"extension_attributes": {"configurable_item_options": options}}}
