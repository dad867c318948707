"""Dispatches out of PRIMA's reporting source, and what ledger and Magento know of their orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.dispatches import TOLD_STATES, DispatchEvidence, OpenLine, OpenOrder
from schemas.documents import Watermark
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import ConfigurationError
from tasks.extract.orders import BEGINNING, ORDERS_A_QUESTION
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.records import UNSHIPPED_PRODUCT_TYPES, DispatchLink, OrderRecord
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
    "SHIPMENT_OUTCOME_UNKNOWN",
)


def subject_of(dispatch_number: str) -> str:
    """Return how exceptions and postings name a dispatch."""
    return f"dispatch {dispatch_number}"


@dataclass(frozen=True, slots=True)
class DispatchBatch:
    """Dispatches and lines as the reporting source gave them; `watermark` is where the stream stands once recorded."""

    batch_id: str
    dispatches: Sequence[dict[str, Any]] = field(repr=False)
    lines: Sequence[dict[str, Any]] = field(repr=False)
    watermark: Watermark | None


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_dispatches() -> DispatchBatch:
    """Return the dispatches that changed since the watermark less the look-back, and those that are still waiting.

    Source: extract `dispatches`, and `dispatch_lines` for all lines of each dispatch that is not told yet. A dispatch
    that an open exception holds is read by its number, however long ago it left. Raises ConfigurationError where no
    reporting source is named.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_reporting(settings) as reporting:
        if reporting is None:
            raise ConfigurationError(
                "prima.reporting names neither url nor folder, so dispatches cannot be read.",
                system="settings",
                next_step="Name a reporting source; without one, dispatches are told in Magento by hand.",
            )
        look_back = timedelta(days=settings.fulfilment.look_back_days)
        watermark = ledger.watermark(STREAM)
        since = watermark.at - look_back if watermark else BEGINNING
        dispatches = reporting.read("dispatches", since=since)
        latest = max((row["updated_at"] for row in dispatches), default=None)
        older = _waiting(ledger) - {row["dispatch_number"] for row in dispatches}
        dispatches += reporting.read("dispatches", keys={"dispatch_number": older})
        told = _told(ledger.dispatches_known([row["dispatch_number"] for row in dispatches]))
        lines = _lines(reporting, [row for row in dispatches if row["dispatch_number"] not in told], look_back)
        batch_id = ledger.open_batch(STREAM, since, latest or since)
    return DispatchBatch(batch_id, dispatches, lines, Watermark(STREAM, latest) if latest else None)


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_dispatch_evidence(order_number_of: Mapping[str, str]) -> DispatchEvidence:
    """Return the orders of dispatches as Magento has them now; `order_number_of` gives PRIMA's number by dispatch.

    Source: the ledger for what came through here, what is told and what is unclear; GET /V1/orders for units left to
    ship. An order that PRIMA has not accepted from here is not ours, even when the number is the one we would give it.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        told = _told(ledger.dispatches_known(list(order_number_of)))
        unclear = {posting.subject for posting in ledger.postings_in("magento", ("pending", "unknown"))}
        wanted = {prima for dispatch, prima in order_number_of.items() if dispatch not in told}
        known = {
            prima: order
            for prima in wanted
            if (order := ledger.order_by_prima_number(prima)) is not None and order.accepted_at is not None
        }
        records: dict[str, dict[str, Any]] = {}
        for some in chunks(sorted(order.order_number for order in known.values()), ORDERS_A_QUESTION):
            records |= {str(record["increment_id"]): record for record in magento.numbered_orders(some).records}
        orders = {
            prima: _open_order(order, records[order.order_number])
            for prima, order in known.items()
            if order.order_number in records
        }
        return DispatchEvidence(
            orders, told, frozenset(number for number in order_number_of if subject_of(number) in unclear)
        )


def _waiting(ledger: Ledger) -> set[str]:
    """Return the numbers of the dispatches that an open exception holds."""
    return {
        note.subject.removeprefix(subject_of(""))
        for code in WAITING_CODES
        for note in ledger.exceptions(code=code)
        if note.subject.startswith(subject_of(""))
    }


def _told(links: Mapping[str, DispatchLink]) -> frozenset[str]:
    return frozenset(number for number, link in links.items() if link.state in TOLD_STATES)


def _lines(
    reporting: ReportingSource, dispatches: Sequence[Mapping[str, Any]], look_back: timedelta
) -> list[dict[str, Any]]:
    """Return all lines of these dispatches, also those that changed long before their dispatch did.

    The lower limit is there for a configured query, which would otherwise give every line that was ever written.
    """
    if not dispatches:
        return []
    first = min(min(row["dispatched_at"], row["updated_at"]) for row in dispatches)
    numbers = {row["dispatch_number"] for row in dispatches}
    return reporting.read("dispatch_lines", since=first - look_back, keys={"dispatch_number": numbers})


def _open_order(order: OrderRecord, record: Mapping[str, Any]) -> OpenOrder:
    """Join the ledger's line numbers with what Magento says of each line now."""
    items = {int(item["item_id"]): item for item in record.get("items") or []}
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
                left=_left(items.get(line.item_id_magento, {})),
            )
            for line in order.lines
        ],
    )


def _left(item: Mapping[str, Any]) -> int:
    """Return Magento's own quantity to ship: ordered less shipped, refunded and cancelled."""
    gone = sum(int(item.get(name) or 0) for name in ("qty_shipped", "qty_refunded", "qty_canceled"))
    return max(0, int(item.get("qty_ordered") or 0) - gone)
