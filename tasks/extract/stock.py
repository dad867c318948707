"""PRIMA's available to sell, and what the ledger and Magento say about the same SKUs."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.stock import StockEvidence
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.magento import MagentoClient
from tasks.systems.prima import StockSnapshot

STREAM = "stock"
SKUS_A_QUESTION = 100


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_stock_snapshot() -> tuple[str, StockSnapshot]:
    """Return a new batch id and PRIMA's stock of all products, with the time at which it was asked for.

    Source: ProductAvailableToSell with both limits empty.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_prima(settings) as prima:
        snapshot = prima.stock_snapshot()
        return ledger.open_batch(STREAM, snapshot.asked_at, snapshot.answered_at), snapshot


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_stock_evidence(skus: Collection[str], asked_at: datetime) -> StockEvidence:
    """Return open units by SKU, what Magento's source holds, and the size of the last good snapshot.

    Source: the ledger; GET /V1/inventory/source-items for each SKU whose quantity in Magento is not confirmed.
    Open units are those of orders that PRIMA accepted before `asked_at`: only those are off its figure for certain.
    """
    settings = Settings.from_env()
    source = settings.magento.source_code
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        in_magento = {sku: quantity for (sku, code), quantity in ledger.confirmed_levels().items() if code == source}
        unconfirmed = sorted(set(skus) - in_magento.keys())
        in_magento |= _source_quantities(magento, ledger, unconfirmed, source)
        open_units = {sku: units for (sku, code), units in ledger.open_units(asked_at).items() if code == source}
        return StockEvidence(open_units, in_magento, _rows_of_last_snapshot(ledger), asked_at)


def _source_quantities(magento: MagentoClient, ledger: Ledger, skus: Sequence[str], source_code: str) -> dict[str, int]:
    """Return Magento's quantities of SKUs, fractions cut off; what is read is confirmed in the ledger."""
    if not skus:
        return {}
    read_at = datetime.now(UTC)
    quantities = {
        str(record["sku"]): int(record["quantity"])
        for page in magento.source_items(list(skus) if len(skus) <= SKUS_A_QUESTION else None, source_code)
        for record in page
    }
    ledger.confirm_levels((sku, source_code, quantity, read_at) for sku, quantity in quantities.items())
    return quantities


def _rows_of_last_snapshot(ledger: Ledger) -> int:
    for batch in ledger.batches(STREAM, limit=50):
        if batch.state == "closed":
            return int(batch.control_totals.get("accepted", {}).get("count", 0))
    return 0
