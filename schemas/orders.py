"""What a batch of Magento orders may contain: one row an order, one row a sellable line.

A check is named after the reason (`schemas/reasons`) with which a failing row is reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from schemas.batches import agree
from schemas.documents import Address, ExceptionNote, SalesOrder

TOTALS = "TOTALS_DISAGREE"
REJECTED = "ROW_REJECTED"
UTC_TIME = Annotated[pd.DatetimeTZDtype, "us", "UTC"]


class Orders(pa.DataFrameModel):
    """One row per Magento order. Money in pence of `currency`; lines + delivery = total; net + VAT = gross.

    `gross_pence` is what the order was sold for. `charged_pence` of it (Magento's `grand_total`) was left to the
    payment method, the rest was paid by gift card, store credit or reward points. `floored_pence` is what Magento shows
    too much of lines whose discount is larger than their price; it is part of the total as well.
    """

    order_number: Series[str] = pa.Field(unique=True, str_length={"min_value": 1, "max_value": 50})
    entity_id_magento: Series[pd.Int64Dtype] = pa.Field(gt=0)
    store_id: Series[pd.Int64Dtype]
    state_magento: Series[str]
    status_magento: Series[str]
    placed_at: Series[UTC_TIME]
    updated_at: Series[UTC_TIME]
    business_date: Series[object]
    currency: Series[str] = pa.Field(str_matches=r"^[A-Z]{3}$")
    country: Series[str] = pa.Field(str_matches=r"^[A-Z]{2}$")
    postcode_area: Series[str]
    payment_method: Series[str]
    delivery_method: Series[str]
    is_virtual: Series[bool]
    has_bundle: Series[bool]
    is_paid: Series[bool]
    is_authorised: Series[bool]
    line_count: Series[pd.Int64Dtype] = pa.Field(gt=0)
    quantity_total: Series[pd.Int64Dtype] = pa.Field(gt=0)
    quantity_shipped: Series[pd.Int64Dtype] = pa.Field(ge=0)
    goods_net_pence: Series[pd.Int64Dtype]
    goods_vat_pence: Series[pd.Int64Dtype]
    goods_gross_pence: Series[pd.Int64Dtype]
    delivery_net_pence: Series[pd.Int64Dtype]
    delivery_vat_pence: Series[pd.Int64Dtype]
    delivery_gross_pence: Series[pd.Int64Dtype]
    delivery_vat_rate_percent: Series[str] = pa.Field(str_matches=r"^\d{1,3}(\.\d+)?$")
    net_pence: Series[pd.Int64Dtype]
    vat_pence: Series[pd.Int64Dtype]
    gross_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    floored_pence: Series[pd.Int64Dtype] = pa.Field(le=0)
    charged_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    gift_card_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    store_credit_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    reward_points_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    header_gross_pence: Series[pd.Int64Dtype]
    applied_vat_pence: Series[pd.Int64Dtype]

    class Config:
        strict = "filter"

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def lines_and_delivery_make_the_total(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return agree(rows.goods_gross_pence + rows.delivery_gross_pence + rows.floored_pence == rows.gross_pence)

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def vat_of_lines_and_delivery_makes_the_vat(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return agree(rows.goods_vat_pence + rows.delivery_vat_pence == rows.vat_pence)

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def the_vat_table_makes_the_vat(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return agree(rows.applied_vat_pence == rows.vat_pence)

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def the_header_formula_makes_the_total(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return agree(rows.header_gross_pence == rows.gross_pence)

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def net_and_vat_make_gross(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return agree(rows.net_pence + rows.vat_pence == rows.gross_pence)


class OrderLines(pa.DataFrameModel):
    """One row per sellable line: the parent of a configurable, with its child's SKU. Money is the whole line's."""

    order_number: Series[str]
    line_number: Series[pd.Int64Dtype] = pa.Field(ge=1)
    item_id_magento: Series[pd.Int64Dtype] = pa.Field(gt=0)
    sku: Series[str] = pa.Field(str_length={"min_value": 1, "max_value": 64})
    product_type: Series[str]
    quantity: Series[pd.Int64Dtype] = pa.Field(gt=0)
    discount_net_pence: Series[pd.Int64Dtype]
    discount_gross_pence: Series[pd.Int64Dtype]
    vat_rate_percent: Series[str] = pa.Field(str_matches=r"^\d{1,3}(\.\d+)?$")
    net_pence: Series[pd.Int64Dtype]
    vat_pence: Series[pd.Int64Dtype]
    gross_pence: Series[pd.Int64Dtype] = pa.Field(ge=0)
    quantity_shipped: Series[pd.Int64Dtype] = pa.Field(ge=0)
    quantity_cancelled: Series[pd.Int64Dtype] = pa.Field(ge=0)
    quantity_refunded: Series[pd.Int64Dtype] = pa.Field(ge=0)
    quantity_invoiced: Series[pd.Int64Dtype] = pa.Field(ge=0)

    class Config:
        strict = "filter"

    @pa.dataframe_check(name=TOTALS, error=TOTALS)
    def net_and_vat_make_gross(cls, rows: pd.DataFrame) -> "pd.Series[bool]":
        return agree(rows.net_pence + rows.vat_pence == rows.gross_pence)


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """What an order needs beside its figures. Personal data: stays in memory, never in a frame, log or artifact."""

    delivery_address: Address
    invoice_address: Address
    note: str
    transaction_id: str
    customer_id_magento: int | None = None


@dataclass(frozen=True, slots=True)
class OrderFrames:
    """A batch of orders after `normalise`: figures by order and line, details by order number."""

    orders: pd.DataFrame
    lines: pd.DataFrame
    details: Mapping[str, OrderDetails]


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """What is to be done with each accepted row: it stands in exactly one of the first three lists, or in `too_young`.

    `warnings` are orders that are posted all the same, but that a person must look at; `too_young` are orders that a
    later run decides on.
    """

    to_post: list[SalesOrder] = field(default_factory=list)
    already_posted: list[str] = field(default_factory=list)
    exceptions: list[ExceptionNote] = field(default_factory=list)
    warnings: list[ExceptionNote] = field(default_factory=list)
    too_young: list[str] = field(default_factory=list)
