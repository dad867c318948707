"""What PRIMA's extracts may contain after `tasks/normalise/reporting.py`: one model an extract.

Columns are those of `schemas/extracts.py`, with money as whole pence in `_pence` columns (`net_amount` becomes
`net_pence`), VAT rates as plain text in per cent (`17.5`), instants in UTC. Types are strict: nothing is coerced.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from schemas.extracts import Column
from schemas.orders import UTC_TIME

TOTALS = "TOTALS_DISAGREE"

_NOT_EMPTY = {"min_value": 1}
_CURRENCY = r"^[A-Z]{3}$"
_RATE = r"^\d{1,3}(\.\d+)?$"


def frame_name(column: Column) -> str:
    """Return the name that a column of an extract has in its frame: `net_amount` becomes `net_pence`."""
    return f"{column.name.removesuffix('_amount')}_pence" if column.type == "money" else column.name


def _adds_up(rows: pd.DataFrame, prefix: str = "") -> "pd.Series[bool]":
    net, vat, gross = (rows[f"{prefix}{name}_pence"] for name in ("net", "vat", "gross"))
    return (net + vat == gross).fillna(False).astype(bool)


class _Extract(pa.DataFrameModel):
    """What all extracts share."""

    updated_at: Series[UTC_TIME]

    class Config:
        strict = True
        coerce = False


class _Document(_Extract):
    """A document with amounts: net + VAT = gross."""

    order_number_prima: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    currency: Series[str] = pa.Field(str_matches=_CURRENCY)
    net_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    vat_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    gross_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def net_and_vat_make_gross(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return _adds_up(rows)


class _Line(_Extract):
    """A line of a document: which one, which item, how many."""

    order_number_prima: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    line_number: Series[pd.Int64Dtype] = pa.Field(ge=1)
    product: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    mtrx1: Series[str]
    mtrx2: Series[str]
    mtrx3: Series[str]
    mtrx4: Series[str]
    quantity: Series[pd.Int64Dtype] = pa.Field(ge=0)


class _PricedLine(_Line):
    """A line with amounts: net + VAT = gross. A line may be negative (a discount or rounding line)."""

    vat_rate: Series[str] = pa.Field(str_matches=_RATE)
    net_pence: Series[pd.Int64Dtype]
    vat_pence: Series[pd.Int64Dtype]
    gross_pence: Series[pd.Int64Dtype]

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def net_and_vat_make_gross(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return _adds_up(rows)


class PrimaSalesOrders(_Document):
    """One row per sales order of PRIMA; delivery is part of the amounts, and told on its own."""

    status: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    customer_code: Series[str]
    ordered_at: Series[UTC_TIME]
    delivery_net_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    delivery_vat_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    delivery_gross_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)

    class Config:
        unique: ClassVar[list[str]] = ["order_number_prima"]

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def delivery_net_and_vat_make_gross(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return _adds_up(rows, "delivery_")

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def delivery_is_part_of_the_total(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return (rows.delivery_gross_pence <= rows.gross_pence).fillna(False).astype(bool)


class PrimaSalesOrderLines(_PricedLine):
    """One row per line of a sales order."""

    quantity_dispatched: Series[pd.Int64Dtype] = pa.Field(ge=0)
    quantity_cancelled: Series[pd.Int64Dtype] = pa.Field(ge=0)
    vat_code: Series[str]

    class Config:
        unique: ClassVar[list[str]] = ["order_number_prima", "line_number"]

    @pa.dataframe_check(name="QUANTITIES", error="QUANTITIES")
    def no_more_leaves_than_was_ordered(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        gone = rows.quantity_dispatched + rows.quantity_cancelled
        return (gone <= rows.quantity).fillna(False).astype(bool)


class PrimaInvoices(_Document):
    """One row per sales invoice; delivery is part of the amounts."""

    invoice_number: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    invoice_date: Series[pa.Date]

    class Config:
        unique: ClassVar[list[str]] = ["invoice_number"]


class PrimaInvoiceLines(_PricedLine):
    """One row per line of an invoice; delivery is a line of its own, without a line of the order."""

    invoice_number: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    line_type: Series[str] = pa.Field(isin=["goods", "delivery"])
    order_line_number: Series[pd.Int64Dtype] = pa.Field(ge=1, nullable=True)

    class Config:
        unique: ClassVar[list[str]] = ["invoice_number", "line_number"]

    @pa.dataframe_check(name="ORDER_LINE", error="ORDER_LINE")
    def goods_name_their_order_line(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return (rows.line_type == "delivery") | rows.order_line_number.notna()


class PrimaCreditNotes(_Document):
    """One row per credit note; amounts are positive."""

    credit_note_number: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    invoice_number: Series[str]
    credit_note_date: Series[pa.Date]
    reason: Series[str]

    class Config:
        unique: ClassVar[list[str]] = ["credit_note_number"]


class PrimaCreditNoteLines(_Extract):
    """One row per line of a credit note: net + VAT = gross; goods name their order line and units."""

    credit_note_number: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    line_number: Series[pd.Int64Dtype] = pa.Field(ge=1)
    order_number_prima: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    line_type: Series[str] = pa.Field(isin=["goods", "delivery", "adjustment"])
    order_line_number: Series[pd.Int64Dtype] = pa.Field(ge=1, nullable=True)
    quantity: Series[pd.Int64Dtype] = pa.Field(ge=0)
    vat_rate: Series[str] = pa.Field(str_matches=_RATE)
    net_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    vat_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    gross_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)

    class Config:
        unique: ClassVar[list[str]] = ["credit_note_number", "line_number"]

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def net_and_vat_make_gross(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return _adds_up(rows)

    @pa.dataframe_check(name="ORDER_LINE", error="ORDER_LINE")
    def goods_name_their_order_line_and_units(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return (rows.line_type != "goods") | (rows.order_line_number.notna() & (rows.quantity > 0))


class PrimaDispatches(_Extract):
    """One row per dispatch; tracking numbers as PRIMA gives them, several separated by a semicolon."""

    dispatch_number: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    order_number_prima: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    dispatched_at: Series[UTC_TIME]
    carrier: Series[str]
    service: Series[str]
    tracking_numbers: Series[str]

    class Config:
        unique: ClassVar[list[str]] = ["dispatch_number"]


class PrimaDispatchLines(_Line):
    """One row per line of a dispatch."""

    dispatch_number: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    order_line_number: Series[pd.Int64Dtype] = pa.Field(ge=1)
    quantity: Series[pd.Int64Dtype] = pa.Field(ge=1)

    class Config:
        unique: ClassVar[list[str]] = ["dispatch_number", "line_number"]


class PrimaItems(_Extract):
    """One row per sellable item, by the web shop's SKU."""

    sku: Series[str] = pa.Field(str_length={"min_value": 1, "max_value": 64})
    product: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    mtrx1: Series[str]
    mtrx2: Series[str]
    mtrx3: Series[str]
    mtrx4: Series[str]
    description: Series[str]
    vat_code: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    vat_rate: Series[str] = pa.Field(str_matches=_RATE)
    is_active: Series[bool]

    class Config:
        unique: ClassVar[list[str]] = ["sku"]


