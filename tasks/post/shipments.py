"""Dispatches into Magento as shipments, each told once: explicit lines, read back, looked up when an answer is lost."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

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
OPERATION = "ship"
SECONDS = 300
KEY = "magento/shipment/"


def posting_key(dispatch_number: str) -> str:
    """Return the key under which a dispatch is told once and only once."""
    return f"{KEY}{dispatch_number}"


@task(cache_policy=NO_CACHE)
def look_up_open_shipments() -> list[PostingResult]:
    """Look in Magento for every shipment of which an earlier run did not learn how it ended; one result each.

    Source: GET /V1/shipments of the order. A shipment that is there is linked; a positive "not there" frees the
    dispatch. This comes before anything is decided: a shipment that exists leaves nothing to ship in Magento.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        connect.free_lanes_of_the_dead(ledger)
        left_open = [
            posting for posting in ledger.postings_in(SYSTEM, ("pending", "unknown")) if posting.operation == OPERATION
        ]
        if not left_open:
            return []
        with connect.open_magento(settings) as magento:
            return [_look_up(ledger, magento, posting.key.removeprefix(KEY)) for posting in left_open]


@task(cache_policy=NO_CACHE)
def post_shipments(requests: Sequence[ShipmentRequest]) -> list[PostingResult]:
    """Create a Magento shipment for each dispatch; returns one result per dispatch.

    Source: POST /V1/order/{id}/ship. Before the call the ledger holds a pending posting; a posting that an earlier run
    left open is looked up in the order's shipments first. Shipping waits while stock of the source is being written.
    Goods leave the source that stock is written to. When Magento is out of reach the rest stays `waiting`.
    """
    settings = Settings.from_env()
    results: list[PostingResult] = []
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        connect.free_lanes_of_the_dead(ledger)
        for position, request in enumerate(requests):
            try:
                named = replace(request, source_code=settings.magento.source_code)
                results.append(_tell(ledger, magento, settings, named))
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
        ledger.link_dispatch(request.dispatch_number, request.order_number, "", "to be told")
        with connect.stock_lane(settings):
            return _ship(ledger, magento, request)


def _ship(ledger: Ledger, magento: MagentoClient, request: ShipmentRequest) -> PostingResult:
    try:
        posting = ledger.begin_posting(
            posting_key(request.dispatch_number),
            system=SYSTEM,
            operation=OPERATION,
            subject=f"dispatch {request.dispatch_number}",
            request_hash=hashlib.sha256(repr(request).encode()).hexdigest(),
        )
    except PostingExistsError as exists:
        return _look(ledger, magento, request.entity_id_magento, request.order_number, exists.posting)
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
        looked = _look(ledger, magento, request.entity_id_magento, request.order_number, posting)
        return _compared(magento, request, looked) if looked.state == "posted" else looked
    # The link first: a run that stops between the two leaves a posting that is looked up, never one that nobody reads.
    ledger.link_dispatch(request.dispatch_number, request.order_number, shipment_id, "shipped")
    ledger.finish_posting(posting.id, "posted", reference=shipment_id)
    return _compared(magento, request, _result(request, "posted", reference=shipment_id))


def _look_up(ledger: Ledger, magento: MagentoClient, dispatch_number: str) -> PostingResult:
    key = posting_key(dispatch_number)
    link = ledger.dispatch_link(dispatch_number)
    order = ledger.order(link.order_number) if link is not None else None
    if order is None:
        detail = "the ledger does not name its order"
        return PostingResult(key, dispatch_number, "unknown", code="SHIPMENT_OUTCOME_UNKNOWN", detail=detail)
    with ledger.lane(f"order {order.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
        posting = ledger.posting(key)
        if not is_ours or posting is None:
            return PostingResult(key, dispatch_number, "waiting", detail="another worker has this order")
        return _look(ledger, magento, order.entity_id_magento, order.order_number, posting)


def _look(
    ledger: Ledger, magento: MagentoClient, entity_id_magento: int, order_number: str, posting: Posting
) -> PostingResult:
    """Read the order's shipments for the one that names this dispatch; none frees the dispatch to be told."""
    dispatch_number = posting.key.removeprefix(KEY)
    if posting.state == "posted":
        ledger.link_dispatch(dispatch_number, order_number, posting.reference, "shipped")
        return PostingResult(posting.key, dispatch_number, "already", posting.reference)
    if posting.state == "refused":
        return PostingResult(posting.key, dispatch_number, "waiting", detail="another worker had it refused")
    try:
        found = magento.shipment_of_dispatch(entity_id_magento, dispatch_number)
    except (CallRefusedError, OutcomeUnknownError, SystemUnavailableError) as error:
        code = "SHIPMENT_OUTCOME_UNKNOWN"
        return PostingResult(posting.key, dispatch_number, "unknown", code=code, detail=str(error))
    if found is None:
        ledger.resolve_posting(posting.id, "not_there")
        detail = "Magento does not have it: to be told by the next run"
        return PostingResult(posting.key, dispatch_number, "waiting", detail=detail)
    shipment_id = str(found["entity_id"])
    ledger.link_dispatch(dispatch_number, order_number, shipment_id, "shipped")
    ledger.resolve_posting(posting.id, "posted", reference=shipment_id)
    return PostingResult(posting.key, dispatch_number, "posted", shipment_id)


def _compared(magento: MagentoClient, request: ShipmentRequest, told: PostingResult) -> PostingResult:
    """Read the shipment back: Magento silently ships less than asked when less is left."""
    difference = _difference(magento, request, told.reference)
    return replace(told, code="SHIPMENT_REFUSED", detail=difference) if difference else told


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
