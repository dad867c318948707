"""Whole numbers for documents, for what is compared with what, and for lines: the mass is joined by them. Pure."""

from typing import Any

import numpy as np
import pandas as pd

# A goods line of which no line of the order is known is paired with nothing else of the order.
NO_ORDER_LINE = 1_000_000
_CHARGE_KEYS = {"delivery": 0, "adjustment": -1, "rounding": -2}
_OTHER_KEY = -3


def order_keys(order_numbers_prima: "pd.Series[str]", order_numbers: pd.DataFrame) -> "pd.Series[str]":
    """Return the Magento order of each PRIMA number; `PRIMA` and the number where none is known."""
    known = dict(zip(order_numbers["order_number_prima"], order_numbers["order_number"], strict=True))
    return order_numbers_prima.map(known).fillna("PRIMA " + order_numbers_prima).astype("str")


def numbered(magento: pd.DataFrame, prima: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the documents of both sides with `document_id` and `comparison_id`, each from 1.

    What has one level, order key and currency has one `comparison_id`, on both sides. The same documents get the same
    numbers, since the frames are sorted by their keys.
    """
    magento_keys = magento[["level", "order_number", "currency"]].rename(columns={"order_number": "order_key"})
    keys = pd.concat([magento_keys, prima[["level", "order_key", "currency"]]], ignore_index=True)
    numbers = keys.groupby(["level", "order_key", "currency"], sort=False).ngroup() + 1
    return (
        _with_numbers(magento, numbers.iloc[: len(magento)].to_numpy()),
        _with_numbers(prima, numbers.iloc[len(magento) :].to_numpy()),
    )


def _with_numbers(documents: pd.DataFrame, comparison_ids: Any) -> pd.DataFrame:
    ids = pd.RangeIndex(1, len(documents) + 1)
    return documents.assign(document_id=ids, comparison_id=comparison_ids).astype(
        {"document_id": "Int64", "comparison_id": "Int64"}
    )


def compared_under(documents: pd.DataFrame) -> "pd.Series[int]":
    """Return the `comparison_id` of the documents whose lines are compared; empty for refunds and cancelled orders."""
    is_left_out = documents["is_cancelled"].astype("bool") | (documents["level"] == "refunds")
    return documents["comparison_id"].mask(is_left_out)


def line_keys(lines: pd.DataFrame) -> "pd.Series[int]":
    """Return as what each line is compared: the line of its order; 0 delivery, below 0 adjustments."""
    of_goods = lines["order_line_number"].astype("Int64").fillna(NO_ORDER_LINE + lines["line_number"].astype("Int64"))
    others = lines["charge"].map(_CHARGE_KEYS).fillna(_OTHER_KEY)
    keys = np.where(lines["charge"] == "goods", of_goods.astype("int64"), others.astype("int64"))
    return pd.Series(keys, index=lines.index, dtype="Int64")
