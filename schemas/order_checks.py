"""What is looked at on an order that could be posted, and what the settings may do about a finding.

A finding of these codes does not make an order unpostable: the settings say by code whether it is held here, posted on
hold in PRIMA, or posted with a warning. A person can release single codes of a single order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

Action = Literal["hold", "hold_in_prima", "warn"]

DEFAULT_ACTIONS: Mapping[str, Action] = {
    "ADDRESS_INCOMPLETE": "hold",
    "PHONE_MISSING": "warn",
    "TEXT_LOST": "warn",
    "TEXT_CUT": "warn",
    "VAT_RATE_UNEXPECTED": "hold",
    "VAT_ZERO_ON_ADULT_SIZE": "hold",
    "VAT_CHARGED_ON_CHILD_SIZE": "hold",
    "VAT_ROUNDED_DOWN": "hold",
    "SUSPECTED_DUPLICATE": "hold",
}


class Finding(NamedTuple):
    """Something found on an order: a code of `schemas/reasons`, and a detail without personal data."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Basket:
    """Who ordered what and when. Personal data: stays in memory, is never stored, logged or shown."""

    order_number: str
    placed_at: datetime
    lines: tuple[tuple[str, int], ...]
    customer_id: int = field(default=0, repr=False)
    email: str = field(default="", repr=False)
    is_wanted: bool = True

    def is_from_whoever_placed(self, other: "Basket") -> bool:
        """Tell whether both come from one customer account or from one e-mail address."""
        is_one_account = self.customer_id > 0 and self.customer_id == other.customer_id
        return is_one_account or bool(self.email and self.email == other.email)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a batch beside its records.

    `released` holds the codes that a person released, by order number; `earlier` are orders outside the batch, placed
    shortly before one of it and with the same lines.
    """

    released: Mapping[str, frozenset[str]] = field(default_factory=dict)
    earlier: Sequence[Basket] = ()
