"""Dispatches into Magento as shipments, each told once: explicit lines, read back, looked up when an answer is lost."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult, PostingState, chunks
from schemas.documents import ShipmentRequest
from tasks import connect
from tasks.errors import CallRefusedError, OutcomeUnknownError, SystemUnavailableError, UnexpectedResponseError
from tasks.post import shipment_looks as looks
from tasks.settings import Settings
from tasks.systems.ledger import EvidenceItem, Ledger, LineProgress, Posting, PostingExistsError
from tasks.systems.magento import NOT_SAVED, MagentoClient
from tasks.systems.magento.quantities import items_by_id, left_to_ship

OPERATION = "ship"
SECONDS = 300
KEY = "magento/shipment/"
NOT_SENT = "UNAVAILABLE"
OVER_IN_MAGENTO = ("canceled", "closed")
# The stock of a source is not written while goods leave it; so many orders are told before a push may have its turn.
ORDERS_A_TURN = 10
UNREADABLE = (CallRefusedError, OutcomeUnknownError, SystemUnavailableError, UnexpectedResponseError)


def posting_key(dispatch_number: str) -> str:
    """Return the key under which a dispatch is told once and only once."""
    return f"{KEY}{dispatch_number}"


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the threads that tell share."""

    ledger: Ledger
    magento: MagentoClient
    settings: Settings
    is_out_of_reach: Event = field(default_factory=Event)
    reasons: list[str] = field(default_factory=list)


