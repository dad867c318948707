"""The small records that steps and systems hand to one another. No input or output, no pandas, no pandera.

Money is in whole pence of the record's currency; instants are aware UTC.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from schemas.order_checks import Action

SourceKey = tuple[str, str]
"""A SKU and the code of a Magento source."""


class StockTuple(NamedTuple):
    """PRIMA's identity of a sellable thing: `Product` and four matrix codes. Never joined into one text."""

    product: str
    mtrx1: str = ""
    mtrx2: str = ""
    mtrx3: str = ""
    mtrx4: str = ""


class StockRow(NamedTuple):
    """One row of a stock answer of PRIMA. `quantity` is the text as it came, for the schema to judge.

    `warehouse` is empty where PRIMA gives one figure for all of them, as its web service does.
    """

    item: StockTuple
    quantity: str
    available_date: str
    warehouse: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """An address as a Magento order holds it; `street` is the list of lines."""

    forename: str
    surname: str
    street: tuple[str, ...]
    town: str
    county: str
    postcode: str
    country: str
    email: str
    phone: str
    company: str = ""
    vat_number: str = ""


@dataclass(frozen=True, slots=True)
class SalesOrderLine:
    """One sellable line: VAT and gross as Magento charged them, for the whole line, after its discount."""

    line_number: int
    item_id_magento: int
    sku: str
    item: StockTuple
    quantity: int
    net_pence: int
    vat_pence: int
    gross_pence: int
    discount_net_pence: int = 0
    discount_gross_pence: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    """PRIMA's payment codes, and the payment gateway's id where there is one. Never card data."""

    pay_method: str
    sub_pay_method: str
    pay_provider: str
    order_category: str
    transaction_id: str


@dataclass(frozen=True, slots=True)
class Tender:
    """What a gift card, store credit or reward points paid of an order, with PRIMA's codes for it."""

    kind: str
    amount_pence: int
    pay_method: str
    sub_pay_method: str
    pay_provider: str


@dataclass(frozen=True, slots=True)
class SalesOrder:
    """An order that is ready for PRIMA: lines + delivery = total, net + VAT = gross everywhere.

    `order_number` is Magento's increment id, `order_number_prima` the number under which PRIMA keeps it. `placed_on` is
    London's date; `customer_id_magento` is None for a guest. `tenders` paid a part of
    `gross_pence`; the rest is the payment method's. `rounding_pence` (net, without VAT) is what lines and delivery
    leave of the total. `if_cut` says what happens when a text has to be cut.
    """

    order_number: str
    order_number_prima: str
    entity_id_magento: int
    currency: str
    channel: str
    brand: str
    delivery_address: Address
    invoice_address: Address
    lines: tuple[SalesOrderLine, ...]
    delivery_net_pence: int
    delivery_vat_pence: int
    delivery_gross_pence: int
    delivery_charge_code: str
    carrier: str
    service: str
    payment: Payment
    note: str
    net_pence: int
    vat_pence: int
    gross_pence: int
    is_held: bool = False
    hold_reason: str = ""
    placed_on: date | None = None
    customer_id_magento: int | None = None
    tenders: tuple[Tender, ...] = ()
    if_cut: Action = "warn"
    rounding_pence: int = 0

    @property
    def charged_pence(self) -> int:
        """What is left to the payment method."""
        return self.gross_pence - sum(tender.amount_pence for tender in self.tenders)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel's tracking number with PRIMA's codes of its carrier and service, empty where they are not told."""

    number: str
    carrier: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What PRIMA answered when it took an order. `customer_code` is empty when only `OrderStatus` proved it."""

    order_number_prima: str
    customer_code: str


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """Units of one Magento order line (the parent of a configurable) in a shipment."""

    item_id_magento: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Track:
    """A tracking number as Magento stores it, and the page of the carrier that follows it, where there is one."""

    number: str
    carrier_code: str
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class ShipmentRequest:
    """A dispatch of PRIMA as the Magento shipment that tells it: explicit lines, never an empty list."""

    dispatch_number: str
    order_number: str
    entity_id_magento: int
    lines: tuple[ShipmentLine, ...]
    tracks: tuple[Track, ...]
    source_code: str = ""
    notify_customer: bool = True


@dataclass(frozen=True, slots=True)
class TrackRequest:
    """Tracking numbers of a dispatch that its Magento shipment may lack: they came, or were mapped, after it."""

    dispatch_number: str
    order_number: str
    entity_id_magento: int
    shipment_id: str
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class StockLevel:
    """The quantity to write to one Magento source, with the sum that gives it.

    `source_qty = max(0, available_to_sell - buffer) + back_order_units + open_units`; `explanation` says in words which
    buffer rule counted and which warehouses make up the figure, where there is something to say.
    """

    sku: str
    source_code: str
    available_to_sell: int
    buffer: int
    open_units: int
    source_qty: int
    snapshot_at: datetime
    available_date: date | None = None
    back_order_units: int = 0
    explanation: str = ""


class StockSum(NamedTuple):
    """The sum behind a level, as the ledger has it."""

    available_to_sell: int
    buffer: int
    back_order_units: int
    open_units: int
    source_qty: int
    available_date: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a stream is recorded: the last `(updated_at, entity_id)` that is safely in the ledger."""

    stream: str
    at: datetime
    key: int = 0


@dataclass(frozen=True, slots=True)
class ExceptionNote:
    """Something that a person must see: a reason of `schemas/reasons` on one subject.

    `subject` names the thing (`order 000000101`, `sku AB-1`, `dispatch D100`): the same code on the same subject is one
    exception that counts its occurrences. `detail` holds no personal data.
    """

    code: str
    subject: str
    detail: str
    order_number: str = ""
    sku: str = ""
    value_at_risk_pence: int = 0
    currency: str = "GBP"
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """Counts and pence of one arrow of the line; two of them that must agree are compared by `record.close_batch`."""

    count: int = 0
    net_pence: int = 0
    vat_pence: int = 0
    gross_pence: int = 0

    def __add__(self, other: "ControlTotals") -> "ControlTotals":
        return ControlTotals(
            self.count + other.count,
            self.net_pence + other.net_pence,
            self.vat_pence + other.vat_pence,
            self.gross_pence + other.gross_pence,
        )


@dataclass(frozen=True, slots=True)
class VatRate:
    """A VAT rate in per cent and the pence charged at it."""

    rate_percent: Decimal
    net_pence: int = 0
    vat_pence: int = 0
    gross_pence: int = field(default=0)
