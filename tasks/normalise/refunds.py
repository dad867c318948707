"""Credit memos of Magento as refunds: charges with their VAT rate, tied to their order. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from schemas.refund_rows import RefundFrames
from schemas.refunds import CREDIT_NOTE_COMMENT
from tasks.normalise.creditmemos import creditmemos
from tasks.normalise.delivery_rates import delivery_rate
from tasks.normalise.fields import parts, rate, text, whole
from tasks.normalise.sales_documents import Amounts, Record
from tasks.normalise.tender import tender_total

_COMMENT = re.compile(rf"^\s*{CREDIT_NOTE_COMMENT}(\S+)\s*$")


def refunds(records: Iterable[Record], orders: Mapping[int, Record], amounts: Amounts = "order") -> RefundFrames:
    """Return one row per credit memo and one per charge of it: amounts in pence as they were given back, times in UTC.

    Source: GET /rest/V1/creditmemos, one record per element of "items"; `orders` are the orders they belong to, by
    entity id, for order number and VAT rates. One whose order is not among them has no order number, for the schema to
    reject. A configurable's child repeats its parent without money and is no charge. A charge whose rate stands
    nowhere has none, unless it carries no VAT. Cancelled credit memos are left out.
    """
    kept = [record for record in records if record.get("state") != 3]
    frames = creditmemos(kept, amounts)
    facts = pd.DataFrame([_facts(record, orders, amounts) for record in kept], columns=list(_FACTS)).astype(_FACTS)
    lines = frames.lines.rename(columns={"document_number": "refund_number"})
    lines["vat_rate_percent"] = pd.Series(_rates(kept, orders, lines), index=lines.index, dtype="str")
    documents = frames.documents.rename(columns={"document_number": "refund_number", "document_at": "refunded_at"})
    documents = pd.concat([documents, facts], axis=1)
    for amount in ("vat_pence", "gross_pence"):
        # An amount that could not be read makes the sum unreadable as well.
        sums = lines.groupby("refund_number")[amount].agg(lambda column: column.sum(skipna=False))
        found = documents["refund_number"].map(sums)
        has_lines = documents["refund_number"].isin(lines["refund_number"])
        documents[f"lines_{amount}"] = found.astype("Int64").where(has_lines, 0)
    return RefundFrames(documents[list(_COLUMNS)], lines[list(_LINE_COLUMNS)])


def credit_note_of(record: Record) -> str:
    """Return the number of PRIMA's credit note that a credit memo was made from; empty where it names none."""
    for comment in parts(record.get("comments")):
        found = _COMMENT.match(text(comment.get("comment")))
        if found:
            return found.group(1)
    return ""


def _facts(record: Record, orders: Mapping[int, Record], amounts: Amounts) -> dict[str, Any]:
    order = _order(record, orders)
    return {
        "creditmemo_id": whole(record.get("entity_id")),
        "order_number": text(order.get("increment_id")),
        "tender_pence": tender_total(record, "base_" if amounts == "base" else ""),
        "credit_note_number": credit_note_of(record),
    }


def _order(record: Record, orders: Mapping[int, Record]) -> Record:
    entity_id = whole(record.get("order_id"))
    return {} if pd.isna(entity_id) else orders.get(entity_id, {})


def _rates(records: list[Record], orders: Mapping[int, Record], lines: pd.DataFrame) -> list[str]:
    """Return the VAT rate of each charge: of its order line, or of the order's delivery; none for an adjustment."""
    of_number = {text(record.get("increment_id")): _order(record, orders) for record in records}
    of_items = {
        number: {whole(item.get("item_id")): rate(item.get("tax_percent")) for item in parts(order.get("items"))}
        for number, order in of_number.items()
    }
    found = []
    columns = ("refund_number", "charge", "item_id_magento", "vat_pence")
    for number, charge, item_id, vat in zip(*(lines[name] for name in columns), strict=True):
        if charge == "adjustment":
            found.append("")
            continue
        percent = delivery_rate(of_number[number]) if charge == "delivery" else of_items[number].get(item_id, "")
        found.append(percent or ("0" if pd.notna(vat) and vat == 0 else ""))
    return found


_FACTS = {"creditmemo_id": "Int64", "order_number": "str", "tender_pence": "Int64", "credit_note_number": "str"}
_COLUMNS = (
    "refund_number",
    "creditmemo_id",
    "order_number",
    "entity_id_magento",
    "currency",
    "refunded_at",
    "net_pence",
    "vat_pence",
    "gross_pence",
    "tender_pence",
    "lines_vat_pence",
    "lines_gross_pence",
    "credit_note_number",
)
_LINE_COLUMNS = (
    "refund_number",
    "line_number",
    "charge",
    "item_id_magento",
    "sku",
    "quantity",
    "vat_rate_percent",
    "net_pence",
    "vat_pence",
    "gross_pence",
)
