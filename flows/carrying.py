"""The line that every batch of orders travels, whichever flow read it."""

from dataclasses import dataclass
from typing import Any

from prefect.futures import PrefectFuture

from flows.checking import circumstances
from flows.passing import whole
from flows.turns import short_turns
from schemas.batches import CheckedBatch, chunks
from schemas.items import ItemIndex
from schemas.orders import OrderFrames, OrderPlan
from schemas.rules import OrderRules
from tasks.decide import orders as decide
from tasks.extract import orders as extract
from tasks.normalise import orders as normalise
from tasks.post import orders as post
from tasks.record import orders as record
from tasks.record import unreadable
from tasks.record.orders import OrderSummary
from tasks.settings import Settings
from tasks.validate import check_orders


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A batch that is planned and written to the ledger, and whose orders are being posted, chunk after chunk.

    `latest` are the last chunks that were begun, in this batch or before: the next ones wait for all but the very last.
    """

    batch: extract.OrderBatch
    frames: OrderFrames
    checked: CheckedBatch
    plan: OrderPlan
    chunks: list[PrefectFuture[Any]]
    latest: list[PrefectFuture[Any]]


def carry(batch: extract.OrderBatch, items: ItemIndex, rules: OrderRules, settings: Settings) -> OrderSummary:
    """Take one batch of orders along the line: normalise, validate, decide, post, record."""
    return arrive(depart(batch, items, rules, settings))


@short_turns()
def carry_changed(items: ItemIndex, rules: OrderRules, settings: Settings) -> list[OrderSummary]:
    """Carry every order that changed in Magento, batch by batch: the next is read while PRIMA takes the one before."""
    summaries: list[OrderSummary] = []
    carried: dict[int, bytes] = {}
    present: UnderWay | None = depart(extract.fetch_new_orders(), items, rules, settings)
    while present is not None:
        following: UnderWay | None = None
        try:
            if not present.batch.is_last:
                carried |= present.batch.fingerprints
                before = len(present.batch.records)
                batch = extract.fetch_new_orders(present.batch.position, before=before, carried=whole(carried))
                following = depart(batch, items, rules, settings, behind=present)
        finally:
            summaries.append(arrive(present))
        present = following
    return summaries


def depart(
    batch: extract.OrderBatch,
    items: ItemIndex,
    rules: OrderRules,
    settings: Settings,
    behind: UnderWay | None = None,
) -> UnderWay:
    """Plan a batch and let its posting begin, behind that of an earlier batch."""
    if batch.unreadable:
        unreadable.note_unreadable(batch.batch_id, whole(batch.unreadable))
    frames = normalise.orders(batch.records, settings.orders.amounts)
    checked = check_orders(whole(frames))
    posted = extract.fetch_posted(list(checked.accepted["order_number"]))
    known = circumstances(checked.accepted, frames, posted, rules)
    plan = decide.orders(checked.accepted, frames, items, posted, rules, known)
    record.see_orders(whole(batch.records), whole(checked), whole(frames), whole(plan))
    posting: list[PrefectFuture[Any]] = []
    latest = behind.latest if behind is not None else []
    for chunk in chunks(plan.to_post, settings.orders.chunk_size):
        # Two chunks at a time, so that one gets ready while the other's last calls are out: they share PRIMA's calls.
        # The two before those are named both, so that none begins after one that failed.
        begun = post.post_chunk_of_sales_orders.submit(whole(chunk), wait_for=latest[:-1], return_state=False)
        latest = [*latest, begun][-3:]
        posting.append(begun)
    return UnderWay(batch, frames, checked, plan, posting, latest)


def arrive(under_way: UnderWay) -> OrderSummary:
    """Wait until the orders of a batch are posted, and record what became of it."""
    batch, frames, checked, plan = under_way.batch, under_way.frames, under_way.checked, under_way.plan
    results = [result for chunk in under_way.chunks for result in chunk.result()]
    rejected = decide.rejected(checked.rejected)
    summary = record.close_orders(
        batch.batch_id, batch.watermark, whole(frames), whole(checked), whole(plan), rejected, results
    )
    unreadable.close_readable(batch.batch_id, whole([record.get("entity_id") for record in batch.records]))
    return summary
