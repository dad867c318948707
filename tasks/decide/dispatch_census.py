"""What left PRIMA and does not show in Magento, and what was shipped in Magento by hand. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.dispatch_census import (
    STATUSES,
    CensusDispatch,
    CensusOrder,
    CensusShipment,
    DispatchCensus,
    DispatchCensusEvidence,
    DispatchCensusRule,
    Listed,
)
from schemas.documents import ExceptionNote

NOT_SHIPPED = "NOT_SHIPPED_IN_MAGENTO"
BY_HAND = "SHIPPED_BY_HAND"


def dispatch_census(evidence: DispatchCensusEvidence, rule: DispatchCensusRule) -> DispatchCensus:
    """Count every dispatch and every shipment once, and list what has no counterpart, with age and value.

    A dispatch counts as shipped when its shipment holds its units: one that Magento cut short, or that somebody
    deleted, is listed with what is missing. Dispatches of orders that did not come through here are counted only.
    """
    orders = {order.order_number_prima: order for order in evidence.orders}
    shipments = {shipment.shipment_id: shipment for shipment in evidence.shipments}
    counts = dict.fromkeys(STATUSES, 0)
    counts |= {"dispatches": len(evidence.dispatches) + evidence.others, "of other channels": evidence.others}
    not_shipped: list[Listed] = []
    for dispatch in evidence.dispatches:
        order = orders.get(dispatch.order_number_prima)
        missing = {} if order is None else _missing(dispatch, order, shipments)
        status = _status(dispatch, order, missing, evidence, rule)
        counts[status] += 1
        if status == "not shipped" and order is not None:
            not_shipped.append(_listed_dispatch(dispatch, order, missing, evidence))
    by_id = {order.entity_id_magento: order for order in evidence.orders}
    by_hand = [
        _listed_shipment(shipment, by_id[shipment.entity_id_magento], evidence.taken_at)
        for shipment in evidence.shipments
        if not shipment.is_ours
        and shipment.entity_id_magento in by_id
        and shipment.created_at >= by_id[shipment.entity_id_magento].accepted_at
    ]
    counts |= {"shipments": len(shipments), "shipped by hand": len(by_hand)}
    new = [each for each in by_hand if each.subject not in evidence.known_by_hand]
    return DispatchCensus(counts, not_shipped, by_hand, [*_notes(NOT_SHIPPED, not_shipped), *_notes(BY_HAND, new)])


def _missing(dispatch: CensusDispatch, order: CensusOrder, shipments: Mapping[str, CensusShipment]) -> dict[int, int]:
    """Return the units of a dispatch, by line, that Magento's shipment of it does not hold."""
    shipment = shipments.get(dispatch.shipment_id)
    missing = {}
    for line in order.lines:
        wanted = dispatch.units.get(line.line_number, 0) if line.is_shipped else 0
        held = shipment.units.get(line.item_id_magento, 0) if shipment is not None else 0
        if wanted > held:
            missing[line.line_number] = wanted - held
    return missing


def _status(
    dispatch: CensusDispatch,
    order: CensusOrder | None,
    missing: Mapping[int, int],
    evidence: DispatchCensusEvidence,
    rule: DispatchCensusRule,
) -> str:
    if order is None:
        return "order unknown"
    if dispatch.is_told and not dispatch.shipment_id:
        return "nothing to ship"
    if dispatch.is_told and not missing:
        return "shipped"
    if dispatch.shipment_id in evidence.unread or (
        not dispatch.is_told and order.entity_id_magento in evidence.unclear
    ):
        return "shipment unreadable"
    return "just left" if dispatch.dispatched_at > evidence.taken_at - rule.overdue else "not shipped"


def _listed_dispatch(
    dispatch: CensusDispatch, order: CensusOrder, missing: Mapping[int, int], evidence: DispatchCensusEvidence
) -> Listed:
    lines = {line.line_number: line for line in order.lines}
    parts = [f"{units} of {lines[number].sku}" for number, units in missing.items()]
    why = evidence.noted.get(dispatch.dispatch_number) or ()
    held = f"; held by {', '.join(why)}" if why else ""
    shipment = f"; shipment {dispatch.shipment_id} does not hold it" if dispatch.shipment_id else ""
    what = ", ".join(parts) or "no line that Magento knows"
    return Listed(
        f"dispatch {dispatch.dispatch_number}",
        order.order_number,
        dispatch.dispatched_at,
        sum(lines[number].value_of(units) for number, units in missing.items()),
        order.currency,
        f"{what}, {age(dispatch.dispatched_at, evidence.taken_at)} old{shipment}{held}",
    )


def _listed_shipment(shipment: CensusShipment, order: CensusOrder, taken_at: datetime) -> Listed:
    lines = {line.item_id_magento: line for line in order.lines}
    known = {item: units for item, units in shipment.units.items() if item in lines}
    return Listed(
        f"shipment {shipment.shipment_number}",
        order.order_number,
        shipment.created_at,
        sum(lines[item].value_of(units) for item, units in known.items()),
        order.currency,
        ", ".join(f"{units} of {lines[item].sku}" for item, units in known.items())
        + f", {age(shipment.created_at, taken_at)} old",
    )


def age(at: datetime, now: datetime) -> str:
    """Return an age in words: whole days, or whole hours below two days."""
    hours = int((now - at).total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hour{'' if hours == 1 else 's'}"


def _notes(code: str, listed: Sequence[Listed]) -> list[ExceptionNote]:
    return [
        ExceptionNote(
            code,
            each.subject,
            each.detail,
            order_number=each.order_number,
            value_at_risk_pence=each.value_pence,
            currency=each.currency,
        )
        for each in listed
    ]
