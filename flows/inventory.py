"""PRIMA's available to sell into Magento's sources, so that salable equals what can really be sold."""

from prefect import flow

from flows.collecting import patient_collector
from flows.desk import desk_after_run
from flows.slots import slots_of_both_systems
from flows.stocking import carry_stock
from tasks.errors import SystemUnavailableError
from tasks.record.stock import StockSummary
from tasks.settings import Settings


@flow(name="inventory", description="PRIMA's available to sell to Magento's source quantities; only what changed.")
@desk_after_run("inventory")
@slots_of_both_systems()
def sync_inventory(skus: list[str] | None = None) -> StockSummary:
    """Write what changed since the last time; with `skus`, read and write these alone.

    Args:
        skus: Only these SKUs, in Magento's spelling; without any, the whole snapshot.

    Raises SystemUnavailableError at the end when Magento was out of reach; the next run works out fresh figures.
    """
    with patient_collector():
        summary = carry_stock(Settings.from_env(), skus)
    if summary.is_magento_out_of_reach:
        raise SystemUnavailableError(summary.is_magento_out_of_reach, system="Magento", operation="write stock")
    return summary
