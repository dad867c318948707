"""Commands about alerts: `magento-prima alerts send`, `test` and `show`."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from flows.cli.output import FAILED, AsJson, finish, print_json
from flows.cli.preparing import prepare
from tasks.settings import Settings

app = typer.Typer()
alerts_app = typer.Typer(no_args_is_help=True, help="Who is told of open exceptions, and when.")
app.add_typer(alerts_app, name="alerts")


@alerts_app.command("send")
def send(as_json: AsJson = False) -> None:
    """Send what is due now; the deployment `alerts` does it every five minutes."""
    prepare()
    from flows.alerts import send_alerts

    finish(send_alerts(), as_json)


@alerts_app.command("test")
def try_channels(
    channels: Annotated[list[str] | None, typer.Option("--channel", help="Only this one; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a message that says it is a test through every channel, and print which took it."""
    from tasks.post.alerts import send_test

    told = send_test(Settings.from_env(), channels or ())
    rows = [{"channel": each.channel, "outcome": each.problem or "took it"} for each in told]
    _print(rows, as_json, empty="There is no channel: see [[alerts.channels]] of the settings.")
    if any(each.problem for each in told):
        raise typer.Exit(FAILED)


@alerts_app.command("show")
def show(as_json: AsJson = False) -> None:
    """Show what would be sent now, what is held back and why, and what was sent about what is open. Sends nothing."""
    from flows.alert_views import alert_rows

    rows = alert_rows(Settings.from_env(), datetime.now(UTC))
    _print(rows, as_json, empty="Nothing is open that anybody is told of.")


def _print(rows: list[dict[str, Any]], as_json: bool, *, empty: str) -> None:
    if as_json:
        print_json(rows)
        return
    for row in rows:
        print("; ".join(f"{name}: {value}" for name, value in row.items()))
    if not rows:
        print(empty)
