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
    tuples = [row.item for row in listed]
    warehouses = [row.warehouse for row in listed]
    sources = {warehouse: rules.source_of(warehouse) or "" for warehouse in set(warehouses)}
    skus = [items.sku(item) for item in tuples]
    frame = pd.DataFrame(
        {
            "product": [item.product for item in tuples],
            "mtrx1": [item.mtrx1 for item in tuples],
            "mtrx2": [item.mtrx2 for item in tuples],
            "mtrx3": [item.mtrx3 for item in tuples],
            "mtrx4": [item.mtrx4 for item in tuples],
            "warehouse": warehouses,
            "source_code": [sources[warehouse] for warehouse in warehouses],
            "sku": [sku or "" for sku in skus],
            "claimed_by": [
                "" if sku else ", ".join(items.claims(item)) for sku, item in zip(skus, tuples, strict=True)
            ],
            "available_to_sell": [_units(row.quantity) for row in listed],
            "available_date": [_iso(row.available_date) for row in listed],
        }
    )
    return frame.astype({name: str(column.dtype) for name, column in StockRows.to_schema().columns.items()})


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
