"""Sales orders into PRIMA, each once: recorded before the call leaves, settled by its answer or by a look."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Event
from time import monotonic

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult, PostingState, chunks
from schemas.documents import ExceptionNote, SalesOrder
from tasks import connect
from tasks.errors import CallRefusedError, ConfigurationError, OutcomeUnknownError, SystemUnavailableError
from tasks.post.attempts import NOT_SENT, Patience, Standing, standing
from tasks.post.customers import customer_of, known_customers, remember_customers
from tasks.post.looking import OPERATION, SYSTEM, posting_key, whose_order
from tasks.settings import PrimaSettings, Settings
from tasks.systems.ledger import Begun, EndedOrder, Ledger, NotBegun, Posting, WantedOrder
from tasks.systems.ledger.order_postings import NUMBER_TAKEN
from tasks.systems.ledger.records import EvidenceItem
from tasks.systems.prima import DuplicateOrderError, PreparedRequest, PrimaClient, ReportingSource

RETRY = "order retry"
# Orders are recorded in groups of so many for each call that PRIMA takes at a time; one group waits behind the next.
# A commit costs more than what is in it; but after a crash every order that is recorded has to be looked up.
GROUP = 4
# An outcome waits this long at most for others to be committed with it.
COMMIT_SECONDS = 0.5
SPARE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the threads that post a chunk share. `ended` takes what each call came to."""

    settings: Settings
    ledger: Ledger
    prima: PrimaClient
    reporting: ReportingSource | None
    earlier: Mapping[str, list[Posting]]
    retried_at: Mapping[str, datetime]
    customer_codes: Mapping[int, str]
    is_out_of_reach: Event = field(default_factory=Event)
    ended: "SimpleQueue[EndedOrder | None]" = field(default_factory=SimpleQueue)
    failures: list[BaseException] = field(default_factory=list)

    @property
    def calls(self) -> BoundedSemaphore:
        """What a call holds while it is out, whichever chunk it is of."""
        return connect.prima_calls(self.settings.prima.wsdl_url, self.settings.prima.concurrency)

    @property
    def group(self) -> int:
        return GROUP * self.settings.prima.concurrency

    @property
    def lane_seconds(self) -> int:
        """How long a lane is held at most: its call, and those of two groups before it, here and in another chunk."""
        limits = self.settings.prima
        return int((4 * GROUP + 1) * (limits.order_timeout_seconds + limits.connect_timeout_seconds)) + SPARE_SECONDS

    def stands(self, order: SalesOrder, request_hash: str, *latest: Posting) -> Standing:
        """Return what the refusals of an order so far mean for its next attempt."""
        attempts = [*self.earlier.get(posting_key(order.order_number), []), *latest]
        retried_at = self.retried_at.get(order.order_number)
        return standing(attempts, request_hash, patience(self.settings.prima), datetime.now(UTC), retried_at)


@dataclass(frozen=True, slots=True)
class _Ready:
    """An order with its request, and the hash by which a repeated request is known."""

    order: SalesOrder
    prepared: PreparedRequest
    request_hash: str


def patience(settings: PrimaSettings) -> Patience:
    """Return what the settings say about orders that PRIMA refuses."""
    return Patience(
        settings.attempt_limit,
        tuple(timedelta(minutes=minutes) for minutes in settings.retry_minutes),
        tuple((each.code, " ".join(each.begins.split())) for each in settings.errors if each.kind == "park"),
    )


@task(cache_policy=NO_CACHE)
def post_chunk_of_sales_orders(orders: Sequence[SalesOrder]) -> list[PostingResult]:
    """Post a chunk of orders, one a request, at most `prima.concurrency` at a time; returns one result an order.

    A repeated chunk skips what is done. An order that PRIMA refused is `refused` again without a call until it is time
    to try again. When PRIMA cannot be reached the rest of the chunk is left `waiting`, and nothing is marked as failed.
    """
    if not orders:
        return []
    settings = Settings.from_env()
    with (
        connect.open_ledger(settings) as ledger,
        connect.open_prima(settings) as prima,
        connect.open_reporting(settings) as reporting,
    ):
        earlier = ledger.attempts_of([posting_key(order.order_number) for order in orders])
        retried_at = _retries(ledger) if earlier else {}
        desk = _Desk(settings, ledger, prima, reporting, earlier, retried_at, known_customers(settings, ledger, orders))
        with ThreadPoolExecutor(max_workers=settings.prima.concurrency) as pool:
            try:
                results = _post(desk, pool, orders)
            except BaseException:
                desk.is_out_of_reach.set()  # what is recorded and has not left stays here, pending, to be looked up
                raise
        if desk.failures:
            raise desk.failures[0]
        return [results[order.order_number] for order in orders]


