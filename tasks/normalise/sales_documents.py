"""Magento's invoices and credit memos have one shape: a document and its charges as rows, in pence and UTC. Pure.

Line gross after discount is stored row total - discount + VAT + discount tax compensation. The discount on delivery
stands nowhere by itself: it is what the lines leave of the document's discount, and so is its compensation where the
document does not name it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from tasks.normalise.fields import london_date, pence_of, text, utc, whole, whole_of
from tasks.normalise.tender import tender_total

Record = Mapping[str, Any]
Amounts = Literal["order", "base"]
DOCUMENT_TYPES = {
    "document_number": "str",
    "entity_id_magento": "Int64",
    "currency": "str",
    "document_at": "datetime64[us, UTC]",
    "net_pence": "Int64",
    "vat_pence": "Int64",
    "gross_pence": "Int64",
    "delivery_net_pence": "Int64",
    "delivery_vat_pence": "Int64",
    "delivery_gross_pence": "Int64",
}
LINE_TYPES = {
    "document_number": "str",
    "line_number": "Int64",
    "charge": "str",
    "item_id_magento": "Int64",
    "sku": "str",
    "quantity": "Int64",
    "net_pence": "Int64",
    "vat_pence": "Int64",
    "gross_pence": "Int64",
}


@dataclass(frozen=True, slots=True)
class DocumentFrames:
    """Documents of one kind: one row a document, and one row a charge (goods, delivery, adjustment) of it.

    `entity_id_magento` is the order's, `item_id_magento` the order line's (the parent of a configurable).
    """

    documents: pd.DataFrame
    lines: pd.DataFrame


def sales_documents(records: Iterable[Record], amounts: Amounts = "order") -> DocumentFrames:
    """Return invoices or credit memos as frames; an amount that is not whole pence is left empty, to be rejected.

    Totals are those of the document (`grand_total` with what gift cards, store credit and reward points paid of it or
    got back; `tax_amount`), not sums of its lines: whoever uses both compares.
    """
    prefix = "base_" if amounts == "base" else ""
    documents: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for record in records:
        delivery = _delivery(record, prefix)
        documents.append(_document(record, delivery, prefix))
        lines.extend(_lines(record, delivery, prefix))
    frame = pd.DataFrame(documents, columns=list(DOCUMENT_TYPES)).astype(DOCUMENT_TYPES)
    frame["business_date"] = london_date(frame["document_at"])
    return DocumentFrames(frame, pd.DataFrame(lines, columns=list(LINE_TYPES)).astype(LINE_TYPES))


def _charged_items(record: Record) -> list[Record]:
    """Return the items that carry money: children repeat their parent without amounts."""
    return [item for item in record.get("items") or [] if item.get("row_total") is not None]


def _document(record: Record, delivery: tuple[Any, Any], prefix: str) -> dict[str, Any]:
    gross = pence_of(record, f"{prefix}grand_total") + tender_total(record, prefix)
    vat = pence_of(record, f"{prefix}tax_amount")
    delivery_gross, delivery_vat = delivery
    return {
        "document_number": text(record.get("increment_id")),
        "entity_id_magento": whole(record.get("order_id")),
        "currency": text(record.get("base_currency_code" if prefix else "order_currency_code")),
        "document_at": utc(record.get("created_at")),
        "net_pence": gross - vat,
        "vat_pence": vat,
        "gross_pence": gross,
        "delivery_net_pence": delivery_gross - delivery_vat,
        "delivery_vat_pence": delivery_vat,
        "delivery_gross_pence": delivery_gross,
    }


def _delivery(record: Record, prefix: str) -> tuple[Any, Any]:
    """Return gross and VAT of delivery, after discount."""
    items = _charged_items(record)
    discounts = sum((pence_of(item, f"{prefix}discount_amount") for item in items), start=0)
    discount = -pence_of(record, f"{prefix}discount_amount") - discounts
    compensations = sum((pence_of(item, f"{prefix}discount_tax_compensation_amount") for item in items), start=0)
    compensation = pence_of(record, f"{prefix}discount_tax_compensation_amount") - compensations
    if pd.notna(compensation) and compensation == 0:
        # Magento cuts the name of the base column short.
        name = "base_shipping_discount_tax_compensation_amnt" if prefix else "shipping_discount_tax_compensation_amount"
        compensation = pence_of(record, name)
    vat = pence_of(record, f"{prefix}shipping_tax_amount")
    return pence_of(record, f"{prefix}shipping_amount") + vat - discount + compensation, vat


def _lines(record: Record, delivery: tuple[Any, Any], prefix: str) -> list[dict[str, Any]]:
    rows = []
    for item in _charged_items(record):
        vat = pence_of(item, f"{prefix}tax_amount")
        gross = (
            pence_of(item, f"{prefix}row_total")
            - pence_of(item, f"{prefix}discount_amount")
            + vat
            + pence_of(item, f"{prefix}discount_tax_compensation_amount")
        )
        rows.append(_line("goods", gross, vat, item))
    delivery_gross, delivery_vat = delivery
    if pd.isna(delivery_gross) or delivery_gross or delivery_vat:
        rows.append(_line("delivery", delivery_gross, delivery_vat))
    adjustment = _adjustment(record, prefix)
    if pd.isna(adjustment) or adjustment:
        rows.append(_line("adjustment", adjustment, 0))
    number = text(record.get("increment_id"))
    return [{"document_number": number, "line_number": position, **row} for position, row in enumerate(rows, start=1)]


def _adjustment(record: Record, prefix: str) -> Any:
    """Return the free amount of a credit memo, which carries no VAT; 0 on invoices."""
    return pence_of(record, f"{prefix}adjustment_positive") - pence_of(record, f"{prefix}adjustment_negative")


def _line(charge: str, gross: Any, vat: Any, item: Record | None = None) -> dict[str, Any]:
    return {
        "charge": charge,
        "item_id_magento": whole(item.get("order_item_id")) if item else pd.NA,
        "sku": text(item.get("sku")) if item else "",
        "quantity": whole_of(item, "qty") if item else pd.NA,
        "net_pence": gross - vat,
        "vat_pence": vat,
        "gross_pence": gross,
    }
