"""Magento orders into PRIMA as sales orders, each once, to the penny, with Magento's VAT."""

from prefect import flow

from flows.carrying import carry, carry_changed
from flows.desk import desk_after_run
from flows.noting import notes_beside
from flows.slots import slots_of_both_systems
from flows.watch import watch_orders
from tasks import connect
from tasks.errors import SystemUnavailableError
from tasks.extract import items as extract_items
from tasks.extract import orders as extract
from tasks.post import looking
from tasks.record import artifacts
from tasks.record import orders as record
from tasks.record.orders import OrderSummary
from tasks.settings import Settings


@flow(name="orders", description="Magento orders to PRIMA sales orders, each exactly once, with Magento's VAT.")
@desk_after_run("orders")
@slots_of_both_systems()
def sync_orders() -> list[OrderSummary]:
    """Look up what an earlier run left open, try what was held again, then carry every new order to PRIMA.

    Raises SystemUnavailableError at the end when PRIMA was out of reach; what was not posted waits for the next run.
    """
    settings = Settings.from_env()
    rules = connect.order_rules(settings)
    record.close_look_ups(looking.look_up_open_orders())
    items = extract_items.fetch_items()
    with notes_beside():
        waiting = extract.fetch_waiting_orders()
        summaries = [] if waiting.is_empty else [carry(waiting, items, rules, settings)]
        summaries += carry_changed(items, rules, settings)
    watch_orders(settings)
    artifacts.show_orders(summaries)
    for summary in summaries:
        if summary.is_prima_out_of_reach:
            raise SystemUnavailableError(summary.is_prima_out_of_reach, system="PRIMA", operation="create order")
    return summaries
