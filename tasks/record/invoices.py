"""What became of invoices in Magento: an exception for each that failed, closed as soon as it is there."""

from collections.abc import Sequence

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult
from schemas.documents import ExceptionNote
from schemas.reasons import REASONS
from tasks import connect
from tasks.settings import Settings

CODES = ("INVOICE_FAILED", "INVOICE_OUTCOME_UNKNOWN")
BY = "fulfilment"


@task(cache_policy=NO_CACHE)
def close_invoices(results: Sequence[PostingResult]) -> dict[str, int]:
    """Raise and close exceptions of the orders that were to be invoiced; returns how many ended in which state."""
    counts: dict[str, int] = {}
    for result in results:
        counts[result.state] = counts.get(result.state, 0) + 1
    if not results:
        return counts
    with connect.open_ledger(Settings.from_env()) as ledger:
        values = {
            order.order_number: (order.gross_pence, order.currency)
            for order in ledger.orders(sorted({result.subject for result in results if result.code in REASONS}))
        }
        notes = [
            ExceptionNote(
                result.code,
                f"order {result.subject}",
                result.detail,
                order_number=result.subject,
                value_at_risk_pence=values[result.subject][0],
                currency=values[result.subject][1],
            )
            for result in results
            if result.code in REASONS
        ]
        raised = {(note.code, note.subject) for note in notes}
        for code in CODES:
            subjects = sorted({f"order {result.subject}" for result in results if result.code != "UNAVAILABLE"})
            over = [subject for subject in subjects if (code, subject) not in raised]
            if over:
                ledger.close_exceptions(subjects=over, codes=[code], by=BY)
        ledger.raise_exceptions("", notes)
    get_run_logger().info("invoices: " + ", ".join(f"{state} {count}" for state, count in sorted(counts.items())))
    return counts
