"""Looking before posting again: what became of an order whose outcome nobody knows, and whose order PRIMA shows."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from typing import Any, Literal

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult
from schemas.documents import SalesOrder
from schemas.money import to_pence
from tasks import connect
from tasks.errors import CallRefusedError, IntegrationError, OutcomeUnknownError, SystemUnavailableError
from tasks.post.attempts import NOT_SENT
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, OrderRecord, Posting
from tasks.systems.prima import PrimaClient, ReportingSource

SYSTEM = "prima"
OPERATION = "create order"
KEY = "prima/sales_order/"
UNKNOWN = "PRIMA_OUTCOME_UNKNOWN"
LANE_SECONDS = 180
# How far PRIMA's clock may be from ours: what it took earlier than that before our first attempt is not ours.
CLOCKS_APART = timedelta(hours=1)

Whose = Literal["ours", "another's", "nobody knows"]


def posting_key(order_number: str) -> str:
    """Return the key under which an order is posted once and only once."""
    return f"{KEY}{order_number}"


def order_number_of(key: str) -> str:
    """Return the order number at the end of a posting key."""
    return key.split("/", 2)[2]


def whose_order(
    reporting: ReportingSource | None, order: SalesOrder | OrderRecord, attempts: Sequence[Posting]
) -> Whose:
    """Say whose order PRIMA shows under an order's number, given our attempts to create it so far.

    Source: extract `sales_orders`. Never tried: another's. Ours when it was taken after our first attempt and has our
    total; another's when it was there long before; else, and without a reporting source, nobody knows.
    """
    if not attempts:
        return "another's"
    row = _shown(reporting, order.order_number_prima)
    if row is None:
        return "nobody knows"
    first = min(attempt.begun_at for attempt in attempts)
    if row["ordered_at"] < first - CLOCKS_APART:
        return "another's"
    has_our_total = (to_pence(row["gross_amount"]), row["currency"]) == (order.gross_pence, order.currency)
    return "ours" if has_our_total else "nobody knows"


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the threads that look share."""

    ledger: Ledger
    prima: PrimaClient
    reporting: ReportingSource | None
    is_out_of_reach: Event = field(default_factory=Event)


@task(cache_policy=NO_CACHE)
def look_up_open_orders() -> list[PostingResult]:
    """Look in PRIMA for every order whose posting is pending or unknown: accepted there, or free to be posted again.

    Source: `OrderStatus`, and the reporting source where there is one. Only a positive "not there" of `OrderStatus`
    frees an order; everything else leaves it unknown. Orders whose posting is settled, but which a stopped run left
    behind, are brought to where it says.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        connect.free_lanes_of_the_dead(ledger)
        results = _catch_up(ledger)
        unsettled = [each for each in ledger.postings_in(SYSTEM, ("pending", "unknown")) if each.operation == OPERATION]
        if not unsettled:
            return results
        with connect.open_prima(settings) as prima, connect.open_reporting(settings) as reporting:
            desk = _Desk(ledger, prima, reporting)
            with ThreadPoolExecutor(max_workers=settings.prima.concurrency) as pool:
                return [*results, *pool.map(lambda posting: _look_up(desk, posting), unsettled)]


def _catch_up(ledger: Ledger) -> list[PostingResult]:
    """Give each order the state that its posting says, where a run stopped between the two."""
    orders = ledger.orders_in_state("posting", "unknown")
    attempts = ledger.attempts_of([posting_key(order.order_number) for order in orders])
    results = []
    for order in orders:
        number = order.order_number
        last = attempts[posting_key(number)][-1] if posting_key(number) in attempts else None
        if last is None or last.state == "refused":
            # `posting` becomes ready by way of refused; the next attempt tells whether PRIMA still refuses it.
            ledger.set_order_states([number], "refused", expected={"posting"})
            ledger.set_order_states([number], "ready", expected={"unknown"})
        elif last.state == "posted":
            ledger.accept_order(number)
            results.append(PostingResult(last.key, number, "posted", last.reference))
    return results


def _look_up(desk: _Desk, posting: Posting) -> PostingResult:
    number = order_number_of(posting.key)
    if desk.is_out_of_reach.is_set():
        return PostingResult(posting.key, number, "waiting", code=NOT_SENT, detail="PRIMA is out of reach")
    with desk.ledger.lane(f"order {number}", owner=connect.owner(), seconds=LANE_SECONDS) as is_ours:
        if not is_ours:
            return PostingResult(posting.key, number, "waiting", detail="another worker has this order")
        now = desk.ledger.posting_by_id(posting.id)
        order = desk.ledger.order(number)
        if now is None or now.state not in ("pending", "unknown"):
            return PostingResult(posting.key, number, "waiting", detail="another worker settled it meanwhile")
        if order is None or not order.order_number_prima:
            return PostingResult(posting.key, number, "unknown", code=UNKNOWN, detail="no number known")
        return _settled_by_look(desk, now, order)


def _settled_by_look(desk: _Desk, posting: Posting, order: OrderRecord) -> PostingResult:
    number, reference = order.order_number, order.order_number_prima
    attempts = desk.ledger.attempts(posting.key)
    problem = ""
    try:
        is_there = desk.prima.order_status(reference) is not None
    except SystemUnavailableError as error:
        desk.is_out_of_reach.set()
        return PostingResult(posting.key, number, "waiting", code=NOT_SENT, detail=str(error))
    except (CallRefusedError, OutcomeUnknownError) as error:
        is_there, problem = False, str(error)
    if not is_there and not problem:
        desk.ledger.resolve_order(posting, number, "not_there")
        return PostingResult(posting.key, number, "waiting", detail="PRIMA does not have it: to be posted again")
    shown = whose_order(desk.reporting, order, attempts)
    if shown == "another's":
        text = "PRIMA holds an order under this number that was there before our first attempt."
        desk.ledger.resolve_order(posting, number, "another", text=text)
        return PostingResult(posting.key, number, "refused", code="PRIMA_NUMBER_TAKEN", detail=text)
    if is_there or shown == "ours":
        desk.ledger.resolve_order(posting, number, "posted", reference=reference)
        return PostingResult(posting.key, number, "posted", reference)
    desk.ledger.resolve_order(posting, number, "unknown", text=problem)
    return PostingResult(posting.key, number, "unknown", code=UNKNOWN, detail=problem)


def _shown(reporting: ReportingSource | None, order_number_prima: str) -> dict[str, Any] | None:
    """Return the order as the reporting source shows it; None too where it cannot be read, for it is no proof then."""
    if reporting is None:
        return None
    try:
        found = reporting.read("sales_orders", keys={"order_number_prima": [order_number_prima]})
    except IntegrationError:
        return None
    return found[0] if found else None
