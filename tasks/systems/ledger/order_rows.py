"""Orders between records and table rows: which columns Magento fills, and what makes one order differ from another."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from tasks.systems.ledger.records import OrderLineRecord, OrderRecord

_COUNTS = ("entity_id_magento", "store_id", "net_pence", "vat_pence", "gross_pence")
_TEXTS = (
    "order_number",
    "state_magento",
    "status_magento",
    "currency",
    "country",
    "payment_method",
    "delivery_method",
    "order_number_prima",
)
_TIMES = ("placed_at", "updated_at")
# What a later reading of the order replaces.
REPLACED = (
    *_COUNTS,
    *(name for name in _TEXTS if name not in ("order_number", "order_number_prima")),
    *_TIMES,
    "is_virtual",
    "content_hash",
)

PROGRESS = ("quantity_shipped", "quantity_cancelled", "quantity_refunded", "quantity_invoiced")
_LINE_COUNTS = ("item_id_magento", "line_number", "quantity", "net_pence", "vat_pence", "gross_pence")
_LINE_TEXTS = ("sku", "product_type", "vat_rate_percent", "source_code")
LINE_REPLACED = (*(name for name in _LINE_COUNTS if name != "item_id_magento"), *_LINE_TEXTS)


def order_row(order: OrderRecord, seen_at: datetime) -> dict[str, Any]:
    """Return the row of an order that is new here; numbers become plain ints, which every driver takes."""
    facts: dict[str, Any] = {name: int(getattr(order, name)) for name in _COUNTS}
    facts.update({name: str(getattr(order, name)) for name in _TEXTS})
    facts.update({name: getattr(order, name) for name in _TIMES})
    facts["is_virtual"] = bool(order.is_virtual)
    lines = [line_row(order.order_number, line) for line in order.lines]
    return {
        **facts,
        "content_hash": _fingerprint([facts, sorted(lines, key=lambda line: int(line["item_id_magento"]))]),
        "evidence_id": order.evidence_id,
        "state": "seen",
        "state_since": seen_at,
        "seen_at": seen_at,
        "customer_code": "",
        "claimed_by": "",
    }


def line_row(order_number: str, line: OrderLineRecord) -> dict[str, Any]:
    """Return the row of a line; a quantity below zero means none."""
    row: dict[str, Any] = {"order_number": order_number}
    row.update({name: int(getattr(line, name)) for name in _LINE_COUNTS})
    row.update({name: max(0, int(getattr(line, name))) for name in PROGRESS})
    row.update({name: str(getattr(line, name)) for name in _LINE_TEXTS})
    return row


def order_record(row: Row[Any], lines: list[Row[Any]]) -> OrderRecord:
    """Return the record of a row and its lines."""
    values = row._asdict()
    del values["content_hash"]
    return OrderRecord(**values, lines=tuple(_line_record(line) for line in lines))


def _line_record(row: Row[Any]) -> OrderLineRecord:
    values = row._asdict()
    del values["order_number"]
    return OrderLineRecord(**values)


def _fingerprint(facts: Any) -> str:
    text = json.dumps(facts, sort_keys=True, default=_utc_text)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _utc_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()
