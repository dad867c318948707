"""Records of PRIMA's reporting source as rows: money in pence, VAT rates as text, instants in UTC. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from schemas.extracts import EXTRACTS, ColumnType
from schemas.money import to_pence
from schemas.reporting import frame_name, rate_text

_TYPES: dict[ColumnType, str] = {
    "text": "str",
    "integer": "Int64",
    "money": "Int64",
    "rate": "str",
    "date": "object",
    "instant": "datetime64[us, UTC]",
    "flag": "bool",
}


def extract_rows(name: str, records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per record of an extract, as the model of `schemas/reporting.py` describes it.

    Source: `ReportingSource.read`, whose records already have the types of the column contract. Columns stand in the
    order of the contract; `net_amount` (Decimal pounds) becomes `net_pence`. No records give an empty frame with all
    columns and types.
    """
    extract = EXTRACTS[name]
    kept = list(records)
    columns = {}
    for column in extract.columns:
        convert = _CONVERSIONS.get(column.type)
        values = [record[column.name] for record in kept]
        if convert is not None:
            values = [value if value is None else convert(value) for value in values]
        columns[frame_name(column)] = pd.Series(values, dtype=_TYPES[column.type])
    return pd.DataFrame(columns)


def _same_instant(value: datetime) -> pd.Timestamp:
    return pd.Timestamp(value).tz_convert("UTC")


_CONVERSIONS: dict[ColumnType, Callable[[Any], Any]] = {
    "money": to_pence,
    "rate": rate_text,
    "instant": _same_instant,
}
