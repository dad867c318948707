"""The line that every batch of orders travels, whichever flow read it."""

from flows.passing import whole
from schemas.batches import chunks
from schemas.items import ItemIndex
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


def carry(batch: extract.OrderBatch, items: ItemIndex, rules: OrderRules, settings: Settings) -> OrderSummary:
    """Take one batch of orders along the line: normalise, validate, decide, post, record."""
    if batch.unreadable:
        unreadable.note_unreadable(batch.batch_id, whole(batch.unreadable))
    frames = normalise.orders(batch.records, settings.orders.amounts)
    checked = check_orders(whole(frames))
    posted = extract.fetch_posted(list(checked.accepted["order_number"]))
    plan = decide.orders(checked.accepted, frames, items, posted, rules)
    record.see_orders(whole(checked), whole(frames), whole(plan))
    results = [
        result
        for chunk in chunks(plan.to_post, settings.orders.chunk_size)
        for result in post.post_chunk_of_sales_orders(whole(chunk))
    ]
    rejected = decide.rejected(checked.rejected)
    summary = record.close_orders(
        batch.batch_id, batch.watermark, whole(frames), whole(checked), whole(plan), rejected, results
    )
    unreadable.close_readable(batch.batch_id, whole(batch.records))
    return summary