@task(cache_policy=NO_CACHE)
def retry_orders(order_numbers: Sequence[str], by: str) -> None:
    """Let orders that PRIMA refused, parked or not, be sent by the next run; `by` is the person who wants it."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        for order_number in order_numbers:
            ledger.set_mapping(RETRY, order_number, {"at": datetime.now(UTC).isoformat()}, by)


def _retries(ledger: Ledger) -> dict[str, datetime]:
    return {number: datetime.fromisoformat(mark["at"]) for number, mark in ledger.mappings(RETRY).items()}


def fingerprint(prepared: PreparedRequest) -> str:
    """Return the SHA-256 of a request without its `UniqueId`, which differs each time it is written.

    `TPGUID` may hold the same (`prima.orders.tpguid`), and is then left out as well.
    """
    same = prepared.document.replace(f'UniqueId="{prepared.unique_id}"', 'UniqueId=""', 1)
    same = same.replace(f'TPGUID="{prepared.unique_id}"', 'TPGUID=""', 1)
    return hashlib.sha256(same.encode("utf-8")).hexdigest()


def _post(desk: _Desk, pool: ThreadPoolExecutor, orders: Sequence[SalesOrder]) -> dict[str, PostingResult]:
    """Write the requests of a group, record it, let its calls leave, record how they ended; the next one meanwhile.

    Only this thread writes to the ledger. Returns the result of each order by number.
    """
    results: dict[str, PostingResult] = {}
    by_number = {order.order_number: order for order in orders}
    # Not all requests first: two chunks that began together would leave PRIMA without a call for a second.
    groups = filter(None, (_written(desk, some, results) for some in chunks(orders, desk.group)))
    group = next(groups, None)
    in_hand = 0
    while group is not None or in_hand:
        if group is not None and in_hand <= desk.group:
            begun = _begin(desk, group, results)
            for ready, attempt in begun:
                pool.submit(_call, desk, ready, attempt, monotonic() + desk.lane_seconds)
            in_hand += len(begun)
            group = next(groups, None)
            continue
        ended = _ended(desk, in_hand - desk.group if group is not None else in_hand)
        in_hand -= len(ended)
        _finish(desk, by_number, [each for each in ended if each is not None], results)
    return results


def _ended(desk: _Desk, wanted: int) -> list[EndedOrder | None]:
    """Return the calls that ended: `wanted` of them, fewer when they are long in coming, at least one."""
    ended = [desk.ended.get()]
    while len(ended) < wanted:
        try:
            ended.append(desk.ended.get(timeout=COMMIT_SECONDS))
        except Empty:
            break
    return ended


def _written(desk: _Desk, orders: Sequence[SalesOrder], results: dict[str, PostingResult]) -> list[_Ready]:
    """Return the orders with their requests, and leave results of those that are not to be sent now.

    What was cut from a text is an exception before the call leaves.
    """
    ready: list[_Ready] = []
    for order in orders:
        outcome = _ready(desk, order)
        if isinstance(outcome, PostingResult):
            results[order.order_number] = outcome
        else:
            ready.append(outcome)
    cuts = [_cut(each.order, each.prepared) for each in ready if each.prepared.warnings]
    if cuts:
        desk.ledger.raise_exceptions("", cuts)
    uncut = [f"order {each.order.order_number}" for each in ready if each.order.if_cut != "warn"]
    if uncut:
        desk.ledger.close_exceptions(subjects=uncut, codes=["TEXT_CUT"], by="orders")
    return ready


def _begin(desk: _Desk, group: Sequence[_Ready], results: dict[str, PostingResult]) -> list[tuple[_Ready, Begun]]:
    """Record the orders of a group as pending; return those whose calls may leave, and leave results of the others."""
    if desk.is_out_of_reach.is_set():
        for each in group:
            results[each.order.order_number] = _result(each.order, "waiting", detail="PRIMA is out of reach")
        return []
    ready = {each.order.order_number: each for each in group}
    begun = []
    for attempt in desk.ledger.begin_orders(
        [_wanted(each) for each in group],
        system=SYSTEM,
        operation=OPERATION,
        owner=connect.owner(),
        seconds=desk.lane_seconds,
    ):
        if isinstance(attempt, NotBegun):
            results[attempt.order_number] = _as_it_stands(desk.ledger, attempt)
        else:
            begun.append((ready[attempt.order_number], attempt))
    return begun


def _ready(desk: _Desk, order: SalesOrder) -> _Ready | PostingResult:
    """Return the request of an order, or the result of one that is not to be sent now."""
    try:
        prepared = desk.prima.prepare_order(order, customer_code=customer_of(desk.customer_codes, order))
    except CallRefusedError as error:
        desk.ledger.set_order_states([order.order_number], "held", expected={"ready"})
        return _result(order, "refused", code=_unsent(error), detail=str(error))
    request_hash = fingerprint(prepared)
    stands = desk.stands(order, request_hash)
    if stands.last is None or stands.may_be_sent:
        return _Ready(order, prepared, request_hash)
    desk.ledger.set_order_states([order.order_number], "refused", expected={"ready"})
    return _result(order, "refused", code=_code_of(stands.last), detail=stands.last.error_text + stands.words)


def _wanted(ready: _Ready) -> WantedOrder:
    number = ready.order.order_number
    request = _evidence("prima order request", ready.order, ready.prepared.document)
    return WantedOrder(number, posting_key(number), ready.request_hash, request)


def _call(desk: _Desk, ready: _Ready, begun: Begun, lane_ends: float) -> None:
    """Send one order that is recorded, and hand on what came of it; None: nobody knows, it stays pending."""
    ended: EndedOrder | None = None
    try:
        with desk.calls:
            ended = _sent(desk, ready, begun, lane_ends)
    except BaseException as error:
        desk.is_out_of_reach.set()
        desk.failures.append(error)
        desk.ledger.leave_lane(begun.lane, begun.token)
    finally:
        desk.ended.put(ended)


def _sent(desk: _Desk, ready: _Ready, begun: Begun, lane_ends: float) -> EndedOrder:
    limits = desk.settings.prima
    if desk.is_out_of_reach.is_set():
        return EndedOrder(begun, "not_sent", error_code=NOT_SENT, error_text="PRIMA is out of reach.")
    if monotonic() > lane_ends - limits.order_timeout_seconds - limits.connect_timeout_seconds:
        return EndedOrder(begun, "not_sent", error_code=NOT_SENT, error_text="Its turn came too late.")
    try:
        acceptance, answer = desk.prima.send_order(ready.prepared)
    except SystemUnavailableError as error:
        desk.is_out_of_reach.set()
        return EndedOrder(begun, "not_sent", error_code=NOT_SENT, error_text=str(error))
    except ConfigurationError as error:
        desk.is_out_of_reach.set()
        desk.failures.append(error)
        return EndedOrder(begun, "not_sent", error_code=NOT_SENT, error_text=str(error))
    except DuplicateOrderError as error:
        _stop_at_development(desk, error)
        return _number_taken(desk, ready.order, begun, error)
    except CallRefusedError as error:
        _stop_at_development(desk, error)
        kept = _answer(ready.order, error)
        return EndedOrder(begun, "refused", error_code=error.code, error_text=str(error), answer=kept)
    except OutcomeUnknownError as error:
        return EndedOrder(begun, "unknown", error_text=str(error), answer=_answer(ready.order, error))
    kept = _evidence("prima order answer", ready.order, answer)
    return EndedOrder(begun, "posted", acceptance.order_number_prima, acceptance.customer_code, answer=kept)


def _stop_at_development(desk: _Desk, error: CallRefusedError) -> None:
    """Let no more orders leave once an answer shows that the other side is no live installation."""
    if getattr(error, "is_development_answer", False) and desk.settings.prima.development_answers == "stop":
        desk.is_out_of_reach.set()
        desk.failures.append(
            ConfigurationError(
                "the answer has DEV MODE in it: this is a development installation, and no more orders are posted.",
                system="PRIMA",
                operation=error.operation,
                reference=error.reference,
                next_step='Correct the address, or set prima.development_answers = "allow" for a test installation.',
            )
        )


def _number_taken(desk: _Desk, order: SalesOrder, begun: Begun, error: DuplicateOrderError) -> EndedOrder:
    """PRIMA says E:21. It is ours when an earlier attempt may have arrived and PRIMA shows the number; else refused."""
    earlier = [attempt for attempt in desk.ledger.attempts(begun.posting.key) if attempt.id != begun.posting.id]
    kept = _answer(order, error)
    if desk.settings.prima.orders.duplicate == "refuse":
        return EndedOrder(begun, "refused", error_code=error.code, error_text=str(error), answer=kept)
    shown = whose_order(desk.reporting, order, earlier)
    is_ours = shown == "ours"
    if shown == "nobody knows" and any(attempt.state != "refused" or attempt.resolution for attempt in earlier):
        try:
            is_ours = desk.prima.order_status(order.order_number_prima) is not None
        except (CallRefusedError, OutcomeUnknownError, SystemUnavailableError) as unclear:
            return EndedOrder(begun, "unknown", error_code=error.code, error_text=str(unclear), answer=kept)
    if is_ours:
        return EndedOrder(begun, "posted", order.order_number_prima, answer=kept)
    return EndedOrder(begun, "refused", error_code=error.code, error_text=str(error), answer=kept)


def _finish(
    desk: _Desk,
    orders: Mapping[str, SalesOrder],
    ended: Sequence[EndedOrder],
    results: dict[str, PostingResult],
) -> None:
    """Record how calls ended, and leave their results."""
    if not ended:
        return
    settled = desk.ledger.finish_orders(ended)
    remember_customers(desk.settings, desk.ledger, orders, ended)
    for each in ended:
        number = each.begun.order_number
        results[number] = _result_of(desk, orders[number], each, settled[number])


def _result_of(desk: _Desk, order: SalesOrder, ended: EndedOrder, settled: Posting) -> PostingResult:
    if ended.outcome == "posted":
        return _result(order, "posted", reference=ended.reference)
    if ended.outcome == "unknown":
        return _result(order, "unknown", code="PRIMA_OUTCOME_UNKNOWN", detail=ended.error_text)
    if ended.outcome == "not_sent":
        return _result(order, "waiting", code=NOT_SENT, detail=ended.error_text)
    words = desk.stands(order, settled.request_hash, settled).words
    return _result(order, "refused", code=_code_of(settled), detail=ended.error_text + words)


def _as_it_stands(ledger: Ledger, not_begun: NotBegun) -> PostingResult:
    """Return the result of an order whose call may not leave: it was posted before, nobody knows, or not now."""
    number, posting = not_begun.order_number, not_begun.posting
    key = posting_key(number)
    if posting is None:
        return PostingResult(key, number, "waiting", detail=not_begun.problem)
    if posting.state == "posted":
        ledger.accept_order(number)
        return PostingResult(key, number, "already", posting.reference)
    return PostingResult(key, number, "unknown", code="PRIMA_OUTCOME_UNKNOWN", detail=posting.error_text)


def _code_of(refusal: Posting) -> str:
    return "PRIMA_NUMBER_TAKEN" if refusal.error_code == NUMBER_TAKEN else "PRIMA_REFUSED"


def _unsent(error: CallRefusedError) -> str:
    """Return why a request is not even written; what is nobody's text counts as refused."""
    return error.code if error.code in ("TEXT_CUT", "TEXT_UNSENDABLE") else "PRIMA_REFUSED"


