"""What exceptions are about, run again: from a fresh read of both systems, whichever act asked for it."""

from collections.abc import Callable

from flows.carrying import carry
from flows.census import take_census
from flows.fulfilment import sync_fulfilment
from flows.inventory import sync_inventory
from flows.orders import sync_orders
from flows.passing import whole
from flows.refunds import sync_refunds
from flows.slots import slots_of_both_systems
from flows.stock_check import check_stock
from flows.verification import verify_orders
from schemas.batches import chunks
from schemas.desk import Rerun
from tasks import connect
from tasks.errors import IntegrationError, SystemUnavailableError
from tasks.extract import items as extract_items
from tasks.extract.orders import RECORDS_A_BATCH, fetch_numbered_orders
from tasks.post import orders as posting
from tasks.settings import Settings

Step = Callable[[], object]
FLOWS: dict[str, Step] = {
    "orders": sync_orders,
    "stock": sync_inventory,
    "dispatches": sync_fulfilment,
    "refunds": sync_refunds,
    "figures": verify_orders,
    "census": take_census,
    "stock check": check_stock,
}


def run_again(wanted: Rerun, by: str) -> list[str]:
    """Carry the orders, write the stock and run the flows; return a sentence for each that could not be done.

    One that fails keeps none of the others from being tried.
    """
    steps: list[tuple[str, Step]] = [(f"run {name}", FLOWS[name]) for name in wanted.flows]
    if wanted.orders:
        steps.insert(0, ("carry orders", lambda: carry_again(list(wanted.orders), by)))
    if wanted.skus:
        steps.append(("write stock", lambda: sync_inventory(list(wanted.skus))))
    problems = []
    for name, step in steps:
        try:
            step()
        except IntegrationError as error:
            problems.append(f"{name}: {error}")
    return problems


@slots_of_both_systems()
def carry_again(order_numbers: list[str], by: str) -> None:
    """Carry orders from a fresh read of Magento; one that PRIMA refused need not rest first.

    Raises SystemUnavailableError when PRIMA got out of reach: the next run of orders takes up what is left.
    """
    posting.retry_orders(order_numbers, by)
    settings = Settings.from_env()
    items, rules = extract_items.fetch_items(), connect.order_rules(settings)
    for some in chunks(order_numbers, RECORDS_A_BATCH):
        summary = carry(fetch_numbered_orders(whole(list(some)), "orders of exceptions"), items, rules, settings)
        if summary.is_prima_out_of_reach:
            raise SystemUnavailableError(summary.is_prima_out_of_reach, system="PRIMA", operation="create order")
