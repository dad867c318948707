"""The orders that wait for a SKU."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.suggestions import SKU_CODES
from tasks import connect
from tasks.settings import Settings


@task(cache_policy=NO_CACHE)
def fetch_waiting_for(sku: str) -> list[str]:
    """Return the numbers of the orders with an open exception about this very SKU, oldest exception first."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        notes = ledger.exceptions(sku=sku)
    return list(dict.fromkeys(note.order_number for note in notes if note.code in SKU_CODES and note.order_number))
