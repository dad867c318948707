"""How far Magento is with the orders that PRIMA has, in the ledger."""

from collections.abc import Sequence

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import rows_of
from schemas.documents import Watermark
from tasks import connect
from tasks.settings import Settings
from tasks.systems.ledger.records import LineProgress

QUANTITIES = ("quantity_shipped", "quantity_cancelled", "quantity_refunded", "quantity_invoiced")


@task(cache_policy=NO_CACHE)
def record_progress(lines: pd.DataFrame, watermarks: Sequence[Watermark]) -> int:
    """Write the quantities of order lines to the ledger; returns how many lines moved.

    Magento changes a source's quantity itself when it ships or refunds, so what it holds of those SKUs is no longer
    confirmed. The watermarks come last.
    """
    progress = [
        LineProgress(
            order_number=row["order_number"],
            item_id_magento=int(row["item_id_magento"]),
            **{name: int(row[name]) for name in QUANTITIES},
        )
        for row in rows_of(lines)
    ]
    with connect.open_ledger(Settings.from_env()) as ledger:
        moved = ledger.update_order_progress(progress)
        ledger.forget_levels(sorted({(line.sku, line.source_code) for line in moved}))
        for watermark in watermarks:
            ledger.set_watermark(watermark, "")
    return len(moved)
