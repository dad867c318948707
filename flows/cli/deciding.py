"""Commands by which a person decides: `magento-prima exceptions accept`, `release`, `withdraw` and `accepted`."""

from typing import Annotated

import typer

from flows import views
from flows.cli.output import AsJson, finish, print_json
from flows.cli.preparing import prepare, quieten
from schemas.reasons import MappingKind
from tasks.settings import Settings

app = typer.Typer()
Person = Annotated[str, typer.Option("--by", help="Who decides; kept with the mapping.")]


@app.command("accept")
def accept(
    sku: str,
    meant: Annotated[str, typer.Option("--as", help="The suggested SKU of PRIMA that it stands for.")],
    by: Person,
    as_json: AsJson = False,
) -> None:
    """Let a SKU stand for the suggested one, and carry every order that waits for it."""
    prepare()
    from flows.suggestions import accept_suggestion

    finish(accept_suggestion(sku, meant, by), as_json)


@app.command("release")
def release(
    order_number: str,
    by: Annotated[str, typer.Option("--by", help="Who decides; kept with the release.")],
    because: Annotated[str, typer.Option("--because", help="Why; kept with the release. No personal data.")],
    as_json: AsJson = False,
) -> None:
    """Let one order go to PRIMA although a check holds it: a suspected duplicate, a VAT rate, an address."""
    prepare()
    from flows.release import release_order

    finish(release_order(order_number, by, because), as_json)


@app.command("withdraw-release")
def withdraw_release(
    order_number: str,
    by: Annotated[str, typer.Option("--by", help="Who withdraws it; kept in the history.")],
    because: Annotated[str, typer.Option("--because", help="Why; kept with it. No personal data.")],
    as_json: AsJson = False,
) -> None:
    """Let the release of an order count no longer, unless it has left for PRIMA."""
    prepare()
    from flows.release import withdraw_release as withdraw_it

    finish(withdraw_it(order_number, by, because), as_json)


@app.command("withdraw")
def withdraw(
    sku: Annotated[str, typer.Argument(help="The SKU; or the carrier, payment or shipping method that was mapped.")],
    by: Person,
    kind: Annotated[MappingKind, typer.Option(help="What kind of name it is.")] = "sku",
) -> None:
    """Let an accepted suggestion, or a mapping made by hand, count no longer; what was posted stays posted."""
    quieten()
    from flows.suggestions import withdraw_suggestion

    print(withdraw_suggestion(sku, by, kind))


@app.command("accepted")
def accepted(as_json: AsJson = False) -> None:
    """List every mapping that a person made: who and when, and who withdrew it."""
    rows = views.accepted_suggestions(Settings.from_env())
    if as_json:
        print_json(rows)
        return
    for row in rows:
        ended = f", withdrawn or replaced by {row['ended_by']} at {row['ended_at']}" if row["ended_at"] else ""
        kind = "" if row["kind"] == "sku" else f"{row['kind']} "
        print(f"{kind}{row['sku']} stands for {row['meant']} ({row['why']}): {row['set_by']} at {row['set_at']}{ended}")
