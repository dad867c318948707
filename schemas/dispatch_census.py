"""The census of dispatches: goods that left PRIMA and do not show in Magento, and shipments that nobody dispatched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.documents import ExceptionNote

# What the census may find of a dispatch: each is counted in exactly one of these.
STATUSES = (
    "shipped",
    "shipment unreadable",
    "nothing to ship",
    "not shipped",
    "just left",
    "order unknown",
    "of other channels",
)


@dataclass(frozen=True, slots=True)
class CensusLine:
    """A line of an order that PRIMA accepted: what its units are worth, and whether anybody ships them."""

    line_number: int
    item_id_magento: int
    sku: str
    quantity: int
    gross_pence: int
    is_shipped: bool

    def value_of(self, units: int) -> int:
        """Return the pence that so many units were sold for, rounded half up."""
        return (2 * self.gross_pence * units + self.quantity) // (2 * self.quantity) if self.quantity else 0


@dataclass(frozen=True, slots=True)
class CensusOrder:
    """An order that PRIMA accepted."""

    order_number: str
    order_number_prima: str
    entity_id_magento: int
    currency: str
    accepted_at: datetime
    lines: Sequence[CensusLine]


@dataclass(frozen=True, slots=True)
class CensusDispatch:
    """A dispatch of PRIMA: units by line of the order; `shipment_id` of the shipment that tells of it, if one does."""

    dispatch_number: str
    order_number_prima: str
    dispatched_at: datetime
    units: Mapping[int, int]
    is_told: bool
    shipment_id: str = ""


@dataclass(frozen=True, slots=True)
class CensusShipment:
    """A shipment in Magento: units by order item; `is_ours` when a dispatch is linked or its comment names one."""

    shipment_id: str
    shipment_number: str
    entity_id_magento: int
    created_at: datetime
    units: Mapping[int, int]
    is_ours: bool


@dataclass(frozen=True, slots=True)
class DispatchCensusEvidence:
    """Both sides. `noted` are the open codes by dispatch, `known_by_hand` shipments that a person has seen.

    `unread` are the ids of shipments that are there and that Magento does not hand out, `unclear` the entity ids of
    the orders of those among them that nobody knows more about: one may tell of any dispatch of its order.
    """

    taken_at: datetime
    orders: Sequence[CensusOrder]
    dispatches: Sequence[CensusDispatch]
    shipments: Sequence[CensusShipment]
    noted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    known_by_hand: frozenset[str] = frozenset()
    others: int = 0
    unread: frozenset[str] = frozenset()
    unclear: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list: what, since when, and its value in pence."""

    subject: str
    order_number: str
    at: datetime
    value_pence: int
    currency: str
    detail: str


@dataclass(frozen=True, slots=True)
class DispatchCensus:
    """Every dispatch and shipment counted once, the two lists, and what a person must see."""

    counts: Mapping[str, int]
    not_shipped: Sequence[Listed]
    by_hand: Sequence[Listed]
    exceptions: Sequence[ExceptionNote]


@dataclass(frozen=True, slots=True)
class DispatchCensusRule:
    """How long a dispatch may wait to be told before it is listed."""

    overdue: timedelta
