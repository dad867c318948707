"""Single values of Magento and PRIMA records as our types: pence, whole units, aware UTC, London's date.

A value that cannot be converted becomes empty (`pd.NA`, `pd.NaT`), for the schema to reject with its row. A part of a
record that has another shape than it should (PHP writes an empty object as a list) counts as empty as well.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from schemas.money import to_decimal, to_pence

LONDON = "Europe/London"
LARGEST_WHOLE = 2**53
LARGEST_RATE = 1000


def part(value: Any) -> Mapping[str, Any]:
    """Return a nested object of a record; an empty one where there is none, or something else in its place."""
    return value if isinstance(value, Mapping) else {}


def parts(value: Any) -> list[Mapping[str, Any]]:
    """Return a list of nested objects; an element of another shape is an empty object, so that it is not lost."""
    return [part(each) for each in value] if isinstance(value, list) else []


def pence(value: Any) -> Any:
    """Return an amount in pounds as whole pence; empty when it is absent or not whole pence."""
    try:
        return to_pence(value)
    except (ValueError, TypeError):
        return pd.NA


def pence_of(record: Mapping[str, Any], key: str) -> Any:
    """Return the amount under a key in pence; 0 when Magento left it out because it has no value."""
    value = record.get(key)
    return 0 if value is None else pence(value)


def whole(value: Any) -> Any:
    """Return a quantity as a whole number; empty when it is absent, has a fraction or is beyond all measure."""
    try:
        number = to_decimal(value)
    except (ValueError, TypeError):
        return pd.NA
    return int(number) if abs(number) <= LARGEST_WHOLE and number == number.to_integral_value() else pd.NA


def whole_of(record: Mapping[str, Any], key: str) -> Any:
    """Return the quantity under a key; 0 when Magento left it out."""
    value = record.get(key)
    return 0 if value is None else whole(value)


def utc(value: Any) -> Any:
    """Return Magento's `YYYY-MM-DD HH:MM:SS` (always UTC) as an aware time; empty when it is none."""
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return pd.NaT


def text(value: Any) -> str:
    """Return text without blanks around it; an absent value is empty text."""
    return "" if value is None else str(value).strip()


def rate(value: Any) -> str:
    """Return a VAT rate in per cent as plain text (`20`, `13.5`); empty text when it is no number or no rate."""
    try:
        number = to_decimal(value)
    except (ValueError, TypeError):
        return ""
    return f"{number.normalize() + 0:f}" if abs(number) < LARGEST_RATE else ""


def london_date(instants: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the London calendar date of a column of UTC instants."""
    dates: pd.Series[Any] = instants.dt.tz_convert(LONDON).dt.date
    return dates
