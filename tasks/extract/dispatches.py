"""Dispatches out of PRIMA's reporting source or the inbox, and what ledger and Magento know of their orders."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.dispatches import TOLD_STATES, DispatchEvidence, OpenLine, OpenOrder, ToldDispatch, content_of
from schemas.documents import Watermark
from schemas.rules import NumberRule
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import ConfigurationError
from tasks.extract.inbox import Inbox
from tasks.extract.orders import BEGINNING, ORDERS_A_QUESTION
from tasks.settings import Settings
from tasks.settings.fulfilment_rules import dispatch_source
from tasks.settings.order_rules import number_rule
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.records import UNSHIPPED_PRODUCT_TYPES, DispatchLink, OrderRecord
from tasks.systems.magento.quantities import items_by_id, left_to_ship
from tasks.systems.prima import ReportingSource

STREAM = "dispatches"
# While one of these is open its dispatch is read again, however long ago it left.
WAITING_CODES = (
    "ROW_REJECTED",
    "DISPATCH_LINE_UNKNOWN",
    "DISPATCH_TOO_MANY",
    "DISPATCH_ORDER_UNKNOWN",
    "DISPATCH_ORDER_CANCELLED",
    "CARRIER_UNKNOWN",
    "SHIPMENT_REFUSED",
    "SHIPMENT_WITHOUT_STOCK",
    "SHIPMENT_OUTCOME_UNKNOWN",
    "TRACK_NOT_ADDED",
)
Source = ReportingSource | Inbox


def subject_of(dispatch_number: str) -> str:
    """Return how exceptions and postings name a dispatch."""
    return f"dispatch {dispatch_number}"


@dataclass(frozen=True, slots=True)
class DispatchBatch:
    """Dispatches and lines as their source gave them; `watermark` is where the stream stands once recorded.

    Of `others` are orders that came to PRIMA by another way, `unchanged` are told and read as they were told: of both
    there is only the count.
    """

    batch_id: str
    dispatches: Sequence[dict[str, Any]] = field(repr=False)
    lines: Sequence[dict[str, Any]] = field(repr=False)
    watermark: Watermark | None
    read: int = 0
    others: int = 0
    unchanged: int = 0


@contextmanager
def open_source(settings: Settings, ledger: Ledger) -> Iterator[Source]:
    """Open the source of dispatches; raises ConfigurationError where the settings want a source that they do not name.

    Files and answers of PRIMA have been taken into the inbox before: `tasks/extract/drops.py`, `polls.py`.
    """
    if dispatch_source(settings) != "reporting":
        yield Inbox(ledger)
        return
    with connect.open_reporting(settings) as reporting:
        if reporting is None:
            raise ConfigurationError(
                "fulfilment.source is reporting, but prima.reporting names neither url nor folder.",
                system="settings",
                next_step="Name a reporting source, or let fulfilment.source be auto, drop or order_status.",
            )
        yield reporting


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_dispatches() -> DispatchBatch:
    """Return the dispatches that changed since the watermark less the look-back, and those that are still waiting.

    Source: extract `dispatches`, and `dispatch_lines` for all lines of each dispatch that is not told yet; or the
    inbox. A dispatch that an open exception holds is read by its number, however long ago it left. Raises
    ConfigurationError where the settings want a source that they do not name.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, open_source(settings, ledger) as source:
        look_back = timedelta(days=settings.fulfilment.look_back_days)
        watermark = ledger.watermark(STREAM)
        since = watermark.at - look_back if watermark else BEGINNING
        found = source.read("dispatches", since=since)
        latest = max((row["updated_at"] for row in found), default=None)
        older = _waiting(ledger) - {row["dispatch_number"] for row in found}
        found += source.read("dispatches", keys={"dispatch_number": older})
        ours = ours_of(found, number_rule(settings))
        links = ledger.dispatches_known([row["dispatch_number"] for row in ours])
        dispatches = [row for row in ours if not _is_settled(row, links.get(row["dispatch_number"]))]
        told = {number for number, link in links.items() if link.state in TOLD_STATES}
        lines = _lines(source, [row for row in dispatches if row["dispatch_number"] not in told], look_back)
        batch_id = ledger.open_batch(STREAM, since, latest or since)
    return DispatchBatch(
        batch_id,
        dispatches,
        lines,
        Watermark(STREAM, latest) if latest else None,
        read=len(found),
        others=len(found) - len(ours),
        unchanged=len(ours) - len(dispatches),
    )


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_dispatch_evidence(order_number_of: Mapping[str, str]) -> DispatchEvidence:
    """Return the orders of dispatches as Magento has them now; `order_number_of` gives PRIMA's number by dispatch.

    Source: the ledger for what came through here, what is told and what is unclear; GET /V1/orders for units left to
    ship. An order that PRIMA has not accepted from here is not ours, even when the number is the one we would give it;
    one that has been and that Magento does not hand out is, and says why it cannot be read.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        told = _told(ledger, list(order_number_of))
        unclear = {posting.subject for posting in ledger.postings_in("magento", ("pending", "unknown"))}
        wanted = {prima for dispatch, prima in order_number_of.items() if dispatch not in told}
        known = {
            order.order_number_prima: order
            for order in ledger.orders_by_prima_numbers(sorted(wanted))
            if order.accepted_at is not None
        }
        records: dict[str, dict[str, Any]] = {}
        problems: dict[str, str] = {}
        for some in chunks(sorted(order.order_number for order in known.values()), ORDERS_A_QUESTION):
            reading = magento.numbered_orders(some)
            records |= {str(record["increment_id"]): record for record in reading.records}
            problems |= {each.order_number: f"the order cannot be read: {each.problem}" for each in reading.unreadable}
        orders = {
            prima: _open_order(order, records[order.order_number])
            if order.order_number in records
            else _unread_order(order, problems.get(order.order_number, "Magento does not have the order any more"))
            for prima, order in known.items()
        }
        return DispatchEvidence(
            orders, told, frozenset(number for number in order_number_of if subject_of(number) in unclear)
        )


def ours_of(dispatches: Sequence[dict[str, Any]], number: NumberRule) -> list[dict[str, Any]]:
    """Return the dispatches of orders whose number in PRIMA is of the kind that this shop gives."""
    return [row for row in dispatches if number.is_ours(str(row["order_number_prima"]))]


def _is_settled(row: Mapping[str, Any], link: DispatchLink | None) -> bool:
    """Tell whether a dispatch is told, was followed to its end, and still reads as it did then."""
    return link is not None and link.state in TOLD_STATES and link.content == content_of(row)


def _waiting(ledger: Ledger) -> set[str]:
    """Return the numbers of the dispatches that an open exception holds."""
    return {
        note.subject.removeprefix(subject_of(""))
        for code in WAITING_CODES
        for note in ledger.exceptions(code=code)
        if note.subject.startswith(subject_of(""))
    }


def _told(ledger: Ledger, dispatch_numbers: Sequence[str]) -> dict[str, ToldDispatch]:
    links = ledger.dispatches_known(dispatch_numbers)
    told = {number: link for number, link in links.items() if link.state in TOLD_STATES}
    tracks = ledger.dispatch_tracks(list(told))
    entity_ids = {
        order.order_number: order.entity_id_magento
        for order in ledger.orders(sorted({link.order_number for link in told.values()}))
    }
    return {
        number: ToldDispatch(
            link.order_number,
            link.shipment_id,
            entity_ids.get(link.order_number, 0),
            frozenset(track.track_number for track in tracks.get(number, []) if track.state == "told"),
        )
        for number, link in told.items()
    }


def _lines(source: Source, dispatches: Sequence[Mapping[str, Any]], look_back: timedelta) -> list[dict[str, Any]]:
    """Return all lines of these dispatches, also those that changed long before their dispatch did.

    The lower limit is there for a configured query, which would otherwise give every line that was ever written.
    """
    if not dispatches:
        return []
    first = min(min(row["dispatched_at"], row["updated_at"]) for row in dispatches)
    numbers = {row["dispatch_number"] for row in dispatches}
    return source.read("dispatch_lines", since=first - look_back, keys={"dispatch_number": numbers})


def _unread_order(order: OrderRecord, problem: str) -> OpenOrder:
    return OpenOrder(
        order.order_number, order.entity_id_magento, "", order.currency, order.gross_pence, [], problem=problem
    )


def _open_order(order: OrderRecord, record: Mapping[str, Any]) -> OpenOrder:
    """Join the ledger's line numbers with what Magento says of each line now."""
    items = items_by_id(record)
    return OpenOrder(
        order_number=order.order_number,
        entity_id_magento=order.entity_id_magento,
        state_magento=str(record.get("state")),
        currency=order.currency,
        gross_pence=order.gross_pence,
        lines=[
            OpenLine(
                line_number=line.line_number,
                item_id_magento=line.item_id_magento,
                sku=line.sku,
                is_shipped=line.product_type not in UNSHIPPED_PRODUCT_TYPES,
                left=left_to_ship(items.get(line.item_id_magento, {})),
            )
            for line in order.lines
        ],
    )
