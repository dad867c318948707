"""Cancellations on either side: what is to be cancelled on the other, and what only a person can settle. Pure."""

from collections.abc import Mapping

from schemas.acceptance import (
    CANCELLED,
    OVER_IN_MAGENTO,
    AcceptanceRules,
    AcceptedLine,
    AcceptedOrder,
    AcceptedOrders,
    AskedStates,
    CancellationPlan,
    CancelRequest,
    status_subject,
)
from schemas.batches import CheckedBatch, rows_of
from schemas.documents import ExceptionNote
from schemas.money import show


def cancellations(
    orders: CheckedBatch, lines: CheckedBatch, accepted: AcceptedOrders, asked: AskedStates, rules: AcceptanceRules
) -> CancellationPlan:
    """Return what is to be done about the orders that PRIMA or Magento cancelled, whole or in part.

    A status word that the settings do not map is one exception, however many orders have it: nothing is guessed.
    """
    plan = CancellationPlan(known_words=[word for word in accepted.open_words if rules.status(word) is not None])
    words = {**asked.words, **{row["order_number_prima"]: row["status"] for row in rows_of(orders.accepted)}}
    cancelled_units = _cancelled_units(lines)
    unknown: dict[str, list[str]] = {}
    for number, order in accepted.orders.items():
        word = words.get(number)
        if word is None:
            continue
        plan.looked_at.append(order.order_number)
        status = rules.status(word)
        if status is None and rules.reports_unknown_words:
            unknown.setdefault(word, []).append(number)
        if status == CANCELLED:
            _cancelled_in_prima(plan, order, word)
            continue
        note = _cancelled_in_part(order, cancelled_units)
        if note is not None:
            plan.exceptions.append(note)
        if order.state_magento == "canceled" and rules.cancels_in_prima:
            plan.in_prima.append(_request(order, word))
    plan.exceptions.extend(_unknown_word(word, numbers) for word, numbers in unknown.items())
    return plan


def _cancelled_in_prima(plan: CancellationPlan, order: AcceptedOrder, word: str) -> None:
    if order.state_magento in OVER_IN_MAGENTO:
        plan.settled.append(order.order_number)
    else:
        plan.in_magento.append(_request(order, word))


def _cancelled_units(lines: CheckedBatch) -> Mapping[tuple[str, int], int]:
    """Return the units that PRIMA cancelled, by its order number and line."""
    return {
        (row["order_number_prima"], int(row["line_number"])): int(row["quantity_cancelled"])
        for row in rows_of(lines.accepted)
        if row["quantity_cancelled"]
    }


def _cancelled_in_part(order: AcceptedOrder, units: Mapping[tuple[str, int], int]) -> ExceptionNote | None:
    """Return an exception for the units that PRIMA cancelled and Magento has neither cancelled nor refunded.

    Magento cancels an order as a whole, so only a person can settle it. Delivery sent as a line is no line of ours.
    """
    parts = []
    at_risk = 0
    for line in order.lines:
        open_units = units.get((order.order_number_prima, line.line_number), 0) - line.units_gone
        if open_units > 0:
            worth = _worth(line, open_units)
            at_risk += worth
            parts.append(
                f"line {line.line_number} ({line.sku}): {open_units} of {line.quantity} units, "
                f"{show(worth, order.currency)}"
            )
    if not parts:
        return None
    return ExceptionNote(
        "PRIMA_LINE_CANCELLED",
        f"order {order.order_number}",
        f"cancelled in PRIMA, still open in Magento: {'; '.join(parts)}",
        order_number=order.order_number,
        value_at_risk_pence=at_risk,
        currency=order.currency,
    )


def _worth(line: AcceptedLine, units: int) -> int:
    """Return what some units of a line carry of its gross, to the nearest penny: only to show what is at stake."""
    return (2 * line.figures.gross_pence * units + line.quantity) // (2 * line.quantity)


def _unknown_word(word: str, numbers: list[str]) -> ExceptionNote:
    return ExceptionNote(
        "PRIMA_STATUS_UNKNOWN",
        status_subject(word),
        f"'{word}' is the status of {len(numbers)} order(s), such as {min(numbers)}",
    )


def _request(order: AcceptedOrder, word: str) -> CancelRequest:
    return CancelRequest(
        order.order_number,
        order.order_number_prima,
        order.entity_id_magento,
        order.currency,
        order.figures.gross_pence,
        word,
    )
