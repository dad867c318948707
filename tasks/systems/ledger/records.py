"""What the ledger takes and gives back: plain records. Money in pence, instants aware UTC, quantities whole units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tasks.systems.ledger.states import ExceptionState, OrderStateName, PostingState, PushState

# Magento takes their stock when they are invoiced; nobody ships them.
UNSHIPPED_PRODUCT_TYPES = ("virtual", "downloadable")


@dataclass(frozen=True, slots=True)
class OrderLineRecord:
    """One sellable line of an order; money is the whole line's. `source_code` is the Magento source that ships it."""

    line_number: int
    item_id_magento: int
    sku: str
    product_type: str
    quantity: int
    net_pence: int
    vat_pence: int
    gross_pence: int
    vat_rate_percent: str = ""
    source_code: str = "default"
    quantity_shipped: int = 0
    quantity_cancelled: int = 0
    quantity_refunded: int = 0
    quantity_invoiced: int = 0

    @property
    def open_units(self) -> int:
        """Units that Magento still keeps reserved: neither shipped, cancelled nor refunded before shipping."""
        taken = self.quantity_invoiced if self.product_type in UNSHIPPED_PRODUCT_TYPES else self.quantity_shipped
        return max(0, self.quantity - max(0, self.quantity_cancelled) - max(0, taken, self.quantity_refunded))


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order as Magento told it, and how far it has come here.

    The fields from `state` on belong to the ledger: they come back from it, and `see_orders` ignores them.
    `order_number_prima` is kept from its first value on. No name, address or e-mail is ever in here.
    """

    order_number: str
    entity_id_magento: int
    store_id: int
    state_magento: str
    status_magento: str
    placed_at: datetime
    updated_at: datetime
    currency: str
    net_pence: int
    vat_pence: int
    gross_pence: int
    country: str = ""
    payment_method: str = ""
    delivery_method: str = ""
    is_virtual: bool = False
    order_number_prima: str = ""
    evidence_id: int | None = None
    lines: tuple[OrderLineRecord, ...] = ()
    state: OrderStateName = "seen"
    state_since: datetime | None = None
    seen_at: datetime | None = None
    accepted_at: datetime | None = None
    customer_code: str = ""
    claimed_by: str = ""
    claimed_until: datetime | None = None
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeenOrders:
    """How many orders of a `see_orders` call were new, changed, or told nothing new; and which were new or changed."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    new_numbers: tuple[str, ...] = ()
    changed_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineProgress:
    """How far Magento is with a line. The four quantities only grow there, so the ledger keeps the largest seen."""

    order_number: str
    item_id_magento: int
    quantity_shipped: int = 0
    quantity_cancelled: int = 0
    quantity_refunded: int = 0
    quantity_invoiced: int = 0


@dataclass(frozen=True, slots=True)
class MovedLine:
    """A line of which Magento shipped, cancelled, refunded or invoiced more than the ledger knew."""

    order_number: str
    item_id_magento: int
    sku: str
    source_code: str


@dataclass(frozen=True, slots=True)
class OpenLine:
    """Units of one order that are part of a SKU's open units."""

    order_number: str
    sku: str
    source_code: str
    units: int


@dataclass(frozen=True, slots=True)
class Posting:
    """One attempt at one write. `resolution` says how an unknown outcome was settled: by looking at the target."""

    id: int
    key: str
    attempt: int
    system: str
    operation: str
    subject: str
    request_hash: str
    state: PostingState
    begun_at: datetime
    finished_at: datetime | None = None
    reference: str = ""
    error_code: str = ""
    error_text: str = ""
    resolution: str = ""
    request_evidence_id: int | None = None
    answer_evidence_id: int | None = None


