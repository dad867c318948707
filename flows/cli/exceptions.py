"""Commands of the exceptions desk: `magento-prima exceptions list`, `show` and every act of `exceptions_acts`."""

import sys
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.table import Column, Table

from flows import exception_views, views
from flows.cli import acting, deciding, meant
from flows.cli.output import LIST_WIDTH, AsJson, fail, print_json, show_view
from schemas.desk import Which
from schemas.money import show
from schemas.reasons import REASONS, Owner
from tasks.settings import Settings

app = typer.Typer()
exceptions_app = typer.Typer(no_args_is_help=True, help="What needs a person, and what people do about it.")
exceptions_app.add_typer(deciding.app)
exceptions_app.add_typer(acting.app)
app.add_typer(exceptions_app, name="exceptions")


@exceptions_app.command("list")
def list_exceptions(
    as_json: AsJson = False,
    state: Annotated[str, typer.Option(help="open, closed or all.")] = "open",
    code: Annotated[str | None, typer.Option(help="Only this code.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only this team's.")] = None,
    older_than_hours: meant.OlderThan = 0,
    store: meant.Store = "",
    sku: meant.Sku = "",
    order: meant.OrderNumber = "",
    assigned_to: meant.AssignedTo = "",
    with_resting: Annotated[bool, typer.Option("--with-resting", help="Also those snoozed or ignored.")] = False,
) -> None:
    """List exceptions, the most valuable first."""
    if state not in ("open", "closed", "all"):
        raise typer.BadParameter("--state must be open, closed or all")
    if owner is not None and owner not in get_args(Owner):
        raise typer.BadParameter(f"--owner {owner} is no team; teams are {', '.join(get_args(Owner))}")
    if code is not None and code not in REASONS:
        raise typer.BadParameter(f"--code {code} is not known; known are {', '.join(REASONS)}")
    which = Which(older_than_hours=older_than_hours, store=store, sku=sku, order_number=order, assigned_to=assigned_to)
    found = views.exceptions(Settings.from_env(), state=state, code=code, owner=owner, which=which)
    rows = [row for row in found if with_resting or not row["is_resting"]]
    if as_json:
        print_json(rows)
        return
    resting = len(found) - len(rows)
    table = Table(
        *(Column(name, no_wrap=True) for name in ("no", "code", "owner", "about", "at risk", "age")),
        Column("what to do", min_width=40, overflow="fold"),
        title=f"{len(rows)} {state} exceptions" + (f", {resting} more rest (--with-resting)" if resting else ""),
    )
    for row in rows:
        table.add_row(*_cells(row))
    Console(width=None if sys.stdout.isatty() else LIST_WIDTH).print(table)


@exceptions_app.command("codes")
def show_codes(
    code: Annotated[str, typer.Argument(help="Only this code, with everything that is known of it.")] = "",
    owner: Annotated[str, typer.Option(help="Only this team's.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what codes mean: owner, severity, what to do, who may decide, which acts fit, who is told next and when."""
    found = [views.code_view(reason) for reason in REASONS.values() if code in ("", reason.code)]
    found = [view for view in found if owner in ("", view["owner"])]
    if not found:
        fail("There is no such code. `magento-prima exceptions codes` shows all of them.")
    elif as_json:
        print_json(found)
    elif code:
        print("\n".join(exception_views.lines_of_code(found[0])))
    else:
        print("\n".join(f"{view['code']:<28} {view['owner']:<17} {view['sentence']}" for view in found))


@exceptions_app.command("show")
def show_exception(number: int, as_json: AsJson = False) -> None:
    """Show one exception: what is at risk, what to do, what is suggested, which acts fit, and its history."""
    view = views.exception(Settings.from_env(), number)
    if view is None:
        fail(f"There is no exception {number}. `magento-prima exceptions list` shows their numbers.")
    else:
        show_view(view, exception_views.lines_of_text, as_json)


def _cells(row: dict[str, Any]) -> list[str]:
    owner = f"{row['owner']}\n{row['assigned_to']}" if row["assigned_to"] else row["owner"]
    said = [row["detail"], row["next_step"]]
    if row["fix"]:
        said.append(f"Suggested ({row['fix']['confidence']}): {row['fix']['text']}")
    return [
        str(row["number"]),
        row["code"],
        owner,
        row["subject"],
        show(row["value_at_risk_pence"], row["currency"]),
        f"{row['age_hours']} h",
        "\n".join(said),
    ]
