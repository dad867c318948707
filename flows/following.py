"""How far Magento is with the orders that PRIMA has: read and written down, whichever flow needs to know."""

from flows.passing import whole
from tasks.extract import progress as extract
from tasks.normalise import orders as normalise
from tasks.record import progress as record
from tasks.record import unreadable
from tasks.settings import Settings


def follow_orders(settings: Settings) -> None:
    """Let the ledger know what of its orders Magento has shipped, cancelled or refunded since the last time.

    A shipment or credit memo that Magento does not hand out is an exception before the watermarks pass it by.
    """
    moved = extract.fetch_progress()
    if moved.unreadable:
        unreadable.note_unreadable("", whole(moved.unreadable))
    record.record_progress(whole(normalise.orders(moved.records, settings.orders.amounts).lines), moved.watermarks)
    if moved.readable:
        unreadable.close_readable("", whole(moved.readable), "shipments")