@dataclass(frozen=True, slots=True)
class ExceptionRecord:
    """Something that a person must see, with what `schemas/reasons` says of its code today."""

    id: int
    code: str
    subject: str
    state: ExceptionState
    detail: str
    order_number: str
    sku: str
    value_at_risk_pence: int
    currency: str
    suggestions: tuple[str, ...]
    occurrences: int
    batch_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    closed_by: str
    reopens_id: int | None
    sentence: str
    owner: str
    severity: str
    next_step: str
    anchor: str
    assigned_to: str = ""
    snoozed_until: datetime | None = None
    ignored_at: datetime | None = None

    def is_resting(self, now: datetime) -> bool:
        """Tell whether a person let it rest: ignored, or until a time that has not come."""
        return self.ignored_at is not None or (self.snoozed_until is not None and self.snoozed_until > now)

    def age(self, now: datetime) -> timedelta:
        """Return how long it has been open, up to `now` or to its closing."""
        return (self.closed_at or now) - self.first_seen_at


@dataclass(frozen=True, slots=True)
class ExceptionEvent:
    """What happened to an exception, and by whom.

    By runs: `raised`, `reopened`, `changed`, `returned` (from being ignored) and `closed`. By people: `noted`,
    `assigned`, `snoozed`, `ignored`, `retried`, `mapped`, `released`, `refused` and `closed`.
    """

    id: int
    exception_id: int
    at: datetime
    actor: str
    event: str
    text: str


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """What one run fetched for one stream: window, state and control totals."""

    batch_id: str
    stream: str
    window_start: datetime
    window_end: datetime
    state: str
    opened_at: datetime
    closed_at: datetime | None
    control_totals: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StockLevelRecord:
    """The last sum worked out for a SKU at a source, and what Magento is known to hold (`confirmed_qty`).

    `confirmed_qty` is None when it is not known: never read, or a push whose outcome is open. `confirmed_at` is when
    it was last learned, or last stopped being known. `previous_qty` is what was known before.
    """

    sku: str
    source_code: str
    available_to_sell: int | None
    buffer: int | None
    open_units: int | None
    source_qty: int | None
    snapshot_at: datetime | None
    available_date: date | None
    confirmed_qty: int | None
    confirmed_at: datetime | None
    back_order_units: int = 0
    explanation: str = ""
    previous_qty: int | None = None


@dataclass(frozen=True, slots=True)
class StockPush:
    """One line of the history of pushes: what was sent when, as part of which sum, and how it ended."""

    id: int
    sku: str
    source_code: str
    available_to_sell: int
    buffer: int
    open_units: int
    source_qty: int
    snapshot_at: datetime
    state: PushState
    batch_id: str
    pushed_at: datetime
    back_order_units: int = 0


@dataclass(frozen=True, slots=True)
class DispatchLink:
    """Which Magento shipment tells the customer about a PRIMA dispatch; `shipment_id` is empty until it exists.

    `content` is the hash of the dispatch as it was told; empty while it is not told.
    """

    dispatch_number: str
    order_number: str
    shipment_id: str
    state: str
    first_seen_at: datetime
    updated_at: datetime
    content: str = ""


@dataclass(frozen=True, slots=True)
class DispatchTrack:
    """A tracking number on the shipment of a dispatch; `withdrawn` when PRIMA does not name it any more."""

    dispatch_number: str
    track_number: str
    carrier_code: str
    title: str
    url: str
    state: str
    told_at: datetime


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """One value that a mapping had: set by whom and when, and until when it counted (None: it still does)."""

    kind: str
    key: str
    value: Mapping[str, Any]
    set_by: str
    set_at: datetime
    ended_by: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A kept payload. `payload_sha256` is over its body before compression: without the personal values."""

    id: int
    kind: str
    subject: str
    media: str
    size: int
    payload_sha256: str
    chain_hash: str
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """A payload to keep."""

    kind: str
    subject: str
    payload: str | bytes
    media: str


@dataclass(frozen=True, slots=True)
class KeptPayload:
    """A payload to be shown: `body` has of each personal value its name and length alone.

    `is_erased`: its personal values are gone; `is_kept` is false when it expired as a whole.
    """

    evidence_id: int
    kind: str
    subject: str
    body: bytes
    is_erased: bool
    is_kept: bool


@dataclass(frozen=True, slots=True)
class EvidenceProblem:
    """A row of the evidence that is not what was written. `evidence_id` is 0 when the chain as a whole is short."""

    evidence_id: int
    subject: str
    problem: str
