"""What became of a stock snapshot: levels, exceptions, control totals."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
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

# What a run about some SKUs can say something about, and what only a run about all of them can.
CODES_OF_SKUS = ("STOCK_PUSH_FAILED", "STOCK_NOT_IN_MAGENTO")
CODES = (
    *CODES_OF_SKUS,
    "STOCK_SNAPSHOT_HELD",
    "STOCK_ROW_REJECTED",
    "STOCK_SOURCE_UNKNOWN",
    "STOCK_WAREHOUSE_UNMAPPED",
    "STOCK_ITEM_AMBIGUOUS",
    "STOCK_NOT_IN_PRIMA",
)
BY = "inventory"


@dataclass(frozen=True, slots=True)
class StockSummary:
    """How a stock run ended: counts of rows and levels by step, and why nothing, or not all, was pushed.

    `paused` is why writing waits for a later run although Magento is there.
    """

    batch_id: str
    counts: Mapping[str, int]
    held: str = ""
    is_magento_out_of_reach: str = ""
    paused: str = ""


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
    *,
    is_whole: bool = True,
) -> StockSummary:
    """Raise and close exceptions and check that each row of the snapshot is accounted for.

    `is_whole` is False when only some SKUs were asked for; then nothing is closed about the others.
    Raises UnexpectedResponseError when counts of two steps do not agree.
    """
    totals = _control_totals(rows, checked, plan, results)
    raised = [*exceptions, *plan.exceptions, *_failures(results)]
    with connect.open_ledger(Settings.from_env()) as ledger:
        totals.check(ledger, batch_id)
        if not plan.held:
            _close_what_is_over(ledger, raised, None if is_whole else {str(sku) for sku in rows["sku"]})
        ledger.raise_exceptions(batch_id, raised)
        ledger.close_batch(batch_id, "held" if plan.held else "closed", totals.as_dict())
    reasons = {result.code: result.detail for result in results if result.state == "waiting"}
    paused = next((detail for code, detail in reasons.items() if code != "UNAVAILABLE"), "")
    summary = StockSummary(batch_id, totals.counts(), plan.held, reasons.get("UNAVAILABLE", ""), paused)
    counts = ", ".join(f"{step} {count}" for step, count in summary.counts.items() if count)
    why = "".join(f"; {word}: {why}" for word, why in (("held", plan.held), ("paused", paused)) if why)
    get_run_logger().info(f"stock {batch_id}: {counts}{why}")
    return summary


def _failures(results: Sequence[PostingResult]) -> list[ExceptionNote]:
    """Return an exception for each level that Magento did not take, and one for each source that it does not have."""
    failed = [
        ExceptionNote(result.code, f"sku {result.subject}", result.detail, sku=result.subject)
        for result in results
        if result.code == "STOCK_PUSH_FAILED"
    ]
    nowhere = Counter(result.reference for result in results if result.code == "STOCK_SOURCE_UNKNOWN")
    return failed + [
        ExceptionNote("STOCK_SOURCE_UNKNOWN", f"source {source}", f"{count} levels were not written")
        for source, count in sorted(nowhere.items())
    ]


def _close_what_is_over(ledger: Ledger, raised: Sequence[ExceptionNote], only: Collection[str] | None) -> None:
    """Close what was not raised again; `only` those SKUs where the others were not looked at."""
    still = {(note.code, note.subject) for note in raised}
    for code in CODES if only is None else CODES_OF_SKUS:
        over = [
            note.subject
            for note in ledger.exceptions(code=code)
            if (code, note.subject) not in still and (only is None or note.sku in only)
        ]
        if over:
            ledger.close_exceptions(subjects=over, codes=[code], by=BY)


def _control_totals(
    rows: pd.DataFrame, checked: CheckedBatch, plan: StockPlan, results: Sequence[PostingResult]
) -> CheckedTotals:
    counts = {
        "fetched": len(rows),
        "rejected": len(checked.rejected),
        "accepted": len(checked.accepted),
        "counted": plan.counted,
        "without a SKU": plan.unmapped,
        "left out": plan.left_out,
        "incomplete": plan.incomplete,
        "held": len(checked.accepted) if plan.held else 0,
        "levels": plan.levels_in_all,
        "to push": len(plan.to_push),
        "unchanged": plan.unchanged,
        "not in Magento": len(plan.not_in_magento),
    }
    for state in ("posted", "refused", "unknown", "waiting"):
        counts[state] = sum(1 for result in results if result.state == state)
    totals = CheckedTotals("stock")
    for step, count in counts.items():
        totals.note(step, ControlTotals(count))
    totals.must_agree("fetched", ["accepted", "rejected"])
    totals.must_agree("accepted", ["counted", "without a SKU", "left out", "incomplete", "held"])
    totals.must_agree("levels", ["to push", "unchanged", "not in Magento"])
    totals.must_agree("to push", ["posted", "refused", "unknown", "waiting"])
    return totals
