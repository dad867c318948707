"""Refunds out of Magento, credit notes out of PRIMA, and what of both is still open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.documents import Watermark
from schemas.refunds import UNITS_CANCELLED, CreditedOrder, CreditNote, OpenRefunds, Refund, RefundRules
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.extract.orders import BEGINNING, ORDERS_A_QUESTION, gathered, known_unreadable, not_beyond
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, OrderRecord
from tasks.systems.magento import FailedInsideError, MagentoClient, Reading, Unreadable

STREAM = "refunds"
NOTES_STREAM = "credit notes"
EXPORT_KEY = "prima/refund/"
LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class RefundBatch:
    """Credit memos as Magento sent them, those that it did not hand out, and by entity id the orders of the former.

    `position` is where the next batch begins, `watermark` where the stream stands once this one is recorded.
    """

    batch_id: str
    records: Sequence[dict[str, Any]] = field(repr=False)
    orders: Mapping[int, dict[str, Any]] = field(repr=False)
    watermark: Watermark | None = None
    position: Watermark | None = None
    is_last: bool = True
    unreadable: Sequence[Unreadable] = ()


@dataclass(frozen=True, slots=True)
class CreditNoteBatch:
    """Credit notes as PRIMA's reporting source gave them; `is_seen` is False where there is none."""

    records: Sequence[dict[str, Any]] = field(repr=False)
    watermark: Watermark | None = None
    is_seen: bool = True


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_refunds(after: Watermark | None = None) -> RefundBatch:
    """Return the next credit memos that are new or changed since the watermark less the overlap, or behind `after`.

    Source: GET /V1/creditmemos by `(updated_at, entity_id)`, and the orders they belong to. The first run ever begins
    with the oldest order that was seen; before there is one, there is nothing. Those that were rejected, or that
    Magento did not hand out, are asked for again by number and id for as long as their exception is open.

    Raises UnexpectedResponseError when one credit memo after another cannot be read and none can.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        since = _since(ledger, settings.magento.overlap_minutes) if after is None else after
        began_at = datetime.now(UTC)
        until = began_at + timedelta(days=1)
        known = known_unreadable(ledger, "creditmemos")
        readings: Iterable[Reading] = ()
        if since is not None:
            readings = magento.changed("creditmemos", (since.at, since.key), until, leave_out=known)
        read = gathered(readings)
        again = _asked_for_again(ledger, magento, sorted(known)) if after is None else []
        records = _latest([*(record for reading in again for record in reading.records), *read.records])
        position = Watermark(STREAM, *read.position) if read.position else None
        watermark = not_beyond(began_at, position)
        beginning = since.at if since is not None else until
        batch_id = ledger.open_batch(STREAM, beginning, watermark.at if watermark else beginning)
        return RefundBatch(
            batch_id,
            records,
            _orders_of(magento, records),
            watermark,
            position,
            read.is_last,
            (*(each for reading in again for each in reading.unreadable), *read.unreadable),
        )


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_credit_notes() -> CreditNoteBatch:
    """Return the credit notes that PRIMA wrote or changed since the watermark less `refunds.look_back_days`.

    Source: extract `credit_notes` of the reporting source; nothing where the settings name none. Credit notes of
    orders that did not come through here are among them.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_reporting(settings) as reporting:
        if reporting is None:
            return CreditNoteBatch([], is_seen=False)
        known = ledger.watermark(NOTES_STREAM)
        since = known.at - timedelta(days=settings.refunds.look_back_days) if known else BEGINNING
        found = reporting.read("credit_notes", since=since)
    latest = max((row["updated_at"] for row in found), default=None)
    return CreditNoteBatch(found, Watermark(NOTES_STREAM, latest) if latest else None)


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_open_refunds(is_seen: bool) -> OpenRefunds:
    """Return every refund and credit note that nothing has settled, by order, with what PRIMA cancelled of it.

    Source: the ledger; extract `sales_order_lines` for cancelled units of orders with an open refund. `is_seen` says
    whether a reporting source shows PRIMA's credit notes.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        refunds, notes = ledger.open_refunds(), ledger.open_credit_notes()
        numbers = sorted({each.order_number for each in refunds} | {each.order_number for each in notes})
        orders = {order.order_number: order for order in ledger.orders(numbers)}
        cancelled = _cancelled_units(settings, ledger, [orders[each.order_number] for each in refunds])
        attempts = ledger.attempts_of([f"{EXPORT_KEY}{each.refund_number}" for each in refunds])
    told = {
        key.removeprefix(EXPORT_KEY): each[-1].reference for key, each in attempts.items() if each[-1].state == "posted"
    }
    credited = [
        _credited(
            orders[number],
            [each for each in refunds if each.order_number == number],
            [each for each in notes if each.order_number == number],
            cancelled.get(number, {}),
        )
        for number in numbers
    ]
    return OpenRefunds(credited, _rules(settings, told, is_seen))


def _rules(settings: Settings, told: Mapping[str, str], is_seen: bool) -> RefundRules:
    wanted = settings.refunds
    return RefundRules(
        route=wanted.to_prima,
        today=datetime.now(LONDON).date(),
        warn_days=wanted.warn_days,
        alert_days=wanted.alert_days,
        sees_credit_notes=is_seen,
        carries_credit_notes=wanted.in_magento == "credit_notes",
        told=told,
    )


def _credited(
    order: OrderRecord, refunds: Sequence[Refund], notes: Sequence[CreditNote], cancelled: Mapping[int, int]
) -> CreditedOrder:
    return CreditedOrder(
        order.order_number,
        order.order_number_prima,
        refunds,
        notes,
        cancelled,
        {line.item_id_magento: line.line_number for line in order.lines},
        order.state == "cancelled",
        order.payment_method,
    )


def _cancelled_units(settings: Settings, ledger: Ledger, orders: Sequence[OrderRecord]) -> dict[str, dict[int, int]]:
    """Return by order and Magento's item id the units that PRIMA cancelled and that no settled refund stands for."""
    by_prima = {order.order_number_prima: order for order in orders if order.order_number_prima}
    with connect.open_reporting(settings) as reporting:
        if reporting is None or not by_prima:
            return {}
        rows = reporting.read("sales_order_lines", keys={"order_number_prima": sorted(by_prima)})
    found: dict[str, dict[int, int]] = {}
    for row in rows:
        order = by_prima[row["order_number_prima"]]
        item_ids = {line.line_number: line.item_id_magento for line in order.lines}
        if row["quantity_cancelled"] and row["line_number"] in item_ids:
            found.setdefault(order.order_number, {})[item_ids[row["line_number"]]] = row["quantity_cancelled"]
    for kept in ledger.refunds_of(sorted(found)):
        if kept.settled_why == UNITS_CANCELLED:
            units = found[kept.refund.order_number]
            for line in kept.refund.lines:
                units[line.item_id_magento] = units.get(line.item_id_magento, 0) - line.quantity
    return found


