"""What a batch of PRIMA's stock may contain, and the plan that comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from schemas.documents import ExceptionNote, StockLevel


class StockRows(pa.DataFrameModel):
    """One row per stock tuple of PRIMA's answer. Quantities are whole units, dates are London's, empty when none."""

    product: Series[str] = pa.Field(str_length={"min_value": 1, "max_value": 16})
    mtrx1: Series[str]
    mtrx2: Series[str]
    mtrx3: Series[str]
    mtrx4: Series[str]
    sku: Series[str] = pa.Field(str_length={"max_value": 64})
    available_to_sell: Series[pd.Int64Dtype] = pa.Field(ge=0)
    available_date: Series[str] = pa.Field(str_matches=r"^(\d{4}-\d{2}-\d{2})?$")

    class Config:
        strict = "filter"
        unique = ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4")


@dataclass(frozen=True, slots=True)
class StockPlan:
    """What is to be written: `to_push` in the order of writing, decreases first. Every accepted row is in one list.

    `unmapped` counts rows whose tuple has no SKU; `unchanged` rows are already in Magento; `not_in_magento` are SKUs
    that Magento does not know, which are never written. A plan that is `held` pushes nothing.
    """

    levels: Sequence[StockLevel] = ()
    to_push: Sequence[StockLevel] = ()
    unchanged: int = 0
    unmapped: int = 0
    not_in_magento: Sequence[str] = ()
    exceptions: list[ExceptionNote] = field(default_factory=list)
    held: str = ""


@dataclass(frozen=True, slots=True)
class StockEvidence:
    """What the ledger and Magento say when stock is decided.

    `open_units` and `in_magento` are by SKU; a SKU that `in_magento` lacks is not known there. `rows_before` is the row
    count of the last snapshot that was not held; 0 when there was none.
    """

    open_units: dict[str, int]
    in_magento: dict[str, int]
    rows_before: int
    asked_at: datetime
