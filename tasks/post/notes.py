"""PRIMA's order number into Magento's `ext_order_id`: beside the posting, at Magento's own pace, harmless to fail."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult
from tasks import connect
from tasks.errors import ConfigurationError, IntegrationError, SystemUnavailableError
from tasks.post.attempts import NOT_SENT
from tasks.settings import Settings
from tasks.systems.ledger import Begun, Ledger, OrderRecord
from tasks.systems.ledger.repeatable import MISCONFIGURED, Ended, Wanted
from tasks.systems.magento import MagentoClient

KEY = "magento/order_note/"
AT_ONCE = 10
IN_ALL = 60
LOOK_AGAIN_SECONDS = 0.2
# Between two groups while orders are being posted: each note makes Magento tell of its order once more in the same run.
PAUSE_SECONDS = 2
LANE_SECONDS = 300
DAYS_BACK = 7
# Two workers may commit in another order than the one in which their orders were accepted.
LATE_COMMIT = timedelta(minutes=2)


def note_key(order_number: str) -> str:
    """Return the key under which PRIMA's number is written to the Magento order."""
    return f"{KEY}{order_number}"


@task(cache_policy=NO_CACHE)
def post_order_notes(is_over: Event) -> list[PostingResult]:
    """Write PRIMA's order number into `ext_order_id` of accepted orders that lack it, a few at a time.

    Goes on until `is_over` is set (nothing more is being posted), with a pause between two groups, and then only until
    the run has tried `IN_ALL` orders, so that a large batch does not wait for Magento's pace; what is left the next run
    writes. The ledger says which are left: of the last days, and refused less often than `prima.attempt_limit` times.
    """
    settings = Settings.from_env()
    results: list[PostingResult] = []
    left: set[str] = set()
    since = datetime.now(UTC) - timedelta(days=DAYS_BACK)
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        while True:
            was_over = is_over.is_set()
            if was_over and len(results) >= IN_ALL:
                return results
            due = _due(ledger, settings, since, left)
            ended = _write(ledger, magento, settings, due)
            written = {result.subject for result in ended if result.state == "posted"}
            left.update(order.order_number for order in due if order.order_number not in written)
            # The oldest come first, so none before these is left; looking at all of them each time would grow.
            since = max([since, *(order.accepted_at - LATE_COMMIT for order in due if order.accepted_at)])
            results += ended
            is_unreachable = any(result.state == "waiting" for result in ended)
            if is_unreachable or (was_over and not due):
                return results
            if not was_over:
                is_over.wait(PAUSE_SECONDS if due else LOOK_AGAIN_SECONDS)


def _due(ledger: Ledger, settings: Settings, since: datetime, left: set[str]) -> list[OrderRecord]:
    """Return the next few orders accepted since then without a note, but for those that this run has tried."""
    found = ledger.orders_without(
        KEY,
        accepted_since=since,
        attempts=settings.prima.attempt_limit,
        leave_out=left,
        limit=AT_ONCE,
    )
    return [order for order in found if order.order_number_prima]


def _write(
    ledger: Ledger, magento: MagentoClient, settings: Settings, orders: Sequence[OrderRecord]
) -> list[PostingResult]:
    """Record, write and record a few orders: one commit before their calls and one after."""
    if not orders:
        return []
    by_number = {order.order_number: order for order in orders}
    begun = ledger.begin_repeatable(
        [_wanted(order) for order in orders],
        system="magento",
        operation="write ext_order_id",
        owner=connect.owner(),
        seconds=LANE_SECONDS,
    )
    is_out_of_reach = Event()
    with ThreadPoolExecutor(max_workers=settings.magento.max_connections) as pool:
        ended = list(pool.map(lambda each: _call(magento, by_number[each.order_number], each, is_out_of_reach), begun))
    ledger.finish_repeatable(ended)
    return [_result(by_number[each.begun.order_number], each) for each in ended]


def _wanted(order: OrderRecord) -> Wanted:
    text = f"{order.entity_id_magento} {order.order_number_prima}"
    return Wanted(note_key(order.order_number), order.order_number, hashlib.sha256(text.encode()).hexdigest())


def _call(magento: MagentoClient, order: OrderRecord, begun: Begun, is_out_of_reach: Event) -> Ended:
    if is_out_of_reach.is_set():
        return Ended(begun, "refused", error_code=NOT_SENT, error_text="Magento is out of reach.")
    try:
        magento.save_order(order.entity_id_magento, ext_order_id=order.order_number_prima)
    except SystemUnavailableError as error:
        is_out_of_reach.set()
        return Ended(begun, "refused", error_code=NOT_SENT, error_text=str(error))
    except ConfigurationError as error:
        is_out_of_reach.set()
        return Ended(begun, "refused", error_code=MISCONFIGURED, error_text=str(error))
    except IntegrationError as error:
        # The write is the same however often it is repeated: an unknown outcome needs no look before the next try.
        return Ended(begun, "refused", error_code=type(error).__name__, error_text=str(error))
    return Ended(begun, "posted", reference=order.order_number_prima)


def _result(order: OrderRecord, ended: Ended) -> PostingResult:
    key, number = ended.begun.posting.key, order.order_number
    if ended.state == "posted":
        return PostingResult(key, number, "posted", ended.reference)
    if ended.error_code == NOT_SENT:
        return PostingResult(key, number, "waiting", code=NOT_SENT, detail=ended.error_text)
    return PostingResult(key, number, "refused", code="MAGENTO_NOTE_FAILED", detail=ended.error_text)
