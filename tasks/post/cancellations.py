"""Cancellations carried to the other side: recorded before the call leaves, and never sent before a look."""

import hashlib
from collections.abc import Sequence
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.acceptance import CANCELLED, OVER_IN_MAGENTO, CancelRequest
from schemas.batches import PostingResult
from tasks import connect
from tasks.errors import CallRefusedError, OutcomeUnknownError, SystemUnavailableError, UnexpectedResponseError
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, Posting
from tasks.systems.magento import MagentoClient
from tasks.systems.prima import PrimaClient
from tasks.systems.prima.cancellation import prepare_cancellation, send_cancellation

OPERATION = "cancel order"
NOTHING_HAPPENED = "UNAVAILABLE"
NOT_THERE = "NOT_THERE"
SECONDS = 180
LIVE = ("pending", "unknown")
ON_HOLD = "the order is on hold in Magento: release it there, and the next run cancels it"
REFUND = "refund it in Magento with a credit memo"


def magento_key(order_number: str) -> str:
    """Return the key under which an order is cancelled in Magento once."""
    return f"magento/cancel/{order_number}"


def prima_key(order_number: str) -> str:
    """Return the key under which an order is cancelled in PRIMA once."""
    return f"prima/cancel/{order_number}"


@task(cache_policy=NO_CACHE)
def cancel_in_magento(requests: Sequence[CancelRequest]) -> list[PostingResult]:
    """Cancel in Magento what PRIMA cancelled; returns one result an order, PRIMA_CANCELLED where a person must act.

    `posted` and `already` without a code: cancelled or refunded on both sides. Magento's state is read first, and a
    call that it refused is not repeated before the order changes there. When Magento is out of reach the rest is left
    `waiting`.
    """
    if not requests:
        return []
    settings = Settings.from_env()
    results: list[PostingResult] = []
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        for request in requests:
            key = magento_key(request.order_number)
            if results and results[-1].code == NOTHING_HAPPENED:
                results.append(_result(key, request, "waiting", NOTHING_HAPPENED, results[-1].detail))
                continue
            with ledger.lane(f"order {request.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
                if not is_ours:
                    results.append(_result(key, request, "waiting", detail="another worker has this order"))
                    continue
                try:
                    results.append(_cancel_in_magento(ledger, magento, request))
                except SystemUnavailableError as error:
                    results.append(_result(key, request, "waiting", NOTHING_HAPPENED, str(error)))
    return results


@task(cache_policy=NO_CACHE)
def cancel_in_prima(requests: Sequence[CancelRequest]) -> list[PostingResult]:
    """Cancel in PRIMA what Magento cancelled, with the request that `prima.requests.cancel` names.

    `posted` and `already` without a code: PRIMA shows the order as cancelled. The order's state is read before and
    after; goods that left are never cancelled, and after `prima.attempt_limit` refusals no more requests are sent. When
    PRIMA is out of reach the rest is left `waiting`.
    """
    if not requests:
        return []
    settings = Settings.from_env()
    results: list[PostingResult] = []
    try:
        with connect.open_ledger(settings) as ledger, connect.open_prima(settings) as prima:
            for request in requests:
                with ledger.lane(f"order {request.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
                    if is_ours:
                        results.append(_cancel_in_prima(ledger, prima, settings, request))
                    else:
                        key = prima_key(request.order_number)
                        results.append(_result(key, request, "waiting", detail="another worker has this order"))
    except SystemUnavailableError as error:
        for request in requests[len(results) :]:
            key = prima_key(request.order_number)
            results.append(_result(key, request, "waiting", NOTHING_HAPPENED, str(error)))
    return results


def _cancel_in_magento(ledger: Ledger, magento: MagentoClient, request: CancelRequest) -> PostingResult:
    key = magento_key(request.order_number)
    last = ledger.posting(key)
    try:
        record = magento.order(request.entity_id_magento)
    except (CallRefusedError, OutcomeUnknownError, UnexpectedResponseError) as error:
        return _result(key, request, "refused", "PRIMA_CANCELLED", f"PRIMA shows {request.word}, but {error}")
    if record.get("state") in OVER_IN_MAGENTO:
        if last is not None and last.state in LIVE:
            ledger.resolve_posting(last.id, "posted", reference=str(record["state"]))
        return _result(key, request, "already")
    request_hash = _hash(request.entity_id_magento, record.get("state"), record.get("updated_at"))
    if last is not None and last.state in LIVE:
        ledger.resolve_posting(last.id, "not_there")  # Magento was read just now, and shows the order as open
    elif last is not None and last.state == "posted":
        return _result(key, request, "refused", "PRIMA_CANCELLED", _rest_is_invoiced(request, record))
    elif last is not None and last.request_hash == request_hash and _was_answered(last):
        return _result(key, request, "refused", "PRIMA_CANCELLED", _not_cancellable(request, record))
    posting = _begin(ledger, key, "magento", request, request_hash)
    try:
        magento.cancel(request.entity_id_magento)
    except SystemUnavailableError as error:
        ledger.finish_posting(posting.id, "refused", error_code=NOTHING_HAPPENED, error_text=str(error))
        raise
    except CallRefusedError as error:
        ledger.finish_posting(posting.id, "refused", error_code=error.code, error_text=str(error))
        return _result(key, request, "refused", "PRIMA_CANCELLED", _not_cancellable(request, record))
    except OutcomeUnknownError as error:
        ledger.finish_posting(posting.id, "unknown", error_text=str(error))
        return _look_in_magento(ledger, magento, request, posting)
    ledger.finish_posting(posting.id, "posted", reference="canceled")
    return _compared(magento, request)


def _look_in_magento(ledger: Ledger, magento: MagentoClient, request: CancelRequest, posting: Posting) -> PostingResult:
    """Read the order after a lost answer; one that is still open may yet be cancelled by it, so the next run looks."""
    record = _read(magento, request)
    if record is not None and record.get("state") in OVER_IN_MAGENTO:
        ledger.resolve_posting(posting.id, "posted", reference=str(record["state"]))
        return _result(posting.key, request, "posted")
    detail = f"PRIMA shows {request.word}; Magento's answer to the cancellation was lost, the next run looks again"
    return _result(posting.key, request, "unknown", "PRIMA_CANCELLED", detail)


def _compared(magento: MagentoClient, request: CancelRequest) -> PostingResult:
    """Read the order back: Magento cancels only what is not invoiced, and answers true to that too."""
    key = magento_key(request.order_number)
    record = _read(magento, request)
    if record is not None and record.get("state") not in OVER_IN_MAGENTO:
        return _result(key, request, "posted", "PRIMA_CANCELLED", _rest_is_invoiced(request, record))
    return _result(key, request, "posted")


def _read(magento: MagentoClient, request: CancelRequest) -> dict[str, Any] | None:
    try:
        return magento.order(request.entity_id_magento)
    except (CallRefusedError, OutcomeUnknownError, SystemUnavailableError, UnexpectedResponseError):
        return None


def _not_cancellable(request: CancelRequest, record: dict[str, Any]) -> str:
    todo = ON_HOLD if record.get("state") == "holded" else REFUND
    return f"PRIMA shows {request.word}; Magento cannot cancel the order in state {record.get('state')}: {todo}"


def _rest_is_invoiced(request: CancelRequest, record: dict[str, Any]) -> str:
    return (
        f"PRIMA shows {request.word}; Magento cancelled what was not invoiced and shows the order as "
        f"{record.get('state')}: {REFUND}"
    )


def _was_answered(posting: Posting) -> bool:
    return posting.state == "refused" and posting.error_code not in (NOTHING_HAPPENED, NOT_THERE)


def _cancel_in_prima(ledger: Ledger, prima: PrimaClient, settings: Settings, request: CancelRequest) -> PostingResult:
    key = prima_key(request.order_number)
    attempts = ledger.attempts(key)
    last = attempts[-1] if attempts else None
    try:
        found = prima.order_status(request.order_number_prima)
    except (CallRefusedError, OutcomeUnknownError) as error:
        return _to_people(key, request, "unknown", f"PRIMA could not say how the order stands: {error}")
    if found is None:
        return _to_people(key, request, "refused", "PRIMA says that it does not have the order")
    if found.status == CANCELLED:
        if last is not None and last.state in LIVE:
            ledger.resolve_posting(last.id, "posted", reference=found.status_text)
        return _result(key, request, "already")
    if found.status in ("dispatched", "part_dispatched"):
        return _to_people(key, request, "refused", f"PRIMA shows {found.status_text}: goods have left")
    if last is not None and last.state in LIVE:
        ledger.resolve_posting(last.id, "not_there")  # PRIMA was asked just now, and does not show it as cancelled
    elif last is not None and last.state == "posted":
        return _to_people(key, request, "refused", f"PRIMA said yes to the request, but shows {found.status_text}")
    elif sum(_was_answered(attempt) for attempt in attempts) >= settings.prima.attempt_limit:
        return _to_people(key, request, "refused", f"PRIMA refused {len(attempts)} times: {attempts[-1].error_text}")
    return _send_to_prima(ledger, prima, settings.prima.requests.cancel, request)


def _send_to_prima(ledger: Ledger, prima: PrimaClient, request_type: str, request: CancelRequest) -> PostingResult:
    key, subject = prima_key(request.order_number), f"order {request.order_number}"
    prepared = prepare_cancellation(prima, request_type, request.order_number_prima)
    evidence_id = ledger.keep_evidence("prima cancel request", subject, prepared.document, media="application/xml")
    posting = _begin(ledger, key, "prima", request, prepared.sha256, evidence_id)
    try:
        answer = send_cancellation(prima, prepared)
    except SystemUnavailableError as error:
        ledger.finish_posting(posting.id, "refused", error_code=NOTHING_HAPPENED, error_text=str(error))
        raise
    except CallRefusedError as error:
        ledger.finish_posting(posting.id, "refused", error_code=error.code, error_text=str(error))
        return _to_people(key, request, "refused", str(error))
    except OutcomeUnknownError as error:
        ledger.finish_posting(posting.id, "unknown", error_text=str(error))
        return _to_people(key, request, "unknown", "PRIMA's answer to the request was lost; the next run looks again")
    answer_id = ledger.keep_evidence("prima cancel answer", subject, answer, media="application/xml")
    ledger.finish_posting(posting.id, "posted", evidence_id=answer_id)
    try:
        found = prima.order_status(request.order_number_prima)
    except (CallRefusedError, OutcomeUnknownError, SystemUnavailableError):
        found = None
    if found is not None and found.status == CANCELLED:
        return _result(key, request, "posted")
    return _to_people(key, request, "posted", "PRIMA said yes to the request, but does not show it as cancelled yet")


def _begin(
    ledger: Ledger, key: str, system: str, request: CancelRequest, request_hash: str, evidence_id: int | None = None
) -> Posting:
    return ledger.begin_posting(
        key,
        system=system,
        operation=OPERATION,
        subject=f"order {request.order_number}",
        request_hash=request_hash,
        evidence_id=evidence_id,
    )


def _hash(*facts: object) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _to_people(key: str, request: CancelRequest, state: Any, detail: str) -> PostingResult:
    return _result(key, request, state, "CANCELLED_AFTER_POSTING", f"cancelled in Magento; {detail}")


def _result(key: str, request: CancelRequest, state: Any, code: str = "", detail: str = "") -> PostingResult:
    return PostingResult(key, request.order_number, state, code=code, detail=detail)
