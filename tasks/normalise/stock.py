"""PRIMA's stock as rows: five-part tuple, warehouse, source, SKU of the item index, whole units, ISO dates. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

import pandas as pd

from schemas.documents import StockRow, StockTuple
from schemas.items import ItemIndex
from schemas.rules import SellableFigure, StockRules
from schemas.stock import StockRows
from tasks.normalise.fields import text, whole

_TYPES = {name: str(column.dtype) for name, column in StockRows.to_schema().columns.items()}
# Which quantities of the extract `stock` make the sellable figure: what is there, and what is taken off it.
_FIGURES: Mapping[SellableFigure, tuple[str, str]] = {
    "available": ("available_quantity", ""),
    "available_less_reserved": ("available_quantity", "reserved_quantity"),
    "physical_less_allocated": ("physical_quantity", "allocated_quantity"),
}


def stock(rows: Sequence[StockRow | Mapping[str, Any]], items: ItemIndex, rules: StockRules) -> pd.DataFrame:
    """Return one row per stock tuple and warehouse; `sku` is empty where no single SKU belongs to the tuple.

    Source: ProductAvailableToSell or MultiAvailableToSell, or the records of the extract `stock` as text. A quantity
    that is no whole number is left empty, a date that is none is said to be none, both for the schema to reject.
    """
    listed = [row if isinstance(row, StockRow) else _row_of_extract(row, rules.sellable) for row in rows]
    tuples, quantities, dates, warehouses = zip(*listed, strict=True) if listed else ((), (), (), ())
    codes = zip(*tuples, strict=True) if tuples else ((),) * 5
    sources = {warehouse: rules.source_of(warehouse) or "" for warehouse in set(warehouses)}
    skus = [items.sku(item) or "" for item in tuples]
    columns = dict(zip(("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4"), codes, strict=True)) | {
        "warehouse": warehouses,
        "source_code": [sources[warehouse] for warehouse in warehouses],
        "sku": skus,
        "claimed_by": ["" if sku else ", ".join(items.claims(item)) for sku, item in zip(skus, tuples, strict=True)],
        "available_to_sell": pd.array([_units(quantity) for quantity in quantities], dtype="Int64"),
        "available_date": [_iso(date) for date in dates],
    }
    return pd.DataFrame(
        {name: pd.Series(values, dtype=_TYPES[name]) for name, values in columns.items()}, columns=list(_TYPES)
    )


def _row_of_extract(record: Mapping[str, Any], sellable: SellableFigure) -> StockRow:
    """Return a record of the extract with the figure that the settings call sellable; never below 0.

    A quantity that the figure needs and that is no whole number from 0 on is kept as it came.
    """
    there, taken = _FIGURES[sellable]
    item = StockTuple(*(text(record[name]) for name in ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4")))
    quantity = _difference(text(record[there]), text(record[taken]) if taken else "0")
    return StockRow(item, quantity, text(record["available_date"]), text(record["warehouse"]))


def _difference(there: str, taken: str) -> str:
    units, gone = _units(there), _units(taken)
    if units is pd.NA or units < 0:
        return there
    if gone is pd.NA or gone < 0:
        return taken or "(none)"
    return str(max(0, units - gone))


@cache
def _units(quantity: str) -> Any:
    return whole(quantity)


@cache
def _iso(written: str) -> str:
    """Return PRIMA's `dd/mm/yyyy`, or the ISO date of an extract, as an ISO date; anything else as words."""
    if not written:
        return ""
    try:
        if written[4:5] == "-":
            return date.fromisoformat(written).isoformat()
        return datetime.strptime(written, "%d/%m/%Y").date().isoformat()  # noqa: DTZ007
    except ValueError:
        return f"{written} is no date"
