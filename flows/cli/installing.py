"""Commands for whoever installs the product: `magento-prima check`, `migrate` and `limits`."""

import dataclasses

import typer

from flows import checks
from flows.cli.output import FAILED, MISUSED, AsJson, print_json
from tasks.settings import Settings

app = typer.Typer()


@app.command()
def check(as_json: AsJson = False) -> None:
    """Read the settings, reach ledger and both systems, and print a line for each with what was found."""
    lines = list(checks.check_all())
    if as_json:
        print_json([dataclasses.asdict(line) for line in lines])
    else:
        for line in lines:
            print(f"{'ok    ' if line.is_good else 'WRONG '} {line.name}: {line.text}")
    if any(line.is_setting and not line.is_good for line in lines):
        raise typer.Exit(MISUSED)
    if not all(line.is_good for line in lines):
        raise typer.Exit(FAILED)


@app.command()
def migrate() -> None:
    """Make or upgrade the tables of the ledger."""
    from tasks.systems.ledger import Ledger

    settings = Settings.from_env()
    with Ledger(settings.ledger.url) as ledger:
        print(f"ledger: tables are at revision {ledger.migrate()}")


@app.command()
def limits() -> None:
    """Create the work pool and the concurrency limits of both systems on the Prefect server."""
    from flows import orchestration

    orchestration.prepare()
    print("work pool and concurrency limits are in place")
