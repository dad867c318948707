"""Acts on exceptions: `magento-prima exceptions assign`, `comment`, `snooze`, `retry`, `map`, `close` and others.

Numbers are acted on at once. Filters list what would be done; `--run` does it.
"""

from datetime import datetime, timedelta
from typing import Annotated, get_args

import typer

from flows import exception_views
from flows.cli.output import FAILED, AsJson, finish
from flows.cli.preparing import prepare, quieten
from schemas.desk import ActResult, Which
from schemas.reasons import REASONS, Act, Owner

app = typer.Typer()
Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers of exceptions, as `exceptions list` shows them.")]
Code = Annotated[str, typer.Option("--code", help="Every open exception of this code.")]
Team = Annotated[str, typer.Option("--owner", help="Every open exception of this team.")]
OlderThan = Annotated[int, typer.Option("--older-than-hours", help="Only those open for longer than this.")]
Store = Annotated[str, typer.Option("--store", help="Only orders of this store view, by its code.")]
Sku = Annotated[str, typer.Option("--sku", help="Only this SKU; * stands for any characters.")]
OrderNumber = Annotated[str, typer.Option("--order", help="Only this order, by Magento's number.")]
AssignedTo = Annotated[str, typer.Option("--assigned-to", help="Only those that this person has.")]
Run = Annotated[bool, typer.Option("--run", help="Do it; with filters and without this, it is a preview.")]
Preview = Annotated[bool, typer.Option("--preview", help="Only list what would be done.")]
By = Annotated[str, typer.Option("--by", help="Who decides; kept in the history.")]
Because = Annotated[str, typer.Option("--because", help="Why; kept in the history. No personal data of customers.")]


def fits(act: Act) -> str:
    """Return which codes an act fits, as the table of reasons says: the end of its command's help."""
    others = sorted(code for code, reason in REASONS.items() if act not in reason.acts)
    if len(others) < len(REASONS) / 2:
        return f"Fits every code but {', '.join(others)}." if others else "Fits every code."
    return f"Fits {', '.join(sorted(set(REASONS) - set(others)))}."


def which(
    numbers: list[int] | None, code: str, owner: str, older: int, store: str, sku: str, order: str, assigned_to: str
) -> Which:
    """Return the exceptions that the words of a command mean; wrong words are wrong usage."""
    if code and code not in REASONS:
        raise typer.BadParameter(f"--code {code} is not known; docs/operations.md lists the codes")
    if owner and owner not in get_args(Owner):
        raise typer.BadParameter(f"--owner {owner} is no team; teams are {', '.join(get_args(Owner))}")
    return Which(
        numbers=numbers or [],
        code=code,
        owner=owner,
        older_than_hours=older,
        store=store,
        sku=sku,
        order_number=order,
        assigned_to=assigned_to,
    )


