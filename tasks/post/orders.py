"""Sales orders into PRIMA, each once: recorded before the call leaves, settled by its answer or by a look."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Semaphore

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult, PostingState
from schemas.documents import Acceptance, ExceptionNote, SalesOrder
from tasks import connect
from tasks.errors import CallRefusedError, ConfigurationError, OutcomeUnknownError, SystemUnavailableError
from tasks.post.attempts import NOT_SENT, Patience, standing
from tasks.post.looking import OPERATION, SYSTEM, order_number_of, posting_key, whose_order
from tasks.settings import PrimaSettings, Settings
from tasks.systems.ledger import Begun, Ledger, LedgerStateError, PostingExistsError
from tasks.systems.ledger.records import EvidenceItem, Posting
from tasks.systems.prima import DuplicateOrderError, PreparedRequest, PrimaClient, ReportingSource

RETRY = "order retry"
# While this many calls are under way for each one that PRIMA takes at a time, the next are written and recorded.
AHEAD = 2


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the threads that post a chunk share. `calls` lets as many calls leave as PRIMA takes at a time."""

    settings: Settings
    ledger: Ledger
    prima: PrimaClient
    reporting: ReportingSource | None
    earlier: Mapping[str, list[Posting]]
    retried_at: Mapping[str, datetime]
    calls: Semaphore
    is_out_of_reach: Event = field(default_factory=Event)

    @property
    def patience(self) -> Patience:
        return patience(self.settings.prima)


def patience(settings: PrimaSettings) -> Patience:
    """Return what the settings say about orders that PRIMA refuses."""
    return Patience(settings.attempt_limit, tuple(timedelta(minutes=minutes) for minutes in settings.retry_minutes))


@task(cache_policy=NO_CACHE)
def post_chunk_of_sales_orders(orders: Sequence[SalesOrder]) -> list[PostingResult]:
    """Post a chunk of orders, one a request, at most `prima.concurrency` at a time; returns one result an order.

    Each order commits alone: a repeated chunk skips what is done. An order that PRIMA refused is `refused` again
    without a call until it is time to try again. When PRIMA cannot be reached the rest of the chunk is left
    `waiting`, and nothing is marked as failed.
    """
    if not orders:
        return []
    settings = Settings.from_env()
    keys = [posting_key(order.order_number) for order in orders]
    with (
        connect.open_ledger(settings) as ledger,
        connect.open_prima(settings) as prima,
        connect.open_reporting(settings) as reporting,
    ):
        earlier = ledger.attempts_of(keys)
        retried_at = _retries(ledger) if earlier else {}
        concurrency = settings.prima.concurrency
        desk = _Desk(settings, ledger, prima, reporting, earlier, retried_at, Semaphore(concurrency))
        with ThreadPoolExecutor(max_workers=concurrency * AHEAD) as pool:
            return list(pool.map(lambda order: _post_unless(desk, order), orders))


