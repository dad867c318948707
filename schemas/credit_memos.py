"""Credit notes of PRIMA on their way to Magento: their lines, what Magento still lets us refund, and the request.

No input or output. Money in whole pence of the order's currency.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from schemas.documents import ExceptionNote, ShipmentLine
from schemas.refunds import CreditNote

DeliveryAmount = Literal["net", "gross"]


@dataclass(frozen=True, slots=True)
class CreditNoteLine:
    """A line of a credit note; `order_line_number` is 0 unless it is goods."""

    line_type: Literal["goods", "delivery", "adjustment"]
    order_line_number: int
    quantity: int
    vat_rate: str
    net_pence: int
    vat_pence: int
    gross_pence: int


@dataclass(frozen=True, slots=True)
class LeftOfLine:
    """What of an order line was invoiced in Magento and not refunded yet."""

    item_id_magento: int
    line_number: int
    quantity: int
    vat_rate: str
    vat_pence: int
    gross_pence: int


@dataclass(frozen=True, slots=True)
class LeftOfOrder:
    """What Magento still lets us refund of an order.

    `problem` says why nothing can be carried to it at all; empty when it can. `updated_at` is Magento's mark of the
    state that this describes.
    """

    order_number: str
    entity_id_magento: int
    currency: str
    updated_at: str
    lines: Sequence[LeftOfLine] = ()
    delivery_rate: str = ""
    delivery_net_pence: int = 0
    delivery_vat_pence: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class NotesToCarry:
    """Credit notes to carry with their lines by number, and their orders as Magento has them now, by order number."""

    notes: Sequence[CreditNote] = ()
    lines: Mapping[str, Sequence[CreditNoteLine]] = field(default_factory=dict)
    orders: Mapping[str, LeftOfOrder] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CreditMemoRequest:
    """A credit note as the credit memo that tells it: explicit lines and delivery, nothing goes back to stock.

    `delivery_pence` is net or gross, as the shop takes it; `goodwill_pence` carries no VAT. `updated_at` is the state
    of the order for which this was worked out.
    """

    note: CreditNote
    entity_id_magento: int
    lines: tuple[ShipmentLine, ...]
    delivery_pence: int
    goodwill_pence: int
    updated_at: str


@dataclass(frozen=True, slots=True)
class CarryPlan:
    """Credit memos to make, and why the other credit notes cannot become one."""

    to_make: list[CreditMemoRequest] = field(default_factory=list)
    exceptions: list[ExceptionNote] = field(default_factory=list)
