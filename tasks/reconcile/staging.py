"""Frames as staged tables: columns and types of the dictionary, lines that add up to their documents. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd

from schemas.reconciliation import STAGED
from schemas.reconciliation.staged import RUN_NUMBERS
from tasks.reconcile.numbering import compared_under, line_keys

AMOUNTS = ("net_pence", "vat_pence", "gross_pence")
_GIVEN_LATER = ("order_key", *RUN_NUMBERS)
DELIVERY_AMOUNTS = ("delivery_net_pence", "delivery_vat_pence", "delivery_gross_pence")
_TYPES: dict[str, Any] = {
    "text": "str",
    "integer": "Int64",
    "pence": "Int64",
    "rate": object,
    "date": object,
    "instant": "datetime64[us]",
    "flag": "bool",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A record, day or part that was not reconciled, or contradicts itself: which one, and what is wrong with it.

    With a level, what it names is not compared: the order of either number, or all documents of `business_date`.
    """

    subject: str
    detail: str
    level: str = ""
    business_date: date | None = None
    order_number: str = ""
    order_number_prima: str = ""


def shaped(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with exactly the columns and types of a staged table, sorted by its keys."""
    table = STAGED[name]
    columns = {column.name: _TYPES[column.type] for column in table.columns}
    frame = rows.reindex(columns=list(columns)).astype(columns)
    return frame.sort_values(table.keys, ignore_index=True)


def stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all parts under each other, with the columns of the empty ones too.

    pandas lets an empty frame change the types of the others, so empty ones stay out of it.
    """
    rows = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    for part in parts:
        rows = rows.join(part.iloc[:0].reindex(rows.index)[[name for name in part if name not in rows]])
    return rows


def readable(name: str, rows: pd.DataFrame, system: str) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the documents that have every required value, and a problem for each of the others."""
    needed = [column.name for column in STAGED[name].columns if column.is_required and column.name not in _GIVEN_LATER]
    is_empty = rows[needed].isna()
    is_bad = is_empty.any(axis=1)
    bad = rows[is_bad]
    numbers = {key: bad[key] if key in bad else [""] * len(bad) for key in ("order_number", "order_number_prima")}
    problems = [
        Problem(
            f"{system} {level} {number}",
            f"cannot be read: {', '.join(name for name in needed if empty[name])}",
            level,
            order_number=order_number,
            order_number_prima=order_number_prima,
        )
        for level, number, order_number, order_number_prima, empty in zip(
            bad["level"],
            bad["document_number"],
            numbers["order_number"],
            numbers["order_number_prima"],
            is_empty[is_bad].to_dict("records"),
            strict=True,
        )
    ]
    return rows[~is_bad].reset_index(drop=True), problems


def hundredths(percents: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return VAT rates given as text or Decimal per cent (`13.5`) in hundredths of a per cent (1350); empty stays."""
    known = {
        value: int(Decimal(str(value)) * 100) for value in percents.unique() if not (pd.isna(value) or value == "")
    }
    return percents.map(known).astype("Int64")


def with_remainders(documents: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Return the lines numbered from 1 and dated, with a `rounding` line wherever they do not add up to their document.

    They have the numbers of `numbering`, as their documents have.

    Magento shows a line as 0 when its discount is larger than its price, while the order's total keeps the negative.
    """
    keys = ["level", "document_number"]
    sums = lines.groupby(keys, as_index=False)[list(AMOUNTS)].sum()
    facts = documents[[*keys, "business_date", "document_id"]].assign(comparison_id=compared_under(documents))
    names = list(facts.columns.drop(keys))
    compared = facts.join(documents[list(AMOUNTS)]).merge(sums, on=keys, how="left", suffixes=("", "_lines"))
    for amount in AMOUNTS:
        compared[amount] = compared[amount] - compared[f"{amount}_lines"].fillna(0)
    rest = compared[(compared["net_pence"] != 0) | (compared["vat_pence"] != 0)]
    rest = rest[[*keys, *names, *AMOUNTS]].assign(charge="rounding", line_number=20_000_000, sku="", product="")
    kept = lines.drop(columns=names, errors="ignore").merge(facts, on=keys)
    merged = pd.concat([kept, rest], ignore_index=True) if len(rest) else kept
    merged = merged.sort_values([*keys, "line_number"], ignore_index=True)
    merged["line_number"] = merged.groupby(keys).cumcount() + 1
    merged["line_key"] = line_keys(merged)
    return merged
