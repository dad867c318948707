"""Status and comments on the Magento order, each change once; Magento's own state is never written."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult, PostingState
from schemas.marks import MarkRequest
from tasks import connect
from tasks.errors import CallRefusedError, OutcomeUnknownError, SystemUnavailableError, UnexpectedResponseError
from tasks.post.attempts import NOT_SENT, Patience, standing
from tasks.post.shipment_looks import CLOCKS_APART
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, Posting
from tasks.systems.magento import MagentoClient

OPERATION = "mark order"
SECONDS = 300
FAILED = "ORDER_STATUS_NOT_WRITTEN"
PATIENCE = Patience(3, (timedelta(minutes=30), timedelta(hours=6)))


def mark_key(request: MarkRequest) -> str:
    """Return the key under which one change of an order's mark is written once."""
    return f"magento/mark/{request.order_number}/{request.turn}/{request.mark}"


@task(cache_policy=NO_CACHE)
def post_marks(requests: Sequence[MarkRequest]) -> list[PostingResult]:
    """Write statuses and comments; returns one result an order.

    Source: POST /V1/orders for the status, POST /V1/orders/{id}/comments. The order is read first: a status is written
    only in a state that its setting names. A status may be written twice without harm; a comment whose answer was lost
    is looked for before it is written again. When Magento is out of reach the rest stays `waiting`.
    """
    if not requests:
        return []
    settings = Settings.from_env()
    results: list[PostingResult] = []
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        for position, request in enumerate(requests):
            try:
                results.append(_mark(ledger, magento, request))
            except SystemUnavailableError as error:
                left = requests[position:]
                return results + [_result(each, "waiting", code=NOT_SENT, detail=str(error)) for each in left]
    return results


def _mark(ledger: Ledger, magento: MagentoClient, request: MarkRequest) -> PostingResult:
    key = mark_key(request)
    with ledger.lane(f"order {request.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
        if not is_ours:
            return _result(request, "waiting", detail="another worker has this order")
        attempts = ledger.attempts(key)
        request_hash = hashlib.sha256(repr(request).encode()).hexdigest()
        patience = standing(attempts, request_hash, PATIENCE, datetime.now(UTC))
        if not patience.may_be_sent:
            said = patience.last.error_text if patience.last is not None else ""
            return _result(request, "refused", code=FAILED, detail=said + patience.words)
        if attempts and attempts[-1].state in ("pending", "unknown"):
            ledger.resolve_posting(attempts[-1].id, "not_there")  # what of it arrived is read below
        try:
            order = magento.order(request.entity_id_magento)
            was_commented = bool(attempts) and _is_commented(magento, request, attempts)
        except (CallRefusedError, OutcomeUnknownError, UnexpectedResponseError) as error:
            return _result(request, "refused", code=FAILED, detail=str(error))
        posting = ledger.begin_posting(
            key,
            system="magento",
            operation=OPERATION,
            subject=f"order {request.order_number}",
            request_hash=request_hash,
        )
        return _write(ledger, magento, request, posting, order, was_commented=was_commented)


def _write(
    ledger: Ledger,
    magento: MagentoClient,
    request: MarkRequest,
    posting: Posting,
    order: dict[str, Any],
    *,
    was_commented: bool,
) -> PostingResult:
    status = request.status if _may_write(request, order) else ""
    try:
        if status and status != order.get("status"):
            magento.save_order(request.entity_id_magento, status=status)
        if request.comment and not was_commented:
            magento.comment(request.entity_id_magento, request.comment, visible=request.is_visible)
    except SystemUnavailableError as error:
        ledger.finish_posting(posting.id, "refused", error_code=NOT_SENT, error_text=str(error))
        raise
    except CallRefusedError as error:
        ledger.finish_posting(posting.id, "refused", error_code=error.code, error_text=error.message)
        return _result(request, "refused", code=FAILED, detail=error.message)
    except OutcomeUnknownError as error:
        ledger.finish_posting(posting.id, "unknown", error_text=str(error))
        return _result(request, "unknown", detail="the answer was lost: the next run reads the order's comments")
    ledger.set_order_mark(request.order_number, request.mark, status, str(order.get("status") or "") if status else "")
    ledger.finish_posting(posting.id, "posted", reference=status or "comment")
    return _result(request, "posted", reference=status)


def _may_write(request: MarkRequest, order: dict[str, Any]) -> bool:
    """Tell whether a status belongs under the order's state, and does not replace what somebody else wrote."""
    if not request.status or order.get("state") not in request.in_states:
        return False
    return not request.status_to_replace or order.get("status") == request.status_to_replace


def _is_commented(magento: MagentoClient, request: MarkRequest, attempts: Sequence[Posting]) -> bool:
    since = min(attempt.begun_at for attempt in attempts) - CLOCKS_APART
    return any(
        str(each.get("comment", "")).strip() == request.comment and _at(each) >= since
        for each in magento.comments_of(request.entity_id_magento)
    )


def _at(comment: dict[str, Any]) -> datetime:
    return datetime.strptime(str(comment["created_at"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _result(
    request: MarkRequest, state: PostingState, *, reference: str = "", code: str = "", detail: str = ""
) -> PostingResult:
    return PostingResult(mark_key(request), request.order_number, state, reference, code, detail)
