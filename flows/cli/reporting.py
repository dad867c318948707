"""Commands of the daily report: `magento-prima report` to look at it, `run daily-report` to make and send it."""

from datetime import datetime
from typing import Annotated

import typer

from flows.cli.output import AsJson, as_date, show_view
from flows.daily_view import daily_view, lines_of_text
from tasks.settings import Settings

app = typer.Typer()
Day = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="A London date; yesterday unless given.")
]


@app.command()
def report(business_date: Day = None, as_json: AsJson = False) -> None:
    """Show the daily report: what came, went and is open, and what the day carried. Writes and sends nothing."""
    show_view(daily_view(Settings.from_env(), as_date(business_date)), lines_of_text, as_json)
