"""Commands that show what the ledger knows: `magento-prima order` and `stock`."""

from typing import Annotated

import typer

from flows import order_view, stock_view
from flows.cli.output import AsJson, fail, show_view
from tasks.settings import Settings

app = typer.Typer()


@app.command()
def order(
    number: str,
    as_json: AsJson = False,
    with_customer: Annotated[
        bool, typer.Option("--with-customer", help="Also the customer's name, address and e-mail.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Only what the ledger knows; ask no system.")] = False,
) -> None:
    """Show where an order is, by Magento's or PRIMA's number: timeline, parcels, refunds, and what happens next."""
    view = order_view.order(Settings.from_env(), number, with_customer=with_customer, is_offline=offline)
    if view is None:
        fail(f"Order {number} was never seen here. Run `magento-prima run orders`, or check the number.")
    else:
        show_view(view, order_view.order_lines_of_text, as_json)


@app.command()
def stock(sku: str, as_json: AsJson = False) -> None:
    """Show the sum behind the quantity that Magento has for a SKU."""
    view = stock_view.stock(Settings.from_env(), sku)
    if view is None:
        fail(f"SKU {sku} was in no stock snapshot so far. Run `magento-prima run inventory`, or check the SKU.")
    else:
        show_view(view, stock_view.stock_lines_of_text, as_json)
