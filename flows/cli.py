"""The command line `magento-prima`: every command calls a flow or prints a view.

Exit code 0 when done, 1 when a run or check failed, 2 for wrong usage or settings.
"""

import atexit
import dataclasses
import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.table import Column, Table

from flows import checks, views
from schemas.money import show
from schemas.reasons import REASONS, Owner
from schemas.replay import Source
from tasks.errors import ConfigurationError, IntegrationError
from tasks.settings import Settings

FAILED, MISUSED = 1, 2
LIST_WIDTH = 140
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="London date.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
run_app = typer.Typer(no_args_is_help=True, help="Run a flow once, here and now.")
exceptions_app = typer.Typer(no_args_is_help=True, help="What needs a person.")
app.add_typer(run_app, name="run")
app.add_typer(exceptions_app, name="exceptions")


@app.command()
def check(as_json: AsJson = False) -> None:
    """Read the settings, reach ledger and both systems, and print a line for each with what was found."""
    lines = list(checks.check_all())
    if as_json:
        _print_json([dataclasses.asdict(line) for line in lines])
    else:
        for line in lines:
            print(f"{'ok    ' if line.is_good else 'WRONG '} {line.name}: {line.text}")
    if any(line.is_setting and not line.is_good for line in lines):
        raise typer.Exit(MISUSED)
    if not all(line.is_good for line in lines):
        raise typer.Exit(FAILED)


@run_app.command("inventory")
def run_inventory(as_json: AsJson = False) -> None:
    """PRIMA's available to sell to Magento's source quantities."""
    _prepare()
    from flows.inventory import sync_inventory

    _finish(sync_inventory(), as_json)


@run_app.command("orders")
def run_orders(as_json: AsJson = False) -> None:
    """New Magento orders to PRIMA sales orders."""
    _prepare()
    from flows.orders import sync_orders

    _finish(sync_orders(), as_json)


@run_app.command("fulfilment")
def run_fulfilment(as_json: AsJson = False) -> None:
    """PRIMA's dispatches to Magento shipments."""
    _prepare()
    from flows.fulfilment import sync_fulfilment

    _finish(sync_fulfilment(), as_json)


@run_app.command("verification")
def run_verification(as_json: AsJson = False) -> None:
    """PRIMA's figures of accepted orders against ours; cancellations on one side to the other."""
    _prepare()
    from flows.verification import verify_orders

    _finish(verify_orders(), as_json)


@run_app.command("census")
def run_census(as_json: AsJson = False) -> None:
    """Count Magento's orders of the last days against ledger and PRIMA; carry those that were missed."""
    _prepare()
    from flows.census import take_census

    _finish(take_census(), as_json)


@app.command()
def backfill(
    from_date: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First London date.")],
    to_date: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last London date, included.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be done; write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Carry the Magento orders placed on a range of dates to PRIMA, or list what would become of them."""
    _prepare()
    from flows.backfill import backfill as carry_range

    _finish(carry_range(from_date.date(), to_date.date(), dry_run), as_json)


@run_app.command("reconciliation")
def run_reconciliation(
    business_date: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"])] = None,
    from_date: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    to_date: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
    as_json: AsJson = False,
) -> None:
    """Compare both systems for a London date (default: yesterday) or a range of dates, and publish the result."""
    _prepare()
    from flows.reconciliation import reconcile

    _finish(reconcile(_date(business_date), _date(from_date), _date(to_date)), as_json)


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
    from flows import replay as flow

    if source == "evidence":
        _quieten()
    else:
        _prepare()
    found = flow.replay_order(number, source, post)
    if as_json:
        _print_json(flow.as_plain(found, with_customer=with_customer))
    else:
        print("\n".join(flow.lines_of_text(found, with_customer=with_customer)))
    if post and not found.was_posted:
        raise typer.Exit(FAILED)


@app.command()
def order(number: str, as_json: AsJson = False) -> None:
    """Show an order by Magento's or PRIMA's number: lines, timeline, exceptions. No personal data."""
    view = views.order(Settings.from_env(), number)
    if view is None:
        _fail(f"Order {number} was never seen here. Run `magento-prima run orders`, or check the number.")
    else:
        _show(view, views.order_lines_of_text, as_json)


@app.command()
def stock(sku: str, as_json: AsJson = False) -> None:
    """Show the sum behind the quantity that Magento has for a SKU."""
    view = views.stock(Settings.from_env(), sku)
    if view is None:
        _fail(f"SKU {sku} was in no stock snapshot so far. Run `magento-prima run inventory`, or check the SKU.")
    else:
        _show(view, views.stock_lines_of_text, as_json)


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
        _print_json(rows)
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


def _prepare() -> None:
    """Stop before the flow starts when something that it needs is not there."""
    checks.require(Settings.from_env())
    _quieten()


def _quieten() -> None:
    """Keep tracebacks of our own errors out of the log: their sentence says what to do.

    The filter stands on the loggers, because Prefect makes their handlers anew when a flow begins.
    """
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], IntegrationError):
        record.exc_info = None
    return True


def _finish(result: Any, as_json: bool) -> None:
    """Print what a flow gave back: one object or a list of them, in plain words or as JSON."""
    parts = result if isinstance(result, list) else [result]
    plain = [dataclasses.asdict(part) if dataclasses.is_dataclass(part) else part for part in parts]  # type: ignore[arg-type]
    if as_json:
        _print_json(plain if isinstance(result, list) else plain[0])
        return
    for part in plain:
        print(_plain_words(part))


def _plain_words(part: dict[str, Any]) -> str:
    """Return the fields of a result that say something, one after the other; counts of nothing are left out."""
    said = []
    for key, value in part.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {each}" for name, each in value.items() if each)
        if value not in ("", None, []):
            said.append(f"{key.replace('_', ' ')}: {value}")
    return "; ".join(said)


def _show(view: dict[str, Any], as_text: Callable[[dict[str, Any]], list[str]], as_json: bool) -> None:
    if as_json:
        _print_json(view)
    else:
        print("\n".join(as_text(view)))


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def _fail(message: str) -> None:
    print(message, file=sys.stderr)
    raise typer.Exit(FAILED)


def _date(value: datetime | None) -> date | None:
    return value.date() if value else None


def main() -> None:
    """Run the command line; an error of ours is one sentence on stderr, never a traceback."""
    logging.getLogger("stamina").setLevel(logging.ERROR)  # each retry, without what was tried or why
    end = _EndOfProcess()
    atexit.register(end)
    end.code = _code_of_run()
    sys.exit(end.code)


class _EndOfProcess:
    """Ends the process once everything that was registered later has put itself away, Prefect's own server above all.

    Were the interpreter to take its modules apart while Prefect's threads still hold them, DuckDB's binding would print
    a page of warnings under the result.
    """

    code = FAILED

    def __call__(self) -> None:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self.code)


def _code_of_run() -> int:
    try:
        app()
    except ConfigurationError as error:
        print(str(error), file=sys.stderr)
        return MISUSED
    except IntegrationError as error:
        print(str(error), file=sys.stderr)
        return FAILED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED if end.code else 0
    return 0


if __name__ == "__main__":
    main()
