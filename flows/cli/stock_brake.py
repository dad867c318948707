"""Commands that guard stock: `magento-prima stock-brake show`, `release` and `refuse`, and `stock-repair`."""

import dataclasses
from typing import Annotated, Any

import typer

from flows import views_stock
from flows.cli.output import AsJson, fail, finish, print_json, show_view
from flows.cli.preparing import prepare, quieten
from schemas.brakes import HoldDecision
from tasks.settings import Settings

app = typer.Typer()
brake_app = typer.Typer(no_args_is_help=True, help="Stock snapshots that the brakes hold.")
app.add_typer(brake_app, name="stock-brake")

By = Annotated[str, typer.Option("--by", help="Your name: it is kept with the decision.")]
Why = Annotated[str, typer.Option("--why", help="The reason: it is kept with the decision.")]


@brake_app.command("show")
def show_hold(
    hold_id: Annotated[str, typer.Argument(help="A hold; without it the open one.")] = "", as_json: AsJson = False
) -> None:
    """Show a held snapshot: figures, largest changes, what is at stake, who decided what."""
    view = views_stock.stock_hold(Settings.from_env(), hold_id)
    if view is None and hold_id:
        fail(f"There is no hold {hold_id}. `magento-prima stock-brake show` shows the open one.")
    elif view is None:
        print_json(None) if as_json else print("No stock snapshot is held.")
    else:
        show_view(view, views_stock.hold_lines_of_text, as_json)


@brake_app.command()
def release(hold_id: str, by: By, why: Why, as_json: AsJson = False) -> None:
    """Let the next reading pass if it is nearly the same as the held one. Nothing is pushed by this command."""
    _decide(hold_id, "release", by, why, as_json)


@brake_app.command()
def refuse(hold_id: str, by: By, why: Why, as_json: AsJson = False) -> None:
    """Note that the held snapshot is wrong; it stays held until a sane one follows."""
    _decide(hold_id, "refuse", by, why, as_json)


@app.command("stock-repair")
def repair(
    write: Annotated[bool, typer.Option("--write", help="Write fresh figures; without it a dry run.")] = False,
    delete_orphans: Annotated[
        bool, typer.Option("--delete-orphans", help="Remove source items of SKUs that are no product.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find where Magento's stock drifted, and write it anew from fresh figures of PRIMA."""
    if delete_orphans and not write:
        raise typer.BadParameter("--delete-orphans needs --write: a dry run removes nothing")
    prepare()
    from flows.stock_repair import repair_stock

    finish(repair_stock(dry_run=not write, delete_orphans=delete_orphans), as_json)


def _decide(hold_id: str, decision: HoldDecision, by: str, why: str, as_json: bool) -> None:
    from flows.stock_brake import decide_hold

    quieten()
    found = decide_hold(hold_id, decision, by, why)
    said: dict[str, Any] = {name: getattr(found, name) for name in ("hold_id", "state", "reasons", "figures")}
    if as_json:
        print_json(said | {"figures": dataclasses.asdict(found.figures)})
    elif decision == "release":
        print(f"Hold {hold_id} is released by {by}. The next run of inventory reads PRIMA again and lets it pass.")
    else:
        print(f"Hold {hold_id} is refused by {by}. It stays until a sane snapshot follows.")
