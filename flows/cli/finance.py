"""Commands of finance: `magento-prima breaks` and `tolerance`. Nothing here changes an amount."""

import sys
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Column, Table

from flows import break_views
from flows.cli.output import LIST_WIDTH, MISUSED, AsJson, print_json, show_view
from schemas.money import show
from tasks.settings import Settings

app = typer.Typer()
breaks_app = typer.Typer(no_args_is_help=True, help="Breaks of the reconciliation, through the nights.")
tolerance_app = typer.Typer(no_args_is_help=True, help="What the reconciliation tolerates: versions, who, when, why.")
app.add_typer(breaks_app, name="breaks")
app.add_typer(tolerance_app, name="tolerance")
By = Annotated[str, typer.Option("--by", help="Who does it: your name or initials.")]


@breaks_app.command("list")
def list_breaks(
    as_json: AsJson = False,
    state: Annotated[str, typer.Option(help="open, settled or all.")] = "open",
) -> None:
    """List breaks, the most valuable first."""
    if state not in ("open", "settled", "all"):
        raise typer.BadParameter("--state must be open, settled or all")
    rows = break_views.breaks(Settings.from_env(), state)
    if as_json:
        print_json(rows)
        return
    table = Table(
        *(Column(name, no_wrap=True) for name in ("no", "order", "documents", "kind", "value", "age", "owner")),
        Column("cause and comment", min_width=30, overflow="fold"),
        title=f"{len(rows)} {state} breaks",
    )
    for row in rows:
        table.add_row(
            str(row["break_id"]),
            row["order_key"],
            row["level"],
            row["status"],
            show(row["value_pence"], row["currency"]),
            row["age_band"],
            row["owner"],
            "\n".join(each for each in (row["cause"], row["comment"], row["settled"]) if each),
        )
    Console(width=None if sys.stdout.isatty() else LIST_WIDTH).print(table)


@breaks_app.command("show")
def show_break(number: int, as_json: AsJson = False) -> None:
    """Show one break with its history."""
    show_view(break_views.one_break(Settings.from_env(), number), break_views.lines_of_text, as_json)


@breaks_app.command("assign")
def assign_break(number: int, owner: str, by: By) -> None:
    """Name who looks into a break."""
    break_views.assign(Settings.from_env(), number, owner, by)
    print(f"Break {number} is with {owner}.")


@breaks_app.command("comment")
def comment_on_break(
    number: int, text: str, by: By, reason: Annotated[str, typer.Option(help="A reason code of your own.")] = ""
) -> None:
    """Keep a remark on a break; reports show the last one."""
    break_views.comment(Settings.from_env(), number, text, by, reason)
    print(f"Break {number}: noted.")


@breaks_app.command("accept")
def accept_break(number: int, because: Annotated[str, typer.Option("--because", help="Why.")], by: By) -> None:
    """Close a break although the difference stays; it comes back when its figures change."""
    _settle(number, "acceptance", because, by)


@breaks_app.command("journal")
def journal_break(number: int, reference: str, by: By) -> None:
    """Close a break with the reference of the journal that corrects it in the accounts."""
    _settle(number, "journal", reference, by)


def _settle(number: int, how: Literal["acceptance", "journal"], reference: str, by: str) -> None:
    from flows.desk import desk_after_run

    try:
        with desk_after_run("breaks"):
            break_views.settle(Settings.from_env(), number, how, reference, by)
    except ValueError as error:
        print(f"{error}.", file=sys.stderr)
        raise typer.Exit(MISUSED) from error
    print(f"Break {number} is closed by {how}: {reference}")


@tolerance_app.command("show")
def show_tolerance(as_json: AsJson = False) -> None:
    """Show the policy in force, and every version before it."""
    show_view(break_views.tolerance(Settings.from_env()), break_views.tolerance_lines, as_json)


@tolerance_app.command("set")
def set_tolerance(
    by: By,
    because: Annotated[str, typer.Option("--because", help="Why, for the audit trail.")],
    order_pence: Annotated[int, typer.Option("--order-pence", help="Largest difference of a document.")] = 0,
    line_pence: Annotated[int | None, typer.Option("--line-pence", help="Largest difference of one line.")] = None,
    day_pence: Annotated[int | None, typer.Option("--day-pence", help="Largest sum of a day and currency.")] = None,
    method: Annotated[list[str] | None, typer.Option("--method", help="Only this cause; may be given again.")] = None,
    materiality_pence: Annotated[int, typer.Option("--materiality-pence", help="Breaks below it are marked.")] = 0,
) -> None:
    """Put a new version of the tolerance policy in force; the next run applies it."""
    try:
        version = break_views.set_tolerance(
            Settings.from_env(),
            order_pence=order_pence,
            line_pence=line_pence,
            day_pence=day_pence,
            methods=tuple(method or ()),
            materiality_pence=materiality_pence,
            by=by,
            because=because,
        )
    except ValueError as error:
        print(f"{error}.", file=sys.stderr)
        raise typer.Exit(MISUSED) from error
    print(f"Tolerance policy {version} is in force.")
