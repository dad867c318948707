"""Dispatches into Magento as shipments, each told once: explicit lines, read back, looked up when an answer is lost."""

import hashlib
from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult, PostingState
from schemas.documents import ShipmentRequest
from tasks import connect
from tasks.errors import CallRefusedError, OutcomeUnknownError, SystemUnavailableError, UnexpectedResponseError
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, PostingExistsError
from tasks.systems.ledger.records import Posting
from tasks.systems.magento import MagentoClient

SYSTEM = "magento"
SECONDS = 300


def posting_key(dispatch_number: str) -> str:
    """Return the key under which a dispatch is told once and only once."""
    return f"magento/shipment/{dispatch_number}"


@task(cache_policy=NO_CACHE)
def post_shipments(requests: Sequence[ShipmentRequest]) -> list[PostingResult]:
    """Create a Magento shipment for each dispatch; returns one result per dispatch.

    Source: POST /V1/order/{id}/ship. Before the call the ledger holds a pending posting; a posting that an earlier run
    left open is looked up in the order's shipments first. Shipping waits while stock of the source is being written.
    When Magento is out of reach the rest stays `waiting`.
    """
    settings = Settings.from_env()
    results: list[PostingResult] = []
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        connect.free_lanes_of_the_dead(ledger)
        for position, request in enumerate(requests):
            try:
                results.append(_tell(ledger, magento, settings, request))
            except SystemUnavailableError as error:
                left = requests[position:]
                return results + [_result(each, "waiting", code="UNAVAILABLE", detail=str(error)) for each in left]
    return results


def _tell(ledger: Ledger, magento: MagentoClient, settings: Settings, request: ShipmentRequest) -> PostingResult:
    with ledger.lane(f"order {request.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
        if not is_ours:
            return _result(request, "waiting", detail="another worker has this order")
        link = ledger.dispatch_link(request.dispatch_number)
        if link is not None and link.state == "shipped":
            return _result(request, "already", reference=link.shipment_id)
        with connect.stock_lane(settings):
            return _ship(ledger, magento, request)


def _ship(ledger: Ledger, magento: MagentoClient, request: ShipmentRequest) -> PostingResult:
    try:
        posting = ledger.begin_posting(
            posting_key(request.dispatch_number),
            system=SYSTEM,
            operation="ship",
            subject=f"dispatch {request.dispatch_number}",
            request_hash=hashlib.sha256(repr(request).encode()).hexdigest(),
        )
    except PostingExistsError as exists:
        return _look(ledger, magento, request, exists.posting)
    try:
        shipment_id = magento.ship(request)
    except SystemUnavailableError as error:
        ledger.finish_posting(posting.id, "refused", error_code="UNAVAILABLE", error_text=str(error))
        raise
    except CallRefusedError as error:
        ledger.finish_posting(posting.id, "refused", error_code=error.code, error_text=str(error))
        return _result(request, "refused", code="SHIPMENT_REFUSED", detail=error.message)
    except OutcomeUnknownError as error:
        ledger.finish_posting(posting.id, "unknown", error_text=str(error))
        return _look(ledger, magento, request, posting)
    return _told(ledger, magento, request, posting, shipment_id)


def _look(ledger: Ledger, magento: MagentoClient, request: ShipmentRequest, posting: Posting) -> PostingResult:
    """Read the order's shipments for the one that names this dispatch; none frees the dispatch for the next run."""
    if posting.state == "posted":
        return _told(ledger, magento, request, posting, posting.reference)
    try:
        found = magento.shipment_of_dispatch(request.entity_id_magento, request.dispatch_number)
    except (CallRefusedError, OutcomeUnknownError, SystemUnavailableError) as error:
        return _result(request, "unknown", code="SHIPMENT_OUTCOME_UNKNOWN", detail=str(error))
    if found is None:
        ledger.resolve_posting(posting.id, "not_there")
        return _result(request, "waiting", detail="Magento does not have it: to be told by the next run")
    ledger.resolve_posting(posting.id, "posted", reference=str(found["entity_id"]))
    return _told(ledger, magento, request, posting, str(found["entity_id"]))


def _told(
    ledger: Ledger, magento: MagentoClient, request: ShipmentRequest, posting: Posting, shipment_id: str
) -> PostingResult:
    """Link dispatch and shipment, then read the shipment back: Magento may silently have shipped less."""
    open_posting = ledger.posting(posting.key)
    if open_posting is not None and open_posting.state == "pending":
        ledger.finish_posting(posting.id, "posted", reference=shipment_id)
    ledger.link_dispatch(request.dispatch_number, request.order_number, shipment_id, "shipped")
    difference = _difference(magento, request, shipment_id)
    code = "SHIPMENT_REFUSED" if difference else ""
    return _result(request, "posted", reference=shipment_id, code=code, detail=difference)


def _difference(magento: MagentoClient, request: ShipmentRequest, shipment_id: str) -> str:
    """Return what the shipment does not hold of the dispatch; empty text when it holds all lines and tracks."""
    try:
        shipment = magento.shipment(shipment_id)
    except (CallRefusedError, OutcomeUnknownError, SystemUnavailableError, UnexpectedResponseError):
        return ""
    shipped: dict[int, int] = {}
    for item in shipment.get("items") or []:
        shipped[int(item["order_item_id"])] = shipped.get(int(item["order_item_id"]), 0) + int(item["qty"])
    short = [
        f"{shipped.get(line.item_id_magento, 0)} of {line.quantity} units of item {line.item_id_magento}"
        for line in request.lines
        if shipped.get(line.item_id_magento, 0) != line.quantity
    ]
    held = {str(track.get("track_number")) for track in shipment.get("tracks") or []}
    short += [f"no track {track.number}" for track in request.tracks if track.number not in held]
    return f"shipment {shipment_id} holds {', '.join(short)}" if short else ""


def _result(
    request: ShipmentRequest, state: PostingState, *, reference: str = "", code: str = "", detail: str = ""
) -> PostingResult:
    return PostingResult(posting_key(request.dispatch_number), request.dispatch_number, state, reference, code, detail)
