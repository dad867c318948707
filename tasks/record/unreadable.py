"""Documents that Magento does not hand out: an exception for each, until it can be read."""

from collections.abc import Iterable, Sequence

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.documents import ExceptionNote
from schemas.unreadable import CODES, subject
from tasks import connect
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.magento import StreamName, Unreadable

BY = {"orders": "orders", "creditmemos": "refunds", "shipments": "fulfilment"}


@task(cache_policy=NO_CACHE)
def note_unreadable(batch_id: str, unreadable: Sequence[Unreadable]) -> None:
    """Raise an exception for each document, on its entity id: its number is often not known.

    The order that a shipment or credit memo belongs to is named with its total; Magento lets it be found by counting.
    """
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.raise_exceptions(batch_id, _notes(ledger, unreadable))
    kinds = ", ".join(sorted({each.kind for each in unreadable}))
    get_run_logger().warning(f"{kinds} {batch_id}: {len(unreadable)} cannot be read in Magento")


@task(cache_policy=NO_CACHE)
def close_readable(batch_id: str, entity_ids: Iterable[object], kind: StreamName = "orders") -> None:
    """Close the exceptions of the documents that were read; to be called when the ledger has them."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        open_notes = {note.subject for note in ledger.exceptions(code=CODES[kind])}
        over = sorted(open_notes & {subject(kind, entity_id) for entity_id in entity_ids})
        ledger.close_exceptions(subjects=over, codes=[CODES[kind]], by=f"{BY[kind]} {batch_id}".strip())


def _notes(ledger: Ledger, unreadable: Sequence[Unreadable]) -> list[ExceptionNote]:
    told = {note.subject: note.order_number for code in CODES.values() for note in ledger.exceptions(code=code)}
    numbers = ledger.accepted_numbers({each.order_id for each in unreadable if each.order_id})
    of_id = {order.entity_id_magento: order for order in ledger.orders(sorted(numbers))}
    notes = []
    for each in unreadable:
        about, order = subject(each.kind, each.entity_id), of_id.get(each.order_id)
        notes.append(
            ExceptionNote(
                CODES[each.kind],
                about,
                each.problem,
                order_number=order.order_number if order else each.order_number or told.get(about, ""),
                value_at_risk_pence=order.gross_pence if order else 0,
                currency=order.currency if order else "GBP",
            )
        )
    return notes