class PrimaPrices(_Extract):
    """One row per price of an item in a currency, VAT included."""

    sku: Series[str] = pa.Field(str_length={"min_value": 1, "max_value": 64})
    currency: Series[str] = pa.Field(str_matches=_CURRENCY)
    gross_price_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)

    class Config:
        unique: ClassVar[list[str]] = ["sku", "currency"]


class PrimaStock(_Extract):
    """The stock of an item in a warehouse. The stock flow reads it as text instead, to judge it row by row."""

    product: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    mtrx1: Series[str]
    mtrx2: Series[str]
    mtrx3: Series[str]
    mtrx4: Series[str]
    warehouse: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    available_quantity: Series[pd.Int64Dtype] = pa.Field(ge=0)
    physical_quantity: Series[pd.Int64Dtype] = pa.Field(ge=0, nullable=True)
    allocated_quantity: Series[pd.Int64Dtype] = pa.Field(ge=0, nullable=True)
    reserved_quantity: Series[pd.Int64Dtype] = pa.Field(ge=0, nullable=True)
    available_date: Series[Any] = pa.Field(nullable=True)

    class Config:
        unique: ClassVar[list[str]] = ["product", "mtrx1", "mtrx2", "mtrx3", "mtrx4", "warehouse"]


MODELS: Mapping[str, type[pa.DataFrameModel]] = {
    "sales_orders": PrimaSalesOrders,
    "sales_order_lines": PrimaSalesOrderLines,
    "invoices": PrimaInvoices,
    "invoice_lines": PrimaInvoiceLines,
    "credit_notes": PrimaCreditNotes,
    "credit_note_lines": PrimaCreditNoteLines,
    "dispatches": PrimaDispatches,
    "dispatch_lines": PrimaDispatchLines,
    "items": PrimaItems,
    "prices": PrimaPrices,
    "stock": PrimaStock,
}


def rate_text(rate: Decimal) -> str:
    """Return a rate in per cent as plain text without spare zeros: `20`, `17.5`, `0`."""
    plain = f"{rate:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
