"""Orders of a range of London dates, out of Magento by entity id."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents import Watermark
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import ConfigurationError
from tasks.extract.orders import STREAM, OrderBatch, gathered, known_unreadable
from tasks.settings import Settings

LONDON = ZoneInfo("Europe/London")
DRY_RUN = "dry run"


def window_of(from_date: date, to_date: date) -> tuple[datetime, datetime]:
    """Return the instants between which orders of these London dates were placed, both dates included.

    Raises ConfigurationError when the range ends before it begins.
    """
    if to_date < from_date:
        raise ConfigurationError(
            f"the range ends on {to_date}, before it begins on {from_date}.", system="settings", operation="backfill"
        )
    start, end = (datetime.combine(day, time(), LONDON) for day in (from_date, to_date + timedelta(days=1)))
    return start.astimezone(UTC), end.astimezone(UTC)


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_placed_orders(since: datetime, until: datetime, *, after: int = 0, is_dry: bool) -> OrderBatch:
    """Return the next orders placed in `[since, until)` with an entity id above `after`.

    Source: GET /rest/V1/orders by `entity_id`, narrowed by `created_at`. No watermark moves; a dry run opens no batch
    in the ledger either. `position.key` is where to go on. Unreadable orders are asked for again, each by its id, by
    every run of `orders`, and left out here.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        read = gathered(magento.placed_orders(since, until, after=after, leave_out=known_unreadable(ledger)))
        batch_id = DRY_RUN if is_dry else ledger.open_batch("orders backfill", since, until)
    position = Watermark(STREAM, since, read.position[1]) if read.position else None
    return OrderBatch(batch_id, read.records, None, read.is_last, read.unreadable, position)
