"""PRIMA's stock answer as rows: five-part tuple, SKU of the item index, whole units, ISO dates. Pure."""

from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from schemas.documents import StockRow
from schemas.items import ItemIndex
from schemas.stock import StockRows
from tasks.normalise.fields import whole


def stock(rows: Iterable[StockRow], items: ItemIndex) -> pd.DataFrame:
    """Return one row per stock tuple; `sku` is empty where no single SKU belongs to the tuple.

    Source: ProductAvailableToSell or MultiAvailableToSell. A quantity that is no whole number is left empty, a date
    that is not `dd/mm/yyyy` is kept as it came, both for the schema to reject.
    """
    columns = list(StockRows.to_schema().columns)
    frame = pd.DataFrame(
        [
            (
                row.item.product,
                row.item.mtrx1,
                row.item.mtrx2,
                row.item.mtrx3,
                row.item.mtrx4,
                items.sku(row.item) or "",
                whole(row.quantity),
                _iso(row.available_date),
            )
            for row in rows
        ],
        columns=columns,
    )
    return frame.astype({name: str(column.dtype) for name, column in StockRows.to_schema().columns.items()})


def _iso(date: str) -> str:
    if not date:
        return ""
    try:
        return datetime.strptime(date, "%d/%m/%Y").date().isoformat()  # noqa: DTZ007
    except ValueError:
        return date
