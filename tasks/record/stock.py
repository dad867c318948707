"""What became of a stock snapshot: levels, exceptions, control totals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.batches import CheckedBatch, PostingResult
from schemas.documents import ControlTotals, ExceptionNote
from schemas.stock import StockPlan
from tasks import connect
from tasks.record.totals import CheckedTotals
from tasks.settings import Settings
from tasks.systems.ledger import Ledger

CODES = (
    "STOCK_SNAPSHOT_HELD",
    "STOCK_ROW_REJECTED",
    "STOCK_PUSH_FAILED",
    "STOCK_NOT_IN_MAGENTO",
    "STOCK_NOT_IN_PRIMA",
)
BY = "inventory"


@dataclass(frozen=True, slots=True)
class StockSummary:
    """How a stock run ended: counts of rows by step, and why nothing was pushed where the snapshot was held."""

    batch_id: str
    counts: Mapping[str, int]
    held: str = ""
    is_magento_out_of_reach: str = ""


@task(cache_policy=NO_CACHE)
def record_levels(plan: StockPlan) -> None:
    """Keep the sum behind each level, before anything is pushed: `magento-prima stock SKU` shows it."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.record_snapshot(plan.levels)


@task(cache_policy=NO_CACHE)
def close_stock(
    batch_id: str,
    rows: pd.DataFrame,
    checked: CheckedBatch,
    plan: StockPlan,
    exceptions: Sequence[ExceptionNote],
    results: Sequence[PostingResult],
) -> StockSummary:
    """Raise and close exceptions and check that each row of the snapshot is accounted for.

    Raises UnexpectedResponseError when counts of two steps do not agree.
    """
    totals = _control_totals(rows, checked, plan, results)
    failed = [
        ExceptionNote(result.code, f"sku {result.subject}", result.detail, sku=result.subject)
        for result in results
        if result.code == "STOCK_PUSH_FAILED"
    ]
    raised = [*exceptions, *plan.exceptions, *failed]
    with connect.open_ledger(Settings.from_env()) as ledger:
        totals.check(ledger, batch_id)
        if not plan.held:
            _close_what_is_over(ledger, raised)
        ledger.raise_exceptions(batch_id, raised)
        ledger.close_batch(batch_id, "held" if plan.held else "closed", totals.as_dict())
    unreachable = next((result.detail for result in results if result.code == "UNAVAILABLE"), "")
    summary = StockSummary(batch_id, totals.counts(), plan.held, unreachable)
    counts = ", ".join(f"{step} {count}" for step, count in summary.counts.items() if count)
    get_run_logger().info(f"stock {batch_id}: {counts}{'; held: ' + plan.held if plan.held else ''}")
    return summary


def _close_what_is_over(ledger: Ledger, raised: Sequence[ExceptionNote]) -> None:
    still = {(note.code, note.subject) for note in raised}
    for code in CODES:
        over = [note.subject for note in ledger.exceptions(code=code) if (code, note.subject) not in still]
        if over:
            ledger.close_exceptions(subjects=over, codes=[code], by=BY)


def _control_totals(
    rows: pd.DataFrame, checked: CheckedBatch, plan: StockPlan, results: Sequence[PostingResult]
) -> CheckedTotals:
    counts = {
        "fetched": len(rows),
        "rejected": len(checked.rejected),
        "accepted": len(checked.accepted),
        "to push": len(plan.to_push),
        "unchanged": plan.unchanged,
        "not in Magento": len(plan.not_in_magento),
        "without a SKU": plan.unmapped,
        "held": len(checked.accepted) if plan.held else 0,
    }
    for state in ("posted", "refused", "unknown", "waiting"):
        counts[state] = sum(1 for result in results if result.state == state)
    totals = CheckedTotals("stock")
    for step, count in counts.items():
        totals.note(step, ControlTotals(count))
    totals.must_agree("fetched", ["accepted", "rejected"])
    totals.must_agree("accepted", ["to push", "unchanged", "not in Magento", "without a SKU", "held"])
    totals.must_agree("to push", ["posted", "refused", "unknown", "waiting"])
    return totals
