"""The facts about an order in the order of time, and what happens next. Pure."""

from collections.abc import Iterable, Sequence
from typing import get_args

from schemas.timeline import Fact, FactKind, OrderNow

KINDS: Sequence[FactKind] = get_args(FactKind)
_NEXT = {
    "seen": "The next run of orders decides about it.",
    "ready": "The next run of orders sends it to PRIMA.",
    "posting": "It is on its way to PRIMA; the next run looks in PRIMA before anything is sent again.",
    "unknown": "PRIMA's answer was lost; the next run looks in PRIMA before anything is sent again.",
    "held": "It waits; every run of orders tries it again.",
    "refused": "PRIMA refused it; it is tried again a few times, later each time.",
    "excluded": "Nothing: the import rules leave it out.",
    "cancelled": "Nothing: it is cancelled.",
    "closed": "Nothing: it is finished.",
}


def timeline(facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts, oldest first. One of which only the date is known stands at the end of its day."""
    return sorted(facts, key=lambda fact: (fact.at.date(), fact.is_day, fact.at, KINDS.index(fact.kind), fact.what))


def next_step(order: OrderNow) -> str:
    """Return what happens next, and who does it where a person must."""
    said = [f"{each.owner} ({each.code}): {each.next_step}" for each in order.problems]
    said += [f"The next run of fulfilment tells the customer of dispatch {number}." for number in order.untold]
    if order.state in ("accepted", "part_dispatched", "dispatched"):
        said += _after_acceptance(order)
    elif not said or order.state not in ("held", "refused"):
        said.append(_NEXT[order.state])
    said += [f"PRIMA's credit note for refund {number} is due by {day}." for number, day in order.uncredited]
    return " ".join(said)


def _after_acceptance(order: OrderNow) -> list[str]:
    """Return what is still to come of an order that PRIMA has."""
    if order.units_left:
        units = "unit that is" if order.units_left == 1 else f"{order.units_left} units that are"
        return [f"PRIMA dispatches the {units} left; the customer hears of each parcel when it leaves."]
    return ["Nothing: every unit has left or was given back."] if not (order.untold or order.uncredited) else []
