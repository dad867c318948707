"""Magento's own orders as the units that they still reserve. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from schemas.drift import OpenUnits, StockReading
from tasks.normalise.fields import parts, text, whole_of

# What a source holds; the others are made of these.
STOCKED = ("simple", "virtual", "downloadable")


def with_open_units(reading: StockReading) -> StockReading:
    """Return a reading with one entry per order line that still reserves something: ordered - cancelled - gone.

    Source: GET /rest/V1/orders. Gone are units shipped or refunded, whichever is more. A configurable's quantities
    stand on its parent, the SKU on its child. Virtual lines are shipped when they are invoiced. An order of a store
    whose website has no stock is left out; so are, for a reading of some SKUs, lines of others.
    """
    found = [line for order in reading.orders for line in _lines(order, reading.stock_of_store)]
    skus = reading.skus
    return replace(reading, open_units=[line for line in found if skus is None or line.sku in skus])


def _lines(order: Mapping[str, Any], stock_of_store: Mapping[int, int]) -> Iterator[OpenUnits]:
    stock_id = stock_of_store.get(int(order.get("store_id") or 0))
    lines = {line.get("item_id"): line for line in parts(order.get("items"))}
    if stock_id is None:
        return
    for line in lines.values():
        if line.get("product_type") not in STOCKED:
            continue
        parent = lines.get(line.get("parent_item_id"))
        is_configured = parent is not None and parent.get("product_type") == "configurable"
        shipped = parent if parent is not None and is_configured else line
        units = _units(shipped, is_virtual=line.get("product_type") != "simple")
        if units > 0:
            item_id = 0 if parent is not None and not is_configured else int(shipped.get("item_id") or 0)
            yield OpenUnits(text(order.get("increment_id")), item_id, text(line.get("sku")), stock_id, units)


def _units(line: Mapping[str, Any], *, is_virtual: bool) -> int:
    taken = _quantity(line, "qty_invoiced" if is_virtual else "qty_shipped")
    gone = max(taken, _quantity(line, "qty_refunded"))
    return _quantity(line, "qty_ordered") - _quantity(line, "qty_canceled") - gone


def _quantity(line: Mapping[str, Any], name: str) -> int:
    """Return a quantity; one that is no whole number counts nothing, for its order is rejected elsewhere."""
    value = whole_of(line, name)
    return 0 if pd.isna(value) else int(value)
