"""The census of orders: what Magento lists, what the ledger knows of it, gaps in the numbers, silence of the stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from schemas.documents import ExceptionNote

CensusStatus = Literal[
    "in PRIMA",
    "accepted, not shown by PRIMA yet",
    "accepted, but not in PRIMA",
    "accepted, nothing to check with",
    "on its way",
    "held",
    "stuck",
    "left out",
    "cancelled before PRIMA",
    "rejected",
    "just placed",
    "not in the ledger",
]


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order as Magento's list shows it. `gross_pence` is 0 where the total is no amount."""

    entity_id: int
    order_number: str
    store_id: int
    state_magento: str
    status_magento: str
    placed_at: datetime
    updated_at: datetime
    currency: str
    gross_pence: int


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order as the ledger keeps it. `accepted_at` is None until PRIMA has it."""

    order_number: str
    store_id: int
    state: str
    state_since: datetime
    state_magento: str
    status_magento: str
    placed_at: datetime
    updated_at: datetime
    accepted_at: datetime | None
    order_number_prima: str
    currency: str
    gross_pence: int


@dataclass(frozen=True, slots=True)
class CensusEvidence:
    """What ledger and PRIMA say at `taken_at` of the orders placed since `since`.

    `known` is by order number; it also holds older orders that an open exception of the census is about. `noted` are
    the codes of the open exceptions of each order number. `shown` are the numbers that PRIMA's reporting source shows,
    complete up to `shown_as_at`; None where there is no such source.
    """

    since: datetime
    taken_at: datetime
    recorded_until: datetime | None
    known: Mapping[str, KnownOrder]
    noted: Mapping[str, frozenset[str]]
    shown: frozenset[str] | None = None
    shown_as_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CensusRule:
    """How long an order may take to show in PRIMA, or to move on; how fresh an order may be to be left to `orders`."""

    not_in_prima: timedelta
    fresh: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Census:
    """Every listed order with its status, and what a person must see."""

    statuses: Mapping[str, CensusStatus]
    exceptions: Sequence[ExceptionNote] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NumberGap:
    """Order numbers that nobody has seen: `prefix` and then `first` to `last`, zero-filled to `width`."""

    prefix: str
    width: int
    first: int
    last: int
    step: int = 1

    def number(self, ordinal: int) -> str:
        """Return an order number of the sequence."""
        return f"{self.prefix}{ordinal:0{self.width}d}"

    def numbers(self) -> list[str]:
        """Return every number of the gap."""
        return [self.number(ordinal) for ordinal in range(self.first, self.last + 1, self.step)]

    @property
    def count(self) -> int:
        """How many numbers are missing."""
        return (self.last - self.first) // self.step + 1

    @property
    def label(self) -> str:
        """The gap as a person names it: `000000102`, `000000102 to 000000105`."""
        first, last = self.number(self.first), self.number(self.last)
        return first if first == last else f"{first} to {last}"


@dataclass(frozen=True, slots=True)
class SilenceRule:
    """Silence is reported when `orders` were to be expected in it, and it is no shorter than `shortest`.

    What is to be expected is taken from `weeks` weeks of history, hour of the week by hour of the week.
    """

    orders: int
    shortest: timedelta
    weeks: int
