"""PRIMA's dispatches to Magento shipments with explicit lines, or to exceptions. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schemas.batches import rows_of
from schemas.dispatches import DispatchEvidence, DispatchPlan, OpenLine, OpenOrder, ToldDispatch
from schemas.documents import ExceptionNote, ShipmentLine, ShipmentRequest, StockTuple, TrackRequest
from schemas.rules import DispatchRules
from tasks.decide import carriers

Row = Mapping[str, Any]
Left = dict[tuple[str, int], int]
CLOSED_IN_MAGENTO = ("canceled", "closed")
PLAIN_NUMBER = re.compile(r"[A-Za-z0-9 ./-]{1,40}")


def dispatches(
    rows: pd.DataFrame, lines: pd.DataFrame, evidence: DispatchEvidence, rules: DispatchRules
) -> DispatchPlan:
    """Return the plan, dispatches in the order in which the goods left.

    Units that several dispatches of one order take are counted down here, so that two of them never ship the same unit.
    """
    plan = DispatchPlan()
    lines_of = {number: rows_of(some) for number, some in lines.groupby("dispatch_number", sort=False)}
    left: Left = {
        (number, line.line_number): line.left for number, order in evidence.orders.items() for line in order.lines
    }
    for row in rows_of(rows.sort_values(["dispatched_at", "dispatch_number"])):
        number = row["dispatch_number"]
        if number in evidence.told:
            plan.already_told.append(number)
            _follow_parcels(plan, row, evidence.told[number], rules)
            continue
        if number in evidence.unclear:
            plan.exceptions.append(_exception(row, None, "SHIPMENT_OUTCOME_UNKNOWN", "it could not be looked up"))
            continue
        order = evidence.orders.get(row["order_number_prima"])
        if order is None:
            plan.exceptions.append(
                _exception(row, None, "DISPATCH_ORDER_UNKNOWN", f"order {row['order_number_prima']}")
            )
            continue
        if order.problem:
            plan.exceptions.append(_exception(row, order, "SHIPMENT_REFUSED", order.problem))
            continue
        _plan_one(plan, row, order, lines_of.get(number, []), left, rules)
    return plan


def rejected(rows: pd.DataFrame) -> list[ExceptionNote]:
    """Return an exception for each dispatch that failed its schema."""
    return [_exception(row, None, "ROW_REJECTED", row["detail"]) for row in rows_of(rows)]


def _plan_one(
    plan: DispatchPlan, row: Row, order: OpenOrder, lines: Sequence[Row], left: Left, rules: DispatchRules
) -> None:
    if not lines:
        plan.exceptions.append(_exception(row, order, "DISPATCH_LINE_UNKNOWN", "PRIMA shows no line of the dispatch"))
        return
    by_number = {line.line_number: line for line in order.lines}
    wanted, problems = _wanted(row, lines, by_number, rules)
    if not wanted and not problems:
        plan.nothing_to_ship.append((row["dispatch_number"], order.order_number))
        return
    if order.state_magento in CLOSED_IN_MAGENTO:
        detail = f"the order is {order.state_magento} in Magento"
        plan.exceptions.append(_exception(row, order, "DISPATCH_ORDER_CANCELLED", detail))
        return
    for line_number in list(wanted):
        available = left[row["order_number_prima"], line_number]
        if wanted[line_number] > available:
            sku, units = by_number[line_number].sku, wanted.pop(line_number)
            problems.append(("DISPATCH_TOO_MANY", f"{units} of {sku} dispatched, {available} left to ship in Magento"))
    notes = [_exception(row, order, code, text) for code, text in _joined(problems).items()]
    carrier = rules.carriers.get(row["carrier"])
    is_known = rules.is_known(row["carrier"])
    if not is_known:
        notes.append(_carrier_unknown(row, order, rules))
    is_held = (not is_known and rules.unknown_carrier == "hold") or not wanted
    if is_held or (problems and rules.rest_of_dispatch == "waits"):
        plan.exceptions.append(notes[0])
        return
    plan.warnings.extend(notes)
    for line_number, quantity in wanted.items():
        left[row["order_number_prima"], line_number] -= quantity
    plan.to_ship.append(
        ShipmentRequest(
            dispatch_number=row["dispatch_number"],
            order_number=order.order_number,
            entity_id_magento=order.entity_id_magento,
            lines=tuple(ShipmentLine(by_number[number].item_id_magento, units) for number, units in wanted.items()),
            tracks=carriers.tracks(row, carrier) if carrier else (),
            notify_customer=rules.notify_customer,
        )
    )


def _wanted(
    row: Row, lines: Sequence[Row], by_number: Mapping[int, OpenLine], rules: DispatchRules
) -> tuple[dict[int, int], list[tuple[str, str]]]:
    """Return the units to ship by line of the order, and what is wrong with other lines of the dispatch."""
    wanted: dict[int, int] = {}
    problems: list[tuple[str, str]] = []
    for line in lines:
        if _tuple(line) in rules.service_items:
            continue
        known = by_number.get(line["order_line_number"])
        if known is None:
            text = f"line {line['order_line_number']} of order {row['order_number_prima']}"
            problems.append(("DISPATCH_LINE_UNKNOWN", text))
        elif known.is_shipped:
            wanted[known.line_number] = wanted.get(known.line_number, 0) + int(line["quantity"])
    return wanted, problems


def _joined(problems: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return one text for each code: a dispatch has one exception of a code."""
    texts: dict[str, list[str]] = {}
    for code, text in problems:
        texts.setdefault(code, []).append(text)
    return {code: "; ".join(dict.fromkeys(of_code)) for code, of_code in texts.items()}


