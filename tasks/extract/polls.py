"""Open orders, and when PRIMA was last asked for each."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.polls import PollLine, PollOrder
from tasks import connect
from tasks.settings import Settings
from tasks.systems.ledger.records import UNSHIPPED_PRODUCT_TYPES


@task(cache_policy=NO_CACHE)
def fetch_open_orders() -> list[PollOrder]:
    """Return the orders that PRIMA accepted and of which goods have not left, as far as the ledger knows.

    Open units are those that Magento has neither shipped, cancelled nor refunded.
    """
    with connect.open_ledger(Settings.from_env()) as ledger:
        orders = ledger.orders_in_state("accepted", "part_dispatched")
        polls = ledger.status_polls([order.order_number for order in orders])
    return [
        PollOrder(
            order.order_number,
            order.order_number_prima,
            order.accepted_at,
            polls[order.order_number].asked_at if order.order_number in polls else None,
            order.gross_pence,
            order.currency,
            [
                PollLine(line.line_number, line.sku, line.open_units)
                for line in order.lines
                if line.product_type not in UNSHIPPED_PRODUCT_TYPES
            ],
        )
        for order in orders
        if order.accepted_at is not None and order.order_number_prima
    ]
