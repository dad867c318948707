"""Orders of a range of dates along the same line as any other; or, as a dry run, what that line would do with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from prefect import flow

from flows.carrying import carry
from flows.checking import circumstances
from flows.desk import desk_after_run
from flows.passing import whole
from flows.slots import slots_of_both_systems
from schemas.backfill import Outcome
from schemas.items import ItemIndex
from schemas.rules import OrderRules
from tasks import connect
from tasks.decide import backfill as decide_backfill
from tasks.decide import orders as decide
from tasks.errors import SystemUnavailableError
from tasks.extract import backfill as extract
from tasks.extract import items as extract_items
from tasks.extract.orders import OrderBatch, fetch_posted
from tasks.normalise import orders as normalise
from tasks.record.backfill import show_backfill
from tasks.settings import Settings
from tasks.validate import check_orders


@dataclass(frozen=True, slots=True)
class BackfillSummary:
    """What a backfill did, or would do: orders and pence by outcome, and the orders that Magento does not hand out."""

    from_date: date
    to_date: date
    is_dry_run: bool
    outcomes: list[Outcome]
    unreadable: list[int]


@flow(name="backfill", description="Magento orders of a range of dates to PRIMA; a dry run lists what it would do.")
@desk_after_run("backfill")
@slots_of_both_systems()
def backfill(from_date: date, to_date: date, dry_run: bool = True) -> BackfillSummary:
    """Carry the orders placed on these London dates, or list what would become of them.

    Args:
        from_date: First London date on which orders were placed.
        to_date: Last London date, included.
        dry_run: Only list counts, totals and order numbers by outcome; nothing is written to PRIMA, Magento or the
            ledger.

    Import rules count as ever: an order from before `orders.start_date` is left out. Raises SystemUnavailableError
    when PRIMA got out of reach; what was not posted waits for the next run of orders.
    """
    settings = Settings.from_env()
    rules = connect.order_rules(settings)
    since, until = extract.window_of(from_date, to_date)
    items = extract_items.fetch_items()
    found: list[Outcome] = []
    unreadable: list[int] = []
    for batch in batches(since, until, is_dry=dry_run):
        found += foreseen(batch, items, rules, settings)
        unreadable += [each.entity_id for each in batch.unreadable]
        if not dry_run:
            summary = carry(batch, items, rules, settings)
            if summary.is_prima_out_of_reach:
                raise SystemUnavailableError(summary.is_prima_out_of_reach, system="PRIMA", operation="create order")
    outcomes = decide_backfill.summed(found)
    show_backfill(outcomes, f"placed from {from_date} to {to_date}", is_dry=dry_run)
    return BackfillSummary(from_date, to_date, dry_run, outcomes, unreadable)


def batches(since: datetime, until: datetime, *, is_dry: bool) -> Iterator[OrderBatch]:
    """Yield the orders placed in a window, batch by batch."""
    batch = extract.fetch_placed_orders(since, until, is_dry=is_dry)
    yield batch
    while not batch.is_last and batch.position is not None:
        batch = extract.fetch_placed_orders(since, until, after=batch.position.key, is_dry=is_dry)
        yield batch


def foreseen(batch: OrderBatch, items: ItemIndex, rules: OrderRules, settings: Settings) -> list[Outcome]:
    """Return what the line would do with a batch: its steps up to the plan, none of which writes anything."""
    frames = normalise.orders(batch.records, settings.orders.amounts)
    checked = check_orders(whole(frames))
    posted = fetch_posted(list(checked.accepted["order_number"]))
    known = circumstances(checked.accepted, frames, posted, rules)
    plan = decide.orders(checked.accepted, frames, items, posted, rules, known)
    return decide_backfill.outcomes(checked, plan, decide.rejected(checked.rejected))