def _follow_parcels(plan: DispatchPlan, row: Row, told: ToldDispatch, rules: DispatchRules) -> None:
    """Plan what the shipment of a told dispatch lacks: tracking that came later, was corrected, or can be read now."""
    if not told.shipment_id:
        return
    carrier = rules.carriers.get(row["carrier"])
    if carrier is None and rules.is_known(row["carrier"]):
        return
    if carrier is None:
        plan.warnings.append(_carrier_unknown(row, None, rules, told.order_number))
        return
    number = row["dispatch_number"]
    wanted = carriers.tracks(row, carrier)
    new = tuple(track for track in wanted if track.number not in told.tracks)
    if new:
        plan.tracks.append(TrackRequest(number, told.order_number, told.entity_id_magento, told.shipment_id, new))
    gone = sorted(told.tracks - {track.number for track in wanted})
    if gone:
        plan.withdrawn[number] = gone
        now = ", ".join(shown(track.number) for track in wanted) or "none"
        text = f"shipment {told.shipment_id} shows {', '.join(map(shown, gone))}; PRIMA now names {now}"
        plan.warnings.append(_exception(row, None, "TRACKING_CORRECTED", text, told.order_number))


def shown(track_number: str) -> str:
    """Return a tracking number for a text that people read; one that holds anything but plain signs is described."""
    if PLAIN_NUMBER.fullmatch(track_number):
        return track_number
    return f"a number of {len(track_number)} characters that is not plain text"


def _carrier_unknown(row: Row, order: OpenOrder | None, rules: DispatchRules, order_number: str = "") -> ExceptionNote:
    meant = carriers.suggestions(row["carrier"], rules.carriers)
    text = carriers.unknown(row["carrier"], meant)
    return _exception(row, order, "CARRIER_UNKNOWN", text, order_number, meant)


def _exception(
    row: Row,
    order: OpenOrder | None,
    code: str,
    detail: str,
    order_number: str = "",
    suggestions: tuple[str, ...] = (),
) -> ExceptionNote:
    return ExceptionNote(
        code=code,
        subject=f"dispatch {row['dispatch_number']}",
        detail=detail,
        order_number=order.order_number if order else order_number,
        value_at_risk_pence=order.gross_pence if order else 0,
        currency=order.currency if order else "GBP",
        suggestions=suggestions,
    )


def _tuple(line: Row) -> StockTuple:
    return StockTuple(line["product"], line["mtrx1"], line["mtrx2"], line["mtrx3"], line["mtrx4"])
