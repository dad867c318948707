"""Commands about the evidence and personal data: `magento-prima evidence verify|show|erase|expire`."""

from typing import Annotated

import typer

from flows import evidence_view
from flows.cli.output import AsJson, fail, finish, print_json
from flows.cli.preparing import quieten
from tasks.errors import CallRefusedError, ConfigurationError
from tasks.settings import Settings

app = typer.Typer()
evidence_app = typer.Typer(no_args_is_help=True, help="What was sent and received, its proof, and personal data.")
app.add_typer(evidence_app, name="evidence")
By = Annotated[str, typer.Option("--by", help="Who does it; kept in the evidence.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the evidence. No personal data.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


@evidence_app.command("verify")
def verify(as_json: AsJson = False) -> None:
    """Read every payload and follow the chain; name each row that is not what was kept (exit code 1)."""
    quieten()
    from tasks import connect
    from tasks.extract.evidence import sentence

    with connect.open_ledger(Settings.from_env()) as ledger:
        problems = ledger.verify_evidence()
        rows = ledger.evidence_count()
    said = [sentence(each.evidence_id, each.subject, each.problem) for each in problems]
    if as_json:
        print_json({"rows": rows, "problems": said})
    if said:
        fail("\n".join(said))
    if not as_json:
        print(f"{rows} rows of evidence, each as it was kept")


@evidence_app.command("show")
def show(
    order_number: str,
    payloads: Annotated[bool, typer.Option("--payloads", help="Also the payloads, personal values masked.")] = False,
    with_customer: Annotated[
        bool, typer.Option("--with-customer", help="With --payloads: the personal values too, where they are kept.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is kept about an order, by Magento's or PRIMA's number, and what was erased by whom and why."""
    settings = Settings.from_env()
    rows = evidence_view.evidence_of(settings, order_number, payloads=payloads, with_customer=with_customer)
    if not rows:
        fail(f"Nothing is kept about order {order_number}. Check the number.")
    elif as_json:
        print_json(rows)
    else:
        print("\n".join(evidence_view.lines_of_text(rows)))


@evidence_app.command("erase")
def erase(
    by: By,
    reason: Reason,
    order_numbers: Annotated[list[str] | None, typer.Argument(help="Magento's order numbers.")] = None,
    customer: Annotated[
        str, typer.Option(help="All orders of this e-mail address; - asks for it, so that no history keeps it.")
    ] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Erase the personal data of orders, or of all orders of a customer, for good. Figures and proofs stay."""
    quieten()
    from flows.evidence import erase_personal_data, orders_of_customer

    if bool(order_numbers) == bool(customer):
        raise ConfigurationError(
            "it needs order numbers or --customer, not both.", system="magento-prima", operation="erase"
        )
    if customer == "-":
        customer = typer.prompt("E-mail address", hide_input=True)
    numbers = order_numbers or orders_of_customer(customer)
    try:
        finish(erase_personal_data(numbers, by, reason, dry_run), as_json)
    except CallRefusedError as error:
        fail(str(error))


@evidence_app.command("expire")
def expire(by: By, reason: Reason, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Drop the payloads of years that need be kept no longer (`ledger.keep_years`); the chain stays whole."""
    quieten()
    from flows.evidence import expire_evidence

    finish(expire_evidence(by, reason, dry_run), as_json)
