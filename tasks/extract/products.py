"""Which products Magento has: all of them now and then, what changed in between."""

from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents import Watermark
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.magento import MagentoClient

STREAM = "products"
WHOLE = "products, all of them"
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
FIELDS = "items[id,sku,type_id,updated_at],total_count"


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_products() -> int:
    """Bring the ledger's list of Magento's products up to date; returns how many were read.

    Source: GET /V1/products by `(updated_at, entity_id)`, SKU and type alone. What changed since the last time is read
    in each cycle. All of them are read when `stock.products_hours` have passed, or when Magento counts fewer than are
    known: one was deleted, or has another SKU by now. Then those that are gone are forgotten.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        now = datetime.now(UTC)
        known, whole = ledger.watermark(STREAM), ledger.watermark(WHOLE)
        is_due = known is None or whole is None or now - whole.at > timedelta(hours=settings.stock.products_hours)
        count = 0
        if known is not None and not is_due:
            since = known.at - timedelta(minutes=settings.magento.overlap_minutes)
            count = _see_changes(ledger, magento, since, now)
            is_due = magento.product_count() < ledger.count_products()
        if is_due:
            count += _see_changes(ledger, magento, BEGINNING, now)
            ledger.forget_products(not_seen_since=now)
            ledger.set_watermark(Watermark(WHOLE, now), "")
    return count


def _see_changes(ledger: Ledger, magento: MagentoClient, since: datetime, now: datetime) -> int:
    """Keep the products that changed since then, and up to where that was read; returns how many were read."""
    count, last = 0, None
    for page in magento.stream("products", (since, 0), now + timedelta(days=1), fields=FIELDS):
        ledger.see_products((str(record["sku"]), str(record.get("type_id", ""))) for record in page)
        at = datetime.strptime(str(page[-1]["updated_at"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        count, last = count + len(page), Watermark(STREAM, at, int(page[-1]["id"]))
    if last is not None:
        ledger.set_watermark(last, "")
    return count