@task(cache_policy=NO_CACHE)
def look_up_open_shipments() -> list[PostingResult]:
    """Look in Magento for every shipment of which an earlier run did not learn how it ended; one result each.

    Source: GET /V1/shipments of the order. A shipment that is there is linked; a positive "not there" frees the
    dispatch, once its call can take no effect any more (`fulfilment.settle_seconds`). This comes before anything is
    decided: a shipment that exists leaves nothing to ship in Magento.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        connect.free_lanes_of_the_dead(ledger)
        left_open = [
            posting
            for posting in ledger.postings_in("magento", ("pending", "unknown"))
            if posting.operation == OPERATION
        ]
        if not left_open:
            return []
        with connect.open_magento(settings) as magento:
            desk = _Desk(ledger, magento, settings)
            return [_look_up(desk, posting.key.removeprefix(KEY)) for posting in left_open]


@task(cache_policy=NO_CACHE)
def post_shipments(requests: Sequence[ShipmentRequest]) -> list[PostingResult]:
    """Create a Magento shipment for each dispatch; returns one result per dispatch, in their order.

    Source: POST /V1/order/{id}/ship. What is left to ship is read just before, and the shipment and the order just
    after. Before the call the ledger holds a pending posting; a posting that an earlier run left open is looked up in
    the order's shipments first. Shipping waits while stock of the source is being written, and goods leave the source
    of the order's store. When Magento is out of reach the rest stays `waiting`.
    """
    settings = Settings.from_env()
    by_order: dict[str, list[ShipmentRequest]] = {}
    for request in requests:
        by_order.setdefault(request.order_number, []).append(request)
    results: dict[str, PostingResult] = {}
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        connect.free_lanes_of_the_dead(ledger)
        desk = _Desk(ledger, magento, settings)
        for turn in chunks(list(by_order.values()), ORDERS_A_TURN):
            for result in _take_turn(desk, turn):
                results[result.subject] = result
    return [results[request.dispatch_number] for request in requests]


def _take_turn(desk: _Desk, turn: Sequence[Sequence[ShipmentRequest]]) -> list[PostingResult]:
    """Tell the dispatches of a few orders while no stock of the source is written; those of one order in turn."""
    if not desk.is_out_of_reach.is_set():
        try:
            with connect.stock_lane(desk.settings):
                with ThreadPoolExecutor(max_workers=desk.settings.magento.max_connections) as pool:
                    told = list(pool.map(lambda of_order: _tell_all(desk, of_order), turn))
                    return [each for of_order in told for each in of_order]
        except connect.LaneTakenError as error:
            return [_result(each, "waiting", detail=str(error)) for of_order in turn for each in of_order]
    return [each for of_order in turn for each in _tell_all(desk, of_order)]


def _tell_all(desk: _Desk, requests: Sequence[ShipmentRequest]) -> list[PostingResult]:
    results = []
    for request in requests:
        if desk.is_out_of_reach.is_set():
            results.append(_result(request, "waiting", code=NOT_SENT, detail=desk.reasons[0]))
            continue
        try:
            results.append(_tell(desk, request))
        except SystemUnavailableError as error:
            desk.reasons.append(str(error))
            desk.is_out_of_reach.set()
            results.append(_result(request, "waiting", code=NOT_SENT, detail=str(error)))
    return results


def _tell(desk: _Desk, request: ShipmentRequest) -> PostingResult:
    ledger = desk.ledger
    with ledger.lane(f"order {request.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
        if not is_ours:
            return _result(request, "waiting", detail="another worker has this order")
        link = ledger.dispatch_link(request.dispatch_number)
        if link is not None and link.state == "shipped":
            return _result(request, "already", reference=link.shipment_id)
        attempts = ledger.attempts(posting_key(request.dispatch_number))
        if attempts and attempts[-1].state != "refused":
            return _look(desk, request.entity_id_magento, request.order_number, attempts)
        if any(attempt.resolution for attempt in attempts):
            # An earlier call was not there when it was looked for; it may have arrived since.
            try:
                found = looks.find_shipment(
                    ledger, desk.magento, request.entity_id_magento, request.dispatch_number, attempts
                )
            except UnexpectedResponseError as error:
                return _result(request, "unknown", code="SHIPMENT_OUTCOME_UNKNOWN", detail=str(error))
            if found is not None:
                return _found_late(desk, request, found)
        order = ledger.order(request.order_number)
        source = connect.source_of_store(desk.settings, order.store_id if order is not None else 0)
        return _ship(desk, replace(request, source_code=source))


def _ship(desk: _Desk, request: ShipmentRequest) -> PostingResult:
    ledger, magento = desk.ledger, desk.magento
    try:
        before = magento.order(request.entity_id_magento)
    except (CallRefusedError, OutcomeUnknownError, UnexpectedResponseError) as error:
        return _result(request, "refused", code="SHIPMENT_REFUSED", detail=f"the order cannot be read: {error}")
    problem = _problem(request, before)
    if problem is not None:
        return _result(request, "refused", code=problem[0], detail=problem[1])
    try:
        posting = _begin(ledger, request)
    except PostingExistsError as exists:
        return _look(desk, request.entity_id_magento, request.order_number, [exists.posting])
    try:
        shipment_id = magento.ship(request)
    except SystemUnavailableError as error:
        ledger.finish_posting(posting.id, "refused", error_code=NOT_SENT, error_text=str(error))
        raise
    except CallRefusedError as error:
        ledger.finish_posting(posting.id, "refused", error_code=error.code, error_text=str(error))
        code = "SHIPMENT_WITHOUT_STOCK" if error.code == NOT_SAVED else "SHIPMENT_REFUSED"
        return _result(request, "refused", code=code, detail=error.message)
    except OutcomeUnknownError as error:
        ledger.finish_posting(posting.id, "unknown", error_text=str(error))
        looked = _look(desk, request.entity_id_magento, request.order_number, ledger.attempts(posting.key))
        return _compared(desk, request, looked, before) if looked.state == "posted" else looked
    ledger.finish_dispatch(posting, request.dispatch_number, request.order_number, shipment_id, request.tracks)
    return _compared(desk, request, _result(request, "posted", reference=shipment_id), before)


def _begin(ledger: Ledger, request: ShipmentRequest) -> Posting:
    text = looks.request_text(request)
    return ledger.begin_dispatch(
        posting_key(request.dispatch_number),
        operation=OPERATION,
        dispatch_number=request.dispatch_number,
        order_number=request.order_number,
        request_hash=hashlib.sha256(text.encode()).hexdigest(),
        request=EvidenceItem("magento shipment", f"dispatch {request.dispatch_number}", text, "application/json"),
    )


def _problem(request: ShipmentRequest, order: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return why Magento would not ship this, or not all of it: it ships less than asked without a word."""
    if order.get("state") in OVER_IN_MAGENTO:
        return "DISPATCH_ORDER_CANCELLED", f"the order is {order['state']} in Magento"
    items = items_by_id(order)
    for line in request.lines:
        item = items.get(line.item_id_magento, {})
        left = left_to_ship(item)
        if line.quantity > left:
            sku = item.get("sku", f"item {line.item_id_magento}")
            return "DISPATCH_TOO_MANY", f"{line.quantity} of {sku} dispatched, {left} left to ship in Magento"
    return None


