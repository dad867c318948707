"""Orders that PRIMA has and that moved in Magento: shipped, cancelled, refunded or invoiced."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.documents import Watermark
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.extract.orders import ORDERS_A_QUESTION, Gathered, in_parts, known_unreadable
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.states import OrderStateName
from tasks.systems.magento import MagentoClient, StreamName, Unreadable

# The order's own updated_at stands still on a partial shipment, so what hangs on an order is read as well.
STREAMS: Mapping[StreamName, str] = {"orders": "entity_id", "shipments": "order_id", "creditmemos": "order_id"}
# PRIMA may have these too. Nobody reads them again before they are clear, and the streams have passed by then.
UNCLEAR_STATES: tuple[OrderStateName, ...] = ("posting", "unknown")


@dataclass(frozen=True, slots=True)
class ProgressBatch:
    """Fresh records of the orders that moved, and where each stream stands once they are recorded.

    `unreadable` are the shipments and credit memos that Magento does not hand out; their orders are among those that
    moved. `readable` are the entity ids of shipments that it did not hand out before and does now.
    """

    records: Sequence[dict[str, Any]] = field(repr=False)
    watermarks: Sequence[Watermark]
    unreadable: Sequence[Unreadable] = ()
    readable: Sequence[int] = ()


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_progress() -> ProgressBatch:
    """Return the orders that PRIMA has, or may have, and that changed in Magento since the last time.

    Source: GET /V1/orders, /V1/shipments and /V1/creditmemos by `(updated_at, entity_id)`; then the orders themselves.
    An order that cannot be read is left out: the flow of orders, which reads the same stream, has the exception, and
    tells the ledger how far the order is as soon as it reads. A shipment that could not be read is asked for again by
    its id for as long as its exception is open; a credit memo is by the flow of refunds.

    Raises UnexpectedResponseError when one document after another cannot be read and none can.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        moved: set[int] = set()
        watermarks: list[Watermark] = []
        known = known_unreadable(ledger, "shipments")
        again = [magento.document_by_id("shipments", entity_id) for entity_id in sorted(known)]
        readable = [record for reading in again for record in reading.records]
        unreadable = [each for reading in again for each in reading.unreadable]
        for stream, key in STREAMS.items():
            for read in _moved(ledger, magento, stream, settings.magento.overlap_minutes):
                moved |= {int(record[key]) for record in read.records}
                if stream != "orders":
                    unreadable += read.unreadable
                if read.position is not None:
                    watermarks.append(Watermark(f"progress {stream}", *read.position))
        moved |= {int(record["order_id"]) for record in readable} | {each.order_id for each in unreadable}
        records = _records(ledger, magento, moved)
    return ProgressBatch(records, watermarks, unreadable, [int(record["entity_id"]) for record in readable])


def _moved(ledger: Ledger, magento: MagentoClient, stream: StreamName, overlap_minutes: int) -> Iterator[Gathered]:
    """Yield what changed in a stream since its watermark less the overlap.

    Without a watermark a stream begins at the oldest order that PRIMA has not finished with.
    """
    known = ledger.watermark(f"progress {stream}")
    since = known.at - timedelta(minutes=overlap_minutes) if known else ledger.oldest_open_order()
    if since is None:
        return
    until = datetime.now(UTC) + timedelta(days=1)
    leave_out = known_unreadable(ledger) if stream == "orders" else ()
    yield from in_parts(magento.changed(stream, (since, 0), until, leave_out=leave_out))


def _records(ledger: Ledger, magento: MagentoClient, entity_ids: set[int]) -> list[dict[str, Any]]:
    unclear = ledger.orders_in_state(*UNCLEAR_STATES)
    numbers = ledger.accepted_numbers(entity_ids) | {
        order.order_number for order in unclear if order.entity_id_magento in entity_ids
    }
    return [
        record
        for some in chunks(sorted(numbers), ORDERS_A_QUESTION)
        for record in magento.numbered_orders(some).records
    ]
