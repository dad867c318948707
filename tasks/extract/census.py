"""Everything the census counts: Magento's list by entity id, what the ledger and PRIMA say of it, and order times."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.census import CensusEvidence, KnownOrder, NumberGap
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.extract.orders import (
    ORDERS_A_QUESTION,
    STREAM,
    Gathered,
    gathered,
    known_unreadable,
    read_numbered,
)
from tasks.settings import Settings
from tasks.systems.ledger import PlacedOrder
from tasks.systems.magento import MagentoClient, Unreadable

LISTED = "entity_id,increment_id,store_id,state,status,created_at,updated_at"
TOTALS = {"order": "grand_total,order_currency_code", "base": "base_grand_total,base_currency_code"}
NOTED_CODES = ("NOT_IN_PRIMA", "ORDER_STUCK")
NUMBERS_A_QUESTION = 500


@dataclass(frozen=True, slots=True)
class CensusReading:
    """Magento's list of the orders placed since an instant, short records, and those that could not be read."""

    batch_id: str
    since: datetime
    taken_at: datetime
    records: Sequence[dict[str, Any]] = field(repr=False)
    unreadable: Sequence[Unreadable]


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_listed_orders() -> CensusReading:
    """Return every order that Magento says was placed within `orders.look_back_days`.

    Source: GET /rest/V1/orders by `entity_id`, narrowed by `created_at`: on purpose not by `updated_at`, which is what
    the stream of orders goes by. Known unreadable orders are left out.
    """
    settings = Settings.from_env()
    taken_at = datetime.now(UTC).replace(microsecond=0)
    since = taken_at - timedelta(days=settings.orders.look_back_days)
    wanted = f"{LISTED},{TOTALS[settings.orders.amounts]}"
    records: list[dict[str, Any]] = []
    unreadable: list[Unreadable] = []
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        batch_id = ledger.open_batch("census", since, taken_at)
        known = known_unreadable(ledger)
        after, is_last = 0, False
        while not is_last:
            part = gathered(magento.placed_orders(since, taken_at, after=after, leave_out=known, fields=wanted))
            records += part.records
            unreadable += part.unreadable
            is_last = part.is_last
            after = part.position[1] if part.position else after
    return CensusReading(batch_id, since, taken_at, records, unreadable)


@task(cache_policy=NO_CACHE)
def fetch_evidence(order_numbers: Sequence[str], since: datetime, taken_at: datetime) -> CensusEvidence:
    """Return what ledger and reporting source say of these orders, of all placed since, and of those noted before.

    Source: the ledger; the extract `sales_orders` of PRIMA's reporting source, where there is one.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_reporting(settings) as reporting:
        notes = ledger.exceptions()
        codes: dict[str, set[str]] = {}
        for note in notes:
            codes.setdefault(note.order_number, set()).add(note.code)
        before = {note.order_number for note in notes if note.code in NOTED_CODES}
        placed = {order.order_number: order for order in ledger.orders_placed(since)}
        further = sorted({*order_numbers, *before} - set(placed))
        placed |= {order.order_number: order for order in ledger.placed_by_number(further)}
        watermark = ledger.watermark(STREAM)
        shown, shown_as_at = None, None
        if reporting is not None:
            shown_as_at = reporting.as_at()
            accepted = sorted({order.order_number_prima for order in placed.values() if order.accepted_at})
            shown = frozenset(
                str(record["order_number_prima"])
                for some in chunks(accepted, NUMBERS_A_QUESTION)
                for record in reporting.read("sales_orders", keys={"order_number_prima": some})
            )
    return CensusEvidence(
        since=since,
        taken_at=taken_at,
        recorded_until=watermark.at if watermark else None,
        known={number: _known(order) for number, order in placed.items()},
        noted={number: frozenset(of_order) for number, of_order in codes.items()},
        shown=shown,
        shown_as_at=shown_as_at,
    )


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def look_up_gaps(gaps: Sequence[NumberGap]) -> set[str]:
    """Return the numbers of the gaps that Magento has an order under, readable or not.

    Source: GET /rest/V1/orders by increment id. A gap of any size costs one call when Magento has none of it.
    """
    with connect.open_magento(Settings.from_env()) as magento:
        return {number for gap in gaps for number in _present(magento, gap)}


@task(cache_policy=NO_CACHE)
def fetch_order_times() -> list[datetime]:
    """Return when orders were placed, as far back as the watch over the stream compares with, oldest first.

    Where the stream is not silent at all, only what shows that: weeks of history are read when they are needed.
    """
    settings = Settings.from_env()
    now, rule = datetime.now(UTC), settings.orders
    with connect.open_ledger(settings) as ledger:
        recent = ledger.times_placed(now - timedelta(minutes=rule.silence_minutes))
        # Twice the history: the silence itself does not count as history, and an order must stand before its beginning.
        return recent or ledger.times_placed(now - timedelta(weeks=2 * rule.silence_weeks))


def _present(magento: MagentoClient, gap: NumberGap) -> Iterable[str]:
    """Yield the numbers of a gap that Magento has: halved until a part has none, or is few enough to be asked for."""
    if not magento.count_between(gap.number(gap.first), gap.number(gap.last)):
        return
    if gap.count > ORDERS_A_QUESTION:
        middle = gap.first + gap.count // 2 * gap.step
        yield from _present(magento, NumberGap(gap.prefix, gap.width, gap.first, middle - gap.step, gap.step))
        yield from _present(magento, NumberGap(gap.prefix, gap.width, middle, gap.last, gap.step))
        return
    found: Gathered = read_numbered(magento, gap.numbers())
    yield from (str(record["increment_id"]) for record in found.records)
    yield from (each.order_number for each in found.unreadable)


def _known(order: PlacedOrder) -> KnownOrder:
    return KnownOrder(**{each.name: getattr(order, each.name) for each in fields(KnownOrder)})