def _look_up(desk: _Desk, dispatch_number: str) -> PostingResult:
    key = posting_key(dispatch_number)
    link = desk.ledger.dispatch_link(dispatch_number)
    order = desk.ledger.order(link.order_number) if link is not None else None
    if order is None:
        detail = "the ledger does not name its order"
        return PostingResult(key, dispatch_number, "unknown", code="SHIPMENT_OUTCOME_UNKNOWN", detail=detail)
    with desk.ledger.lane(f"order {order.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
        attempts = desk.ledger.attempts(key)
        if not is_ours or not attempts:
            return PostingResult(key, dispatch_number, "waiting", detail="another worker has this order")
        return _look(desk, order.entity_id_magento, order.order_number, attempts)


def _look(desk: _Desk, entity_id_magento: int, order_number: str, attempts: Sequence[Posting]) -> PostingResult:
    """Read the order's shipments for the one that tells of this dispatch; none frees the dispatch to be told."""
    ledger, posting = desk.ledger, attempts[-1]
    dispatch_number = posting.key.removeprefix(KEY)
    if posting.state == "posted":
        ledger.link_dispatch(dispatch_number, order_number, posting.reference, "shipped")
        return PostingResult(posting.key, dispatch_number, "already", posting.reference)
    if posting.state == "refused":
        return PostingResult(posting.key, dispatch_number, "waiting", detail="another worker had it refused")
    try:
        found = looks.find_shipment(ledger, desk.magento, entity_id_magento, dispatch_number, attempts)
    except UNREADABLE as error:
        code = "SHIPMENT_OUTCOME_UNKNOWN"
        return PostingResult(posting.key, dispatch_number, "unknown", code=code, detail=str(error))
    if found is None:
        if looks.may_still_arrive(posting, desk.settings.fulfilment.settle_seconds):
            detail = "Magento does not show it yet: a later run looks again"
        else:
            ledger.resolve_posting(posting.id, "not_there")
            detail = "Magento does not have it: to be told by the next run"
        return PostingResult(posting.key, dispatch_number, "waiting", detail=detail)
    shipment_id = str(found["entity_id"])
    tracks = looks.tracks_of(looks.kept_request(ledger, attempts))
    ledger.finish_dispatch(posting, dispatch_number, order_number, shipment_id, tracks)
    return PostingResult(posting.key, dispatch_number, "posted", shipment_id)


def _found_late(desk: _Desk, request: ShipmentRequest, found: Mapping[str, Any]) -> PostingResult:
    """Settle a dispatch whose earlier call arrived after it had been given up: nothing is sent again."""
    shipment_id = str(found["entity_id"])
    posting = _begin(desk.ledger, request)
    desk.ledger.finish_dispatch(posting, request.dispatch_number, request.order_number, shipment_id, request.tracks)
    return _compared(desk, request, _result(request, "posted", reference=shipment_id), None)


def _compared(
    desk: _Desk, request: ShipmentRequest, told: PostingResult, before: Mapping[str, Any] | None
) -> PostingResult:
    """Read shipment and order back: Magento silently ships less than asked when less is left."""
    try:
        shipment = desk.magento.shipment(told.reference)
        after = items_by_id(desk.magento.order(request.entity_id_magento))
    except UNREADABLE:
        return told  # told all the same; the census compares it once more
    problems = _differences(request, shipment)
    if before is not None:
        was = items_by_id(before)
        for line in request.lines:
            shipped = [int(items.get(line.item_id_magento, {}).get("qty_shipped") or 0) for items in (was, after)]
            if shipped[1] - shipped[0] < line.quantity:
                problems.append(f"item {line.item_id_magento} went from {shipped[0]} to {shipped[1]} shipped units")
    progress = [
        LineProgress(request.order_number, item_id, quantity_shipped=int(item.get("qty_shipped") or 0))
        for item_id, item in after.items()
    ]
    moved = desk.ledger.update_order_progress(progress)
    desk.ledger.forget_levels(sorted({(line.sku, line.source_code) for line in moved}))
    if not problems:
        return told
    return replace(told, code="SHIPMENT_DIFFERS", detail=f"shipment {told.reference}: {'; '.join(problems)}")


def _differences(request: ShipmentRequest, shipment: Mapping[str, Any]) -> list[str]:
    """Return what a shipment does not hold of its dispatch."""
    shipped = looks.units_of(shipment)
    short = [
        f"{shipped.get(line.item_id_magento, 0)} of {line.quantity} units of item {line.item_id_magento}"
        for line in request.lines
        if shipped.get(line.item_id_magento, 0) != line.quantity
    ]
    held = {str(track.get("track_number")) for track in shipment.get("tracks") or []}
    missing = sum(track.number not in held for track in request.tracks)
    return [*short, *([f"{missing} of {len(request.tracks)} tracking numbers missing"] if missing else [])]


def _result(
    request: ShipmentRequest, state: PostingState, *, reference: str = "", code: str = "", detail: str = ""
) -> PostingResult:
    return PostingResult(posting_key(request.dispatch_number), request.dispatch_number, state, reference, code, detail)
