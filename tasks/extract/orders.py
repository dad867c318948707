"""Orders out of Magento, in batches by key; and what the ledger already knows about them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.documents import Watermark
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.settings import Settings
from tasks.systems.ledger.states import OrderStateName

STREAM = "orders"
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
RECORDS_A_BATCH = 500
ORDERS_A_QUESTION = 50
WAITING_STATES: tuple[OrderStateName, ...] = ("seen", "ready", "held", "refused")
REJECTED_CODES = ("ROW_REJECTED", "TOTALS_DISAGREE")
POSTED_STATES = ("accepted", "part_dispatched", "dispatched", "closed")


@dataclass(frozen=True, slots=True)
class OrderBatch:
    """Records of one batch. `watermark` is where the stream stands once they are recorded; None: it does not move."""

    batch_id: str
    records: Sequence[dict[str, Any]] = field(repr=False)
    watermark: Watermark | None
    is_last: bool


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_new_orders(after: Watermark | None = None) -> OrderBatch:
    """Return the next orders changed since `after`, or since the ledger's watermark less the overlap.

    Source: GET /rest/V1/orders, sorted by `(updated_at, entity_id)`; read by key, so that nothing shifts between pages.
    An order is read again when its `updated_at` lies inside the overlap; the ledger makes that harmless.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        if after is None:
            after = _behind(ledger.watermark(STREAM), settings.magento.overlap_minutes)
        until = datetime.now(UTC) + timedelta(days=1)
        records: list[dict[str, Any]] = []
        is_last = True
        for page in magento.stream("orders", (after.at, after.key), until):
            records.extend(page)
            if len(records) >= RECORDS_A_BATCH:
                is_last = False
                break
        batch_id = ledger.open_batch(STREAM, after.at, until)
    return OrderBatch(batch_id, _latest(records), _position(records), is_last)


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_waiting_orders() -> OrderBatch:
    """Return today's records of all orders that were held, refused or rejected: what held them may be gone.

    Source: the ledger for their numbers, GET /rest/V1/orders by increment id for the records.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        numbers = {order.order_number for order in ledger.orders_in_state(*WAITING_STATES)}
        for code in REJECTED_CODES:
            numbers |= {note.order_number for note in ledger.exceptions(code=code) if note.order_number}
        records = [
            record for some in chunks(sorted(numbers), ORDERS_A_QUESTION) for record in magento.orders_by_number(some)
        ]
        now = datetime.now(UTC)
        batch_id = ledger.open_batch("orders waiting", now, now)
    return OrderBatch(batch_id, _latest(records), None, is_last=True)


@task(cache_policy=NO_CACHE)
def fetch_posted(order_numbers: Sequence[str]) -> set[str]:
    """Return those of the order numbers that PRIMA has, or may have, according to the ledger."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        known = ledger.orders(order_numbers)
    return {order.order_number for order in known if order.state in (*POSTED_STATES, "posting", "unknown")}


def _behind(watermark: Watermark | None, minutes: int) -> Watermark:
    if watermark is None:
        return Watermark(STREAM, BEGINNING)
    return Watermark(STREAM, watermark.at - timedelta(minutes=minutes))


def _latest(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each order once, as it was read last: one that changes while it is being read comes twice."""
    return list({record.get("entity_id"): record for record in records}.values())


def _position(records: Sequence[dict[str, Any]]) -> Watermark | None:
    """Return the key of the last record; the stream is sorted by it."""
    if not records:
        return None
    last = records[-1]
    at = datetime.strptime(str(last["updated_at"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return Watermark(STREAM, at, int(last["entity_id"]))
