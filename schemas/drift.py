"""Read-back: what Magento shows of stock, what the ledger expects, and each difference with its cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from schemas.documents import SourceKey
from schemas.reasons import Severity

Cause = Literal[
    "missed push",
    "changed in Magento",
    "negative quantity",
    "fraction of a unit",
    "switched off",
    "source item gone",
    "reservations",
    "open units",
    "orphan",
    "unmapped source",
]
CODES: Mapping[Cause, str] = {
    "missed push": "STOCK_PUSH_MISSED",
    "changed in Magento": "STOCK_DRIFT",
    "negative quantity": "STOCK_DRIFT",
    "fraction of a unit": "STOCK_DRIFT",
    "switched off": "STOCK_DRIFT",
    "source item gone": "STOCK_DRIFT",
    "reservations": "STOCK_RESERVATIONS_OFF",
    "open units": "STOCK_OPEN_UNITS_OFF",
    "orphan": "STOCK_ORPHAN",
    "unmapped source": "STOCK_SOURCE_UNMAPPED",
}
# What a read-back of a few SKUs looks at as well: these are raised and closed SKU by SKU.
CODES_OF_SKUS = ("STOCK_PUSH_MISSED", "STOCK_DRIFT")
StockKey = tuple[str, int]
"""A SKU and the id of a Magento stock."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A source item as Magento shows it."""

    sku: str
    source_code: str
    quantity: Decimal
    is_in_stock: bool


@dataclass(frozen=True, slots=True)
class OpenUnits:
    """Units that Magento still reserves for an order line, by its own order. `stock_id` is that of the store's website.

    `item_id_magento` is that of the line that is shipped (the parent of a configurable); 0 for a part of a bundle.
    """

    order_number: str
    item_id_magento: int
    sku: str
    stock_id: int
    units: int


@dataclass(frozen=True, slots=True)
class StockReading:
    """What Magento shows. `skus` None: everything; else these SKUs.

    `products` (SKUs of all products, folded to lower case, because Magento compares them so) and `orders` (records of
    those that are not finished) are there only when the reading `is_complete`; `open_units` are made of the orders
    and of `stock_of_store`, the stock that each store view sells from. `salable` is by SKU and stock, for those that
    were asked for.
    """

    read_at: datetime
    skus: frozenset[str] | None
    is_complete: bool
    holdings: Sequence[Holding] = field(repr=False)
    products: frozenset[str] = field(default=frozenset(), repr=False)
    salable: Mapping[StockKey, int] = field(default_factory=dict, repr=False)
    orders: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    stock_of_store: Mapping[int, int] = field(default_factory=dict)
    open_units: Sequence[OpenUnits] = field(default=(), repr=False)
    sources_of_stocks: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownLevel:
    """What the ledger knows that a source holds.

    `before`: what it held before the last push, where that is known. `is_from_push`: nobody has read it back since.
    """

    quantity: int
    at: datetime
    before: int | None
    is_from_push: bool


@dataclass(frozen=True, slots=True)
class KnownStock:
    """The ledger's side of a read-back: levels, and the open units of each line of orders that PRIMA accepted.

    `open_lines` holds SKU and units by order number and item id; `accepted` are those of Magento's unfinished orders
    that PRIMA accepted.
    """

    levels: Mapping[SourceKey, KnownLevel]
    sources: frozenset[str]
    open_lines: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    open_units: Mapping[SourceKey, int] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference: what was expected, what was found, why, and our arithmetic in words.

    `subject` tells several of one code apart; `units` are the units in question.
    """

    cause: Cause
    severity: Severity
    subject: str
    sku: str
    source_code: str
    expected: int
    found: Decimal
    words: str
    order_number: str = ""
    value_pence: int = 0

    @property
    def code(self) -> str:
        """The reason that it is raised with."""
        return CODES[self.cause]

    @property
    def units(self) -> int:
        """How many units are in question, up to whole ones."""
        return -int(-abs(self.found - self.expected) // 1)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A level as it was read in Magento: `quantity` as text, since it may be a fraction; empty where there is no row.

    `expected` is what the ledger knew, None where it knew nothing. `cause` is that of the drift, empty without one.
    """

    sku: str
    source_code: str
    read_at: datetime
    quantity: str
    expected: int | None
    cause: str = ""
