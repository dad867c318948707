"""Magento orders into PRIMA as sales orders, each once, to the penny, with Magento's VAT."""

from prefect import flow

from flows.passing import whole
from flows.slots import slots_of_both_systems
from schemas.batches import chunks
from schemas.items import ItemIndex
from schemas.rules import OrderRules
from tasks import connect
from tasks.decide import orders as decide
from tasks.errors import SystemUnavailableError
from tasks.extract import items as extract_items
from tasks.extract import orders as extract
from tasks.normalise import orders as normalise
from tasks.post import orders as post
from tasks.record import artifacts
from tasks.record import orders as record
from tasks.record.orders import OrderSummary
from tasks.settings import Settings
from tasks.validate import check_orders


@flow(name="orders", description="Magento orders to PRIMA sales orders, each exactly once, with Magento's VAT.")
@slots_of_both_systems()
def sync_orders() -> list[OrderSummary]:
    """Look up what an earlier run left open, try what was held again, then carry every new order to PRIMA.

    Raises SystemUnavailableError at the end when PRIMA was out of reach; what was not posted waits for the next run.
    """
    settings = Settings.from_env()
    rules = connect.order_rules(settings)
    record.close_look_ups(post.look_up_open_orders())
    items = extract_items.fetch_items()
    summaries = [carry(extract.fetch_waiting_orders(), items, rules, settings)]
    batch = extract.fetch_new_orders()
    summaries.append(carry(batch, items, rules, settings))
    while not batch.is_last:
        batch = extract.fetch_new_orders(after=batch.watermark)
        summaries.append(carry(batch, items, rules, settings))
    artifacts.show_orders(summaries)
    for summary in summaries:
        if summary.is_prima_out_of_reach:
            raise SystemUnavailableError(summary.is_prima_out_of_reach, system="PRIMA", operation="create order")
    return summaries


def carry(batch: extract.OrderBatch, items: ItemIndex, rules: OrderRules, settings: Settings) -> OrderSummary:
    """Take one batch of orders along the line: normalise, validate, decide, post, record."""
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
    accepted = [result.subject for result in results if result.state in ("posted", "already")]
    record.close_notes(batch.batch_id, post.post_order_notes([*accepted, *plan.already_posted]))
    rejected = decide.rejected(checked.rejected)
    return record.close_orders(
        batch.batch_id, batch.watermark, whole(frames), whole(checked), whole(plan), rejected, results
    )
