"""PRIMA's selling prices, to say what a wrong stock figure is worth."""

from collections.abc import Collection, Mapping

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.money import to_pence
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.settings import Settings

SKUS_A_QUESTION = 500
# Above so many SKUs the whole extract is read at once.
SKUS_ONE_BY_ONE = 5_000


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_prices(skus: Collection[str]) -> Mapping[str, int]:
    """Return the selling price with VAT by SKU, in pence of `stock.value_currency`; without a price a SKU is left out.

    Source: extract `prices` of PRIMA's reporting source; empty where there is none.
    """
    settings = Settings.from_env()
    wanted = set(skus)
    with connect.open_reporting(settings) as reporting:
        if reporting is None or not wanted:
            return {}
        if len(wanted) > SKUS_ONE_BY_ONE:
            rows = reporting.read("prices")
        else:
            rows = [
                row
                for some in chunks(sorted(wanted), SKUS_A_QUESTION)
                for row in reporting.read("prices", keys={"sku": some})
            ]
    return {
        str(row["sku"]): to_pence(row["gross_price"])
        for row in rows
        if row["currency"] == settings.stock.value_currency and row["sku"] in wanted
    }
