"""Stock levels into Magento's source, in batches; a refused batch is halved until the culprit is alone."""

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult, PostingState, chunks
from schemas.documents import StockLevel
from tasks import connect
from tasks.errors import CallRefusedError, OutcomeUnknownError, SystemUnavailableError
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.magento import MagentoClient

SKUS_A_QUESTION = 100


@task(cache_policy=NO_CACHE)
def post_stock(levels: Sequence[StockLevel], batch_id: str) -> list[PostingResult]:
    """Write stock levels in the order given; returns one result per SKU.

    Source: POST /V1/inventory/source-items, at most `magento.stock_batch_size` items a call. Each batch is in the
    ledger as `pending` before its call leaves. After a lost answer Magento is read: what it holds decides. When Magento
    is out of reach the rest stays `waiting`; the next run works out fresh figures, it never sends these again.
    """
    settings = Settings.from_env()
    results: list[PostingResult] = []
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        batches = list(chunks(levels, settings.magento.stock_batch_size))
        for position, batch in enumerate(batches):
            try:
                results.extend(_write(ledger, magento, batch, batch_id))
            except SystemUnavailableError as error:
                left = [level for later in batches[position:] for level in later]
                return results + [_result(level, "waiting", "UNAVAILABLE", str(error)) for level in left]
        return results


def _write(ledger: Ledger, magento: MagentoClient, batch: Sequence[StockLevel], batch_id: str) -> list[PostingResult]:
    ledger.record_push(batch, "pending", batch_id=batch_id)
    try:
        magento.write_source_items([(level.sku, level.source_code, level.source_qty) for level in batch])
    except CallRefusedError as error:
        ledger.record_push(batch, "refused", batch_id=batch_id)
        if len(batch) == 1:
            return [_result(batch[0], "refused", "STOCK_PUSH_FAILED", error.message)]
        half = len(batch) // 2
        return [
            *_write(ledger, magento, batch[:half], batch_id),
            *_write(ledger, magento, batch[half:], batch_id),
        ]
    except SystemUnavailableError:
        ledger.record_push(batch, "refused", batch_id=batch_id)
        raise
    except OutcomeUnknownError as error:
        return _as_read_back(ledger, magento, batch, batch_id, error)
    ledger.record_push(batch, "posted", batch_id=batch_id)
    return [_result(level, "posted") for level in batch]


def _as_read_back(
    ledger: Ledger, magento: MagentoClient, batch: Sequence[StockLevel], batch_id: str, error: OutcomeUnknownError
) -> list[PostingResult]:
    """Tell by what Magento holds now which levels of a batch with a lost answer arrived."""
    ledger.record_push(batch, "unknown", batch_id=batch_id)
    read_at = datetime.now(UTC)
    held = {
        str(record["sku"]): int(record["quantity"])
        for some in chunks([level.sku for level in batch], SKUS_A_QUESTION)
        for page in magento.source_items(some, batch[0].source_code)
        for record in page
    }
    ledger.confirm_levels((sku, batch[0].source_code, quantity, read_at) for sku, quantity in held.items())
    return [
        _result(level, "posted")
        if held.get(level.sku) == level.source_qty
        else _result(level, "unknown", "STOCK_PUSH_FAILED", str(error))
        for level in batch
    ]


def _result(level: StockLevel, state: PostingState, code: str = "", detail: str = "") -> PostingResult:
    return PostingResult(f"magento/stock/{level.source_code}/{level.sku}", level.sku, state, code=code, detail=detail)
