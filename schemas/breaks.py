"""A break through the nights, and the policy that decides what is one. No input or output.

Instants are aware UTC, money is whole minor units of the row's currency.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Settlement = Literal["correction", "acceptance", "journal"]


@dataclass(frozen=True, slots=True)
class FoundBreak:
    """A break as one run found it. `owner` is the team that its cause names."""

    level: str
    order_key: str
    currency: str
    business_date: date
    order_number: str
    order_number_prima: str
    status: str
    cause: str
    owner: str
    value_pence: int
    vat_variance_pence: int
    variance_pence: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same break tomorrow."""
        return self.level, self.order_key, self.currency


@dataclass(frozen=True, slots=True)
class KnownBreak:
    """A break as the ledger keeps it. `settled_by` is empty while it is open."""

    break_id: int
    level: str
    order_key: str
    currency: str
    business_date: date
    order_number: str
    order_number_prima: str
    status: str
    cause: str
    owner: str
    comment: str
    reason_code: str
    value_pence: int
    vat_variance_pence: int
    variance_pence: int
    nights: int
    first_seen_at: datetime
    last_seen_at: datetime
    settled_by: str
    settlement_reference: str
    settled_at: datetime | None
    settled_who: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same break tomorrow."""
        return self.level, self.order_key, self.currency


@dataclass(frozen=True, slots=True)
class TolerancePolicy:
    """What is tolerated: a document's difference up to `order_pence`, no line of it above `line_pence`, in a day and
    currency no more than `day_pence` in all, and only differences whose cause is in `methods`.

    None is no limit, empty `methods` is any cause. `materiality_pence` tolerates nothing: it marks what is worth
    looking at. Version 0 is the settings file's, until somebody sets one.
    """

    version: int = 0
    order_pence: int = 0
    line_pence: int | None = None
    day_pence: int | None = None
    methods: tuple[str, ...] = ()
    materiality_pence: int = 0
    set_by: str = "settings"
    set_at: datetime | None = None
    set_because: str = ""
