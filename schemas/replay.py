"""Orders played again: what was sent, what would be sent now, and what would be decided. No input or output."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from schemas.backfill import Outcome

Source = Literal["evidence", "magento"]
Verdict = Literal["in PRIMA", "outcome unknown", "cancelled", "would be held", "cannot be sent", "would be posted"]
Attributes = Mapping[str, str]

# Attributes that tell nothing about a person, by element. Whatever stands in no list is taken for personal.
_PLAIN = {
    "Data": """
        UniqueId TPGUID OrderNumber HoldOrder HoldOrderNarrative OrderChannel OrderType Country VatInclusive
        PaymentTerms SeasonDDValidation EntitlementCheck ReceiveMail ReceiveEmail ReceiveText ReceivePhone ReceiveMobile
        RentDetails
        """,
    "OrderHeaderData": """
        OrderCategory SourceMedia OrderStatus Carrier CarrServ Currency OrderDate OrderPaid PaymentOnOrder ProdConv
        Proforma Season SendToApproval B2B Brand
        """,
    "OrderInvoiceData": "InvoiceCountry",
    "OrderLineData": """
        OrderLine Product MtrxCode1 MtrxCode2 MtrxCode3 MtrxCode4 Quantity Price ExtTaxVal Voucher DueDate Inventory
        Reserve TrDisc Warehouse Promotion PromotionValue WebPrmCode
        """,
    "OrderChargeData": "Charge ChargeValue",
    "OrderPaymentData": "PayMethod SubPayMethod TranAmount PayProvider PayAuthRef PayAuthId LineRef",
}
PLAIN: Mapping[str, frozenset[str]] = {element: frozenset(names.split()) for element, names in _PLAIN.items()}


def is_personal(name: str) -> bool:
    """Say whether an attribute (`OrderLineData 1/@Price`) may tell something about a person."""
    element, _, attribute = name.partition("/@")
    return attribute not in PLAIN.get(element.partition(" ")[0], frozenset())


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at posting the order, with the document that was recorded for it."""

    state: str
    at: datetime
    reference: str = ""
    error_code: str = ""
    error_text: str = ""
    attributes: Attributes = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SentOrder:
    """What the ledger holds of an order and its postings, oldest first; `state` is empty for one never seen.

    `erased` says why what was sent cannot be shown: its personal data was erased.
    """

    order_number: str
    order_number_prima: str = ""
    state: str = ""
    attempts: Sequence[Attempt] = ()
    erased: str = ""

    @property
    def sent(self) -> Attempt | None:
        """The attempt that PRIMA has, else the last one; None when nothing was ever sent."""
        posted = [attempt for attempt in self.attempts if attempt.state == "posted"]
        return posted[-1] if posted else (self.attempts[-1] if self.attempts else None)


@dataclass(frozen=True, slots=True)
class PreparedOrder:
    """The request that would be sent now: its attributes, or why there is none.

    `problem` says why it cannot be sent. `word` is PRIMA's status of the order, empty when it has none; `look` says
    why PRIMA could not tell.
    """

    attributes: Attributes = field(default_factory=dict, repr=False)
    problem: str = ""
    word: str = ""
    look: str = ""


@dataclass(frozen=True, slots=True)
class ReplayedAttribute:
    """One attribute of the request, as it was sent and as it would be sent now; empty where it is not."""

    name: str
    sent: str = field(repr=False)
    now: str = field(repr=False)

    @property
    def is_other(self) -> bool:
        """Whether the two differ."""
        return self.sent != self.now

    def shown(self, *, with_customer: bool) -> tuple[str, str]:
        """Return both values; what may tell something about a person only as its length, unless it is asked for."""
        if with_customer or not is_personal(self.name):
            return self.sent, self.now
        return masked(self.sent), masked(self.now)


def masked(value: str) -> str:
    """Return a value as its length alone."""
    return f"({len(value)} characters)" if value else ""


@dataclass(frozen=True, slots=True)
class Replay:
    """An order played again. `decision` is one sentence; `was_posted` says that this run posted it."""

    order_number: str
    order_number_prima: str
    source: Source
    verdict: Verdict
    decision: str
    sent_at: datetime | None = None
    attributes: Sequence[ReplayedAttribute] = field(default=(), repr=False)
    was_posted: bool = False

    @property
    def differences(self) -> list[ReplayedAttribute]:
        """The attributes that would be sent otherwise than they were."""
        return [attribute for attribute in self.attributes if attribute.is_other]


@dataclass(frozen=True, slots=True)
class ReplayedPart:
    """A batch of orders played again: every order by its verdict, and those that differ from what was sent."""

    verdicts: Sequence[Outcome]
    differing: Sequence[Replay]
    posted: Sequence[str] = ()
    unreadable: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class ReplayedRange:
    """Many orders played again: by dates (London, both included) or by number.

    `verdicts` count orders and pence by what would become of them; `differing` are the replays of orders that would be
    sent otherwise than they were, with their differing attributes alone. `posted` are the orders that this run posted,
    `missing` the numbers that nobody knows, `unreadable` the entity ids that Magento does not hand out.
    """

    source: Source
    from_date: date | None
    to_date: date | None
    verdicts: Sequence[Outcome]
    differing: Sequence[Replay]
    posted: Sequence[str] = ()
    missing: Sequence[str] = ()
    unreadable: Sequence[int] = ()

    @property
    def by_attribute(self) -> Mapping[str, int]:
        """How many orders differ in an attribute; those of all lines counted as one: `OrderLineData/@Price`."""
        counts: Counter[str] = Counter()
        for replay in self.differing:
            counts.update({_of_any_line(row.name) for row in replay.differences})
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _of_any_line(name: str) -> str:
    element, _, attribute = name.partition("/@")
    return f"{element.partition(' ')[0]}/@{attribute}"
