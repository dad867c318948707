"""Sales orders into PRIMA, each once: recorded before the call leaves, looked up when nobody knows how it ended."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult
from schemas.documents import Acceptance, ExceptionNote, SalesOrder
from tasks import connect
from tasks.errors import CallRefusedError, NotFoundError, OutcomeUnknownError, SystemUnavailableError
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, PostingExistsError
from tasks.systems.ledger.records import OrderRecord, Posting
from tasks.systems.magento import MagentoClient
from tasks.systems.prima import DuplicateOrderError, PreparedRequest, PrimaClient

SYSTEM = "prima"
OPERATION = "create order"
NOTHING_HAPPENED = "UNAVAILABLE"
AFTER_ACCEPTANCE = ("accepted", "part_dispatched", "dispatched", "closed", "cancelled")


def posting_key(order_number: str) -> str:
    """Return the key under which an order is posted once and only once."""
    return f"prima/sales_order/{order_number}"


def note_key(order_number: str) -> str:
    """Return the key under which PRIMA's number is written to the Magento order."""
    return f"magento/order_note/{order_number}"


@task(cache_policy=NO_CACHE)
def post_chunk_of_sales_orders(orders: Sequence[SalesOrder]) -> list[PostingResult]:
    """Post a chunk of orders, one a request, at most `prima.concurrency` at a time; returns one result an order.

    Each order commits alone: a repeated chunk skips what is done. When PRIMA cannot be reached the rest of the chunk
    is left `waiting`, and nothing is marked as failed.
    """
    settings = Settings.from_env()
    is_out_of_reach = Event()
    with connect.open_ledger(settings) as ledger, connect.open_prima(settings) as prima:
        with ThreadPoolExecutor(max_workers=settings.prima.concurrency) as pool:
            return list(pool.map(lambda order: _post_unless(is_out_of_reach, ledger, prima, settings, order), orders))


@task(cache_policy=NO_CACHE)
def look_up_open_orders() -> list[PostingResult]:
    """Look in PRIMA for every order whose posting is pending or unknown: accepted there, or free to be posted again.

    Source: `OrderStatus`, and the reporting source where there is one. Only a positive "not there" of `OrderStatus`
    frees an order; everything else leaves it unknown.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        connect.free_lanes_of_the_dead(ledger)
        for order in ledger.orders_in_state("posting"):
            _catch_up(ledger, order)
        open_postings = [
            posting for posting in ledger.postings_in(SYSTEM, ("pending", "unknown")) if posting.operation == OPERATION
        ]
        if not open_postings:
            return []
        with connect.open_prima(settings) as prima:
            return [_look_up(ledger, prima, settings, posting) for posting in open_postings]


@task(cache_policy=NO_CACHE)
def post_order_notes(order_numbers: Sequence[str]) -> list[PostingResult]:
    """Write PRIMA's order number into `ext_order_id` of the Magento orders; failing does the order no harm."""
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        return [_note(ledger, magento, settings, number) for number in order_numbers]


def _post_unless(
    is_out_of_reach: Event, ledger: Ledger, prima: PrimaClient, settings: Settings, order: SalesOrder
) -> PostingResult:
    key = posting_key(order.order_number)
    if is_out_of_reach.is_set():
        return PostingResult(key, order.order_number, "waiting", detail="PRIMA is out of reach")
    seconds = int(2 * settings.prima.order_timeout_seconds + 60)
    with ledger.lane(f"order {order.order_number}", owner=connect.owner(), seconds=seconds) as is_ours:
        if not is_ours:
            return PostingResult(key, order.order_number, "waiting", detail="another worker has this order")
        try:
            return _post(ledger, prima, order)
        except SystemUnavailableError as error:
            is_out_of_reach.set()
            return PostingResult(key, order.order_number, "waiting", code=NOTHING_HAPPENED, detail=str(error))