def _cut(order: SalesOrder, prepared: PreparedRequest) -> ExceptionNote:
    """Return the warning that texts of an order were cut or left out; it does not hold the texts themselves."""
    cuts = " ".join(prepared.warnings)
    is_held = order.if_cut == "hold_in_prima"
    return ExceptionNote(
        "POSTED_ON_HOLD" if is_held else "TEXT_CUT",
        f"order {order.order_number}",
        "; ".join(filter(None, [order.hold_reason, f"TEXT_CUT: {cuts}"])) if is_held else cuts,
        order_number=order.order_number,
        value_at_risk_pence=order.gross_pence,
        currency=order.currency,
    )


def _answer(order: SalesOrder, error: CallRefusedError | OutcomeUnknownError) -> EvidenceItem | None:
    """Return PRIMA's raw answer as evidence, where the error holds one."""
    answer = str(getattr(error, "answer", ""))
    return _evidence("prima order answer", order, answer) if answer else None


def _evidence(kind: str, order: SalesOrder, document: str) -> EvidenceItem:
    return EvidenceItem(kind, f"order {order.order_number}", document, "application/xml")


def _result(
    order: SalesOrder, state: PostingState, *, reference: str = "", code: str = "", detail: str = ""
) -> PostingResult:
    return PostingResult(posting_key(order.order_number), order.order_number, state, reference, code, detail)
