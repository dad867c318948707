"""What a batch of Magento's credit memos may contain after `tasks/normalise/refunds.py`. Types are strict.

Money in whole pence of the document's currency, positive as it was given back.
"""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from schemas.orders import UTC_TIME

TOTALS = "TOTALS_DISAGREE"
_NOT_EMPTY = {"min_value": 1}


class Refunds(pa.DataFrameModel):
    """One row per credit memo of Magento. `lines_*` are the sums of its charges, which must make its totals.

    `tender_pence` of the gross went back to gift cards, store credit or points, not to the payment method.
    `credit_note_number` is PRIMA's credit note that it was made from, empty for one made in Magento.
    """

    refund_number: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    creditmemo_id: Series[pd.Int64Dtype] = pa.Field(ge=1)
    order_number: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    entity_id_magento: Series[pd.Int64Dtype] = pa.Field(ge=1)
    currency: Series[str] = pa.Field(str_matches=r"^[A-Z]{3}$")
    refunded_at: Series[UTC_TIME]
    net_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    vat_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    gross_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    tender_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    lines_vat_pence: Series[pd.Int64Dtype]
    lines_gross_pence: Series[pd.Int64Dtype]
    credit_note_number: Series[str]

    class Config:
        strict = True
        coerce = False
        unique: ClassVar[list[str]] = ["refund_number"]

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def net_and_vat_make_gross(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return (rows.net_pence + rows.vat_pence == rows.gross_pence).fillna(False).astype(bool)

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def charges_make_the_total(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        adds_up = (rows.lines_gross_pence == rows.gross_pence) & (rows.lines_vat_pence == rows.vat_pence)
        return adds_up.fillna(False).astype(bool)


class RefundLines(pa.DataFrameModel):
    """One row per charge of a credit memo. An adjustment carries no VAT in Magento and has no rate; it may be a fee."""

    refund_number: Series[str] = pa.Field(str_length=_NOT_EMPTY)
    line_number: Series[pd.Int64Dtype] = pa.Field(ge=1)
    charge: Series[str] = pa.Field(isin=["goods", "delivery", "adjustment"])
    item_id_magento: Series[pd.Int64Dtype] = pa.Field(ge=1, nullable=True)
    sku: Series[str]
    quantity: Series[pd.Int64Dtype] = pa.Field(ge=0, nullable=True)
    vat_rate_percent: Series[str]
    net_pence: Series[pd.Int64Dtype]
    vat_pence: Series[pd.Int64Dtype]
    gross_pence: Series[pd.Int64Dtype]

    class Config:
        strict = True
        coerce = False
        unique: ClassVar[list[str]] = ["refund_number", "line_number"]

    @pa.dataframe_check(name="VAT_RATE", error="VAT_RATE")
    def goods_and_delivery_have_a_rate(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return (rows.charge == "adjustment") | rows.vat_rate_percent.str.fullmatch(r"\d{1,3}(\.\d+)?")

    @pa.dataframe_check(name="GOODS", error="GOODS")
    def goods_name_their_order_line(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return (rows.charge != "goods") | (rows.item_id_magento.notna() & rows.quantity.notna())


@dataclass(frozen=True, slots=True)
class RefundFrames:
    """Refunds and their charges, as the two models describe them."""

    refunds: pd.DataFrame
    lines: pd.DataFrame
