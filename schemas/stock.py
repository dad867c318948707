"""What a batch of PRIMA's stock may contain, and the plan that comes of it."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from schemas.documents import ExceptionNote, SourceKey, StockLevel, StockSum

# Four-byte characters: Magento's tables store each of them as `????`, so no SKU there can hold one.
FOUR_BYTES = r"[\U00010000-\U0010FFFF]"

# The largest quantity that a source item of Magento holds (DECIMAL(12,4)).
LARGEST_QUANTITY = 99_999_999

# What a run about some SKUs can say something about, and what only a run about all of them can.
CODES_OF_SKUS = ("STOCK_PUSH_FAILED", "STOCK_NOT_IN_MAGENTO")
CODES = (
    *CODES_OF_SKUS,
    "STOCK_SNAPSHOT_HELD",
    "STOCK_ROW_REJECTED",
    "STOCK_SOURCE_UNKNOWN",
    "STOCK_WAREHOUSE_UNMAPPED",
    "STOCK_ITEM_AMBIGUOUS",
    "STOCK_NOT_IN_PRIMA",
)


class StockRows(pa.DataFrameModel):
    """One row per stock tuple and warehouse of PRIMA's answer.

    Quantities are whole units, dates are London's, empty when none. `warehouse` is empty where PRIMA names none, and
    `source_code` where its stock goes to no source. `sku` is empty where no single SKU belongs to the tuple;
    `claimed_by` then lists the SKUs that share it.
    """

    product: Series[str] = pa.Field(str_length={"min_value": 1, "max_value": 16})
    mtrx1: Series[str]
    mtrx2: Series[str]
    mtrx3: Series[str]
    mtrx4: Series[str]
    warehouse: Series[str]
    source_code: Series[str]
    sku: Series[str] = pa.Field(str_length={"max_value": 64})
    claimed_by: Series[str]
    available_to_sell: Series[pd.Int64Dtype] = pa.Field(ge=0, le=LARGEST_QUANTITY)
    available_date: Series[str] = pa.Field(str_matches=r"^(\d{4}-\d{2}-\d{2})?$")

    @pa.check("sku", name="characters_that_magento_stores")
    def no_character_of_four_bytes(cls, skus: "Series[str]") -> "Series[bool]":
        return ~skus.str.contains(FOUR_BYTES, regex=True)  # type: ignore[return-value]

    class Config:
        strict = "filter"
        unique = ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4", "warehouse")


@dataclass(frozen=True, slots=True)
class StockPlan:
    """What is to be written: `to_push` in the order of writing, decreases first.

    Every accepted row is `counted` in a level, `unmapped` (its tuple has no SKU), `left_out` (its warehouse goes to no
    source) or `incomplete` (another row of the same level was rejected). Every one of the
    `levels_in_all` is in `to_push`, `unchanged` or
    `not_in_magento` (SKUs that Magento does not know, which are never written). `levels` are those whose sum is another
    than the ledger's. A plan that is `held` pushes nothing.
    """

    levels: Sequence[StockLevel] = ()
    to_push: Sequence[StockLevel] = ()
    counted: int = 0
    levels_in_all: int = 0
    unchanged: int = 0
    unmapped: int = 0
    left_out: int = 0
    incomplete: int = 0
    not_in_magento: Sequence[str] = ()
    exceptions: list[ExceptionNote] = field(default_factory=list)
    held: str = ""


@dataclass(frozen=True, slots=True)
class StockEvidence:
    """What the ledger and Magento say when stock is decided, by SKU and source.

    A level that neither `in_magento` nor `without_row` (the product is there, the source has no row for it yet) has is
    not known to Magento. `sums` are the ledger's last sums, `categories` those of a SKU where any are known.
    """

    open_units: Mapping[SourceKey, int]
    in_magento: Mapping[SourceKey, int]
    asked_at: datetime
    without_row: frozenset[SourceKey] = frozenset()
    sums: Mapping[SourceKey, StockSum] = field(default_factory=dict)
    categories: Mapping[str, Set[str]] = field(default_factory=dict)
