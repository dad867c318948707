"""What is looked at on an order that could be posted, and what the settings may do about a finding.

A finding of these codes does not make an order unpostable: the settings say by code whether it is held here, posted on
hold in PRIMA, or posted with a warning. A person can release single codes of a single order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

Action = Literal["hold", "hold_in_prima", "warn"]
# The kind of mapping under which the ledger keeps what a person released, by order number.
ORDER_RELEASE = "order release"
# The kind under which it keeps that a person refused an order that a check held, and the code that says so.
ORDER_REFUSAL, REFUSED = "order refusal", "REFUSED_BY_HAND"

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


Signature = tuple[tuple[str, int], ...]


def signature(lines: Iterable[tuple[str, int]]) -> Signature:
    """Return SKUs and units without the order of the cart; a SKU on two lines counts as one."""
    units: dict[str, int] = {}
    for sku, quantity in lines:
        units[sku] = units.get(sku, 0) + quantity
    return tuple(sorted(units.items()))


@dataclass(frozen=True, slots=True)
class Basket:
    """Who ordered what and when. Personal data: stays in memory, is never stored, logged or shown."""

    order_number: str
    placed_at: datetime
    lines: Signature
    customer_id: int = field(default=0, repr=False)
    email: str = field(default="", repr=False)

    def is_like(self, other: "Basket", within: timedelta) -> bool:
        """Tell whether one customer account or e-mail address ordered the same lines in both, within a time."""
        is_one_account = self.customer_id > 0 and self.customer_id == other.customer_id
        is_one_customer = is_one_account or bool(self.email and self.email == other.email)
        is_close = abs(self.placed_at - other.placed_at) <= within
        return is_one_customer and is_close and self.lines == other.lines and self.order_number != other.order_number


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a batch beside its records.

    `released` holds the codes that a person released, by order number; `alike` are orders outside the batch that PRIMA
    has or may have, placed near one of the batch and with the same lines; `numbers` are PRIMA's numbers that the ledger
    knows, each with the order that has it; `refused` says by order number who refused it and why.
    """

    released: Mapping[str, frozenset[str]] = field(default_factory=dict)
    alike: Sequence[Basket] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Released:
    """A release by a person: which findings of which order count no longer, and what became of the order."""

    order_number: str
    codes: tuple[str, ...]
    by: str
    because: str
    counts: Mapping[str, int] = field(default_factory=dict)
