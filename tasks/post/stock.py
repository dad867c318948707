"""Stock levels into Magento's sources."""

from collections.abc import Callable, Sequence
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult
from schemas.documents import StockLevel
from tasks import connect
from tasks.post.stock_batches import StockWriter
from tasks.post.stock_bulk import BulkWriter, settle_bulks
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
    short of breath; with `stock.push_by = "bulk"` its asynchronous form first, and this one for what is left over. Each
    batch is in the ledger as `pending` before its call leaves. After a lost answer Magento is
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
        if settings.stock.push_by == "sync" or ledger.open_bulks():
            writer.write(levels)
            return writer.results
        bulks = BulkWriter(ledger, magento, settings, batch_id, keep_lane)
        writer.write(bulks.write(levels, writer.reason_to_pause))
        return bulks.results + writer.results


@task(cache_policy=NO_CACHE)
def follow_bulks() -> bool:
    """Look after bulks that Magento had not finished in time; returns whether it has by now.

    Source: GET /V1/bulk/{uuid}/status. Until then stock is written directly, and afterwards their levels are read anew.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        if not ledger.open_bulks():
            return True
        with connect.open_magento(settings) as magento:
            return settle_bulks(ledger, magento)
