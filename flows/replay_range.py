"""Many orders played again: what was sent against what would be sent now, and what would become of each."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime

from prefect import flow
from prefect.artifacts import create_table_artifact

from flows.carrying import carry
from flows.checking import circumstances
from flows.desk import desk_after_run
from flows.passing import whole
from flows.replay_views import rows_of
from flows.slots import slots_of_both_systems
from schemas.batches import chunks
from schemas.items import ItemIndex
from schemas.replay import ReplayedPart, ReplayedRange, Source
from schemas.rules import OrderRules
from tasks import connect
from tasks.decide import orders as decide_orders
from tasks.decide import replay as decide
from tasks.errors import ConfigurationError, SystemUnavailableError
from tasks.extract import backfill as extract_placed
from tasks.extract import items as extract_items
from tasks.extract import replay as extract
from tasks.extract.orders import RECORDS_A_BATCH, OrderBatch, fetch_numbered_orders
from tasks.normalise import orders as normalise
from tasks.post import orders as posting
from tasks.record.backfill import show_backfill
from tasks.settings import Settings
from tasks.validate import check_orders

Dates = tuple[datetime, datetime]
STREAM = "replay"
ROWS_SHOWN = 500


@flow(
    name="replay-range", description="Orders again: what was sent, what would be sent now; posted only when asked to."
)
@desk_after_run("replay-range")
@slots_of_both_systems()
def replay_range(
    from_date: date | None = None,
    to_date: date | None = None,
    order_numbers: list[str] | None = None,
    source: Source = "magento",
    post: bool = False,
) -> ReplayedRange:
    """Show orders as they were sent and as they would be sent now; write nothing unless `post` is set.

    Args:
        from_date: First London date on which the orders were placed; needs `to_date`.
        to_date: Last London date, included.
        order_numbers: Numbers of Magento or PRIMA, instead of dates.
        source: A fresh read of Magento, or the requests that were kept as evidence.
        post: Let the orders that PRIMA neither has nor may have travel the line that every order travels; one that was
            refused need not rest first.

    Raises ConfigurationError for dates and numbers together, for neither, and for `post` from evidence;
    SystemUnavailableError when PRIMA got out of reach.
    """
    _check(from_date, to_date, order_numbers, source, post)
    dates = extract_placed.window_of(from_date, to_date) if from_date and to_date else None
    asked = extract.fetch_magento_numbers(list(dict.fromkeys(order_numbers or [])))
    if source == "evidence":
        parts = list(_from_evidence(asked, dates))
    else:
        settings = Settings.from_env()
        rules, items = connect.order_rules(settings), extract_items.fetch_items()
        parts = [_from_magento(batch, items, rules, settings, post=post) for batch in _batches(asked, dates, post=post)]
    found = decide.joined(source, from_date, to_date, parts, asked)
    _show(found, is_dry=not post)
    return found


def _check(
    from_date: date | None, to_date: date | None, order_numbers: list[str] | None, source: Source, post: bool
) -> None:
    if post and source == "evidence":
        raise _misused("orders are posted only from a fresh read of Magento.", "Leave the source at magento.")
    if bool(from_date) != bool(to_date):
        raise _misused("one end of the range of dates is missing.", "Give both dates, the same one for one day.")
    if bool(from_date) == bool(order_numbers):
        raise _misused("it needs a range of dates or a list of order numbers, not both.", "Give one of the two.")


def _misused(message: str, next_step: str) -> ConfigurationError:
    return ConfigurationError(message, system="magento-prima", operation="replay range", next_step=next_step)


def _from_evidence(asked: Mapping[str, str], dates: Dates | None) -> Iterator[ReplayedPart]:
    """Yield the orders as their stored requests tell them; neither Magento nor PRIMA is asked."""
    amounts = extract.fetch_known_orders(list(asked.values()), dates)
    for some in chunks(list(amounts), RECORDS_A_BATCH):
        replays = [decide.from_evidence(sent) for sent in extract.fetch_sent_of(some).values()]
        yield decide.part(replays, amounts)


def _batches(asked: Mapping[str, str], dates: Dates | None, *, post: bool) -> Iterator[OrderBatch]:
    """Yield the orders as Magento has them now; the ledger hears of them only when they are to be posted."""
    if dates is None:
        for some in chunks(list(asked.values()), RECORDS_A_BATCH):
            yield fetch_numbered_orders(some, STREAM if post else "")
        return
    batch = extract_placed.fetch_placed_orders(*dates, is_dry=not post)
    yield batch
    while not batch.is_last and batch.position is not None:
        batch = extract_placed.fetch_placed_orders(*dates, after=batch.position.key, is_dry=not post)
        yield batch


def _from_magento(
    batch: OrderBatch, items: ItemIndex, rules: OrderRules, settings: Settings, *, post: bool
) -> ReplayedPart:
    """Return what a fresh read of Magento makes of a batch: the line's steps up to the request, and PRIMA's word."""
    frames = normalise.orders(batch.records, settings.orders.amounts)
    checked = check_orders(whole(frames))
    known = circumstances(checked.accepted, frames, {}, rules)
    plan = decide_orders.orders(checked.accepted, frames, items, {}, rules, known)
    sent = extract.fetch_sent_of(whole(list(frames.orders["order_number"])))
    prepared = extract.fetch_prepared(whole(plan.to_post), decide.in_prima(sent))
    replays = decide.planned(sent, plan, decide_orders.rejected(checked.rejected), prepared)
    numbers = [replay.order_number for replay in replays if replay.verdict == "would be posted"]
    if post and numbers:
        posting.retry_orders([number for number in numbers if sent[number].attempts], "replay")
        wanted = set(numbers)
        records = [record for record in batch.records if record["increment_id"] in wanted]
        summary = carry(replace(batch, records=records, unreadable=(), watermark=None), items, rules, settings)
        if summary.is_prima_out_of_reach:
            raise SystemUnavailableError(summary.is_prima_out_of_reach, system="PRIMA", operation="create order")
        after = extract.fetch_sent_of(whole(numbers))
        replays = [decide.posted(each, after[each.order_number]) if each.order_number in wanted else each
                   for each in replays]  # fmt: skip
    return decide.part(replays, decide.amounts_of(frames), [each.entity_id for each in batch.unreadable])


def _show(found: ReplayedRange, *, is_dry: bool) -> None:
    """Publish what would become of the orders and what differs, without anything about customers."""
    label = f"replayed from {found.source}"
    show_backfill(found.verdicts, label, is_dry=is_dry, key="replay-range")
    rows = [
        {"order": each.order_number, "attribute": name, "sent": sent, "now": now}
        for each in found.differing
        for name, sent, now in rows_of(each, with_customer=False)
    ]
    more = f"; the first {ROWS_SHOWN} rows of {len(rows)}" if len(rows) > ROWS_SHOWN else ""
    create_table_artifact(
        key="replay-range-differences",
        table=rows[:ROWS_SHOWN],
        description=f"{len(found.differing)} orders would be sent otherwise than they were{more}.",
    )
