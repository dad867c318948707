"""Source items of SKUs that are no product, removed from Magento when a person asks for it."""

from collections.abc import Sequence

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.documents import SourceKey
from tasks import connect
from tasks.settings import Settings


@task(cache_policy=NO_CACHE)
def delete_source_items(levels: Sequence[SourceKey]) -> int:
    """Remove these source items and return how many; one that is gone already is no error.

    Source: POST /V1/inventory/source-items-delete, at most `magento.stock_batch_size` a call. A lost answer needs no
    look: the same call again, or the next check, finds out.
    """
    settings = Settings.from_env()
    with connect.open_magento(settings) as magento:
        for some in chunks(levels, settings.magento.stock_batch_size):
            magento.delete_source_items(some)
            get_run_logger().info(f"removed {len(some)} source items of SKUs that are no product: {some[0][0]} ...")
    return len(levels)
