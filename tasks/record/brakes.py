"""Holds of stock snapshots in the ledger: kept while they last, ended when a snapshot passes."""

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.brakes import HoldDecision, HoldState, Risk, StockHold, Verdict
from tasks import connect
from tasks.settings import Settings

CODE = "STOCK_SNAPSHOT_HELD"


@task(cache_policy=NO_CACHE)
def record_hold(batch_id: str, found: Verdict, at_risk: Risk) -> str:
    """Keep a held snapshot, or count it on the hold that it belongs to; returns the hold id."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return ledger.hold_snapshot(batch_id, found, at_risk)


@task(cache_policy=NO_CACHE)
def record_verdict(batch_id: str, found: Verdict) -> None:
    """After a snapshot that was not held: compare the next one with it, and end the hold that was open."""
    if found.outcome == "held":
        return
    state: HoldState = "passed" if found.outcome == "released" else "expired"
    with connect.open_ledger(Settings.from_env()) as ledger:
        if not found.is_unchanged:
            ledger.keep_baseline(found.snapshot, batch_id=batch_id)
        if found.hold_id:
            ledger.end_hold(found.hold_id, state, batch_id=batch_id)
            get_run_logger().info(f"stock {batch_id}: hold {found.hold_id} {state}")


@task(cache_policy=NO_CACHE)
def record_decision(hold_id: str, decision: HoldDecision, by: str, why: str) -> StockHold:
    """Write down who released or refused a hold and why, with it and with its exception; returns the hold as it is now.

    Raises NotFoundError for an unknown hold, LedgerStateError for one that is over or that has nothing to push.
    """
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.decide_hold(hold_id, decision, by=by, why=why)
        for note in ledger.exceptions(code=CODE):
            ledger.note_on_exception(note.id, by=by, text=f"{decision} of hold {hold_id}: {why}")
        found = ledger.stock_hold(hold_id)
    assert found is not None
    get_run_logger().info(f"hold {hold_id}: {found.state} by {by}")
    return found
