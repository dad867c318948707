"""What a stock snapshot is compared with: the last one that was not held, and the hold that is open."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.brakes import BrakeMemory
from tasks import connect
from tasks.settings import Settings


@task(cache_policy=NO_CACHE)
def fetch_brake_memory() -> BrakeMemory:
    """Return the last snapshot that was not held, and the open hold. Source: the ledger.

    Before the first snapshot there is nothing to compare with.
    """
    with connect.open_ledger(Settings.from_env()) as ledger:
        return BrakeMemory(ledger.baseline(), ledger.open_hold())
