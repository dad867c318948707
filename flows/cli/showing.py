"""Commands that show what the ledger knows: `magento-prima order`, `stock` and `exceptions`."""

import sys
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.table import Column, Table

from flows import order_view, stock_view, views
from flows.cli import deciding
from flows.cli.output import LIST_WIDTH, AsJson, fail, print_json, show_view
from schemas.money import show
from schemas.reasons import REASONS, Owner
from tasks.settings import Settings

app = typer.Typer()
exceptions_app = typer.Typer(no_args_is_help=True, help="What needs a person.")
exceptions_app.add_typer(deciding.app)
app.add_typer(exceptions_app, name="exceptions")


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


@exceptions_app.command("list")
def list_exceptions(
    as_json: AsJson = False,
    state: Annotated[str, typer.Option(help="open, closed or all.")] = "open",
    code: Annotated[str | None, typer.Option(help="Only this code.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only this team's.")] = None,
) -> None:
    """List exceptions, the most valuable first."""
    if state not in ("open", "closed", "all"):
        raise typer.BadParameter("--state must be open, closed or all")
    if owner is not None and owner not in get_args(Owner):
        raise typer.BadParameter(f"--owner {owner} is no team; teams are {', '.join(get_args(Owner))}")
    if code is not None and code not in REASONS:
        raise typer.BadParameter(f"--code {code} is not known; known are {', '.join(REASONS)}")
    rows = views.exceptions(Settings.from_env(), state=state, code=code, owner=owner)
    if as_json:
        print_json(rows)
        return
    table = Table(
        *(Column(name, no_wrap=True) for name in ("code", "owner", "about", "at risk", "age")),
        Column("what to do", min_width=40, overflow="fold"),
        title=f"{len(rows)} {state} exceptions",
    )
    for row in rows:
        table.add_row(
            row["code"],
            row["owner"],
            row["subject"],
            show(row["value_at_risk_pence"], row["currency"]),
            f"{row['age_hours']} h",
            f"{row['detail']}\n{row['next_step']}",
        )
    Console(width=None if sys.stdout.isatty() else LIST_WIDTH).print(table)
