"""Orders out of Magento, in batches by key; and what the ledger already knows about them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.documents import Watermark
from schemas.unreadable import CODES, entity_ids, subject
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import UnexpectedResponseError
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.states import OrderStateName
from tasks.systems.magento import MagentoClient, Reading, StreamName, Unreadable

STREAM = "orders"
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
RECORDS_A_BATCH = 500
# The first batch of a run is small, so that posting begins soon; each next one is made ready while the one before is
# posted, and is at most so many times as large: a larger one would leave PRIMA without work meanwhile.
FIRST_BATCH = 100
GROWTH = 2
UNREADABLE_A_BATCH = 20
ORDERS_A_QUESTION = 50
WAITING_STATES: tuple[OrderStateName, ...] = ("seen", "ready", "held", "refused")
REJECTED_CODES = ("ROW_REJECTED", "TOTALS_DISAGREE")
POSTED_STATES = ("accepted", "part_dispatched", "dispatched", "closed")
# What changes of an order when our own note or a comment is written on it; no step of the line decides by these.
MARKED = frozenset({"updated_at", "ext_order_id", "status_histories"})


@dataclass(frozen=True, slots=True)
class OrderBatch:
    """Records of one batch, and the orders that Magento did not hand out.

    `watermark` is where the stream stands once both are recorded (None: it does not move), `position` where reading
    goes on. The two differ when Magento says that an order changed in the future: the watermark waits for that time.
    `fingerprints` are those of the records by entity id, for the next batch of the same run.
    """

    batch_id: str
    records: Sequence[dict[str, Any]] = field(repr=False)
    watermark: Watermark | None
    is_last: bool
    unreadable: Sequence[Unreadable] = ()
    position: Watermark | None = None
    fingerprints: Mapping[int, bytes] = field(default_factory=dict, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether Magento handed out no order, and refused none."""
        return not self.records and not self.unreadable


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_new_orders(
    after: Watermark | None = None, before: int = 0, carried: Mapping[int, bytes] | None = None
) -> OrderBatch:
    """Return the next orders changed since `after`, or since the ledger's watermark less the overlap.

    `before` is how many orders the batch before this one had, which says how large this one may be. `carried` are the
    fingerprints of what this run has read before: an order that comes again with nothing new on it but our own note,
    which is written while the run still reads, is left out.
    Source: GET /rest/V1/orders, sorted by `(updated_at, entity_id)`; read by key, so that nothing shifts between pages.
    An order is read again when its `updated_at` lies inside the overlap; the ledger makes that harmless. Orders that
    are known to be unreadable are left out here: `fetch_waiting_orders` asks for each of them by its id.

    Raises UnexpectedResponseError when one order after another cannot be read and none can: then it is not the orders.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        if after is None:
            after = _behind(ledger.watermark(STREAM), settings.magento.overlap_minutes)
        began_at = datetime.now(UTC)
        until = began_at + timedelta(days=1)
        readings = magento.changed("orders", (after.at, after.key), until, leave_out=known_unreadable(ledger))
        read = gathered(_without_carried(readings, carried or {}), enough(before))
        batch_id = ledger.open_batch(STREAM, after.at, until)
    position = Watermark(STREAM, *read.position) if read.position else None
    watermark = not_beyond(began_at, position)
    fingerprints = {record["entity_id"]: fingerprint(record) for record in read.records if "entity_id" in record}
    return OrderBatch(batch_id, read.records, watermark, read.is_last, read.unreadable, position, fingerprints)


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_waiting_orders() -> OrderBatch:
    """Return today's records of all orders that were held, refused, rejected, too young or unreadable.

    What held them may be gone. A batch without orders is not opened in the ledger (`is_empty`).
    Source: the ledger for their numbers and ids, GET /rest/V1/orders for the records.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        unreadable = known_unreadable(ledger)
        unnamed = {note.order_number for note in ledger.exceptions(code=CODES["orders"])}
        numbers = {
            order.order_number
            for order in ledger.orders_in_state(*WAITING_STATES)
            if order.entity_id_magento not in unreadable
        }
        for code in REJECTED_CODES:
            numbers |= {note.order_number for note in ledger.exceptions(code=code) if note.order_number}
        read = read_numbered(magento, sorted(numbers - unnamed), sorted(unreadable))
        now = datetime.now(UTC)
        has_orders = read.records or read.unreadable
        batch_id = ledger.open_batch("orders waiting", now, now) if has_orders else ""
    return OrderBatch(batch_id, read.records, None, True, read.unreadable)


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_numbered_orders(order_numbers: Sequence[str], stream: str) -> OrderBatch:
    """Return the records of these orders as Magento has them now, as a batch of their own; no watermark moves.

    `stream` says in the ledger why they were read; without one no batch is opened there, for a run that writes nothing.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        read = read_numbered(magento, order_numbers)
        now = datetime.now(UTC)
        batch_id = ledger.open_batch(stream, now, now) if stream else ""
    return OrderBatch(batch_id, read.records, None, True, read.unreadable)


@task(cache_policy=NO_CACHE)
def fetch_posted(order_numbers: Sequence[str]) -> dict[str, str]:
    """Return the ledger's state of those of the order numbers that PRIMA has, had, or may have."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        known = ledger.orders(order_numbers)
    return {
        order.order_number: order.state
        for order in known
        if order.accepted_at is not None or order.state in (*POSTED_STATES, "posting", "unknown")
    }


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a number of readings gave together: each order once, as it was read last."""

    records: list[dict[str, Any]] = field(repr=False)
    unreadable: tuple[Unreadable, ...]
    position: tuple[datetime, int] | None
    is_last: bool


def fingerprint(record: Mapping[str, Any]) -> bytes:
    """Return 16 bytes that are equal for two records of an order that differ in nothing but our own marks on it."""
    content = sorted(item for item in record.items() if item[0] not in MARKED)
    return hashlib.blake2b(repr(content).encode(), digest_size=16).digest()


def enough(before: int) -> int:
    """Return how many orders make a batch behind one of so many."""
    return min(RECORDS_A_BATCH, max(FIRST_BATCH, GROWTH * before))


def gathered(readings: Iterable[Reading], enough: int = RECORDS_A_BATCH) -> Gathered:
    """Take readings until they are enough for a batch, or at their end (`is_last`); see `fetch_new_orders`.

    Raises UnexpectedResponseError when one document after another cannot be read and none can.
    """
    records: list[dict[str, Any]] = []
    unreadable: list[Unreadable] = []
    position: tuple[datetime, int] | None = None
    is_last = True
    for reading in readings:
        records.extend(reading.records)
        unreadable.extend(reading.unreadable)
        position = reading.position
        if len(records) >= enough or len(unreadable) >= UNREADABLE_A_BATCH:
            is_last = False
            break
    if not records and len(unreadable) >= UNREADABLE_A_BATCH:
        raise UnexpectedResponseError(
            f"{len(unreadable)} {unreadable[0].kind} one after the other cannot be read, and none can: "
            f"{unreadable[-1].problem}",
            system="Magento",
            operation=f"read {unreadable[0].kind}",
            reference=f"{subject(unreadable[0].kind, unreadable[0].entity_id)} and on",
            next_step="Look in var/log/exception.log of the shop: an extension may break every one of them.",
        )
    return Gathered(_latest(records), tuple({each.entity_id: each for each in unreadable}.values()), position, is_last)


def in_parts(readings: Iterable[Reading]) -> Iterator[Gathered]:
    """Yield readings to their end, so many at a time as make a batch. Raises UnexpectedResponseError as `gathered`."""
    all_of_them = iter(readings)
    is_last = False
    while not is_last:
        part = gathered(all_of_them)
        yield part
        is_last = part.is_last


def read_numbered(magento: MagentoClient, order_numbers: Sequence[str], entity_ids: Sequence[int] = ()) -> Gathered:
    """Read orders by number and by id, however many of them cannot be read."""
    readings = [magento.numbered_orders(some) for some in chunks(order_numbers, ORDERS_A_QUESTION)]
    readings += [magento.order_by_id(entity_id) for entity_id in entity_ids]
    records = _latest([record for reading in readings for record in reading.records])
    return Gathered(records, tuple(each for reading in readings for each in reading.unreadable), None, True)


def known_unreadable(ledger: Ledger, kind: StreamName = "orders") -> set[int]:
    """Return the entity ids of the documents that have an open exception because Magento does not hand them out."""
    return entity_ids(kind, (note.subject for note in ledger.exceptions(code=CODES[kind])))


def _without_carried(readings: Iterable[Reading], carried: Mapping[int, bytes]) -> Iterator[Reading]:
    for reading in readings:
        new = [
            record
            for record in reading.records
            if (known := carried.get(record.get("entity_id", 0))) is None or known != fingerprint(record)
        ]
        yield replace(reading, records=new)


def _behind(watermark: Watermark | None, minutes: int) -> Watermark:
    if watermark is None:
        return Watermark(STREAM, BEGINNING)
    return Watermark(STREAM, watermark.at - timedelta(minutes=minutes))


def not_beyond(now: datetime, position: Watermark | None) -> Watermark | None:
    """Return the position, but none in the future: what changes until then would lie behind the watermark."""
    if position is None or position.at <= now:
        return position
    return Watermark(position.stream, now.replace(microsecond=0))


def _latest(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each order once, as it was read last: one that changes while it is being read comes twice."""
    return list({record.get("entity_id"): record for record in records}.values())
