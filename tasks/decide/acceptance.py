"""PRIMA's figures of accepted orders against ours: verified, waiting, or an exception with both figures. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.acceptance import (
    CANCELLED,
    AcceptancePlan,
    AcceptanceRules,
    AcceptedOrder,
    AcceptedOrders,
    AskedStates,
    Figures,
)
from schemas.batches import CheckedBatch, rows_by, rows_of
from schemas.documents import ExceptionNote, StockTuple
from schemas.money import show

Row = Mapping[str, Any]
DIFFERENCES_TOLD = 6


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that both sides have a figure for; None where one side does not have it."""

    name: str
    magento: Figures | None
    prima: Figures | None

    @property
    def gross_variance(self) -> int:
        """PRIMA minus Magento."""
        return (self.prima or Figures()).gross_pence - (self.magento or Figures()).gross_pence

    @property
    def vat_variance(self) -> int:
        """PRIMA minus Magento."""
        return (self.prima or Figures()).vat_pence - (self.magento or Figures()).vat_pence

    @property
    def has_other_total(self) -> bool:
        """Whether the gross differs, or one side does not have it at all."""
        return self.magento is None or self.prima is None or self.gross_variance != 0


def acceptance(
    orders: CheckedBatch, lines: CheckedBatch, accepted: AcceptedOrders, asked: AskedStates, rules: AcceptanceRules
) -> AcceptancePlan:
    """Return the plan: each order that is not verified yet stands in exactly one of its lists.

    `orders` and `lines` are the extracts `sales_orders` and `sales_order_lines` of these orders. An order without any
    line there is not shown yet: the two extracts need not be of one moment.
    """
    plan = AcceptancePlan()
    rejected = {**_rejected(lines, "line "), **_rejected(orders, "order ")}
    shown = {row["order_number_prima"]: row for row in rows_of(orders.accepted)}
    lines_of = rows_by(lines.accepted, "order_number_prima")
    for number, order in accepted.orders.items():
        if order.is_verified or order.is_cancelled:
            continue
        row, of_order = shown.get(number), lines_of.get(number, [])
        word = row["status"] if row is not None else asked.words.get(number, "")
        if rules.status(word) == CANCELLED:
            plan.cancelled.append(order.order_number)
        elif number in rejected:
            gross = order.figures.gross_pence
            plan.exceptions.append(_exception(order, "PRIMA_FIGURES_REJECTED", rejected[number], gross))
        elif row is None or not of_order:
            _not_shown(plan, order, accepted, asked, rules)
        else:
            found = _difference(order, row, of_order, rules)
            if found is None:
                plan.verified.append(order.order_number)
            else:
                plan.exceptions.append(found)
    return plan


def _not_shown(
    plan: AcceptancePlan, order: AcceptedOrder, accepted: AcceptedOrders, asked: AskedStates, rules: AcceptanceRules
) -> None:
    """Without a reporting source no figures can be compared, but `OrderStatus` can say that an order is not there."""
    number = order.order_number_prima
    if number in asked.missing:
        detail = f"OrderStatus says that order {number} does not exist"
    elif accepted.as_at is None or accepted.as_at - order.accepted_at < rules.visible_within:
        plan.waiting.append(order.order_number)
        return
    else:
        detail = (
            f"order {number} was accepted at {order.accepted_at:%Y-%m-%d %H:%M} UTC, and the reporting source, "
            f"due to be complete up to {accepted.as_at:%Y-%m-%d %H:%M} UTC, does not show it with its lines"
        )
    plan.exceptions.append(_exception(order, "NOT_VISIBLE_IN_PRIMA", detail, order.figures.gross_pence))