def _post(ledger: Ledger, prima: PrimaClient, order: SalesOrder) -> PostingResult:
    """Prepare, record, send, record. Raises SystemUnavailableError when nothing happened."""
    key = posting_key(order.order_number)
    try:
        prepared = prima.prepare_order(order)
    except CallRefusedError as error:
        ledger.set_order_state(order.order_number, "held")
        return PostingResult(key, order.order_number, "refused", code="PRIMA_REFUSED", detail=str(error))
    subject = f"order {order.order_number}"
    if prepared.warnings:
        ledger.raise_exceptions("", [_cut(order, prepared)])
    evidence_id = ledger.keep_evidence("prima order request", subject, prepared.document, media="application/xml")
    try:
        posting = ledger.begin_posting(
            key,
            system=SYSTEM,
            operation=OPERATION,
            subject=subject,
            request_hash=prepared.sha256,
            evidence_id=evidence_id,
        )
    except PostingExistsError as exists:
        return _as_it_stands(ledger, exists.posting)
    ledger.set_order_state(order.order_number, "posting")
    try:
        acceptance, answer = prima.send_order(prepared)
    except SystemUnavailableError as error:
        ledger.finish_posting(posting.id, "refused", error_code=NOTHING_HAPPENED, error_text=str(error))
        ledger.set_order_state(order.order_number, "refused")
        ledger.set_order_state(order.order_number, "ready")
        raise
    except DuplicateOrderError as error:
        return _number_taken(ledger, prima, order, posting, error)
    except CallRefusedError as error:
        ledger.finish_posting(posting.id, "refused", error_code=error.code, error_text=str(error))
        ledger.set_order_state(order.order_number, "refused")
        return PostingResult(key, order.order_number, "refused", code="PRIMA_REFUSED", detail=str(error))
    except OutcomeUnknownError as error:
        ledger.finish_posting(posting.id, "unknown", error_text=str(error))
        ledger.set_order_state(order.order_number, "unknown")
        return PostingResult(key, order.order_number, "unknown", code="PRIMA_OUTCOME_UNKNOWN", detail=str(error))
    answer_id = ledger.keep_evidence("prima order answer", subject, answer, media="application/xml")
    return _accepted(ledger, posting, acceptance, answer_id)


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


def _accepted(ledger: Ledger, posting: Posting, acceptance: Acceptance, answer_id: int | None) -> PostingResult:
    number = order_number_of(posting.key)
    ledger.finish_posting(posting.id, "posted", reference=acceptance.order_number_prima, evidence_id=answer_id)
    _accept(ledger, number, acceptance.customer_code)
    return PostingResult(posting.key, number, "posted", acceptance.order_number_prima)


def _number_taken(
    ledger: Ledger, prima: PrimaClient, order: SalesOrder, posting: Posting, error: DuplicateOrderError
) -> PostingResult:
    """PRIMA says E:21. It is ours when an earlier attempt may have arrived and PRIMA shows the number; else held."""
    earlier = [attempt for attempt in ledger.attempts(posting.key) if attempt.id != posting.id]
    may_be_ours = any(attempt.state != "refused" or attempt.resolution for attempt in earlier)
    if may_be_ours and prima.order_status(order.order_number_prima) is not None:
        return _accepted(ledger, posting, Acceptance(order.order_number_prima, ""), None)
    ledger.finish_posting(posting.id, "refused", error_code=error.code, error_text=str(error))
    ledger.set_order_state(order.order_number, "refused")
    return PostingResult(posting.key, order.order_number, "refused", code="PRIMA_NUMBER_TAKEN", detail=str(error))


def _as_it_stands(ledger: Ledger, posting: Posting) -> PostingResult:
    number = order_number_of(posting.key)
    if posting.state == "posted":
        _accept(ledger, number)
        return PostingResult(posting.key, number, "already", posting.reference)
    return PostingResult(posting.key, number, "unknown", code="PRIMA_OUTCOME_UNKNOWN", detail=posting.error_text)


