"""Which open orders PRIMA is asked for, and what its answers mean for dispatches. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from schemas.acceptance import folded
from schemas.documents import ExceptionNote, Parcel
from schemas.polls import PolledDispatch, PollOrder, PollPlan, PollRules

PART = "DISPATCH_PART_UNTOLD"
PREFIX = "STATUS-"


def due(orders: Sequence[PollOrder], now: datetime, rules: PollRules) -> list[PollOrder]:
    """Return the orders to ask for now, longest overdue first and no more than the budget of calls.

    An order's age decides how often it is asked for; one that is older than the last tier is not asked for any more.
    What the budget leaves out is more overdue the next time, so that no order is forgotten.
    """
    waiting: list[tuple[float, str, PollOrder]] = []
    for order in orders:
        every = _interval(now - order.accepted_at, rules)
        if every is None:
            continue
        since = now - (order.asked_at or order.accepted_at)
        if order.asked_at is None or since >= every:
            waiting.append((-(since / every), order.order_number, order))
    return [order for _, _, order in sorted(waiting, key=lambda each: each[:2])[: rules.calls]]


def dispatches(
    orders: Sequence[PollOrder],
    words: Mapping[str, str],
    now: datetime,
    rules: PollRules,
    parcels: Mapping[str, Sequence[Parcel]] = MappingProxyType({}),
    wordless: Collection[str] = (),
) -> PollPlan:
    """Return a dispatch of everything still open for each order that PRIMA says has left; `words` by PRIMA's number.

    Unless `prima.tracking` finds `parcels`, OrderStatus tells neither carrier nor tracking number, and such a dispatch
    names none. It never tells which part has left: an order of which one has is noted for a person. `wordless` are the
    numbers of which PRIMA had no word.
    """
    plan = PollPlan()
    for order in orders:
        word = words.get(order.order_number_prima)
        if order.order_number_prima in wordless:
            plan.wordless.append(order.order_number)
        if word is None:
            continue
        plan.words[order.order_number] = word
        status = rules.statuses.get(folded(word))
        if status == "dispatched" and any(line.open_units for line in order.lines):
            plan.dispatches.append(_dispatch(order, now, parcels.get(order.order_number_prima, ())))
        if status == "part_dispatched":
            plan.notes.append(
                ExceptionNote(
                    PART,
                    f"order {order.order_number}",
                    f"PRIMA shows {word}",
                    order_number=order.order_number,
                    value_at_risk_pence=order.gross_pence,
                    currency=order.currency,
                )
            )
    return plan


def _interval(age: timedelta, rules: PollRules) -> timedelta | None:
    return next((tier.every for tier in rules.tiers if age <= tier.up_to), None)


def _only(codes: Iterable[str]) -> str:
    """Return the code that all parcels have; several are written together, which no mapping knows: a person looks."""
    return "+".join(dict.fromkeys(codes))


def _dispatch(order: PollOrder, now: datetime, parcels: Sequence[Parcel]) -> PolledDispatch:
    number = f"{PREFIX}{order.order_number_prima}"
    header = {
        "dispatch_number": number,
        "order_number_prima": order.order_number_prima,
        "dispatched_at": now.isoformat(timespec="seconds"),
        "carrier": _only(parcel.carrier for parcel in parcels),
        "service": _only(parcel.service for parcel in parcels),
        "tracking_numbers": ";".join(parcel.number for parcel in parcels),
    }
    lines: list[Mapping[str, Any]] = [
        {
            "dispatch_number": number,
            "order_number_prima": order.order_number_prima,
            "line_number": position,
            "order_line_number": line.line_number,
            "product": line.product,
            **{f"mtrx{level}": "" for level in (1, 2, 3, 4)},
            "quantity": line.open_units,
        }
        for position, line in enumerate((line for line in order.lines if line.open_units), start=1)
    ]
    return PolledDispatch(number, header, lines)