def _difference(
    order: AcceptedOrder, row: Row, lines: list[dict[str, Any]], rules: AcceptanceRules
) -> ExceptionNote | None:
    """Return what differs; None when every figure agrees. Another total explains another VAT, not the reverse."""
    compared = list(_compared(order, row, lines, rules))
    totals = [_total_text(each, order.currency) for each in compared if each.has_other_total]
    vats = [_vat_text(each, order.currency) for each in compared if not each.has_other_total and each.vat_variance]
    if row["currency"] != order.currency:
        totals.insert(0, f"currency {order.currency} in Magento, {row['currency']} in PRIMA")
    if not totals and not vats:
        return None
    worst = max(max(abs(each.gross_variance), abs(each.vat_variance)) for each in compared)
    code = "PRIMA_TOTAL_DIFFERS" if totals else "PRIMA_VAT_DIFFERS"
    at_risk = order.figures.gross_pence if row["currency"] != order.currency else worst
    return _exception(order, code, _listed([*totals, *vats]), at_risk)


def _compared(
    order: AcceptedOrder, row: Row, lines: list[dict[str, Any]], rules: AcceptanceRules
) -> Iterator[Compared]:
    yield Compared("order", order.figures, _figures(row))
    rounding = [line for line in lines if _item(line) == rules.rounding_item]
    lines = [line for line in lines if _item(line) != rules.rounding_item]
    delivery = _less(order.delivery, rounding)  # what is left of the order beside its lines
    ours = {line.line_number: (line.figures, line.sku) for line in order.lines}
    if rules.delivery_is_line and delivery != Figures():
        ours[max(ours) + 1] = (delivery, "delivery")
    theirs = {int(line["line_number"]): line for line in lines}
    for number in sorted({*ours, *theirs}):
        figures, name = ours.get(number, (None, "in PRIMA only"))
        shown = theirs.get(number)
        yield Compared(f"line {number} ({name})", figures, None if shown is None else _figures(shown))
    charge = Figures() if rules.delivery_is_line else delivery
    yield Compared("delivery charge", charge, _figures(row, "delivery_"))


def _item(line: Row) -> StockTuple:
    return StockTuple(*(line[name] for name in ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4")))


def _less(figures: Figures, lines: list[dict[str, Any]]) -> Figures:
    taken = [_figures(line) for line in lines]
    return Figures(
        figures.net_pence - sum(each.net_pence for each in taken),
        figures.vat_pence - sum(each.vat_pence for each in taken),
        figures.gross_pence - sum(each.gross_pence for each in taken),
    )


def _figures(row: Row, prefix: str = "") -> Figures:
    return Figures(*(int(row[f"{prefix}{name}_pence"]) for name in ("net", "vat", "gross")))


def _total_text(each: Compared, currency: str) -> str:
    vat = ""
    if each.magento is not None and each.prima is not None and each.vat_variance:
        vat = f" (VAT {show(each.magento.vat_pence, currency)} and {show(each.prima.vat_pence, currency)})"
    return f"{each.name}: {_side(each.magento, currency)} in Magento, {_side(each.prima, currency)} in PRIMA{vat}"


def _vat_text(each: Compared, currency: str) -> str:
    magento, prima = each.magento or Figures(), each.prima or Figures()
    return (
        f"{each.name}: VAT {show(magento.vat_pence, currency)} in Magento, {show(prima.vat_pence, currency)} in PRIMA"
    )


def _side(figures: Figures | None, currency: str) -> str:
    return "nothing" if figures is None else show(figures.gross_pence, currency)


def _listed(sentences: list[str]) -> str:
    more = len(sentences) - DIFFERENCES_TOLD
    return "; ".join(sentences[:DIFFERENCES_TOLD]) + (f"; and {more} more" if more > 0 else "")


def _rejected(batch: CheckedBatch, prefix: str) -> dict[str, str]:
    """Return what is wrong with the rejected rows, by PRIMA's order number."""
    details: dict[str, list[str]] = {}
    for row in rows_of(batch.rejected):
        named = f"{prefix}{row['line_number']}" if "line_number" in row else f"{prefix}{row['order_number_prima']}"
        details.setdefault(row["order_number_prima"], []).append(f"{named}: {row['detail'] or row['reason']}")
    return {number: _listed(sentences) for number, sentences in details.items()}


def _exception(order: AcceptedOrder, code: str, detail: str, at_risk_pence: int) -> ExceptionNote:
    return ExceptionNote(
        code,
        f"order {order.order_number}",
        detail,
        order_number=order.order_number,
        value_at_risk_pence=at_risk_pence,
        currency=order.currency,
    )