@task(cache_policy=NO_CACHE)
def retry_order(order_number: str, by: str) -> None:
    """Let an order that PRIMA refused, parked or not, be sent by the next run; `by` is the person who wants it."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.set_mapping(RETRY, order_number, {"at": datetime.now(UTC).isoformat()}, by)


def _retries(ledger: Ledger) -> dict[str, datetime]:
    return {number: datetime.fromisoformat(mark["at"]) for number, mark in ledger.mappings(RETRY).items()}


def fingerprint(prepared: PreparedRequest) -> str:
    """Return the SHA-256 of a request without its `UniqueId`, which differs each time it is written."""
    same = prepared.document.replace(f'UniqueId="{prepared.unique_id}"', 'UniqueId=""', 1)
    return hashlib.sha256(same.encode("utf-8")).hexdigest()


def _post_unless(desk: _Desk, order: SalesOrder) -> PostingResult:
    if desk.is_out_of_reach.is_set():
        return _result(order, "waiting", detail="PRIMA is out of reach")
    try:
        prepared = desk.prima.prepare_order(order)
    except CallRefusedError as error:
        desk.ledger.set_order_states([order.order_number], "held")
        return _result(order, "refused", code="PRIMA_REFUSED", detail=str(error))
    request_hash = fingerprint(prepared)
    stands = standing(
        desk.earlier.get(posting_key(order.order_number), []),
        request_hash,
        desk.patience,
        datetime.now(UTC),
        desk.retried_at.get(order.order_number),
    )
    if not stands.may_be_sent and stands.last is not None:
        desk.ledger.set_order_states([order.order_number], "refused", expected={"ready"})
        return _result(order, "refused", code=_code_of(stands.last), detail=stands.last.error_text + stands.words)
    if prepared.warnings:
        desk.ledger.raise_exceptions("", [_cut(order, prepared)])
    begun = _begin(desk, order, prepared, request_hash)
    if isinstance(begun, PostingResult):
        return begun
    try:
        return _send(desk, order, prepared, begun)
    except BaseException:
        desk.ledger.leave_lane(begun.lane, begun.token)
        raise


def _begin(desk: _Desk, order: SalesOrder, prepared: PreparedRequest, request_hash: str) -> Begun | PostingResult:
    try:
        begun = desk.ledger.begin_order(
            order.order_number,
            key=posting_key(order.order_number),
            system=SYSTEM,
            operation=OPERATION,
            request_hash=request_hash,
            request=_evidence(order, "prima order request", prepared.document),
            owner=connect.owner(),
            seconds=int(2 * desk.settings.prima.order_timeout_seconds + 60),
        )
    except PostingExistsError as exists:
        return _as_it_stands(desk.ledger, exists.posting)
    except LedgerStateError as error:
        return _result(order, "waiting", detail=str(error))
    return begun or _result(order, "waiting", detail="another worker has this order")


def _send(desk: _Desk, order: SalesOrder, prepared: PreparedRequest, begun: Begun) -> PostingResult:
    """Send what is recorded and record how it ended; what was certainly not sent leaves the order as it was."""
    finish = desk.ledger.finish_order
    try:
        with desk.calls:
            if desk.is_out_of_reach.is_set():
                raise SystemUnavailableError("it is out of reach.", system="PRIMA", operation=OPERATION)
            acceptance, answer = desk.prima.send_order(prepared)
    except SystemUnavailableError as error:
        desk.is_out_of_reach.set()
        finish(begun, "not_sent", error_code=NOT_SENT, error_text=str(error))
        return _result(order, "waiting", code=NOT_SENT, detail=str(error))
    except ConfigurationError as error:
        desk.is_out_of_reach.set()
        finish(begun, "not_sent", error_code=NOT_SENT, error_text=str(error))
        raise
    except DuplicateOrderError as error:
        return _number_taken(desk, order, begun, error)
    except CallRefusedError as error:
        return _refused(desk, order, begun, error)
    except OutcomeUnknownError as error:
        answer = getattr(error, "answer", "")
        kept = _evidence(order, "prima order answer", answer) if answer else None
        finish(begun, "unknown", error_text=str(error), answer=kept)
        return _result(order, "unknown", code="PRIMA_OUTCOME_UNKNOWN", detail=str(error))
    return _accepted(desk, order, begun, acceptance, answer)


def _accepted(desk: _Desk, order: SalesOrder, begun: Begun, acceptance: Acceptance, answer: str) -> PostingResult:
    desk.ledger.finish_order(
        begun,
        "posted",
        reference=acceptance.order_number_prima,
        customer_code=acceptance.customer_code,
        answer=_evidence(order, "prima order answer", answer) if answer else None,
    )
    return _result(order, "posted", reference=acceptance.order_number_prima)


def _refused(desk: _Desk, order: SalesOrder, begun: Begun, error: CallRefusedError) -> PostingResult:
    """Record a refusal with PRIMA's words, and say when the order is sent again."""
    answer = getattr(error, "answer", "")
    kept = _evidence(order, "prima order answer", answer) if answer else None
    settled = desk.ledger.finish_order(begun, "refused", error_code=error.code, error_text=str(error), answer=kept)
    stands = standing(
        [*desk.earlier.get(settled.key, []), settled],
        settled.request_hash,
        desk.patience,
        settled.begun_at,
        desk.retried_at.get(order.order_number),
    )
    return _result(order, "refused", code=_code_of(settled), detail=str(error) + stands.words)


def _number_taken(desk: _Desk, order: SalesOrder, begun: Begun, error: DuplicateOrderError) -> PostingResult:
    """PRIMA says E:21. It is ours when an earlier attempt may have arrived and PRIMA shows the number; else held."""
    earlier = [attempt for attempt in desk.ledger.attempts(begun.posting.key) if attempt.id != begun.posting.id]
    shown = whose_order(desk.reporting, order, earlier)
    may_have_arrived = any(attempt.state != "refused" or attempt.resolution for attempt in earlier)
    is_ours = shown == "ours"
    if may_have_arrived and shown == "nobody knows":
        try:
            is_ours = desk.prima.order_status(order.order_number_prima) is not None
        except (CallRefusedError, OutcomeUnknownError, SystemUnavailableError) as unclear:
            desk.ledger.finish_order(begun, "unknown", error_code=error.code, error_text=str(unclear))
            return _result(order, "unknown", code="PRIMA_OUTCOME_UNKNOWN", detail=str(unclear))
    if is_ours:
        return _accepted(desk, order, begun, Acceptance(order.order_number_prima, ""), error.answer)
    return _refused(desk, order, begun, error)


def _as_it_stands(ledger: Ledger, posting: Posting) -> PostingResult:
    number = order_number_of(posting.key)
    if posting.state == "posted":
        ledger.accept_order(number)
        return PostingResult(posting.key, number, "already", posting.reference)
    return PostingResult(posting.key, number, "unknown", code="PRIMA_OUTCOME_UNKNOWN", detail=posting.error_text)


def _code_of(refusal: Posting) -> str:
    return "PRIMA_NUMBER_TAKEN" if refusal.error_code == "E:21" else "PRIMA_REFUSED"


def _cut(order: SalesOrder, prepared: PreparedRequest) -> ExceptionNote:
    """Return the warning that texts of an order were cut or left out; it does not hold the texts themselves."""
    return ExceptionNote(
        "TEXT_CUT",
        f"order {order.order_number}",
        " ".join(prepared.warnings),
        order_number=order.order_number,
        value_at_risk_pence=order.gross_pence,
        currency=order.currency,
    )


def _evidence(order: SalesOrder, kind: str, document: str) -> EvidenceItem:
    return EvidenceItem(kind, f"order {order.order_number}", document, "application/xml")


def _result(
    order: SalesOrder, state: PostingState, *, reference: str = "", code: str = "", detail: str = ""
) -> PostingResult:
    return PostingResult(posting_key(order.order_number), order.order_number, state, reference, code, detail)
