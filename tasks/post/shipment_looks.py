"""Looking before telling again: which shipment of an order, if any, came of a call whose answer was lost."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.documents import ShipmentRequest, Track
from schemas.unreadable import subject
from tasks.errors import UnexpectedResponseError
from tasks.systems.ledger import Ledger, Posting
from tasks.systems.magento import DISPATCH_COMMENT, MagentoClient, Unreadable

# How far Magento's clock may be from ours when a shipment is known by its content alone.
CLOCKS_APART = timedelta(minutes=10)
Record = Mapping[str, Any]


def request_text(request: ShipmentRequest) -> str:
    """Return what is kept of a request: enough to know its shipment again, and what was told."""
    return json.dumps(
        {
            "dispatch": request.dispatch_number,
            "order": request.order_number,
            "lines": [[line.item_id_magento, line.quantity] for line in request.lines],
            "tracks": [[track.number, track.carrier_code, track.title, track.url] for track in request.tracks],
            "source_code": request.source_code,
            "notify": request.notify_customer,
        },
        ensure_ascii=False,
    )


def kept_request(ledger: Ledger, attempts: Sequence[Posting]) -> dict[str, Any]:
    """Return the latest request that was kept for a posting; empty where none was."""
    for attempt in reversed(attempts):
        if attempt.request_evidence_id is not None:
            kept: dict[str, Any] = json.loads(ledger.evidence(attempt.request_evidence_id))
            return kept
    return {}


def tracks_of(request: Record) -> list[Track]:
    """Return the tracks of a kept request."""
    return [Track(*each) for each in request.get("tracks") or []]


def may_still_arrive(posting: Posting, settle_seconds: int) -> bool:
    """Tell whether a call whose answer was lost may still take effect: then its absence proves nothing yet."""
    return datetime.now(UTC) - posting.begun_at < timedelta(seconds=settle_seconds)


def find_shipment(
    ledger: Ledger, magento: MagentoClient, entity_id_magento: int, dispatch_number: str, attempts: Sequence[Posting]
) -> Record | None:
    """Return the shipment that tells of a dispatch, or None when the order has none.

    Source: GET /V1/shipments of the order. It is known by the dispatch number in its comment. That Magento keeps the
    comment of a shipment which it does not put into the e-mail is from its code and not from a recording, so one
    without such a comment that nobody else claims is known by lines, tracks and time as well.

    Raises UnexpectedResponseError when Magento has a shipment of the order which it does not hand out, and of which
    nobody knows whose it is: none of the others being it does not mean "not there".
    """
    reading = magento.documents_of("shipments", entity_id_magento)
    shipments = reading.records
    wanted = f"{DISPATCH_COMMENT}{dispatch_number}"
    for shipment in shipments:
        if wanted in _comments(shipment):
            return shipment
    told = ledger.shipments_linked([str(each.entity_id) for each in reading.unreadable])
    nobodys = [each for each in reading.unreadable if str(each.entity_id) not in told]
    if nobodys:
        raise may_be_it(nobodys)
    request = kept_request(ledger, attempts)
    if not request:
        return None
    since = min(attempt.begun_at for attempt in attempts) - CLOCKS_APART
    linked = ledger.shipments_linked([str(each["entity_id"]) for each in shipments])
    unclaimed = [
        each
        for each in shipments
        if str(each["entity_id"]) not in linked
        and not any(text.startswith(DISPATCH_COMMENT) for text in _comments(each))
        and is_made_of(each, request)
        and _created_at(each) >= since
    ]
    return unclaimed[0] if unclaimed else None


def may_be_it(unreadable: Sequence[Unreadable]) -> UnexpectedResponseError:
    """Return the error for what is looked for where Magento does not hand out everything that it may be."""
    first = unreadable[0]
    return UnexpectedResponseError(
        f"{subject(first.kind, first.entity_id)} cannot be read and may be it: {first.problem}",
        system="Magento",
        operation=f"look among {first.kind}",
    )


def is_made_of(shipment: Record, request: Record) -> bool:
    """Tell whether a shipment holds exactly the units and the tracks of a kept request."""
    numbers = Counter(str(track.get("track_number")) for track in shipment.get("tracks") or [])
    asked = Counter(track[0] for track in request["tracks"])
    return units_of(shipment) == dict(request["lines"]) and numbers == asked


def units_of(shipment: Record) -> dict[int, int]:
    """Return the units of a shipment by order line."""
    units: dict[int, int] = {}
    for item in shipment.get("items") or []:
        units[int(item["order_item_id"])] = units.get(int(item["order_item_id"]), 0) + int(item["qty"])
    return units


def _comments(shipment: Record) -> list[str]:
    return [str(each.get("comment", "")).strip() for each in shipment.get("comments") or [] if isinstance(each, dict)]


def _created_at(shipment: Record) -> datetime:
    return datetime.strptime(str(shipment["created_at"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
