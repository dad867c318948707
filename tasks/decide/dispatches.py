"""PRIMA's dispatches to Magento shipments with explicit lines, or to exceptions. Pure."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rapidfuzz import process

from schemas.batches import rows_of
from schemas.dispatches import DispatchEvidence, DispatchPlan, OpenLine, OpenOrder
from schemas.documents import ExceptionNote, ShipmentLine, ShipmentRequest, StockTuple, Track
from schemas.rules import DispatchRules

Row = Mapping[str, Any]
CLOSED_IN_MAGENTO = ("canceled", "closed")
MAGENTO_CUSTOM_CARRIER = "custom"


def dispatches(
    rows: pd.DataFrame, lines: pd.DataFrame, evidence: DispatchEvidence, rules: DispatchRules
) -> DispatchPlan:
    """Return the plan, dispatches in the order in which the goods left.

    Units that several dispatches of one order take are counted down here, so that two of them never ship the same unit.
    """
    plan = DispatchPlan()
    lines_of = {number: rows_of(some) for number, some in lines.groupby("dispatch_number", sort=False)}
    left = {(number, line.line_number): line.left for number, order in evidence.orders.items() for line in order.lines}
    for row in rows_of(rows.sort_values(["dispatched_at", "dispatch_number"])):
        number = row["dispatch_number"]
        if number in evidence.told:
            plan.already_told.append(number)
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
        _plan_one(plan, row, order, lines_of.get(number, []), left, rules)
    return plan


def rejected(rows: pd.DataFrame) -> list[ExceptionNote]:
    """Return an exception for each dispatch that failed its schema."""
    return [_exception(row, None, "ROW_REJECTED", row["detail"]) for row in rows_of(rows)]


def _plan_one(
    plan: DispatchPlan,
    row: Row,
    order: OpenOrder,
    lines: list[dict[str, Any]],
    left: dict[tuple[str, int], int],
    rules: DispatchRules,
) -> None:
    prima_number = row["order_number_prima"]
    if not lines:
        plan.exceptions.append(_exception(row, order, "DISPATCH_LINE_UNKNOWN", "PRIMA shows no line of the dispatch"))
        return
    wanted: dict[int, int] = {}
    by_number = {line.line_number: line for line in order.lines}
    for line in lines:
        if _tuple(line) in rules.service_items:
            continue
        known = by_number.get(line["order_line_number"])
        if known is None:
            detail = f"line {line['order_line_number']} of order {prima_number}"
            plan.exceptions.append(_exception(row, order, "DISPATCH_LINE_UNKNOWN", detail))
            return
        if known.is_shipped:
            wanted[known.line_number] = wanted.get(known.line_number, 0) + int(line["quantity"])
    if not wanted:
        plan.nothing_to_ship.append((row["dispatch_number"], order.order_number))
        return
    problem = _shipping_problem(prima_number, order, wanted, by_number, left)
    if problem is not None:
        plan.exceptions.append(_exception(row, order, *problem))
        return
    carrier = rules.carriers.get(row["carrier"])
    if carrier is None:
        note = _exception(row, order, "CARRIER_UNKNOWN", _carrier_detail(row["carrier"], rules))
        if rules.unknown_carrier == "hold":
            plan.exceptions.append(note)
            return
        plan.warnings.append(note)
    for line_number, quantity in wanted.items():
        left[prima_number, line_number] -= quantity
    given = row["tracking_numbers"].split(";") if carrier else []
    tracks = dict.fromkeys(number.strip() for number in given if number.strip())
    plan.to_ship.append(
        ShipmentRequest(
            dispatch_number=row["dispatch_number"],
            order_number=order.order_number,
            entity_id_magento=order.entity_id_magento,
            lines=tuple(ShipmentLine(by_number[number].item_id_magento, units) for number, units in wanted.items()),
            tracks=tuple(
                Track(number, carrier.magento_carrier_code, carrier.title) for number in tracks if carrier is not None
            ),
            notify_customer=rules.notify_customer,
        )
    )


def _shipping_problem(
    prima_number: str,
    order: OpenOrder,
    wanted: Mapping[int, int],
    by_number: Mapping[int, OpenLine],
    left: Mapping[tuple[str, int], int],
) -> tuple[str, str] | None:
    if order.state_magento in CLOSED_IN_MAGENTO:
        return "DISPATCH_ORDER_CANCELLED", f"the order is {order.state_magento} in Magento"
    for line_number, quantity in wanted.items():
        available = left[prima_number, line_number]
        if quantity > available:
            sku = by_number[line_number].sku
            return "DISPATCH_TOO_MANY", f"{quantity} of {sku} dispatched, {available} left to ship in Magento"
    return None


def _exception(row: Row, order: OpenOrder | None, code: str, detail: str) -> ExceptionNote:
    return ExceptionNote(
        code=code,
        subject=f"dispatch {row['dispatch_number']}",
        detail=detail,
        order_number=order.order_number if order else "",
        value_at_risk_pence=order.gross_pence if order else 0,
        currency=order.currency if order else "GBP",
    )


def _carrier_detail(carrier: str, rules: DispatchRules) -> str:
    near = [match for match, _, _ in process.extract(carrier, rules.carriers.keys(), limit=3, score_cutoff=60)]
    meant = f"; meant may be {', '.join(near)}" if near else ""
    return f"carrier {carrier or '(empty)'} stands in no [carriers] entry{meant}"


def _tuple(line: Row) -> StockTuple:
    return StockTuple(line["product"], line["mtrx1"], line["mtrx2"], line["mtrx3"], line["mtrx4"])
