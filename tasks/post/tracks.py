"""Tracking numbers that came after their shipment: added to the same one, each once, without another e-mail."""

import hashlib
from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult, PostingState
from schemas.documents import Track, TrackRequest
from tasks import connect
from tasks.errors import CallRefusedError, OutcomeUnknownError, SystemUnavailableError, UnexpectedResponseError
from tasks.post.shipment_looks import may_still_arrive
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.magento import MagentoClient

OPERATION = "add track"
SECONDS = 300
NOT_SENT = "UNAVAILABLE"
FAILED = "TRACK_NOT_ADDED"


def track_key(dispatch_number: str, track_number: str) -> str:
    """Return the key under which a tracking number is added once; numbers may hold anything, so they are hashed."""
    return f"magento/track/{dispatch_number}/{hashlib.sha256(track_number.encode()).hexdigest()[:16]}"


@task(cache_policy=NO_CACHE)
def post_tracks(requests: Sequence[TrackRequest]) -> list[PostingResult]:
    """Add tracking numbers to the shipments of told dispatches; returns one result per dispatch.

    Source: POST /V1/shipment/track. Magento takes the same number twice, so the shipment is read first and a number
    that stands on it is not sent; after a lost answer the next run reads it again. When Magento is out of reach the
    rest stays `waiting`.
    """
    if not requests:
        return []
    settings = Settings.from_env()
    results: list[PostingResult] = []
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        for position, request in enumerate(requests):
            try:
                results.append(_add_all(ledger, magento, settings, request))
            except SystemUnavailableError as error:
                left = requests[position:]
                return results + [_result(each, "waiting", code=NOT_SENT, detail=str(error)) for each in left]
    return results


def _add_all(ledger: Ledger, magento: MagentoClient, settings: Settings, request: TrackRequest) -> PostingResult:
    with ledger.lane(f"order {request.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
        if not is_ours:
            return _result(request, "waiting", detail="another worker has this order")
        try:
            standing = _numbers(magento, request)
        except (CallRefusedError, UnexpectedResponseError) as error:
            return _result(request, "refused", code=FAILED, detail=str(error))
        for track in request.tracks:
            problem = _add(ledger, magento, settings, request, track, standing)
            if problem is not None:
                return problem
        return _result(request, "posted", reference=request.shipment_id)


def _add(
    ledger: Ledger, magento: MagentoClient, settings: Settings, request: TrackRequest, track: Track, standing: set[str]
) -> PostingResult | None:
    """Add one number that the shipment lacks; returns None when it stands there afterwards."""
    key = track_key(request.dispatch_number, track.number)
    last = ledger.posting(key)
    is_open = last is not None and last.state in ("pending", "unknown")
    if track.number in standing:
        if last is not None and is_open:
            ledger.resolve_posting(last.id, "posted", reference=request.shipment_id)
        ledger.keep_tracks(request.dispatch_number, [track])
        return None
    if last is not None and is_open:
        if may_still_arrive(last, settings.fulfilment.settle_seconds):
            return _result(request, "waiting", detail="Magento does not show the number yet: a later run looks again")
        ledger.resolve_posting(last.id, "not_there")
    elif last is not None and last.state == "posted":
        return _result(request, "refused", code=FAILED, detail="it was added, and somebody removed it in Magento")
    posting = ledger.begin_posting(
        key,
        system="magento",
        operation=OPERATION,
        subject=f"dispatch {request.dispatch_number}",
        request_hash=hashlib.sha256(repr((request.shipment_id, track)).encode()).hexdigest(),
    )
    try:
        reference = magento.add_track(request.entity_id_magento, request.shipment_id, track)
    except SystemUnavailableError as error:
        ledger.finish_posting(posting.id, "refused", error_code=NOT_SENT, error_text=str(error))
        raise
    except CallRefusedError as error:
        ledger.finish_posting(posting.id, "refused", error_code=error.code, error_text=str(error))
        return _result(request, "refused", code=FAILED, detail=error.message)
    except OutcomeUnknownError as error:
        ledger.finish_posting(posting.id, "unknown", error_text=str(error))
        return _looked(ledger, magento, request, track, posting.id)
    ledger.keep_tracks(request.dispatch_number, [track])
    ledger.finish_posting(posting.id, "posted", reference=str(reference))
    return None


def _looked(
    ledger: Ledger, magento: MagentoClient, request: TrackRequest, track: Track, posting_id: int
) -> PostingResult | None:
    """Read the shipment after a lost answer; a number that is not there may yet arrive, so the next run looks."""
    try:
        is_there = track.number in _numbers(magento, request)
    except (CallRefusedError, OutcomeUnknownError, SystemUnavailableError, UnexpectedResponseError):
        is_there = False
    if not is_there:
        return _result(request, "unknown", code=FAILED, detail="Magento's answer was lost; the next run looks again")
    ledger.resolve_posting(posting_id, "posted", reference=request.shipment_id)
    ledger.keep_tracks(request.dispatch_number, [track])
    return None


def _numbers(magento: MagentoClient, request: TrackRequest) -> set[str]:
    shipment = magento.shipment(request.shipment_id)
    return {str(track.get("track_number")) for track in shipment.get("tracks") or []}


def _result(
    request: TrackRequest, state: PostingState, *, reference: str = "", code: str = "", detail: str = ""
) -> PostingResult:
    key = f"magento/track/{request.dispatch_number}"
    return PostingResult(key, request.dispatch_number, state, reference, code, detail)
