"""A person says that a refund or a credit note is settled: where no source shows the other side, or it was agreed."""

from prefect import flow, get_run_logger

from flows.desk import desk_after_run
from schemas.refunds import Settlement
from tasks import connect
from tasks.errors import ConfigurationError
from tasks.record.refunds import CLOCK_CODES
from tasks.settings import Settings


@flow(name="settle-refund", description="Settle a refund or a credit note by hand, with a name and a reason.")
@desk_after_run("settle-refund")
def settle_refund(number: str, by: str, why: str) -> str:
    """Settle a refund by Magento's credit memo number, or a credit note by PRIMA's; returns one sentence.

    Args:
        number: Magento's number of the credit memo, or PRIMA's of the credit note.
        by: Who settles it; kept with it.
        why: Why it needs no answer, such as the other side's number; kept with it.

    Who and why are kept; its exceptions close, and it ages no longer. Nothing is written to either system. Raises
    ConfigurationError for a number that was never seen, one that is settled already, and an empty name or reason.
    """
    if not by.strip() or not why.strip():
        raise ConfigurationError("by and why must say something: who settles it, and why.", system="refunds")
    with connect.open_ledger(Settings.from_env()) as ledger:
        refund = ledger.refund(number)
        credit = None if refund else ledger.credit_note(number)
        kept = refund or credit
        document = refund.refund if refund else credit.note if credit else None
        if kept is None or document is None:
            raise ConfigurationError(
                f"{number} is no refund and no credit note that was seen here.",
                system="refunds",
                next_step="Give the number of the exception's subject: Magento's credit memo or PRIMA's credit note.",
            )
        if kept.settled_at is not None:
            raise ConfigurationError(f"{number} is settled already: {kept.settled_why}.", system="refunds")
        refunds, notes = ((number,), ()) if refund else ((), (number,))
        ledger.settle_refunds([Settlement(document.order_number, refunds, notes, why)], by=by)
        closed = ledger.close_exceptions(subjects=[document.subject], codes=CLOCK_CODES, by=by, note=why)
    said = f"{document.subject} of order {document.order_number} is settled; {closed} exception(s) closed."
    get_run_logger().info(said)
    return said
