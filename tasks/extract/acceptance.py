"""Orders that PRIMA accepted, as its reporting source shows them now, and what was sent of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.acceptance import AcceptedLine, AcceptedOrder, AcceptedOrders, Figures, folded, status_subject
from schemas.documents import Watermark
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, OrderLineRecord, OrderRecord
from tasks.systems.prima import ReportingSource

STREAM = "sales orders"
# While one of these is open its order is read again, whether PRIMA changed it or not.
WATCHED_CODES = (
    "PRIMA_VAT_DIFFERS",
    "PRIMA_TOTAL_DIFFERS",
    "PRIMA_FIGURES_REJECTED",
    "NOT_VISIBLE_IN_PRIMA",
    "PRIMA_CANCELLED",
    "PRIMA_LINE_CANCELLED",
    "CANCELLED_AFTER_POSTING",
)
# For configured queries, which give every row ever written unless they are told from when on.
MARGIN = timedelta(days=1)
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AcceptanceBatch:
    """What both sides hold of the orders to look at.

    `orders` and `lines` are records of the extracts `sales_orders` and `sales_order_lines`. `to_ask` are the PRIMA
    numbers whose state only `OrderStatus` can tell. `watermark` is where the stream of PRIMA's changes stands once all
    this is recorded.
    """

    batch_id: str
    accepted: AcceptedOrders
    orders: Sequence[Record] = field(default=(), repr=False)
    lines: Sequence[Record] = field(default=(), repr=False)
    to_ask: Sequence[str] = ()
    watermark: Watermark | None = None


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_accepted_orders() -> AcceptanceBatch:
    """Return the accepted orders that are not verified yet, that PRIMA changed, or that an open exception holds.

    Source: the ledger for what was sent, extracts `sales_orders` and `sales_order_lines` for what PRIMA shows. Without
    a reporting source these are all orders that PRIMA has not finished with, each to be asked for by `OrderStatus`.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_reporting(settings) as reporting:
        kept = {order.order_number_prima: order for order in [*ledger.unverified_orders(), *_watched(ledger)]}
        if reporting is None:
            under_way = ledger.orders_in_state("accepted", "part_dispatched")
            kept |= {order.order_number_prima: order for order in under_way}
            batch_id = _open_batch(ledger, None, None)
            return AcceptanceBatch(batch_id, _accepted(ledger, kept.values(), None), to_ask=sorted(kept))
        return _shown(ledger, reporting, settings, kept)


def _shown(
    ledger: Ledger, reporting: ReportingSource, settings: Settings, kept: dict[str, OrderRecord]
) -> AcceptanceBatch:
    since = _since(ledger, settings.verification.overlap_minutes)
    orders = reporting.read("sales_orders", since=since) if since else []
    changed_lines = reporting.read("sales_order_lines", since=since) if since else []
    latest = max((row["updated_at"] for row in [*orders, *changed_lines]), default=None)
    changed = {row["order_number_prima"] for row in [*orders, *changed_lines]}
    mapped = {folded(word) for word in settings.statuses}
    words = [word for word in _open_words(ledger) if folded(word) in mapped]
    newly_mapped = reporting.read("sales_orders", since=_oldest(ledger), keys={"status": words})
    changed |= {row["order_number_prima"] for row in newly_mapped}
    found = ledger.orders_by_prima_numbers(sorted(changed - kept.keys()))
    kept |= {order.order_number_prima: order for order in found if order.accepted_at is not None}
    oldest = min((order.placed_at for order in kept.values()), default=datetime.now(UTC)) - MARGIN
    rows = {row["order_number_prima"]: row for row in orders if row["order_number_prima"] in kept}
    others = kept.keys() - rows.keys()
    shown = [*rows.values(), *reporting.read("sales_orders", since=oldest, keys={"order_number_prima": others})]
    lines = reporting.read("sales_order_lines", since=oldest, keys={"order_number_prima": kept.keys()})
    as_at = datetime.now(UTC) - timedelta(minutes=settings.prima.reporting.lag_minutes)
    is_shown = {row["order_number_prima"] for row in shown}
    return AcceptanceBatch(
        _open_batch(ledger, since, latest),
        _accepted(ledger, kept.values(), as_at),
        shown,
        lines,
        [number for number, order in kept.items() if order.state_magento == "canceled" and number not in is_shown],
        Watermark(STREAM, latest) if latest else None,
    )


def _watched(ledger: Ledger) -> list[OrderRecord]:
    """Return the accepted orders that an open exception of these flows holds."""
    numbers = {note.order_number for code in WATCHED_CODES for note in ledger.exceptions(code=code)}
    return [order for order in ledger.orders(sorted(numbers - {""})) if order.accepted_at is not None]


def _since(ledger: Ledger, overlap_minutes: int) -> datetime | None:
    """Return from when on PRIMA's changes are read: without a watermark, from the oldest order still under way."""
    watermark = ledger.watermark(STREAM)
    return watermark.at - timedelta(minutes=overlap_minutes) if watermark else ledger.oldest_open_order()


def _oldest(ledger: Ledger) -> datetime | None:
    oldest = ledger.oldest_open_order()
    return oldest - MARGIN if oldest else None


def _open_batch(ledger: Ledger, start: datetime | None, end: datetime | None) -> str:
    now = datetime.now(UTC)
    return ledger.open_batch(STREAM, start or now, end or now)


def _accepted(ledger: Ledger, orders: Iterable[OrderRecord], as_at: datetime | None) -> AcceptedOrders:
    made: Mapping[str, AcceptedOrder] = {order.order_number_prima: _order(order) for order in orders}
    return AcceptedOrders(made, as_at, _open_words(ledger))


def _open_words(ledger: Ledger) -> list[str]:
    """Return the status words of PRIMA for which an exception is open."""
    prefix = status_subject("")
    return [note.subject.removeprefix(prefix) for note in ledger.exceptions(code="PRIMA_STATUS_UNKNOWN")]


def _order(order: OrderRecord) -> AcceptedOrder:
    return AcceptedOrder(
        order_number=order.order_number,
        order_number_prima=order.order_number_prima,
        entity_id_magento=order.entity_id_magento,
        currency=order.currency,
        figures=Figures(order.net_pence, order.vat_pence, order.gross_pence),
        state_magento=order.state_magento,
        accepted_at=order.accepted_at or datetime.now(UTC),
        lines=[_line(line) for line in order.lines],
        is_verified=order.verified_at is not None,
        is_cancelled=order.state == "cancelled",
    )


def _line(line: OrderLineRecord) -> AcceptedLine:
    return AcceptedLine(
        line.line_number,
        line.sku,
        line.quantity,
        Figures(line.net_pence, line.vat_pence, line.gross_pence),
        line.quantity_cancelled + line.quantity_refunded,
    )
