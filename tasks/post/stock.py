"""Stock levels into Magento's sources."""

from collections.abc import Callable, Sequence
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult
from schemas.documents import StockLevel
from tasks import connect
from tasks.post.stock_batches import StockWriter
from tasks.settings import Settings


@task(cache_policy=NO_CACHE)
def post_stock(
    levels: Sequence[StockLevel],
    batch_id: str,
    *,
    read_at: datetime | None = None,
    keep_lane: Callable[[], None] = lambda: None,
) -> list[PostingResult]:
    """Write stock levels in the order given, under the stock lane; returns one result per level.

    Source: POST /V1/inventory/source-items, at most `magento.stock_batch_size` items a call, fewer while Magento is
    short of breath. Each batch is in the ledger as `pending` before its call leaves. After a lost answer Magento is
    read: what it holds decides. What cannot be written now stays `waiting`, with why; the next run works out fresh
    figures, it never sends these again. `read_at` is when PRIMA was asked, else the levels' own time;
    `keep_lane` is what `connect.stock_lane` yields.
    """
    if not levels:
        return []
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        asked = read_at or min(level.snapshot_at for level in levels)
        writer = StockWriter(ledger, magento, settings, batch_id, asked, keep_lane)
        writer.write(levels)
        return writer.results
