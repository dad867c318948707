"""Acts on exceptions: `magento-prima exceptions assign`, `comment`, `snooze`, `retry`, `map`, `close` and others.

Numbers are acted on at once. Filters list what would be done; `--run` does it.
"""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from flows import exception_views
from flows.cli.meant import Meant, Preview, on_exceptions
from flows.cli.output import FAILED, AsJson, finish
from flows.cli.preparing import prepare, quieten
from schemas.desk import ActResult
from schemas.reasons import REASONS, Act

app = typer.Typer()
By = Annotated[str, typer.Option("--by", help="Who decides; kept in the history.")]
Because = Annotated[str, typer.Option("--because", help="Why; kept in the history. No personal data of customers.")]


def fits(act: Act) -> str:
    """Return which codes an act fits, as the table of reasons says: the end of its command's help."""
    others = sorted(code for code, reason in REASONS.items() if act not in reason.acts)
    if len(others) < len(REASONS) / 2:
        return f"Fits every code but {', '.join(others)}." if others else "Fits every code."
    return f"Fits {', '.join(sorted(set(REASONS) - set(others)))}."


@app.command(epilog=fits("assign"))
@on_exceptions
def assign(
    meant: Meant,
    by: By,
    to: Annotated[str, typer.Option("--to", help="Who has them from now on; empty gives them back to the team.")],
    because: Because = "",
    as_json: AsJson = False,
) -> None:
    """Give exceptions to a person."""
    quieten()
    from flows.exceptions_acts import assign_exceptions

    _show(assign_exceptions(meant.which, to, by, because, meant.is_dry), as_json)


@app.command(epilog=fits("comment"))
@on_exceptions
def comment(
    meant: Meant,
    by: By,
    text: Annotated[str, typer.Option("--text", help="The remark. No personal data of customers.")],
    as_json: AsJson = False,
) -> None:
    """Keep a remark in the history of exceptions."""
    quieten()
    from flows.exceptions_acts import comment_on_exceptions

    _show(comment_on_exceptions(meant.which, text, by, meant.is_dry), as_json)


@app.command(epilog=fits("snooze"))
@on_exceptions
def snooze(
    meant: Meant,
    by: By,
    because: Because,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="London's time: 2026-11-27 or ...T09:00."),
    ] = None,
    hours: Annotated[int, typer.Option("--hours", min=0, help="Instead of --until: for so many hours.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Let exceptions rest until a time: up to 90 days, critical ones up to 24 hours."""
    if (until is None) == (not hours):
        raise typer.BadParameter("give either --until or --hours")
    quieten()
    from flows.exceptions_acts import LONDON, snooze_exceptions

    end = until.replace(tzinfo=LONDON) if until else datetime.now(LONDON) + timedelta(hours=hours)
    _show(snooze_exceptions(meant.which, end, by, because, meant.is_dry), as_json)


@app.command(epilog=fits("retry"))
@on_exceptions
def retry(
    meant: Meant,
    by: By,
    because: Because = "",
    as_json: AsJson = False,
) -> None:
    """Run again what exceptions are about, from a fresh read: orders, stock, or the flow that would close them."""
    quieten() if meant.is_dry else prepare()
    from flows.exceptions_retry import retry_exceptions

    _show(retry_exceptions(meant.which, by, because, meant.is_dry), as_json)


@app.command("map", epilog=fits("map"))
def map_(
    number: Annotated[int, typer.Argument(help="The exception that lacks the name, such as a CARRIER_UNKNOWN.")],
    stands_for: Annotated[str, typer.Option("--as", help="A SKU of PRIMA, or a name of the settings.")],
    by: By,
    because: Because = "",
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Let the SKU, carrier, payment or shipping method of an exception stand for one that is known, and go on."""
    prepare()
    from flows.exceptions_retry import map_exception

    _show(map_exception(number, stands_for, by, because, preview), as_json)


@app.command("accept-suggested", epilog=fits("accept"))
@on_exceptions
def accept_suggested(
    meant: Meant,
    by: By,
    because: Because = "",
    as_json: AsJson = False,
) -> None:
    """Let SKUs, carriers, payment and shipping methods stand for what is suggested for each, and go on."""
    prepare()
    from flows.exceptions_deciding import accept_suggestions

    _show(accept_suggestions(meant.which, by, because, meant.is_dry), as_json)


@app.command("release-held", epilog=fits("release"))
@on_exceptions
def release_held(
    meant: Meant,
    by: By,
    because: Because,
    as_json: AsJson = False,
) -> None:
    """Let the orders of exceptions go to PRIMA although a check holds them."""
    prepare()
    from flows.exceptions_deciding import release_held as release_them

    _show(release_them(meant.which, by, because, meant.is_dry), as_json)


@app.command("refuse-held", epilog=fits("refuse"))
@on_exceptions
def refuse_held(
    meant: Meant,
    by: By,
    because: Because,
    as_json: AsJson = False,
) -> None:
    """Keep the orders of exceptions, which a check holds, from PRIMA. Then cancel them in Magento."""
    prepare()
    from flows.exceptions_deciding import refuse_held as refuse_them

    _show(refuse_them(meant.which, by, because, meant.is_dry), as_json)


@app.command(epilog=fits("ignore"))
@on_exceptions
def ignore(
    meant: Meant,
    by: By,
    because: Because,
    as_json: AsJson = False,
) -> None:
    """Leave exceptions as they are until more is at risk. What they hold stays held."""
    quieten()
    from flows.exceptions_acts import ignore_exceptions

    _show(ignore_exceptions(meant.which, by, because, meant.is_dry), as_json)


@app.command(epilog=fits("close"))
@on_exceptions
def close(
    meant: Meant,
    by: By,
    because: Because,
    as_json: AsJson = False,
) -> None:
    """Close exceptions of which no run can tell that they are over."""
    quieten()
    from flows.exceptions_acts import close_exceptions

    _show(close_exceptions(meant.which, by, because, meant.is_dry), as_json)


def _show(result: ActResult, as_json: bool) -> None:
    """Print what an act came to; nothing done although it was meant to be is a failure."""
    if as_json:
        finish(result, as_json=True)
    else:
        print("\n".join(exception_views.result_lines(result)))
    if not result.is_preview and result.rows and not result.count("done"):
        raise typer.Exit(FAILED)
