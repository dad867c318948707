"""Values of the reporting source as the Python types of the column contract (`schemas/extracts.py`).

text -> str, integer -> int, money and rate -> Decimal, date -> date, instant -> aware UTC datetime, flag -> bool. An
empty optional text is "", any other empty optional value None. Nothing is rounded and nothing is guessed: a value of
another type is an UnexpectedResponseError that names extract, column and row.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

from schemas.extracts import Column, ColumnType, Extract
from schemas.money import to_decimal, to_pence
from tasks.errors import UnexpectedResponseError

_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?")
_INTEGER = re.compile(r"[+-]?\d+(\.0+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?")
_FLAGS = {"1": True, "0": False, "true": True, "false": False}

EXPECTED: dict[ColumnType, str] = {
    "text": "text",
    "integer": "a whole number",
    "money": "a decimal number with at most two decimals, such as 59.97 (no float: cast it to NUMERIC(12,2))",
    "rate": "a decimal number from 0 to 100, such as 20 or 17.5 (no float: cast it to NUMERIC)",
    "date": "a date, YYYY-MM-DD",
    "instant": "a UTC date and time, YYYY-MM-DD HH:MM:SS",
    "flag": "1 or 0",
}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    return value.rstrip()


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError("a flag")
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(Decimal(value.strip()))
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal) and value == int(value):
        return int(value)
    raise ValueError("not whole")


def _decimal(value: Any) -> Decimal:
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value.strip()):
            raise ValueError("not a number")
        return Decimal(value.strip())
    return to_decimal(value)


def _money(value: Any) -> Decimal:
    return Decimal(to_pence(_decimal(value))).scaleb(-2)


def _rate(value: Any) -> Decimal:
    rate = _decimal(value)
    if not 0 <= rate <= 100:
        raise ValueError("outside 0 to 100")
    return rate


def _date(value: Any) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        return date.fromisoformat(value.strip())
    if isinstance(value, datetime):
        if value.time() != time(0):
            raise ValueError("it has a time of day")
        return date(value.year, value.month, value.day)
    if isinstance(value, date):
        return value
    raise ValueError("not a date")


def _instant(value: Any) -> datetime:
    if isinstance(value, str) and _INSTANT.fullmatch(value.strip()):
        value = datetime.fromisoformat(value.strip())
    if not isinstance(value, datetime):
        raise ValueError("not an instant")
    # Parquet readers may hand out a subclass; the parts are copied so that plain datetimes leave this module.
    plain = datetime(
        value.year,
        value.month,
        value.day,
        value.hour,
        value.minute,
        value.second,
        value.microsecond,
        value.tzinfo or UTC,
    )
    return plain.astimezone(UTC)


def _flag(value: Any) -> bool:
    return _FLAGS[str(value).strip().casefold()]


_CONVERTERS: dict[ColumnType, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "money": _money,
    "rate": _rate,
    "date": _date,
    "instant": _instant,
    "flag": _flag,
}


def broken(extract: Extract, message: str) -> UnexpectedResponseError:
    """Return the error for an extract that does not keep its contract."""
    return UnexpectedResponseError(
        f"{message}.",
        system="PRIMA reporting",
        operation=extract.name,
        next_step="The contract is docs/prima-reporting.md.",
    )


def records(extract: Extract, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows by the column contract, columns that it does not name left out.

    Column names are compared without case. Raises UnexpectedResponseError for a missing column, a value of another
    type, an empty required value and a key that stands twice.
    """
    found: list[dict[str, Any]] = []
    seen: set[tuple[Any, ...]] = set()
    key_of = itemgetter(*extract.keys) if len(extract.keys) > 1 else lambda record: (record[extract.keys[0]],)
    for position, row, places in _placed(extract, rows):
        record: dict[str, Any] = {}
        for column, place in places:
            value = row[place]
            # Most columns are texts, and most values repeat: the long way is for the others.
            if type(value) is str and (short := _of_text(column.type, value)) is not None:
                record[column.name] = short
            else:
                record[column.name] = _converted(extract, column, value, row, position)
        key = key_of(record)
        if key in seen:
            raise broken(extract, f"{_row(extract, row, position)} stands twice, its key must be unique")
        seen.add(key)
        found.append(record)
    return found


def texts(extract: Extract, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return rows with the columns of the contract as they came, as text without blanks at the end.

    Raises UnexpectedResponseError for a missing column.
    """
    return [
        {column.name: _as_text(row[place]) for column, place in places} for _, row, places in _placed(extract, rows)
    ]


def _placed(
    extract: Extract, rows: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[int, Mapping[str, Any], list[tuple[Column, str]]]]:
    """Yield each row with its number, and where in it each column of the contract stands, whatever its case."""
    places: list[tuple[Column, str]] = []
    names: tuple[str, ...] = ()
    for position, row in enumerate(rows, start=1):
        if tuple(row) != names:
            names = tuple(row)
            given = {str(name).casefold(): name for name in names}
            missing = [column.name for column in extract.columns if column.name not in given]
            if missing:
                raise broken(extract, f"the column(s) {', '.join(missing)} are missing")
            places = [(column, given[column.name]) for column in extract.columns]
        yield position, row, places


@lru_cache(maxsize=50_000)
def _of_text(kind: ColumnType, text: str) -> Any:
    """Return what a filled text stands for; None for an empty one, and for one that is not of the kind."""
    if not text.strip():
        return None
    try:
        return _CONVERTERS[kind](text)
    except (ValueError, KeyError, OverflowError, ArithmeticError):
        return None


def _as_text(value: Any) -> str:
    return "" if value is None or value != value else str(value).rstrip()


def _converted(extract: Extract, column: Column, value: Any, row: Mapping[str, Any], position: int) -> Any:
    is_empty = value is None or value != value or (isinstance(value, str) and not value.strip())
    if is_empty:
        if column.is_required:
            raise broken(
                extract,
                f"column {column.name}, {_row(extract, row, position)}: empty, expected {EXPECTED[column.type]}",
            )
        return "" if column.type == "text" else None
    try:
        return _CONVERTERS[column.type](value)
    except (ValueError, KeyError, OverflowError, ArithmeticError) as error:
        shown = f"{value!r}"[:60]
        raise broken(
            extract,
            f"column {column.name}, {_row(extract, row, position)}: {shown} ({type(value).__name__}), expected "
            f"{EXPECTED[column.type]}",
        ) from error


def _row(extract: Extract, row: Mapping[str, Any], position: int) -> str:
    """Return how a row is named in a message: by its key, and by its place in the answer."""
    given = {str(name).casefold(): value for name, value in row.items()}
    return f"row {position} ({', '.join(f'{name} {given[name]!r}'[:60] for name in extract.keys)})"
