"""What becomes of an order after PRIMA accepted it: figures that agree or differ, and cancellations on either side.

No input or output. Money in whole pence of the order's currency; instants are aware UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.documents import ControlTotals, ExceptionNote, Parcel, StockTuple

# States of a Magento order in which nothing of it is left to cancel.
OVER_IN_MAGENTO = ("canceled", "closed")
CANCELLED = "cancelled"


def folded(word: str) -> str:
    """Return a status word of PRIMA without case, blanks, hyphens and underscores: its spelling is not certain."""
    return "".join(character for character in word.casefold() if character not in " -_")


def status_subject(word: str) -> str:
    """Return how an exception names a status word of PRIMA."""
    return f"status {word}"


@dataclass(frozen=True, slots=True)
class Figures:
    """Net, VAT and gross of an order, a line or a delivery."""

    net_pence: int = 0
    vat_pence: int = 0
    gross_pence: int = 0


@dataclass(frozen=True, slots=True)
class AcceptedLine:
    """A line as it was sent to PRIMA. `units_gone` are units that Magento has cancelled or refunded since."""

    line_number: int
    sku: str
    quantity: int
    figures: Figures
    units_gone: int = 0


@dataclass(frozen=True, slots=True)
class AcceptedOrder:
    """An order that PRIMA accepted from here. `is_cancelled` is the ledger's word, `state_magento` Magento's."""

    order_number: str
    order_number_prima: str
    entity_id_magento: int
    currency: str
    figures: Figures
    state_magento: str
    accepted_at: datetime
    lines: Sequence[AcceptedLine]
    is_verified: bool = False
    is_cancelled: bool = False

    @property
    def delivery(self) -> Figures:
        """What the order's total holds beside its lines."""
        lines = [line.figures for line in self.lines]
        return Figures(
            self.figures.net_pence - sum(line.net_pence for line in lines),
            self.figures.vat_pence - sum(line.vat_pence for line in lines),
            self.figures.gross_pence - sum(line.gross_pence for line in lines),
        )

    @property
    def control_totals(self) -> ControlTotals:
        """The order as one part of a step's control totals."""
        return ControlTotals(1, self.figures.net_pence, self.figures.vat_pence, self.figures.gross_pence)


@dataclass(frozen=True, slots=True)
class AcceptedOrders:
    """The orders to look at, by PRIMA's number.

    `as_at` is the instant up to which the reporting source is due to be complete, None without one. `open_words` are
    the status words of PRIMA for which an exception is open.
    """

    orders: Mapping[str, AcceptedOrder]
    as_at: datetime | None = None
    open_words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AskedStates:
    """What `OrderStatus` said: PRIMA's word by its order number, and the numbers that it says do not exist.

    `unclear` are numbers that it answered with an unrecognised error. `is_out_of_reach` says why not all of them could
    be asked. `parcels` are those of orders of which something has left, where `[prima.tracking]` points to them.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    is_out_of_reach: str = ""
    parcels: Mapping[str, Sequence[Parcel]] = field(default_factory=dict)
    unclear: frozenset[str] = frozenset()

    @property
    def wordless(self) -> frozenset[str]:
        """The numbers that PRIMA was asked for and has no word of."""
        return self.missing | self.unclear


@dataclass(frozen=True, slots=True)
class AcceptanceRules:
    """What the settings say: delivery as a line or a charge, when an order must show, and PRIMA's status words.

    `statuses` are keyed by the folded word. `cancels_in_prima` says whether there is a request that cancels an order,
    `reports_unknown_words` whether a word that `statuses` does not have is an exception. `rounding_item` stands on a
    line that Magento does not have.
    """

    delivery_is_line: bool
    visible_within: timedelta
    statuses: Mapping[str, str]
    cancels_in_prima: bool = False
    reports_unknown_words: bool = True
    rounding_item: StockTuple | None = None

    def status(self, word: str) -> str | None:
        """Return our name of a status word, or None for a word that the settings do not map."""
        return self.statuses.get(folded(word))


@dataclass(frozen=True, slots=True)
class AcceptancePlan:
    """What the comparison says of each order that is not verified yet: it stands in exactly one of the lists.

    `waiting` are orders that PRIMA need not show yet, `cancelled` those that it cancelled before they were compared.
    All are order numbers of Magento; an exception names its own.
    """

    verified: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    exceptions: list[ExceptionNote] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """An order that is cancelled on one side and not yet on the other. `word` is PRIMA's status."""

    order_number: str
    order_number_prima: str
    entity_id_magento: int
    currency: str
    gross_pence: int
    word: str


@dataclass(frozen=True, slots=True)
class CancellationPlan:
    """What is to be cancelled where. `settled` and `looked_at` are order numbers of Magento.

    `settled` are cancelled on both sides. `looked_at` are all orders whose status in PRIMA is known now. `known_words`
    are status words that had an exception and are mapped now.
    """

    in_magento: list[CancelRequest] = field(default_factory=list)
    in_prima: list[CancelRequest] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    exceptions: list[ExceptionNote] = field(default_factory=list)
    known_words: list[str] = field(default_factory=list)
