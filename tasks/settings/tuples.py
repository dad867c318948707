"""PRIMA's stock tuples as the settings name them."""

from schemas.documents import StockTuple
from tasks.settings.prima import StockTupleSettings


def stock_tuple(item: StockTupleSettings) -> StockTuple:
    """Return a stock tuple of the settings as the record that steps and systems use."""
    return StockTuple(item.product, item.mtrx1, item.mtrx2, item.mtrx3, item.mtrx4)
