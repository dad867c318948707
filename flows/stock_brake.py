"""A person decides about a held stock snapshot: released or refused, with name and reason."""

from prefect import flow

from flows.desk import desk_after_run
from schemas.brakes import HoldDecision, StockHold
from tasks.errors import ConfigurationError
from tasks.record import brakes as record


@flow(name="stock brake", description="Release or refuse a held stock snapshot; nothing is pushed by it.")
@desk_after_run("stock-brake")
def decide_hold(hold_id: str, decision: HoldDecision, by: str, why: str) -> StockHold:
    """Release or refuse the hold that the exception STOCK_SNAPSHOT_HELD names.

    Args:
        hold_id: The hold, as the exception names it and `magento-prima stock-brake show` shows it.
        decision: Release it when the figures are true; refuse it when they are wrong.
        by: Who decides; kept with the hold and in the history of its exception.
        why: What was found out about the figures; kept with it.

    A release pushes nothing itself: the next run of `inventory` reads PRIMA again, and lets that reading pass if it is
    nearly the same as the held one. Refused, the hold stays until a sane snapshot follows. Raises ConfigurationError
    without a name or a reason, NotFoundError for an unknown hold, LedgerStateError for one that is over.
    """
    missing = [name for name, value in {"by": by, "why": why}.items() if not value.strip()]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} must be given: a decision is kept with a name and a reason.",
            system="magento-prima",
            operation=decision,
            reference=hold_id,
        )
    return record.record_decision(hold_id.strip(), decision, by.strip(), why.strip())
