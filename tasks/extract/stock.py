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
# How many of the latest batches are looked through for the last good one: at first, and when that was not enough.
BATCHES_BACK = (20, 100_000)


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

    Source: the ledger; GET /V1/inventory/source-items for each SKU whose quantity in Magento is not confirmed, and for
    each one that is not among `skus`: it may be gone from Magento as well. The first time the whole source is read.
    Open units are those of orders that PRIMA accepted before `asked_at`: only those are off its figure for certain.
    """
    settings = Settings.from_env()
    source = settings.magento.source_code
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        confirmed = {sku: quantity for (sku, code), quantity in ledger.confirmed_levels().items() if code == source}
        listed = set(skus)
        missing = (confirmed.keys() - listed) | {note.sku for note in ledger.exceptions(code="STOCK_NOT_IN_PRIMA")}
        doubtful = (listed - confirmed.keys()) | (missing - listed)
        is_first = not confirmed
        found = _source_quantities(magento, ledger, None if is_first else sorted(doubtful), source)
        ledger.forget_levels((sku, source) for sku in confirmed.keys() - listed - found.keys())
        in_magento = {sku: quantity for sku, quantity in confirmed.items() if sku in listed} | found
        open_units = {sku: units for (sku, code), units in ledger.open_units(asked_at).items() if code == source}
        return StockEvidence(open_units, in_magento, _rows_of_last_snapshot(ledger), asked_at)


def _source_quantities(
    magento: MagentoClient, ledger: Ledger, skus: Sequence[str] | None, source_code: str
) -> dict[str, int]:
    """Return Magento's quantities of SKUs (None: all), fractions cut off; what is read is confirmed in the ledger."""
    if skus is not None and not skus:
        return {}
    read_at = datetime.now(UTC)
    quantities = {
        str(record["sku"]): int(record["quantity"])
        for page in magento.source_items(list(skus) if skus and len(skus) <= SKUS_A_QUESTION else None, source_code)
        for record in page
    }
    ledger.confirm_levels((sku, source_code, quantity, read_at) for sku, quantity in quantities.items())
    return quantities


def _rows_of_last_snapshot(ledger: Ledger) -> int:
    for limit in BATCHES_BACK:
        for batch in ledger.batches(STREAM, limit=limit):
            if batch.state == "closed":
                return int(batch.control_totals.get("accepted", {}).get("count", 0))
    return 0
