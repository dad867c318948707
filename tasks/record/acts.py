"""Acts of the desk: each in the ledger with who, when and why, and what it came to as an artifact."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.desk import ActPlan, ActResult, ActRow, Case, Meant, Outcome
from schemas.money import show
from schemas.order_checks import REFUSED
from schemas.suggestions import SKU_MAPPING
from tasks import connect
from tasks.settings import Settings

BY_HAND = "mapped by hand"
ROWS_SHOWN = 500


def preview(plan: ActPlan, by: str) -> ActResult:
    """Return what an act would come to; nothing is written."""
    return _result(plan, by, plan.numbers, "would be done", is_preview=True)


def acted(plan: ActPlan, by: str, done: Sequence[int]) -> ActResult:
    """Return what an act came to of which these exceptions are done; nothing is written."""
    return _result(plan, by, done)


def refused_rows(plan: ActPlan) -> tuple[ActRow, ...]:
    """Return a row for each exception that an act does not fit."""
    return tuple(_row(case, "refused", why) for case, why in plan.refused)


@task(cache_policy=NO_CACHE)
def record_assigned(plan: ActPlan, to: str, by: str, because: str) -> ActResult:
    """Give the exceptions to a person."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return _result(plan, by, ledger.assign_exceptions(plan.numbers, to, by=by, text=because))


@task(cache_policy=NO_CACHE)
def record_comment(plan: ActPlan, by: str, text: str) -> ActResult:
    """Keep a remark on each exception."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return _result(plan, by, ledger.note_acts(plan.numbers, "noted", by=by, text=text))


@task(cache_policy=NO_CACHE)
def record_snoozed(plan: ActPlan, until: datetime, by: str, because: str) -> ActResult:
    """Let the exceptions rest."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return _result(plan, by, ledger.snooze_exceptions(plan.numbers, until, by=by, text=because))


@task(cache_policy=NO_CACHE)
def record_ignored(plan: ActPlan, by: str, because: str) -> ActResult:
    """Leave the exceptions as they are."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return _result(plan, by, ledger.ignore_exceptions(plan.numbers, by=by, text=because))


@task(cache_policy=NO_CACHE)
def record_closed(plan: ActPlan, by: str, because: str) -> ActResult:
    """Close the exceptions."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        closed = [number for number in plan.numbers if ledger.close_exception(number, by=by, note=because)]
    return _result(plan, by, closed)


@task(cache_policy=NO_CACHE)
def record_retried(plan: ActPlan, by: str, because: str) -> ActResult:
    """Note in the history who wanted it to be run again; before it is."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return _result(plan, by, ledger.note_acts(plan.numbers, "retried", by=by, text=because))


@task(cache_policy=NO_CACHE)
def record_mapped(plan: ActPlan, meant: Meant, by: str, because: str) -> ActResult:
    """Keep the mapping with who set it and when, and note it on each exception that waits for it."""
    why = because or BY_HAND
    value = {"sku": meant.meant, "why": why} if meant.ledger_kind == SKU_MAPPING else {"meant": meant.meant, "why": why}
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.set_mapping(meant.ledger_kind, meant.key, value, by)
        text = f"{meant}: {because}" if because else str(meant)
        return _result(plan, by, ledger.note_acts(plan.numbers, "mapped", by=by, text=text))


@task(cache_policy=NO_CACHE)
def record_outcome(result: ActResult, problems: Sequence[str]) -> ActResult:
    """Return the result with what became of each exception that was run again: closed, or open still and why."""
    numbers = [row.number for row in result.rows if row.outcome == "done"]
    with connect.open_ledger(Settings.from_env()) as ledger:
        after = {note.id: note for number in numbers for note in ledger.exceptions(state="all", number=number)}
    rows = []
    for row in result.rows:
        note = after.get(row.number)
        if note is not None:
            gone = f"{REFUSED} says so from now on" if result.act == "refuse" else "its cause is gone"
            ended = f"closed: {gone}" if note.state == "closed" else f"open still: {note.detail}"
            row = replace(row, text=f"{row.text}; {ended}")
        rows.append(row)
    return replace(result, rows=tuple(rows), problems=tuple(problems))


def show_act(result: ActResult) -> None:
    """Publish what an act came to as the artifact `exceptions-ACT`, and log it in one line without any name."""
    rows = [
        {
            "exception": row.number,
            "code": row.code,
            "about": row.subject,
            "at risk": show(row.value_at_risk_pence, row.currency),
            "outcome": row.outcome,
            "what": row.text,
        }
        for row in result.rows[:ROWS_SHOWN]
    ]
    counts = ", ".join(
        f"{count} {outcome}"
        for outcome, count in ((each, result.count(each)) for each in ("would be done", "done", "refused"))
        if count
    )
    text = f"{result.act} by {result.by}: {counts or 'no exception is meant'}"
    if result.is_preview:
        text += ". A preview: nothing was done"
    create_table_artifact(key=f"exceptions-{result.act}", table=rows, description=text)
    get_run_logger().info("exceptions %s: %s", result.act, counts or "none")


def _result(
    plan: ActPlan, by: str, done: Sequence[int], outcome: Outcome = "done", *, is_preview: bool = False
) -> ActResult:
    """Return one row for each exception; one that was closed between plan and act is refused like the others."""
    reached = set(done)
    rows = [
        _row(case, outcome, text) if case.number in reached else _row(case, "refused", "it was closed meanwhile")
        for case, text in plan.to_do
    ]
    rows += [_row(case, "refused", why) for case, why in plan.refused]
    return ActResult(plan.act, by, is_preview, tuple(rows))


def _row(case: Case, outcome: Outcome, text: str) -> ActRow:
    return ActRow(case.number, case.code, case.subject, case.value_at_risk_pence, case.currency, outcome, text)
