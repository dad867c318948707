"""What became of a stock snapshot: levels, exceptions, control totals."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.batches import CheckedBatch, PostingResult
from schemas.documents import ControlTotals, ExceptionNote
from schemas.stock import CODES, CODES_OF_SKUS, StockPlan
from schemas.stock_marks import StockMarks
from tasks import connect
from tasks.record.totals import CheckedTotals
from tasks.settings import Settings
from tasks.systems.ledger import Ledger

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
    totals = _control_totals(_counts(rows, checked, plan, results))
    raised = [*exceptions, *plan.exceptions, *_failures(results)]
    with connect.open_ledger(Settings.from_env()) as ledger:
        totals.check(ledger, batch_id)
        if not plan.held:
            _close_what_is_over(
                ledger, raised, _not_written(results), None if is_whole else {str(sku) for sku in rows["sku"]}
            )
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


def _not_written(results: Sequence[PostingResult]) -> set[tuple[str, str]]:
    """Return the failures that are not over: nobody knows yet whether Magento takes the level now."""
    return {("STOCK_PUSH_FAILED", f"sku {each.subject}") for each in results if each.state in ("waiting", "unknown")}


def _close_what_is_over(
    ledger: Ledger, raised: Sequence[ExceptionNote], still: set[tuple[str, str]], only: Collection[str] | None
) -> None:
    """Close what was not raised again; `only` those SKUs where the others were not looked at."""
    still = still | {(note.code, note.subject) for note in raised}
    for code in CODES if only is None else CODES_OF_SKUS:
        over = [
            note.subject
            for note in ledger.exceptions(code=code)
            if (code, note.subject) not in still and (only is None or note.sku in only)
        ]
        if over:
            ledger.close_exceptions(subjects=over, codes=[code], by=BY)


@task(cache_policy=NO_CACHE)
def close_unchanged(batch_id: str, counts: Mapping[str, int]) -> StockSummary:
    """Close a cycle that had nothing to work out, with the counts of the one that did; see `decide.unchanged`.

    Raises UnexpectedResponseError when they do not agree.
    """
    totals = _control_totals(counts)
    with connect.open_ledger(Settings.from_env()) as ledger:
        totals.check(ledger, batch_id)
        ledger.close_batch(batch_id, "closed", totals.as_dict())
    get_run_logger().info(f"stock {batch_id}: nothing changed since the last cycle, {counts['unchanged']} levels")
    return StockSummary(batch_id, totals.counts())


@task(cache_policy=NO_CACHE)
def begin_cycle(batch_id: str, reasons: Sequence[str]) -> None:
    """Forget the last finished cycle, since this one changes what it left; says why it works stock out."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.forget_finished_cycle()
    get_run_logger().info(f"stock {batch_id}: worked out, because {'; '.join(reasons)}")


@task(cache_policy=NO_CACHE)
def finish_cycle(summary: StockSummary, marks: StockMarks) -> None:
    """Keep a whole cycle that was carried out to its end, for the next one to be compared with.

    One that was held, or left a level unwritten, is not kept: the next one works everything out again.
    """
    counts = summary.counts
    if summary.held or counts["posted"] != counts["to push"]:
        return
    with connect.open_ledger(Settings.from_env()) as ledger:
        kept = replace(marks, exceptions=ledger.exception_state(CODES))
        ledger.keep_finished_cycle(summary.batch_id, kept, counts)


def _counts(
    rows: pd.DataFrame, checked: CheckedBatch, plan: StockPlan, results: Sequence[PostingResult]
) -> dict[str, int]:
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
    return counts


def _control_totals(counts: Mapping[str, int]) -> CheckedTotals:
    totals = CheckedTotals("stock")
    for step, count in counts.items():
        totals.note(step, ControlTotals(count))
    totals.must_agree("fetched", ["accepted", "rejected"])
    totals.must_agree("accepted", ["counted", "without a SKU", "left out", "incomplete", "held"])
    totals.must_agree("levels", ["to push", "unchanged", "not in Magento"])
    totals.must_agree("to push", ["posted", "refused", "unknown", "waiting"])
    return totals
