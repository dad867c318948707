"""What every batch carries from step to step: accepted and rejected rows, results of postings, control totals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import pandas as pd

from schemas.documents import ControlTotals

T = TypeVar("T")
PostingState = Literal["posted", "already", "refused", "unknown", "waiting"]


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A validated batch. `rejected` holds the failing rows as they came, with a `reason` and a `detail` column."""

    accepted: pd.DataFrame
    rejected: pd.DataFrame


@dataclass(frozen=True, slots=True)
class PostingResult:
    """How one posting ended. `posted` may mean that an earlier call had arrived; `waiting` that it was not tried."""

    key: str
    subject: str
    state: PostingState
    reference: str = ""
    code: str = ""
    detail: str = ""


def totals_of(rows: pd.DataFrame) -> ControlTotals:
    """Return count and pence of a frame with `net_pence`, `vat_pence`, `gross_pence`; empty values count as 0."""
    return ControlTotals(
        len(rows),
        int(rows["net_pence"].fillna(0).sum()),
        int(rows["vat_pence"].fillna(0).sum()),
        int(rows["gross_pence"].fillna(0).sum()),
    )


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame as one dict per row, keyed by column name, with Python's own values.

    Column by column: pandas' own way, value by value, takes four times as long.
    """
    names = list(frame.columns)
    return [
        dict(zip(names, values, strict=True)) for values in zip(*(frame[name].tolist() for name in names), strict=True)
    ]


def rows_by(frame: pd.DataFrame, column: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a frame by the value of a column, in the order of the frame.

    One conversion of the whole frame: one a group costs more than everything else that is done with an order.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows_of(frame):
        found.setdefault(row[column], []).append(row)
    return found


def agree(comparison: "pd.Series[Any]") -> "pd.Series[bool]":
    """Return a comparison of columns that may be empty; a row with an empty value is left to its own check."""
    return comparison.fillna(True).astype(bool)


def chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
