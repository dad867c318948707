"""The sheets of the VAT return: what goes into it, boxes 1 and 6, sizes, and delivery."""

from tasks.reconcile.run import Reconciliation
from tasks.reconcile.sheet import CURRENCY, LEVEL, RATE
from tasks.systems.reports.workbook import Field, Sheet, money


def vat_sheets(found: Reconciliation) -> list[Sheet]:
    """Return the four sheets, in the order in which finance asks."""
    return [
        Sheet("VAT return", "What goes into the VAT return, at each rate and destination?", _RETURN, found.vat_return),
        Sheet("Boxes 1 and 6", "What does the shop add to boxes 1 and 6, and is it right?", _BOXES, found.vat_boxes),
        Sheet("VAT by size", "Which sizes carry the VAT of another size?", _BY_SIZE, found.vat_by_size),
        Sheet("Delivery VAT", "Which VAT does delivery carry beside its goods?", _DELIVERY_VAT, found.delivery_vat),
    ]


_RETURN = [
    Field("Basis", "basis", width=22),
    CURRENCY,
    Field("Destination", "destination", width=12),
    RATE,
    *money(("Magento net", "magento_net"), ("Magento VAT", "magento_vat"), ("Magento gross", "magento_gross")),
    *money(("PRIMA net", "prima_net"), ("PRIMA VAT", "prima_vat"), ("PRIMA gross", "prima_gross")),
    Field("VAT variance", "vat_variance_pence", "money", 15, "{prima_vat_pence}-{magento_vat_pence}"),
]
_BOXES = [
    Field("Basis", "basis", width=22),
    CURRENCY,
    *money(("Box 1 Magento", "magento_box_1"), ("Box 1 PRIMA", "prima_box_1")),
    *money(("Box 6 Magento", "magento_box_6"), ("Box 6 PRIMA", "prima_box_6")),
    *money(("VAT elsewhere, Magento", "magento_other_vat"), ("VAT elsewhere, PRIMA", "prima_other_vat")),
    *money(("Overstated", "overstated"), ("Understated", "understated")),
    Field("Net error", "net_error_pence", "money", 15, "{overstated_pence}+{understated_pence}"),
    *money(("Limit", "error_limit")),
    Field("Above the limit", "is_above_limit", width=14),
]
_BY_SIZE = [
    Field("Side", "side", width=10),
    LEVEL,
    Field("Document", "document_number", width=16),
    Field("Order", "order_key", width=18),
    CURRENCY,
    Field("Day", "business_date", "date", 12),
    Field("Destination", "destination", width=12),
    Field("SKU", "sku", width=18),
    Field("PRIMA product", "product", width=20),
    Field("Size", "size", width=8),
    RATE,
    Field("What is wrong", "finding", width=28),
    *money(("Net", "net"), ("VAT", "vat"), ("Gross", "gross")),
]
_DELIVERY_VAT = [
    Field("Side", "side", width=10),
    LEVEL,
    CURRENCY,
    Field("Destination", "destination", width=12),
    Field("Goods", "goods", width=18),
    Field("Delivery rate %", "delivery_rate_percent", "percent", 13),
    Field("Policy", "policy", width=24),
    Field("Documents", "document_count", "count", 11),
    *money(("Net", "net"), ("VAT", "vat"), ("Gross", "gross"), ("Net on zero-rated goods", "zero_rated_share")),
]
