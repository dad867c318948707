"""The lines of credit notes that are to become refunds, and their orders as Magento has them now."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.refunds import CreditNote
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.extract.orders import ORDERS_A_QUESTION
from tasks.settings import Settings

CarryRecords = tuple[list[dict[str, object]], list[dict[str, object]], dict[str, dict[int, int]]]


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_notes_to_carry(notes: Sequence[CreditNote]) -> CarryRecords:
    """Return the lines of these credit notes, Magento's records of their orders, and PRIMA's line numbers by order.

    Source: extract `credit_note_lines` for all lines of each note, GET /V1/orders, and the ledger. Nothing is asked
    where there is nothing to carry.
    """
    if not notes:
        return [], [], {}
    settings = Settings.from_env()
    numbers = sorted({note.order_number for note in notes})
    with connect.open_reporting(settings) as reporting:
        wanted = {"credit_note_number": sorted({note.credit_note_number for note in notes})}
        lines = reporting.read("credit_note_lines", keys=wanted) if reporting is not None else []
    with connect.open_ledger(settings) as ledger:
        line_numbers = {
            order.order_number: {line.item_id_magento: line.line_number for line in order.lines}
            for order in ledger.orders(numbers)
        }
    with connect.open_magento(settings) as magento:
        records = [
            record for some in chunks(numbers, ORDERS_A_QUESTION) for record in magento.numbered_orders(some).records
        ]
    return lines, records, line_numbers