@app.command(epilog=fits("assign"))
def assign(
    by: By,
    to: Annotated[str, typer.Option("--to", help="Who has them from now on; empty gives them back to the team.")],
    numbers: Numbers = None,
    because: Because = "",
    code: Code = "",
    owner: Team = "",
    older: OlderThan = 0,
    store: Store = "",
    sku: Sku = "",
    order: OrderNumber = "",
    assigned_to: AssignedTo = "",
    run: Run = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Give exceptions to a person."""
    meant = which(numbers, code, owner, older, store, sku, order, assigned_to)
    quieten()
    from flows.exceptions_acts import assign_exceptions

    _show(assign_exceptions(meant, to, by, because, _is_dry(meant, run, preview)), as_json)


@app.command(epilog=fits("comment"))
def comment(
    by: By,
    text: Annotated[str, typer.Option("--text", help="The remark. No personal data of customers.")],
    numbers: Numbers = None,
    code: Code = "",
    owner: Team = "",
    older: OlderThan = 0,
    store: Store = "",
    sku: Sku = "",
    order: OrderNumber = "",
    assigned_to: AssignedTo = "",
    run: Run = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Keep a remark in the history of exceptions."""
    meant = which(numbers, code, owner, older, store, sku, order, assigned_to)
    quieten()
    from flows.exceptions_acts import comment_on_exceptions

    _show(comment_on_exceptions(meant, text, by, _is_dry(meant, run, preview)), as_json)


@app.command(epilog=fits("snooze"))
def snooze(
    by: By,
    because: Because,
    numbers: Numbers = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="London's time: 2026-11-27 or ...T09:00."),
    ] = None,
    hours: Annotated[int, typer.Option("--hours", min=0, help="Instead of --until: for so many hours.")] = 0,
    code: Code = "",
    owner: Team = "",
    older: OlderThan = 0,
    store: Store = "",
    sku: Sku = "",
    order: OrderNumber = "",
    assigned_to: AssignedTo = "",
    run: Run = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Let exceptions rest until a time: up to 90 days, critical ones up to 24 hours."""
    if (until is None) == (not hours):
        raise typer.BadParameter("give either --until or --hours")
    meant = which(numbers, code, owner, older, store, sku, order, assigned_to)
    quieten()
    from flows.exceptions_acts import LONDON, snooze_exceptions

    end = until.replace(tzinfo=LONDON) if until else datetime.now(LONDON) + timedelta(hours=hours)
    _show(snooze_exceptions(meant, end, by, because, _is_dry(meant, run, preview)), as_json)


@app.command(epilog=fits("retry"))
def retry(
    by: By,
    numbers: Numbers = None,
    because: Because = "",
    code: Code = "",
    owner: Team = "",
    older: OlderThan = 0,
    store: Store = "",
    sku: Sku = "",
    order: OrderNumber = "",
    assigned_to: AssignedTo = "",
    run: Run = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Run again what exceptions are about, from a fresh read: orders, stock, or the flow that would close them."""
    meant = which(numbers, code, owner, older, store, sku, order, assigned_to)
    is_dry = _is_dry(meant, run, preview)
    quieten() if is_dry else prepare()
    from flows.exceptions_retry import retry_exceptions

    _show(retry_exceptions(meant, by, because, is_dry), as_json)


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
def accept_suggested(
    by: By,
    numbers: Numbers = None,
    because: Because = "",
    code: Code = "",
    owner: Team = "",
    older: OlderThan = 0,
    store: Store = "",
    sku: Sku = "",
    order: OrderNumber = "",
    assigned_to: AssignedTo = "",
    run: Run = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Let SKUs, carriers, payment and shipping methods stand for what is suggested for each, and go on."""
    meant = which(numbers, code, owner, older, store, sku, order, assigned_to)
    prepare()
    from flows.exceptions_deciding import accept_suggestions

    _show(accept_suggestions(meant, by, because, _is_dry(meant, run, preview)), as_json)


@app.command("release-held", epilog=fits("release"))
def release_held(
    by: By,
    because: Because,
    numbers: Numbers = None,
    code: Code = "",
    owner: Team = "",
    older: OlderThan = 0,
    store: Store = "",
    sku: Sku = "",
    order: OrderNumber = "",
    assigned_to: AssignedTo = "",
    run: Run = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Let the orders of exceptions go to PRIMA although a check holds them."""
    meant = which(numbers, code, owner, older, store, sku, order, assigned_to)
    prepare()
    from flows.exceptions_deciding import release_held as release_them

    _show(release_them(meant, by, because, _is_dry(meant, run, preview)), as_json)


@app.command("refuse-held", epilog=fits("refuse"))
def refuse_held(
    by: By,
    because: Because,
    numbers: Numbers = None,
    code: Code = "",
    owner: Team = "",
    older: OlderThan = 0,
    store: Store = "",
    sku: Sku = "",
    order: OrderNumber = "",
    assigned_to: AssignedTo = "",
    run: Run = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Keep the orders of exceptions, which a check holds, from PRIMA. Then cancel them in Magento."""
    meant = which(numbers, code, owner, older, store, sku, order, assigned_to)
    prepare()
    from flows.exceptions_deciding import refuse_held as refuse_them

    _show(refuse_them(meant, by, because, _is_dry(meant, run, preview)), as_json)


@app.command(epilog=fits("ignore"))
def ignore(
    by: By,
    because: Because,
    numbers: Numbers = None,
    code: Code = "",
    owner: Team = "",
    older: OlderThan = 0,
    store: Store = "",
    sku: Sku = "",
    order: OrderNumber = "",
    assigned_to: AssignedTo = "",
    run: Run = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Leave exceptions as they are until more is at risk. What they hold stays held."""
    meant = which(numbers, code, owner, older, store, sku, order, assigned_to)
    quieten()
    from flows.exceptions_acts import ignore_exceptions

    _show(ignore_exceptions(meant, by, because, _is_dry(meant, run, preview)), as_json)


@app.command(epilog=fits("close"))
def close(
    by: By,
    because: Because,
    numbers: Numbers = None,
    code: Code = "",
    owner: Team = "",
    older: OlderThan = 0,
    store: Store = "",
    sku: Sku = "",
    order: OrderNumber = "",
    assigned_to: AssignedTo = "",
    run: Run = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Close exceptions of which no run can tell that they are over."""
    meant = which(numbers, code, owner, older, store, sku, order, assigned_to)
    quieten()
    from flows.exceptions_acts import close_exceptions

    _show(close_exceptions(meant, by, because, _is_dry(meant, run, preview)), as_json)


def _is_dry(meant: Which, run: bool, preview: bool) -> bool:
    """Numbers are acted on at once, filters only with --run."""
    return preview or (not meant.numbers and not run)


def _show(result: ActResult, as_json: bool) -> None:
    """Print what an act came to; nothing done although it was meant to be is a failure."""
    if as_json:
        finish(result, as_json=True)
    else:
        print("\n".join(exception_views.result_lines(result)))
    if not result.is_preview and result.rows and not result.count("done"):
        raise typer.Exit(FAILED)
