"""A shop that ships from another source than Magento's `default`."""

from flows.inventory import sync_inventory
from flows.orders import sync_orders
from tests.flows.shopping import TEE, a_line, buy, stock_both
from tests.installation import Installation

SOURCE = "wh_mids"


def test_units_of_accepted_orders_are_added_at_the_source_that_ships_them(installation: Installation) -> None:
    installation.configure(calls_per_second=f'15\nsource_code = "{SOURCE}"')
    stock_both(installation, {TEE: 10})
    installation.magento.set_source_quantity(TEE, 10, SOURCE)
    buy(installation, a_line(TEE, 3))
    sync_orders()

    sync_inventory()

    assert installation.magento.source_quantity(TEE, SOURCE) == 7 + 3
