"""Records that are valid by default, so that a test says only what it is about."""

from datetime import UTC, datetime
from typing import Any

from schemas.documents import ExceptionNote, StockLevel
from tasks.systems.ledger import Ledger, OrderLineRecord, OrderRecord, Posting

PLACED = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def a_line(item_id: int = 11, **facts: Any) -> OrderLineRecord:
    values: dict[str, Any] = {
        "line_number": item_id - 10,
        "item_id_magento": item_id,
        "sku": "DRESS-RED-10",
        "product_type": "simple",
        "quantity": 3,
        "net_pence": 4998,
        "vat_pence": 999,
        "gross_pence": 5997,
        "vat_rate_percent": "20",
    }
    return OrderLineRecord(**{**values, **facts})


def an_order(order_number: str = "000000101", **facts: Any) -> OrderRecord:
    values: dict[str, Any] = {
        "order_number": order_number,
        "entity_id_magento": int(order_number),
        "store_id": 1,
        "state_magento": "processing",
        "status_magento": "processing",
        "placed_at": PLACED,
        "updated_at": PLACED,
        "currency": "GBP",
        "net_pence": 4998,
        "vat_pence": 999,
        "gross_pence": 5997,
        "country": "GB",
        "lines": (a_line(),),
    }
    return OrderRecord(**{**values, **facts})


def an_accepted_order(ledger: Ledger, order_number: str = "000000101", **facts: Any) -> OrderRecord:
    order = an_order(order_number, **facts)
    ledger.see_orders([order])
    for state in ("ready", "posting", "accepted"):
        ledger.set_order_state(order_number, state)
    return order


def a_posting(ledger: Ledger, key: str = "prima/sales_order/000000101", **facts: Any) -> Posting:
    values: dict[str, Any] = {
        "system": "prima",
        "operation": "MultiNewOrder",
        "subject": "order 000000101",
        "request_hash": "ab" * 32,
    }
    return ledger.begin_posting(key, **{**values, **facts})


def a_note(code: str = "SKU_UNKNOWN", subject: str = "order 000000101", **facts: Any) -> ExceptionNote:
    values: dict[str, Any] = {"detail": "DRESS-RED-10 is not known to PRIMA.", "order_number": "000000101"}
    return ExceptionNote(code, subject, **{**values, **facts})


def a_level(sku: str = "DRESS-RED-10", **facts: Any) -> StockLevel:
    values: dict[str, Any] = {
        "source_code": "default",
        "available_to_sell": 5,
        "buffer": 0,
        "open_units": 2,
        "source_qty": 7,
        "snapshot_at": PLACED,
    }
    return StockLevel(sku, **{**values, **facts})
