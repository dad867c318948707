"""The file in which PRIMA drops dispatches where no reporting source shows them: one row a line of a dispatch.

The columns are those of the extracts `dispatches` and `dispatch_lines`, joined, so that one file says everything about
a dispatch and can be claimed in one move. What stands for a whole dispatch is repeated on each of its rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.extracts import EXTRACTS, Column, Extract

TRAILER = "END"
_OF_DISPATCH = ("dispatch_number", "order_number_prima", "dispatched_at", "carrier", "service", "tracking_numbers")
_OF_LINE = ("line_number", "order_line_number", "product", "mtrx1", "mtrx2", "mtrx3", "mtrx4", "quantity")


def _columns(extract: str, names: Iterable[str]) -> tuple[Column, ...]:
    by_name = {column.name: column for column in EXTRACTS[extract].columns}
    return tuple(by_name[name] for name in names)


DISPATCH_DROP = Extract(
    "dispatch_drop",
    "one line of a dispatch, with what belongs to the whole dispatch",
    (*_columns("dispatches", _OF_DISPATCH), *_columns("dispatch_lines", _OF_LINE)),
    "dispatched_at",
)


@dataclass(frozen=True, slots=True)
class DroppedDispatch:
    """A dispatch of a dropped file; instants as ISO text."""

    dispatch_number: str
    header: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]


def dropped_dispatches(records: Iterable[Mapping[str, Any]]) -> list[DroppedDispatch]:
    """Return the dispatches of a file, in its order. Pure.

    `records` have the types of the column contract. Raises ValueError when two rows of a dispatch disagree about it.
    """
    headers: dict[str, dict[str, Any]] = {}
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        number = record["dispatch_number"]
        header = {name: record[name] for name in _OF_DISPATCH}
        header["dispatched_at"] = record["dispatched_at"].isoformat()
        known = headers.setdefault(number, header)
        if known != header:
            different = ", ".join(name for name in _OF_DISPATCH if known[name] != header[name])
            raise ValueError(f"two rows of dispatch {number} disagree about {different}")
        lines.setdefault(number, []).append(
            {name: record[name] for name in ("dispatch_number", "order_number_prima", *_OF_LINE)}
        )
    return [DroppedDispatch(number, header, tuple(lines[number])) for number, header in headers.items()]