def _accept(ledger: Ledger, order_number: str, customer_code: str = "") -> None:
    """Bring an order to `accepted` from wherever a stopped run left it; one that is further on stays there."""
    order = ledger.order(order_number)
    if order is None or order.state in AFTER_ACCEPTANCE:
        return
    if order.state in ("seen", "excluded", "held", "refused"):
        ledger.set_order_state(order_number, "ready")
    if order.state not in ("posting", "unknown"):
        ledger.set_order_state(order_number, "posting")
    ledger.set_order_state(order_number, "accepted", customer_code=customer_code)


def _catch_up(ledger: Ledger, order: OrderRecord) -> None:
    """Give an order the state that its posting says: a run may stop between the two."""
    posting = ledger.posting(posting_key(order.order_number))
    if posting is not None and posting.state == "posted":
        _accept(ledger, order.order_number)
    elif posting is not None and posting.state == "refused":
        ledger.set_order_state(order.order_number, "refused")


def _look_up(ledger: Ledger, prima: PrimaClient, settings: Settings, posting: Posting) -> PostingResult:
    number = order_number_of(posting.key)
    order = ledger.order(number)
    if order is None or not order.order_number_prima:
        return PostingResult(posting.key, number, "unknown", code="PRIMA_OUTCOME_UNKNOWN", detail="no number known")
    with ledger.lane(f"order {number}", owner=connect.owner(), seconds=180) as is_ours:
        if not is_ours:
            return PostingResult(posting.key, number, "waiting", detail="another worker has this order")
        try:
            found = prima.order_status(order.order_number_prima)
        except (CallRefusedError, OutcomeUnknownError) as error:
            if posting.state == "pending":
                ledger.finish_posting(posting.id, "unknown", error_text=str(error))
            if order.state == "posting":
                ledger.set_order_state(number, "unknown")
            return PostingResult(posting.key, number, "unknown", code="PRIMA_OUTCOME_UNKNOWN", detail=str(error))
        if found is None:
            ledger.resolve_posting(posting.id, "not_there")
            if order.state == "posting":
                ledger.set_order_state(number, "unknown")
            ledger.set_order_state(number, "ready")
            return PostingResult(posting.key, number, "waiting", detail="PRIMA does not have it: to be posted again")
        ledger.resolve_posting(posting.id, "posted", reference=order.order_number_prima)
        _accept(ledger, number)
        return PostingResult(posting.key, number, "posted", order.order_number_prima)


def order_number_of(key: str) -> str:
    """Return the order number at the end of a posting key."""
    return key.split("/", 2)[2]


def _note(ledger: Ledger, magento: MagentoClient, settings: Settings, number: str) -> PostingResult:
    key = note_key(number)
    order = ledger.order(number)
    if order is None:
        return PostingResult(key, number, "refused", code="MAGENTO_NOTE_FAILED", detail="not in the ledger")
    text = f"{order.entity_id_magento} {order.order_number_prima}"
    with ledger.lane(f"order {number}", owner=connect.owner(), seconds=180) as is_ours:
        if not is_ours:
            return PostingResult(key, number, "waiting", detail="another worker has this order")
        try:
            posting = ledger.begin_posting(
                key,
                system="magento",
                operation="write ext_order_id",
                subject=f"order {number}",
                request_hash=hashlib.sha256(text.encode()).hexdigest(),
            )
        except PostingExistsError as exists:
            if exists.state == "posted":
                return PostingResult(key, number, "already", exists.posting.reference)
            # The write is the same whenever it is repeated, so an unknown outcome needs no look before the next try.
            ledger.resolve_posting(exists.posting.id, "not_there")
            return PostingResult(key, number, "waiting", detail="tried again by the next run")
        try:
            magento.save_order(order.entity_id_magento, ext_order_id=order.order_number_prima)
        except (CallRefusedError, NotFoundError, SystemUnavailableError, OutcomeUnknownError) as error:
            ledger.finish_posting(posting.id, "refused", error_code=type(error).__name__, error_text=str(error))
            return PostingResult(key, number, "refused", code="MAGENTO_NOTE_FAILED", detail=str(error))
        ledger.finish_posting(posting.id, "posted", reference=order.order_number_prima)
        return PostingResult(key, number, "posted", order.order_number_prima)
