"""Commands of finance: `magento-prima period preview|sign-off|lock|check|reopen|show|list`."""

from typing import Annotated, Literal

import typer

from flows import period_views
from flows import periods as flows
from flows.cli.output import AsJson, finish, print_json

app = typer.Typer()
period_app = typer.Typer(no_args_is_help=True, help="Close a month (2026-11) or a VAT quarter (vat-2026-11).")
app.add_typer(period_app, name="period")
By = Annotated[str, typer.Option("--by", help="Who does it: your name.")]


@period_app.command("preview")
def preview(period: str, by: By, as_json: AsJson = False) -> None:
    """Reconcile the period and show what would be signed, with the hash of its figures."""
    _print(flows.preview_period(period, by), as_json)


@period_app.command("sign-off")
def sign_off(
    period: str,
    role: Annotated[Literal["preparer", "approver"], typer.Option("--as", help="preparer first, then approver.")],
    by: By,
    figures_hash: Annotated[str, typer.Option("--hash", help="Of the figures looked at, as the preview shows it.")],
    comment: Annotated[str, typer.Option(help="Needed when breaks are open: why it may be signed.")] = "",
    as_json: AsJson = False,
) -> None:
    """Sign the figures of the last preview; the approver is a second person."""
    if not figures_hash.strip():
        raise typer.BadParameter("the hash of the figures, as the preview shows it", param_hint="--hash")
    _print(flows.sign_off_period(period, role, by, figures_hash, comment), as_json)


@period_app.command("lock")
def lock(period: str, by: By, as_json: AsJson = False) -> None:
    """Lock what both have signed, and pack the evidence."""
    _print(flows.lock_period(period, by), as_json)


@period_app.command("check")
def check(period: str, by: By, as_json: AsJson = False) -> None:
    """Reconcile a locked period again: the same hash, or what changed."""
    found = flows.check_period(period, by)
    if as_json:
        finish(found, as_json=True)
    else:
        print("\n".join(period_views.check_lines(found)))


@period_app.command("reopen")
def reopen(
    period: str, by: By, reason: Annotated[str, typer.Option(help="Why, for the audit trail.")], as_json: AsJson = False
) -> None:
    """Open a locked period again; both must sign anew."""
    _print(flows.reopen_period(period, by, reason), as_json)


@period_app.command("show")
def show(period: str, as_json: AsJson = False) -> None:
    """Show a period: figures, signatures, prior-period items, audit trail, and whether its evidence is untouched."""
    _print(period_views.period(flows.named(period).name), as_json)


@period_app.command("list")
def list_periods(as_json: AsJson = False) -> None:
    """List every period that was previewed."""
    rows = period_views.periods()
    if as_json:
        print_json(rows)
        return
    for row in rows:
        people = ", ".join(each for each in (row["preparer"], row["approver"]) if each)
        print(
            f"{row['name']}  {row['state']}  revision {row['revision']}  {row['figures_hash'][:12]}  {people}".rstrip()
        )


def _print(view: period_views.PeriodView, as_json: bool) -> None:
    if as_json:
        finish(view, as_json=True)
    else:
        print("\n".join(period_views.lines_of_text(view)))
