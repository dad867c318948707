"""Orders that Magento does not hand out: an exception for each, until it can be read."""

from collections.abc import Sequence
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.documents import ExceptionNote
from tasks import connect
from tasks.settings import Settings
from tasks.systems.magento import UnreadableOrder

CODE = "RECORD_UNREADABLE"
BY = "orders"


@task(cache_policy=NO_CACHE)
def note_unreadable(batch_id: str, unreadable: Sequence[UnreadableOrder]) -> None:
    """Raise RECORD_UNREADABLE for each order, on its entity id: its number is often not known."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        told = {note.subject: note.order_number for note in ledger.exceptions(code=CODE)}
        notes = [
            ExceptionNote(
                CODE,
                subject(each.entity_id),
                each.problem,
                order_number=each.order_number or told.get(subject(each.entity_id), ""),
            )
            for each in unreadable
        ]
        ledger.raise_exceptions(batch_id, notes)
    get_run_logger().warning(f"orders {batch_id}: {len(notes)} cannot be read in Magento")


@task(cache_policy=NO_CACHE)
def close_readable(batch_id: str, records: Sequence[dict[str, Any]]) -> None:
    """Close RECORD_UNREADABLE for the orders that were read; to be called when the ledger has them."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        open_notes = {note.subject for note in ledger.exceptions(code=CODE)}
        over = sorted(open_notes & {subject(record.get("entity_id")) for record in records})
        ledger.close_exceptions(subjects=over, codes=[CODE], by=f"{BY} {batch_id}")


def subject(entity_id: object) -> str:
    """Return what the exception of an order is about, when only its id is known."""
    return f"order entity {entity_id}"
