"""Refunds of Magento and credit notes of PRIMA: what is open of them, and what is to be done about it.

No input or output, no pandas. Money in whole pence of the document's currency, positive as it was given back; dates are
London's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from schemas.documents import ControlTotals, ExceptionNote

Route = Literal["exception", "export"]
Charge = Literal["goods", "delivery", "adjustment"]
# What a credit memo that was made from a credit note says in a comment that customers do not see.
CREDIT_NOTE_COMMENT = "PRIMA credit note "
# Why a refund is settled that used up units which PRIMA cancelled.
UNITS_CANCELLED = "PRIMA cancelled these units: they are on no invoice"


@dataclass(frozen=True, slots=True)
class RefundLine:
    """A charge of a refund; `item_id_magento` is 0 and `quantity` 0 where it is no goods."""

    line_number: int
    charge: Charge
    item_id_magento: int
    sku: str
    quantity: int
    vat_rate_percent: str
    net_pence: int
    vat_pence: int
    gross_pence: int


@dataclass(frozen=True, slots=True)
class Refund:
    """A credit memo of Magento with its charges, tied to its order. `refunded_at` is when it was paid."""

    refund_number: str
    creditmemo_id: int
    order_number: str
    entity_id_magento: int
    currency: str
    refunded_at: datetime
    refund_date: date
    net_pence: int
    vat_pence: int
    gross_pence: int
    tender_pence: int = 0
    credit_note_number: str = ""
    lines: tuple[RefundLine, ...] = ()

    @property
    def subject(self) -> str:
        """How exceptions and postings name it."""
        return f"refund {self.refund_number}"

    @property
    def control_totals(self) -> ControlTotals:
        """The refund as one part of a step's control totals."""
        return ControlTotals(1, self.net_pence, self.vat_pence, self.gross_pence)

    def by_rate(self) -> dict[str, tuple[int, int]]:
        """Return net and VAT by VAT rate, the highest first; the rate is empty for what has no VAT split."""
        sums: dict[str, tuple[int, int]] = {}
        for line in sorted(self.lines, key=lambda each: -Decimal(each.vat_rate_percent or -1)):
            net, vat = sums.get(line.vat_rate_percent, (0, 0))
            sums[line.vat_rate_percent] = (net + line.net_pence, vat + line.vat_pence)
        return sums


@dataclass(frozen=True, slots=True)
class CreditNote:
    """A credit note of PRIMA on an order that came through here. `creditmemo_id` is Magento's, if we made one of it."""

    credit_note_number: str
    order_number: str
    order_number_prima: str
    invoice_number: str
    credit_note_date: date
    currency: str
    net_pence: int
    vat_pence: int
    gross_pence: int
    reason: str = ""
    creditmemo_id: int = 0

    @property
    def subject(self) -> str:
        """How exceptions and postings name it."""
        return f"credit note {self.credit_note_number}"


@dataclass(frozen=True, slots=True)
class CreditedOrder:
    """What is open of one order: refunds and credit notes that are not settled.

    `cancelled_units` are the units that PRIMA cancelled and that no settled refund stands for, by Magento's item id:
    they were never invoiced, so no credit note is due for them. `line_numbers` are PRIMA's by item id. `is_cancelled`
    says that the order as a whole is cancelled on both sides.
    """

    order_number: str
    order_number_prima: str
    refunds: Sequence[Refund] = ()
    notes: Sequence[CreditNote] = ()
    cancelled_units: Mapping[int, int] = field(default_factory=dict)
    line_numbers: Mapping[int, int] = field(default_factory=dict)
    is_cancelled: bool = False
    payment_method: str = ""


@dataclass(frozen=True, slots=True)
class OpenRefunds:
    """Everything that is open, order by order, and what the settings say about it."""

    orders: Sequence[CreditedOrder]
    rules: "RefundRules"


@dataclass(frozen=True, slots=True)
class RefundRules:
    """What the settings say, and the day it is in London.

    `sees_credit_notes` is False where no reporting source shows PRIMA's credit notes. `told` are refunds that are
    exported already: the file by refund number.
    """

    route: Route
    today: date
    warn_days: int = 10
    alert_days: int = 14
    sees_credit_notes: bool = True
    carries_credit_notes: bool = False
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Refunds and credit notes of one order that answer one another, or that need no answer; `why` in a few words."""

    order_number: str
    refund_numbers: tuple[str, ...]
    credit_note_numbers: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class RefundToTell:
    """A refund that PRIMA is to be told of, with what the file names beside it."""

    refund: Refund
    order_number_prima: str
    payment_method: str
    line_numbers: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """What is to be done: each open refund is settled or waits, and waits with an exception or a file to come of it.

    `open_refunds` and `open_notes` are what is not settled, with their age in days. `to_carry` are credit notes that
    the settings let become credit memos. `differing` are exceptions of documents that are settled all the same.
    """

    settled: list[Settlement] = field(default_factory=list)
    open_refunds: list[tuple[Refund, int]] = field(default_factory=list)
    open_notes: list[tuple[CreditNote, int]] = field(default_factory=list)
    to_tell: list[RefundToTell] = field(default_factory=list)
    to_carry: list[CreditNote] = field(default_factory=list)
    exceptions: list[ExceptionNote] = field(default_factory=list)
    differing: list[ExceptionNote] = field(default_factory=list)
