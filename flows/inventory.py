"""PRIMA's available to sell into Magento's source, so that salable equals what can really be sold."""

from prefect import flow

from flows.passing import whole
from flows.slots import slots_of_both_systems
from schemas.stock import StockRows
from tasks import connect
from tasks.decide import stock as decide
from tasks.errors import SystemUnavailableError
from tasks.extract import items as extract_items
from tasks.extract import progress as extract_progress
from tasks.extract import stock as extract
from tasks.normalise import orders as normalise_orders
from tasks.normalise import stock as normalise
from tasks.post import stock as post
from tasks.record import artifacts, progress
from tasks.record import stock as record
from tasks.record.stock import StockSummary
from tasks.settings import Settings
from tasks.validate import check_batch


@flow(name="inventory", description="PRIMA's available to sell to Magento's source quantities; only what changed.")
@slots_of_both_systems()
def sync_inventory() -> StockSummary:
    """Read PRIMA's stock, add the units of orders that Magento still reserves, and write what changed.

    One stock writer at a time: shipments of the same source wait until the push is done, and the other way round.
    Raises SystemUnavailableError at the end when Magento was out of reach; the next run works out fresh figures.
    """
    settings = Settings.from_env()
    rules = connect.stock_rules(settings)
    items = extract_items.fetch_items(from_tuples=True)
    with connect.stock_lane(settings):
        batch_id, snapshot = extract.fetch_stock_snapshot()
        moved = extract_progress.fetch_progress()
        progress.record_progress(
            whole(normalise_orders.orders(moved.records, settings.orders.amounts).lines), moved.watermarks
        )
        rows = normalise.stock(snapshot.rows, items)
        checked = check_batch(StockRows, rows)
        skus = [sku for sku in rows["sku"] if sku]
        evidence = extract.fetch_stock_evidence(whole(skus), snapshot.asked_at)
        plan = decide.stock(checked, evidence, rules)
        record.record_levels(whole(plan))
        results = post.post_stock(whole(plan.to_push), batch_id)
    rejected = decide.rejected(checked.rejected)
    summary = record.close_stock(batch_id, rows, whole(checked), whole(plan), rejected, results)
    artifacts.show_stock(summary, plan)
    if summary.is_magento_out_of_reach:
        raise SystemUnavailableError(summary.is_magento_out_of_reach, system="Magento", operation="write stock")
    return summary