def _orders_of(magento: MagentoClient, records: Any) -> dict[int, dict[str, Any]]:
    """Return the orders of credit memos by entity id; one that Magento cannot hand out is not among them."""
    wanted = sorted({int(record["order_id"]) for record in records})
    found: dict[int, dict[str, Any]] = {}
    for some in chunks(wanted, ORDERS_A_QUESTION):
        try:
            orders = magento.orders_by_id(some)
        except FailedInsideError:
            orders = [order for each in some for order in magento.order_by_id(each).records]
        found |= {int(order["entity_id"]): order for order in orders}
    return found


def _since(ledger: Ledger, overlap_minutes: int) -> Watermark | None:
    """Return where the stream begins: the watermark less the overlap, else the oldest order; None without either."""
    known = ledger.watermark(STREAM)
    first = known.at - timedelta(minutes=overlap_minutes) if known else ledger.oldest_order()
    return Watermark(STREAM, first) if first is not None else None


def _asked_for_again(ledger: Ledger, magento: MagentoClient, unreadable: Sequence[int]) -> list[Reading]:
    """Return what Magento says today of the credit memos that were rejected or unreadable."""
    rejected = [note.subject.removeprefix("refund ") for note in ledger.exceptions(code="REFUND_REJECTED")]
    return [
        *(magento.numbered_creditmemos(some) for some in chunks(rejected, ORDERS_A_QUESTION)),
        *(magento.document_by_id("creditmemos", entity_id) for entity_id in unreadable),
    ]


def _latest(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each credit memo once, as it was read last."""
    return list({int(record["entity_id"]): record for record in records}.values())
