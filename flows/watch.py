"""The watch over the stream of orders, kept by every flow that reads it."""

from datetime import UTC, datetime

from tasks import connect
from tasks.decide import census as decide
from tasks.extract import census as extract
from tasks.record import census as record
from tasks.settings import Settings


def watch_orders(settings: Settings) -> None:
    """Raise ORDERS_SILENT when no order came for longer than earlier weeks make likely; close it when one came."""
    times = extract.fetch_order_times()
    record.note_silence(decide.silence(times, datetime.now(UTC), connect.silence_rule(settings)))
