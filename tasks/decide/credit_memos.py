"""Credit notes of PRIMA as credit memos of Magento, or why a person must make the refund. Pure.

Magento works the amounts of a refund out from units; so a credit note is carried only where its units are worth what
it credits, and never more than is left: of a line, of delivery, and of each VAT rate.
"""

from collections.abc import Sequence

from schemas.credit_memos import (
    CarryPlan,
    CreditMemoRequest,
    CreditNoteLine,
    DeliveryAmount,
    LeftOfLine,
    LeftOfOrder,
    NotesToCarry,
)
from schemas.documents import ExceptionNote, ShipmentLine
from schemas.money import show
from schemas.refunds import CreditNote

# Magento spreads the pence of a line over its units in its own order.
PENNY = 1


class _NotPossibleError(Exception):
    """Why a credit note cannot become a credit memo, in words for a person."""


def credit_memos(found: NotesToCarry, delivery_amount: DeliveryAmount) -> CarryPlan:
    """Return the credit memos to make; `delivery_amount` is what the shop takes the amount of delivery for.

    At most one credit note an order is carried at a time: the next one is worked out when Magento shows the first.
    """
    plan = CarryPlan()
    taken: set[str] = set()
    for note in sorted(found.notes, key=lambda each: (each.credit_note_date, each.credit_note_number)):
        if note.order_number in taken:
            continue
        try:
            lines = found.lines.get(note.credit_note_number, ())
            plan.to_make.append(_request(note, lines, found.orders.get(note.order_number), delivery_amount))
            taken.add(note.order_number)
        except _NotPossibleError as reason:
            plan.exceptions.append(not_carried(note, str(reason)))
    return plan


def not_carried(note: CreditNote, why: str) -> ExceptionNote:
    """Return the exception of a credit note that stays with people."""
    return ExceptionNote(
        "CREDIT_NOTE_NOT_CARRIED",
        note.subject,
        f"{show(note.gross_pence, note.currency)} with VAT {show(note.vat_pence, note.currency)}: {why}",
        order_number=note.order_number,
        value_at_risk_pence=note.gross_pence,
        currency=note.currency,
    )


def _request(
    note: CreditNote, lines: Sequence[CreditNoteLine], order: LeftOfOrder | None, delivery_amount: DeliveryAmount
) -> CreditMemoRequest:
    if order is None:
        raise _NotPossibleError("Magento does not show the order")
    if order.problem:
        raise _NotPossibleError(order.problem)
    if note.currency != order.currency:
        raise _NotPossibleError(f"the order is in {order.currency}")
    _lines_make_the_note(note, lines)
    units = _units(lines, order)
    delivery = [line for line in lines if line.line_type == "delivery"]
    goodwill = [line for line in lines if line.line_type == "adjustment"]
    if any(line.vat_pence for line in goodwill):
        raise _NotPossibleError("it credits VAT of a free amount, and Magento's free amounts carry none")
    net, vat = sum(line.net_pence for line in delivery), sum(line.vat_pence for line in delivery)
    if net > order.delivery_net_pence or vat > order.delivery_vat_pence:
        left = order.delivery_net_pence + order.delivery_vat_pence
        raise _NotPossibleError(f"of delivery only {show(left, order.currency)} are left")
    _fits_each_rate(lines, order)
    return CreditMemoRequest(
        note,
        order.entity_id_magento,
        # Every line is named, with 0 units where nothing is refunded: no lines at all would refund everything.
        tuple(ShipmentLine(line.item_id_magento, units.get(line.line_number, 0)) for line in order.lines),
        net if delivery_amount == "net" else net + vat,
        sum(line.gross_pence for line in goodwill),
        order.updated_at,
    )


def _lines_make_the_note(note: CreditNote, lines: Sequence[CreditNoteLine]) -> None:
    if not lines:
        raise _NotPossibleError("PRIMA shows no lines of it")
    if (sum(line.gross_pence for line in lines), sum(line.vat_pence for line in lines)) != (
        note.gross_pence,
        note.vat_pence,
    ):
        raise _NotPossibleError("its lines do not make its total")


def _units(lines: Sequence[CreditNoteLine], order: LeftOfOrder) -> dict[int, int]:
    """Return the units to refund by line number, each worth what the credit note says."""
    left = {line.line_number: line for line in order.lines}
    units: dict[int, int] = {}
    worth: dict[int, tuple[int, int]] = {}
    for line in lines:
        if line.line_type == "goods":
            number = line.order_line_number
            if number not in left:
                raise _NotPossibleError(f"Magento's order has no line {number}")
            gross, vat = worth.get(number, (0, 0))
            units[number] = units.get(number, 0) + line.quantity
            worth[number] = gross + line.gross_pence, vat + line.vat_pence
    for number, quantity in units.items():
        _is_worth(left[number], quantity, *worth[number], order.currency)
    return units


def _is_worth(left: LeftOfLine, quantity: int, gross: int, vat: int, currency: str) -> None:
    if quantity > left.quantity:
        raise _NotPossibleError(
            f"it credits {quantity} units of line {left.line_number}; {left.quantity} are invoiced and not refunded"
        )
    expected = _share(left.gross_pence, quantity, left.quantity), _share(left.vat_pence, quantity, left.quantity)
    if abs(gross - expected[0]) > PENNY or abs(vat - expected[1]) > PENNY:
        raise _NotPossibleError(
            f"{quantity} units of line {left.line_number} are {show(expected[0], currency)} with VAT "
            f"{show(expected[1], currency)} in Magento; it credits {show(gross, currency)} with VAT "
            f"{show(vat, currency)}"
        )


def _share(whole: int, quantity: int, of: int) -> int:
    """Return what some units carry of an amount, to the nearest penny."""
    return (2 * whole * quantity + of) // (2 * of) if of else 0


def _fits_each_rate(lines: Sequence[CreditNoteLine], order: LeftOfOrder) -> None:
    """Refuse a credit note that credits more of a VAT rate than is left of it."""
    left: dict[str, tuple[int, int]] = {}
    delivery = (order.delivery_net_pence + order.delivery_vat_pence, order.delivery_vat_pence)
    parts = [(line.vat_rate, (line.gross_pence, line.vat_pence)) for line in order.lines]
    for rate, (gross, vat) in [*parts, (order.delivery_rate, delivery)]:
        known = left.get(rate, (0, 0))
        left[rate] = known[0] + gross, known[1] + vat
    for rate in {line.vat_rate for line in lines if line.line_type != "adjustment"}:
        of_rate = [line for line in lines if line.vat_rate == rate and line.line_type != "adjustment"]
        gross, vat = sum(line.gross_pence for line in of_rate), sum(line.vat_pence for line in of_rate)
        most_gross, most_vat = left.get(rate, (0, 0))
        if gross > most_gross or vat > most_vat:
            raise _NotPossibleError(
                f"at {rate}% it credits {show(gross, order.currency)} with VAT {show(vat, order.currency)}; "
                f"{show(most_gross, order.currency)} with VAT {show(most_vat, order.currency)} are left"
            )
