"""What became of the marks on Magento orders: an exception where one could not be written, closed once it is."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult
from schemas.documents import ExceptionNote
from tasks import connect
from tasks.settings import Settings

FAILED = "ORDER_STATUS_NOT_WRITTEN"
BY = "fulfilment"


@task(cache_policy=NO_CACHE)
def close_marks(results: Sequence[PostingResult]) -> None:
    """Raise and close the exceptions about marks."""
    notes = [
        ExceptionNote(FAILED, f"order {result.subject}", result.detail, order_number=result.subject)
        for result in results
        if result.code == FAILED
    ]
    over = [f"order {result.subject}" for result in results if result.state == "posted"]
    if not notes and not over:
        return
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.close_exceptions(subjects=over, codes=[FAILED], by=BY)
        ledger.raise_exceptions("", notes)
