"""What a table is: grain, columns and types, and from these its pandera and its Arrow schema. No input or output."""

from dataclasses import dataclass
from typing import Any, Literal

import pandera.pandas as pa
import pyarrow

ColumnType = Literal["text", "integer", "pence", "rate", "date", "instant", "flag"]
UNITS: dict[str, str] = {
    "text": "",
    "integer": "count",
    "pence": "pence",
    "rate": "per cent",
    "date": "London date",
    "instant": "UTC",
    "flag": "true/false",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `is_key` columns together are unique, `is_required` columns are never empty."""

    name: str
    type: ColumnType
    meaning: str
    is_key: bool = False
    is_required: bool = True
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its grain, its columns, and the amounts for which net + VAT = gross must hold (name prefixes).

    `dated_by` is the column by whose dates a staged stream is cut into files.
    """

    name: str
    grain: str
    columns: tuple[Column, ...]
    adds_up: tuple[str, ...] = ()
    dated_by: str = ""

    @property
    def keys(self) -> list[str]:
        """Names of the key columns."""
        return [column.name for column in self.columns if column.is_key]


_PANDAS: dict[ColumnType, Any] = {
    "text": str,
    "integer": "Int64",
    "pence": "Int64",
    "rate": object,
    "date": object,
    "instant": "datetime64[us]",
    "flag": bool,
}


def schema_of(table: Table) -> Any:
    """Return the pandera schema of a table: columns, types, fixed values, keys, and net + VAT = gross."""
    columns = {
        column.name: pa.Column(
            _PANDAS[column.type],
            checks=[pa.Check.isin([*column.values], error=f"{column.name} is known")] if column.values else [],
            nullable=not column.is_required,
        )
        for column in table.columns
    }
    checks = [_adds_up_check(prefix) for prefix in table.adds_up]
    return pa.DataFrameSchema(columns, checks=checks, unique=table.keys or None, strict=True, name=table.name)


def _adds_up_check(prefix: str) -> Any:
    def adds_up(rows: Any) -> Any:
        net, vat, gross = (rows[f"{prefix}{name}_pence"] for name in ("net", "vat", "gross"))
        return ((net + vat) == gross).fillna(True).astype(bool)

    return pa.Check(adds_up, error=f"{prefix}net + {prefix}vat = {prefix}gross")


_ARROW: dict[ColumnType, Any] = {
    "text": pyarrow.string(),
    "integer": pyarrow.int64(),
    "pence": pyarrow.int64(),
    "rate": pyarrow.decimal128(6, 2),
    "date": pyarrow.date32(),
    "instant": pyarrow.timestamp("us"),
    "flag": pyarrow.bool_(),
}


def arrow_schema_of(table: Table) -> Any:
    """Return the Arrow schema of a table; instants are UTC without a zone, so that nobody's session shifts them."""
    return pyarrow.schema([pyarrow.field(column.name, _ARROW[column.type]) for column in table.columns])
