"""The line from PRIMA's stock to Magento's sources, for all SKUs or for some; under the stock lane from end to end."""

from collections.abc import Collection, Sequence

from flows import braking, read_back
from flows.passing import whole
from schemas.brakes import NOT_JUDGED
from schemas.items import ItemIndex
from schemas.stock import StockRows
from tasks import connect
from tasks.decide import stock as decide
from tasks.extract import items as extract_items
from tasks.extract import products as extract_products
from tasks.extract import progress as extract_progress
from tasks.extract import stock as extract
from tasks.normalise import orders as normalise_orders
from tasks.normalise import stock as normalise
from tasks.post import stock as post
from tasks.record import artifacts, progress
from tasks.record import brakes as record_brakes
from tasks.record import stock as record
from tasks.record.stock import StockSummary
from tasks.settings import Settings
from tasks.validate import check_batch


def carry_stock(settings: Settings, skus: Sequence[str] | None = None) -> StockSummary:
    """Read PRIMA's stock, add the units of orders that Magento still reserves, and write what changed.

    `skus` None means all of them; else PRIMA is asked for these alone, and those that have no item of their own are
    left as they are, and no brake is applied. One stock writer at a time: shipments wait until the push is done, and
    the other way round.
    """
    rules = connect.stock_rules(settings)
    extract_products.fetch_products()
    items = extract_items.fetch_items(from_tuples=True)
    with connect.stock_lane(settings) as keep_lane:
        post.follow_bulks()
        if skus is None:
            batch_id, snapshot = extract.fetch_stock_snapshot()
        else:
            batch_id, snapshot = extract.fetch_stock_of([items.item(sku) for sku in with_items(items, skus)])
        moved = extract_progress.fetch_progress()
        progress.record_progress(
            whole(normalise_orders.orders(moved.records, settings.orders.amounts).lines), moved.watermarks
        )
        rows = normalise.stock(snapshot.rows or snapshot.records, items, rules)
        checked = check_batch(StockRows, rows)
        keys = list(zip(rows["sku"].tolist(), rows["source_code"].tolist(), strict=True))
        evidence = extract.fetch_stock_evidence(whole(keys), snapshot.asked_at, is_whole=skus is None)
        verdict = braking.judge(checked.accepted, settings) if skus is None else NOT_JUDGED
        is_held = verdict.outcome == "held"
        plan = braking.hold(batch_id, verdict, settings) if is_held else decide.stock(checked, evidence, rules)
        record.record_levels(whole(plan))
        results = post.post_stock(
            whole(plan.to_push), batch_id, read_at=snapshot.answered_at, keep_lane=whole(keep_lane)
        )
    rejected = decide.rejected(checked.rejected)
    summary = record.close_stock(batch_id, rows, whole(checked), whole(plan), rejected, results, is_whole=skus is None)
    record_brakes.record_verdict(batch_id, whole(verdict))
    artifacts.show_stock(summary, plan)
    if not summary.is_magento_out_of_reach:
        read_back.read_sample_back(batch_id, settings)
    return summary


def with_items(items: ItemIndex, skus: Collection[str]) -> list[str]:
    """Return those of the SKUs that stand for exactly one item of PRIMA."""
    return sorted(sku for sku in set(skus) if items.problem(sku) is None)
