"""What becomes of each refund and each credit note: settled, told, carried, or waiting with its age. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from schemas.documents import ExceptionNote
from schemas.money import show
from schemas.refunds import (
    UNITS_CANCELLED,
    CreditedOrder,
    CreditNote,
    Refund,
    RefundPlan,
    RefundRules,
    RefundToTell,
    Settlement,
)
from tasks.decide.refund_matches import Match, matches

NOTHING = "nothing was given back"
# A reason is shown when it is a code: free text might say something about the customer.
REASON_CODE = re.compile(r"[A-Z0-9_-]{1,20}")
CANCELLED = "PRIMA cancelled the order: there is no invoice to credit"


def refunds(orders: Sequence[CreditedOrder], rules: RefundRules) -> RefundPlan:
    """Return the plan for everything that is open, order by order.

    A refund is settled by the credit note of the same gross and VAT, by several, or because PRIMA never invoiced what
    was refunded. What stays open is told to PRIMA once (where the settings name an export) and ages: days since the
    payment, counted in London's dates.
    """
    plan = RefundPlan()
    for order in orders:
        found = matches(order.refunds, order.notes)
        for match in found.found:
            plan.settled.append(_settlement(order, match))
            if match.is_differing:
                plan.differing.append(_differing(order, match))
        left = _without_what_needs_no_note(order, found.refunds, plan)
        for refund in left:
            _wait_for_note(plan, order, refund, rules)
        for note in found.notes:
            _wait_for_refund(plan, note, rules, may_be_refunded=bool(left))
    return plan


def age_in_days(since: date, today: date) -> int:
    """Return how many days lie between two dates; 0 on the day itself, and for a date that is still to come."""
    return max(0, (today - since).days)


def stage(age: int, rules: RefundRules) -> int:
    """Return 0 before the warning, 1 from its day on, 2 from the day of the alert on."""
    return (age >= rules.warn_days) + (age >= rules.alert_days)


def refund_code(now: int) -> str:
    """Return the code of a refund without a credit note, by its stage."""
    return ("REFUND_TO_CREDIT", "REFUND_CREDIT_DUE", "REFUND_CREDIT_OVERDUE")[now]


def note_code(now: int) -> str:
    """Return the code of a credit note without a refund, by its stage."""
    return ("CREDIT_NOTE_TO_REFUND", "CREDIT_NOTE_REFUND_DUE", "CREDIT_NOTE_REFUND_OVERDUE")[now]


def rejected(rows: Sequence[Mapping[str, object]]) -> list[ExceptionNote]:
    """Return an exception for each credit memo that could not be read as a refund."""
    return [
        ExceptionNote(
            "REFUND_REJECTED",
            f"refund {row['refund_number']}",
            str(row["detail"]) or "its charges do not make its total",
            order_number=str(row["order_number"]),
        )
        for row in rows
    ]


def _settlement(order: CreditedOrder, match: Match) -> Settlement:
    numbers = tuple(note.credit_note_number for note in match.notes)
    return Settlement(
        order.order_number,
        tuple(refund.refund_number for refund in match.refunds),
        numbers,
        "gross agrees, VAT differs" if match.is_differing else "gross and VAT agree",
    )


def _differing(order: CreditedOrder, match: Match) -> ExceptionNote:
    """Return the exception of a pair that is the same refund with other figures."""
    (refund,), (note,) = match.refunds, match.notes
    return ExceptionNote(
        "REFUND_DIFFERS",
        refund.subject,
        f"Magento refunded {show(refund.gross_pence, refund.currency)} with VAT "
        f"{show(refund.vat_pence, refund.currency)}; PRIMA's credit note {note.credit_note_number} says "
        f"{show(note.gross_pence, note.currency)} with VAT {show(note.vat_pence, note.currency)}",
        order_number=order.order_number,
        value_at_risk_pence=max(abs(refund.gross_pence - note.gross_pence), abs(refund.vat_pence - note.vat_pence)),
        currency=refund.currency,
    )


def _without_what_needs_no_note(order: CreditedOrder, left: Sequence[Refund], plan: RefundPlan) -> list[Refund]:
    """Settle refunds for which no credit note will come, and return the others."""
    cancelled = dict(order.cancelled_units)
    still_open = []
    for refund in left:
        why = ""
        if refund.gross_pence == 0 and refund.vat_pence == 0:
            why = NOTHING
        elif order.is_cancelled:
            why = CANCELLED
        elif _is_of_cancelled_units(refund, cancelled):
            why = UNITS_CANCELLED
            for line in refund.lines:
                cancelled[line.item_id_magento] -= line.quantity
        if why:
            plan.settled.append(Settlement(order.order_number, (refund.refund_number,), (), why))
        else:
            still_open.append(refund)
    return still_open


def _is_of_cancelled_units(refund: Refund, cancelled: dict[int, int]) -> bool:
    """Tell whether a refund gives back nothing but units that PRIMA cancelled."""
    return bool(refund.lines) and all(
        line.charge == "goods" and 0 < line.quantity <= cancelled.get(line.item_id_magento, 0) for line in refund.lines
    )


def _wait_for_note(plan: RefundPlan, order: CreditedOrder, refund: Refund, rules: RefundRules) -> None:
    age = age_in_days(refund.refund_date, rules.today)
    plan.open_refunds.append((refund, age))
    file = rules.told.get(refund.refund_number, "")
    if rules.route == "export" and not file:
        plan.to_tell.append(
            RefundToTell(refund, order.order_number_prima, order.payment_method, dict(order.line_numbers))
        )
    now = stage(age, rules)
    if now or rules.route == "exception":
        plan.exceptions.append(_open_refund(refund_code(now), refund, age, rules, file))


def _open_refund(code: str, refund: Refund, age: int, rules: RefundRules, file: str) -> ExceptionNote:
    seen = "PRIMA shows no credit note" if rules.sees_credit_notes else "no source shows PRIMA's credit notes"
    told = f"; exported as {file}" if file else ""
    tender = f", {show(refund.tender_pence, refund.currency)} of it not in money" if refund.tender_pence else ""
    return ExceptionNote(
        code,
        refund.subject,
        f"{show(refund.gross_pence, refund.currency)}{tender} refunded on {refund.refund_date}, "
        f"{_days(age)} ago ({_by_rate(refund)}); {seen}{told}",
        order_number=refund.order_number,
        value_at_risk_pence=refund.gross_pence,
        currency=refund.currency,
    )


def _wait_for_refund(plan: RefundPlan, note: CreditNote, rules: RefundRules, *, may_be_refunded: bool) -> None:
    """Keep a credit note open; it is not carried while its order has a refund that may be the answer to it."""
    age = age_in_days(note.credit_note_date, rules.today)
    plan.open_notes.append((note, age))
    is_carried = rules.carries_credit_notes and not may_be_refunded
    if is_carried and not note.creditmemo_id:
        plan.to_carry.append(note)
    now = stage(age, rules)
    if now or not is_carried:
        plan.exceptions.append(_open_note(note_code(now), note, age))


def _open_note(code: str, note: CreditNote, age: int) -> ExceptionNote:
    reason = f" ({note.reason})" if REASON_CODE.fullmatch(note.reason) else ""
    return ExceptionNote(
        code,
        note.subject,
        f"PRIMA credited {show(note.gross_pence, note.currency)} with VAT {show(note.vat_pence, note.currency)} on "
        f"{note.credit_note_date}, {_days(age)} ago{reason}; Magento shows no such refund",
        order_number=note.order_number,
        value_at_risk_pence=note.gross_pence,
        currency=note.currency,
    )


def _by_rate(refund: Refund) -> str:
    return ", ".join(
        f"{percent}%: net {show(net, refund.currency)}, VAT {show(vat, refund.currency)}"
        if percent
        else f"without VAT split: {show(net, refund.currency)}"
        for percent, (net, vat) in refund.by_rate().items()
    )


def _days(age: int) -> str:
    return "1 day" if age == 1 else f"{age} days"
