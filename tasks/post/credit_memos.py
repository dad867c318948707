"""Credit notes of PRIMA into Magento as credit memos: pending before the call, looked up after, never a second one.

Magento makes a second refund without complaint. So nothing is sent while the order has a credit memo that the ledger
does not know yet: it may be the one that is missing, made by hand or by a call whose answer was lost.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult
from schemas.batches import PostingState as ResultState
from schemas.credit_memos import CreditMemoRequest
from schemas.money import to_pounds
from schemas.refunds import CREDIT_NOTE_COMMENT
from tasks import connect
from tasks.errors import (
    CallRefusedError,
    IntegrationError,
    OutcomeUnknownError,
    SystemUnavailableError,
    UnexpectedResponseError,
)
from tasks.post.shipment_looks import may_be_it
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, Posting, PostingState
from tasks.systems.magento import MagentoClient, Unreadable

KEY = "magento/creditmemo/"
OPERATION = "refund"
SECONDS = 180
LIVE: tuple[PostingState, ...] = ("pending", "unknown")
NOT_SENT = "UNAVAILABLE"
# How far Magento's clock and ours may be apart.
CLOCKS_APART = timedelta(minutes=10)
NOT_CARRIED = "CREDIT_NOTE_NOT_CARRIED"
UNKNOWN = "REFUND_OUTCOME_UNKNOWN"


def posting_key(credit_note_number: str) -> str:
    """Return the key under which a credit note becomes a credit memo once and only once."""
    return f"{KEY}{credit_note_number}"


@task(cache_policy=NO_CACHE)
def look_up_open_memos() -> int:
    """Settle the refunds of which an earlier run did not learn how they ended and that Magento has; returns how many.

    One that Magento does not show stays open, and `make_credit_memos` decides about it.
    """
    settings = Settings.from_env()
    settled = 0
    with connect.open_ledger(settings) as ledger:
        left_open = [each for each in ledger.postings_in("magento", LIVE) if each.operation == OPERATION]
        if not left_open:
            return 0
        with connect.open_magento(settings) as magento:
            for posting in left_open:
                number = posting.key.removeprefix(KEY)
                order = ledger.order(posting.subject.removeprefix("order "))
                try:
                    memos = magento.documents_of("creditmemos", order.entity_id_magento).records if order else []
                except UnexpectedResponseError as error:
                    # None of them can be read. It stays unknown, and `make_credit_memos` says so.
                    get_run_logger().warning(f"{posting.key} cannot be looked up: {error}")
                    continue
                made = _made_from(memos, number)
                if made is not None:
                    _settle(ledger, number, posting, made)
                    settled += 1
    return settled


@task(cache_policy=NO_CACHE)
def make_credit_memos(requests: Sequence[CreditMemoRequest]) -> list[PostingResult]:
    """Make a credit memo in Magento of each credit note; returns one result a note, in their order.

    Source: POST /V1/order/{id}/refund, with every line and the delivery stated and nothing returned to stock. The
    order and its credit memos are read just before; nothing is sent where Magento does not hand out all of them.
    `waiting`: the order moved meanwhile, or Magento is out of reach, and the next run works it out anew.
    """
    if not requests:
        return []
    settings = Settings.from_env()
    results: list[PostingResult] = []
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        connect.free_lanes_of_the_dead(ledger)
        for request in requests:
            with ledger.lane(f"order {request.note.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
                if not is_ours:
                    results.append(_result(request, "waiting", detail="another worker has this order"))
                    continue
                try:
                    results.append(_make(ledger, magento, settings, request))
                except SystemUnavailableError as error:
                    # Reads that failed, and writes that did not happen: a lost answer is told as a result.
                    results.append(_result(request, "waiting", code=NOT_SENT, detail=str(error)))
                except (CallRefusedError, OutcomeUnknownError, UnexpectedResponseError) as error:
                    results.append(_not_read(ledger, request, error))
    return results


def _not_read(ledger: Ledger, request: CreditMemoRequest, error: IntegrationError) -> PostingResult:
    """Return that nothing was decided: Magento has something of the order that it does not hand out."""
    last = ledger.posting(posting_key(request.note.credit_note_number))
    if last is not None and last.state in LIVE:
        return _result(request, "unknown", code=UNKNOWN, detail=f"{_lost('')}: {error}")
    return _result(request, "refused", code=NOT_CARRIED, detail=str(error))


def _make(ledger: Ledger, magento: MagentoClient, settings: Settings, request: CreditMemoRequest) -> PostingResult:
    note = request.note
    last = ledger.posting(posting_key(note.credit_note_number))
    reading = magento.documents_of("creditmemos", request.entity_id_magento)
    memos = reading.records
    made = _made_from(memos, note.credit_note_number)
    if made is not None:
        return _result(request, "already", reference=_settle(ledger, note.credit_note_number, last, made))
    nobodys = _of_which_nothing_is_known(ledger, request, reading.unreadable)
    if nobodys:
        raise may_be_it(nobodys)
    if last is not None and last.state == "posted":
        detail = f"it became credit memo id {last.reference}, which Magento does not show: compare by hand"
        return _result(request, "refused", code=NOT_CARRIED, detail=detail)
    unknown = _unknown(ledger, request, memos)
    if last is not None and last.state in LIVE:
        # One of that time may be ours without our comment: then it is for a person to say, whoever has read it since.
        new = unknown or _made_since(memos, last.begun_at - CLOCKS_APART)
        if new or datetime.now(UTC) - last.begun_at < timedelta(seconds=settings.refunds.settle_seconds):
            return _result(request, "unknown", code=UNKNOWN, detail=_lost(new))
        last = ledger.resolve_posting(last.id, "not_there")
    if unknown:
        return _result(request, "waiting", detail=f"credit memo {unknown} was made meanwhile; the next run compares")
    if str(magento.order(request.entity_id_magento).get("updated_at")) != request.updated_at:
        return _result(request, "waiting", detail="the order changed meanwhile; the next run works it out anew")
    request_hash = _hash(request)
    if last is not None and last.error_code not in (NOT_SENT, "NOT_THERE") and last.request_hash == request_hash:
        return _result(request, "refused", code=NOT_CARRIED, detail=last.error_text)
    return _send(ledger, magento, settings, request, request_hash)


def _send(
    ledger: Ledger, magento: MagentoClient, settings: Settings, request: CreditMemoRequest, request_hash: str
) -> PostingResult:
    number = request.note.credit_note_number
    posting = ledger.begin_posting(
        posting_key(number),
        system="magento",
        operation=OPERATION,
        subject=f"order {request.note.order_number}",
        request_hash=request_hash,
    )
    try:
        memo_id = magento.refund(
            request.entity_id_magento,
            request.lines,
            delivery=to_pounds(request.delivery_pence),
            goodwill=to_pounds(request.goodwill_pence),
            notify_customer=settings.refunds.notify_customer,
            text=f"{CREDIT_NOTE_COMMENT}{number}",
        )
    except SystemUnavailableError as error:
        ledger.finish_posting(posting.id, "refused", error_code=NOT_SENT, error_text=str(error))
        raise
    except CallRefusedError as error:
        ledger.finish_posting(posting.id, "refused", error_code=error.code or "REFUSED", error_text=str(error))
        return _result(request, "refused", code=NOT_CARRIED, detail=str(error))
    except (OutcomeUnknownError, UnexpectedResponseError) as error:
        ledger.finish_posting(posting.id, "unknown", error_text=str(error))
        return _result(request, "unknown", code=UNKNOWN, detail=_lost(""))
    ledger.finish_posting(posting.id, "posted", reference=memo_id)
    ledger.note_creditmemo(number, int(memo_id))
    return _result(request, "posted", reference=memo_id)


def _settle(ledger: Ledger, number: str, last: Posting | None, made: dict[str, Any]) -> str:
    """Note what is there already: our call arrived, although its answer or our note of it was lost."""
    memo_id = str(made["entity_id"])
    if last is not None and last.state in LIVE:
        ledger.resolve_posting(last.id, "posted", reference=memo_id)
    ledger.note_creditmemo(number, int(memo_id))
    return memo_id


def _made_from(memos: Sequence[dict[str, Any]], number: str) -> dict[str, Any] | None:
    wanted = f"{CREDIT_NOTE_COMMENT}{number}"
    for memo in memos:
        for comment in memo.get("comments") or []:
            if isinstance(comment, dict) and str(comment.get("comment", "")).strip() == wanted:
                return memo
    return None


def _unknown(ledger: Ledger, request: CreditMemoRequest, memos: Sequence[dict[str, Any]]) -> str:
    """Return the numbers of credit memos of the order that the ledger has not read yet."""
    known = {kept.refund.refund_number for kept in ledger.refunds_of([request.note.order_number])}
    return ", ".join(str(memo["increment_id"]) for memo in memos if str(memo["increment_id"]) not in known)


def _of_which_nothing_is_known(
    ledger: Ledger, request: CreditMemoRequest, unreadable: Sequence[Unreadable]
) -> list[Unreadable]:
    """Return the credit memos that Magento does not hand out and that the ledger did not read while it did."""
    known = {kept.refund.creditmemo_id for kept in ledger.refunds_of([request.note.order_number])}
    return [each for each in unreadable if each.entity_id not in known]


def _made_since(memos: Sequence[dict[str, Any]], since: datetime) -> str:
    """Return the numbers of credit memos that were made since an instant."""
    first = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return ", ".join(str(memo["increment_id"]) for memo in memos if str(memo.get("created_at", "")) >= first)


def _lost(unknown: str) -> str:
    seen = f"; the order has a new credit memo {unknown}, which may be it" if unknown else ""
    return f"Magento's answer to the refund was lost{seen}; the next run looks again"


def _hash(request: CreditMemoRequest) -> str:
    facts = (request.entity_id_magento, request.lines, request.delivery_pence, request.goodwill_pence)
    return hashlib.sha256(repr((*facts, request.updated_at)).encode()).hexdigest()


def _result(
    request: CreditMemoRequest, state: ResultState, reference: str = "", code: str = "", detail: str = ""
) -> PostingResult:
    number = request.note.credit_note_number
    return PostingResult(posting_key(number), number, state, reference=reference, code=code, detail=detail)
