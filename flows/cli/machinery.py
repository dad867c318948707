"""Commands about the machinery itself: `magento-prima health` and `automations`."""

from datetime import UTC, datetime

import typer

from flows.cli.output import FAILED, AsJson, show_view
from tasks.settings import Settings

app = typer.Typer()


@app.command()
def health(as_json: AsJson = False) -> None:
    """Show how flows and streams are now, and what is wrong with them. Ends with 1 when something is."""
    from flows import health_view

    view = health_view.health(Settings.from_env(), datetime.now(UTC))
    show_view(view, health_view.health_lines_of_text, as_json)
    if view["findings"]:
        raise typer.Exit(FAILED)


@app.command()
def automations() -> None:
    """Let the Prefect server find runs that died without a word, and start the deployment health when one crashed.

    Once, after `prefect deploy --all`, and again after an upgrade. One that was switched off stays off.
    """
    from flows.automations import prepare_automations

    for name in prepare_automations():
        print(f"automation in place: {name}")
