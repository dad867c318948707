"""Commands that run a flow once, here and now: `magento-prima run ...`, `backfill` and `replay`."""

from datetime import datetime
from pkgutil import resolve_name
from typing import Annotated, Any

import typer

from flows.cli.output import FAILED, AsJson, as_date, finish, print_json
from flows.cli.preparing import prepare, quieten
from schemas.replay import Source

app = typer.Typer()
run_app = typer.Typer(no_args_is_help=True, help="Run a flow once, here and now.")
app.add_typer(run_app, name="run")


def _run(flow: str, as_json: bool, *given: Any) -> None:
    """Run a flow, named as `module:function`, and print what it gave back; stops first where something is missing."""
    prepare()
    finish(resolve_name(flow)(*given), as_json)


@run_app.command("inventory")
def run_inventory(
    skus: Annotated[list[str] | None, typer.Option("--sku", help="Only this SKU; may be given several times.")] = None,
    as_json: AsJson = False,
) -> None:
    """PRIMA's available to sell to Magento's source quantities."""
    _run("flows.inventory:sync_inventory", as_json, skus or None)


@run_app.command("orders")
def run_orders(as_json: AsJson = False) -> None:
    """New Magento orders to PRIMA sales orders."""
    _run("flows.orders:sync_orders", as_json)


@run_app.command("fulfilment")
def run_fulfilment(as_json: AsJson = False) -> None:
    """PRIMA's dispatches to Magento shipments."""
    _run("flows.fulfilment:sync_fulfilment", as_json)


@run_app.command("refunds")
def run_refunds(as_json: AsJson = False) -> None:
    """Magento's refunds and PRIMA's credit notes against one another; new refunds to PRIMA."""
    _run("flows.refunds:sync_refunds", as_json)


@run_app.command("verification")
def run_verification(as_json: AsJson = False) -> None:
    """PRIMA's figures of accepted orders against ours; cancellations on one side to the other."""
    _run("flows.verification:verify_orders", as_json)


@run_app.command("census")
def run_census(as_json: AsJson = False) -> None:
    """Count Magento's orders of the last days against ledger and PRIMA; carry those that were missed."""
    _run("flows.census:take_census", as_json)


@run_app.command("dispatch-census")
def run_dispatch_census(as_json: AsJson = False) -> None:
    """List what PRIMA dispatched and Magento does not show as shipped, and what was shipped there by hand."""
    _run("flows.dispatch_census:take_dispatch_census", as_json)


@run_app.command("stock-check")
def run_stock_check(as_json: AsJson = False) -> None:
    """Read all of Magento's stock back against what was written and what its own orders reserve."""
    _run("flows.stock_check:check_stock", as_json)


@app.command(
    "reconcile",
    help="The same as `run reconciliation`: both systems for a London date, a range of dates, or yesterday.",
)
@run_app.command("reconciliation")
def run_reconciliation(
    business_date: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"])] = None,
    from_date: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    to_date: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
    as_json: AsJson = False,
) -> None:
    """Compare both systems for a London date (default: yesterday) or a range of dates, and publish the result."""
    _run("flows.reconciliation:reconcile", as_json, as_date(business_date), as_date(from_date), as_date(to_date))


@run_app.command("daily-report")
def run_daily_report(
    business_date: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"])] = None,
    tell: Annotated[bool, typer.Option("--tell/--no-tell", help="Send the headline to its channels.")] = True,
    as_json: AsJson = False,
) -> None:
    """What came, went and is open, and what a London date carried (default: yesterday), as page and workbook."""
    quieten()
    from flows.daily_report import make_report

    finish(make_report(as_date(business_date), tell), as_json)


@app.command()
def backfill(
    from_date: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First London date.")],
    to_date: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last London date, included.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be done; write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Carry the Magento orders placed on a range of dates to PRIMA, or list what would become of them."""
    _run("flows.backfill:backfill", as_json, from_date.date(), to_date.date(), dry_run)


@app.command()
def replay(
    number: str,
    source: Annotated[
        Source, typer.Option("--from", help="A fresh read of Magento, or the stored requests.")
    ] = "magento",
    post: Annotated[bool, typer.Option("--post", help="Post it, unless PRIMA has it or may have it.")] = False,
    with_customer: Annotated[bool, typer.Option("--with-customer", help="Show names, addresses and notes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what was sent of an order and what would be sent now; without --post nothing is written."""
    from flows import replay_views
    from flows.replay import replay_order

    if source == "evidence":
        quieten()
    else:
        prepare()
    found = replay_order(number, source, post)
    if as_json:
        print_json(replay_views.as_plain(found, with_customer=with_customer))
    else:
        print("\n".join(replay_views.lines_of_text(found, with_customer=with_customer)))
    if post and not found.was_posted:
        raise typer.Exit(FAILED)


@app.command("replay-range")
def replay_range(
    numbers: Annotated[list[str] | None, typer.Argument(help="Order numbers of Magento or PRIMA; or a range.")] = None,
    from_date: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First London date of the orders.")
    ] = None,
    to_date: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last London date, included.")
    ] = None,
    source: Annotated[Source, typer.Option(help="A fresh read of Magento, or the stored requests.")] = "magento",
    post: Annotated[bool, typer.Option("--post", help="Post what PRIMA neither has nor may have.")] = False,
    with_customer: Annotated[bool, typer.Option("--with-customer", help="Show names, addresses and notes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what was sent of many orders and what would be sent now; without --post nothing is written."""
    from flows import replay_range as flow
    from flows import replay_views

    if source == "evidence":
        quieten()
    else:
        prepare()
    found = flow.replay_range(as_date(from_date), as_date(to_date), numbers or [], source, post)
    if as_json:
        print_json(replay_views.range_as_plain(found, with_customer=with_customer))
    else:
        print("\n".join(replay_views.range_as_text(found, with_customer=with_customer)))
