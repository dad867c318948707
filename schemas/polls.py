"""Asking PRIMA for the state of open orders, where nothing else tells of dispatches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from schemas.documents import ExceptionNote


@dataclass(frozen=True, slots=True)
class PollTier:
    """Orders up to this age are asked for this often."""

    up_to: timedelta
    every: timedelta


@dataclass(frozen=True, slots=True)
class PollRules:
    """The tiers from young to old, and how many calls a run may make. `statuses` maps PRIMA's words, folded."""

    tiers: Sequence[PollTier]
    calls: int
    statuses: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PollLine:
    """A line of an open order: units that Magento has not shipped, cancelled or refunded."""

    line_number: int
    product: str
    open_units: int


@dataclass(frozen=True, slots=True)
class PollOrder:
    """An order that PRIMA accepted and that is not dispatched as far as we know. `asked_at`: None when it never was."""

    order_number: str
    order_number_prima: str
    accepted_at: datetime
    asked_at: datetime | None
    gross_pence: int
    currency: str
    lines: Sequence[PollLine]


@dataclass(frozen=True, slots=True)
class PolledDispatch:
    """A dispatch that a state stands for: everything of the order that was still open."""

    dispatch_number: str
    header: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PollPlan:
    """What the answers say: dispatches, words by order number, and what a person must see.

    `wordless` are the orders that PRIMA was asked for and has no word of: their turn is over all the same.
    """

    dispatches: list[PolledDispatch] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    wordless: list[str] = field(default_factory=list)
    notes: list[ExceptionNote] = field(default_factory=list)
