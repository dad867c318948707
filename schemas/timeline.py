"""What happened to an order, fact by fact, for whoever answers "where is my order?". No input or output."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

FactKind = Literal[
    "placed",
    "seen",
    "held",
    "posting",
    "accepted",
    "dispatched",
    "told",
    "invoiced",
    "refunded",
    "credited",
    "cancelled",
]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened: when (aware UTC), in which system, and what, without anything about the customer.

    `is_day` says that only the date is known. `url` is the carrier's page of a parcel.
    """

    at: datetime
    system: str
    kind: FactKind
    what: str
    is_day: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class OpenProblem:
    """An open exception of the order: its code, who has it, and what they do next."""

    code: str
    owner: str
    next_step: str


@dataclass(frozen=True, slots=True)
class OrderNow:
    """How an order stands. `units_left` are units that are neither shipped, cancelled nor refunded in Magento.

    `untold` are dispatches of PRIMA that Magento has no shipment of; `uncredited` are refunds without a credit note,
    each with the last day for it.
    """

    state: str
    state_magento: str
    units_left: int
    problems: Sequence[OpenProblem] = ()
    untold: Sequence[str] = ()
    uncredited: Sequence[tuple[str, date]] = ()
