"""Commands about refunds: `magento-prima refunds settle`."""

from typing import Annotated

import typer

from flows.cli.preparing import prepare

app = typer.Typer()
refunds_app = typer.Typer(no_args_is_help=True, help="Refunds of Magento and credit notes of PRIMA.")
app.add_typer(refunds_app, name="refunds")


@refunds_app.command("settle")
def settle(
    number: Annotated[str, typer.Argument(help="Magento's credit memo number, or PRIMA's credit note number.")],
    by: Annotated[str, typer.Option(help="Who says so.")],
    why: Annotated[str, typer.Option(help="Why it needs no answer, such as the credit note's number.")],
) -> None:
    """Settle a refund or a credit note by hand: it ages no longer. Nothing is written to either system."""
    prepare()
    from flows.refund_settling import settle_refund

    print(settle_refund(number, by, why))
