"""Orders that PRIMA has and that moved in Magento: shipped, cancelled, refunded or invoiced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.documents import Watermark
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.extract.orders import ORDERS_A_QUESTION, known_unreadable
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.states import OrderStateName
from tasks.systems.magento import MagentoClient, StreamName

# The order's own updated_at stands still on a partial shipment, so what hangs on an order is read as well.
STREAMS: Mapping[StreamName, str] = {"orders": "entity_id", "shipments": "order_id", "creditmemos": "order_id"}
# PRIMA may have these too. Nobody reads them again before they are clear, and the streams have passed by then.
UNCLEAR_STATES: tuple[OrderStateName, ...] = ("posting", "unknown")


@dataclass(frozen=True, slots=True)
class ProgressBatch:
    """Fresh records of the orders that moved, and where each stream stands once they are recorded."""

    records: Sequence[dict[str, Any]] = field(repr=False)
    watermarks: Sequence[Watermark]


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_progress() -> ProgressBatch:
    """Return the orders that PRIMA has, or may have, and that changed in Magento since the last time.

    Source: GET /V1/orders, /V1/shipments and /V1/creditmemos by `(updated_at, entity_id)`; then the orders themselves.
    An order that cannot be read is left out: the flow of orders, which reads the same stream, has the exception, and
    tells the ledger how far the order is as soon as it reads.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        moved: set[int] = set()
        watermarks = []
        for stream, key in STREAMS.items():
            ids, watermark = _moved(ledger, magento, stream, key, settings.magento.overlap_minutes)
            moved |= ids
            if watermark is not None:
                watermarks.append(watermark)
        unclear = ledger.orders_in_state(*UNCLEAR_STATES)
        numbers = ledger.accepted_numbers(moved) | {
            order.order_number for order in unclear if order.entity_id_magento in moved
        }
        records = [
            record
            for some in chunks(sorted(numbers), ORDERS_A_QUESTION)
            for record in magento.numbered_orders(some).records
        ]
    return ProgressBatch(records, watermarks)


def _moved(
    ledger: Ledger, magento: MagentoClient, stream: StreamName, key: str, overlap_minutes: int
) -> tuple[set[int], Watermark | None]:
    """Return the order ids that a stream names since its watermark, and its new watermark.

    Without a watermark a stream begins at the oldest order that PRIMA has not finished with.
    """
    name = f"progress {stream}"
    known = ledger.watermark(name)
    since = known.at - timedelta(minutes=overlap_minutes) if known else ledger.oldest_open_order()
    if since is None:
        return set(), None
    until = datetime.now(UTC) + timedelta(days=1)
    ids: set[int] = set()
    last: Watermark | None = None
    if stream == "orders":
        for reading in magento.changed_orders((since, 0), until, leave_out=known_unreadable(ledger)):
            ids |= {int(record[key]) for record in reading.records}
            last = Watermark(name, *reading.position)
        return ids, last
    for page in magento.stream(stream, (since, 0), until):
        ids |= {int(record[key]) for record in page}
        at = datetime.strptime(str(page[-1]["updated_at"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        last = Watermark(name, at, int(page[-1]["entity_id"]))
    return ids, last
