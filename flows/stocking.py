"""The line from PRIMA's stock to Magento's sources, for all SKUs or for some; under the stock lane from end to end."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pandas as pd

from flows import braking, read_back
from flows.following import follow_orders
from flows.passing import whole
from schemas.batches import CheckedBatch, PostingResult
from schemas.brakes import NOT_JUDGED, Verdict
from schemas.items import ItemIndex
from schemas.stock import StockPlan, StockRows
from schemas.stock_marks import StockMarks
from tasks import connect
from tasks.decide import stock as decide
from tasks.decide import unchanged
from tasks.extract import items as extract_items
from tasks.extract import products as extract_products
from tasks.extract import stock as extract
from tasks.extract import stock_marks as extract_marks
from tasks.extract.items import ItemsAsRead
from tasks.normalise import stock as normalise
from tasks.post import stock as post
from tasks.record import artifacts
from tasks.record import brakes as record_brakes
from tasks.record import stock as record
from tasks.record.stock import StockSummary
from tasks.settings import Settings
from tasks.systems.prima import StockSnapshot
from tasks.validate import check_batch


@dataclass(frozen=True)
class WorkedOut:
    """What a cycle worked out and wrote, to be recorded once the lane is free; `marks` is what a whole one went by."""

    batch_id: str
    rows: pd.DataFrame
    checked: CheckedBatch
    plan: StockPlan
    verdict: Verdict
    results: list[PostingResult]
    marks: StockMarks | None = None


def carry_stock(settings: Settings, skus: Sequence[str] | None = None) -> StockSummary:
    """Read PRIMA's stock, add the units of orders that Magento still reserves, and write what changed.

    `skus` None means all of them: nothing is worked out while all is as the last cycle left it. Else PRIMA is asked for
    these alone, and those that have no item of their own are left as they are, and no brake is applied. One stock
    writer at a time: shipments wait until the push is done, and the other way round.
    """
    extract_products.fetch_products()
    items = extract_items.fetch_items_of_stock()
    with connect.stock_lane(settings) as keep_lane:
        post.follow_bulks()
        if skus is None:
            carried = _carry_all(settings, items, keep_lane)
        else:
            carried = _carry_some(settings, items.index(), skus, keep_lane)
    summary = carried if isinstance(carried, StockSummary) else _close(carried)
    if not summary.is_magento_out_of_reach:
        read_back.read_sample_back(summary.batch_id, settings)
    return summary


def _carry_all(settings: Settings, items: ItemsAsRead, keep_lane: Callable[[], None]) -> StockSummary | WorkedOut:
    before = extract_marks.fetch_finished_cycle()
    batch_id, asked = extract.fetch_stock_answer(before.marks.answer if before else "")
    follow_orders(settings)
    marks, levels = extract_marks.fetch_marks(asked.sha256, items.sha256, asked.asked_at)
    most = timedelta(minutes=settings.stock.work_out_minutes)
    reasons = unchanged.reasons_to_work_out(before, marks, levels, asked.asked_at, most)
    if before is not None and not reasons:
        summary = record.close_unchanged(batch_id, unchanged.counts(before.counts))
        artifacts.show_stock(summary, StockPlan())
        return summary
    record.begin_cycle(batch_id, reasons)
    worked = _work_out(batch_id, asked.snapshot, items.index(), settings, keep_lane)
    return replace(worked, marks=replace(marks, levels=extract_marks.fetch_level_state().mark))


def _carry_some(settings: Settings, items: ItemIndex, skus: Sequence[str], keep_lane: Callable[[], None]) -> WorkedOut:
    batch_id, snapshot = extract.fetch_stock_of([items.item(sku) for sku in with_items(items, skus)])
    follow_orders(settings)
    return _work_out(batch_id, snapshot, items, settings, keep_lane, is_whole=False)


def _work_out(
    batch_id: str,
    snapshot: StockSnapshot,
    items: ItemIndex,
    settings: Settings,
    keep_lane: Callable[[], None],
    *,
    is_whole: bool = True,
) -> WorkedOut:
    rules = connect.stock_rules(settings)
    rows = normalise.stock(snapshot.rows or snapshot.records, items, rules)
    checked = check_batch(StockRows, rows)
    keys = list(zip(rows["sku"].tolist(), rows["source_code"].tolist(), strict=True))
    evidence = extract.fetch_stock_evidence(whole(keys), snapshot.asked_at, is_whole=is_whole)
    verdict = braking.judge(checked.accepted, settings) if is_whole else NOT_JUDGED
    is_held = verdict.outcome == "held"
    plan = braking.hold(batch_id, verdict, settings) if is_held else decide.stock(checked, evidence, rules)
    record.record_levels(whole(plan))
    results = post.post_stock(whole(plan.to_push), batch_id, read_at=snapshot.answered_at, keep_lane=whole(keep_lane))
    return WorkedOut(batch_id, rows, checked, plan, verdict, results)


def _close(worked: WorkedOut) -> StockSummary:
    plan, rejected = worked.plan, decide.rejected(worked.checked.rejected)
    summary = record.close_stock(
        worked.batch_id,
        worked.rows,
        whole(worked.checked),
        whole(plan),
        rejected,
        worked.results,
        is_whole=worked.marks is not None,
    )
    record_brakes.record_verdict(worked.batch_id, whole(worked.verdict))
    artifacts.show_stock(summary, plan)
    if worked.marks is not None:
        record.finish_cycle(whole(summary), worked.marks)
    return summary


def with_items(items: ItemIndex, skus: Collection[str]) -> list[str]:
    """Return those of the SKUs that stand for exactly one item of PRIMA."""
    return sorted(sku for sku in set(skus) if items.problem(sku) is None)
