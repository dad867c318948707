"""Refunds to PRIMA as files: recorded before a file is handed over, and never a second one."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult
from schemas.refund_export import file_name, file_of
from schemas.refunds import RefundToTell
from tasks import connect
from tasks.errors import SystemUnavailableError
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, Posting, PostingState
from tasks.systems.prima.refund_folder import RefundFolder

KEY = "prima/refund/"
OPERATION = "export refund"
SECONDS = 180
LIVE: tuple[PostingState, ...] = ("pending", "unknown")
NOT_WRITTEN = "UNAVAILABLE"


def refund_key(refund_number: str) -> str:
    """Return the key under which PRIMA is told of a refund once and only once."""
    return f"{KEY}{refund_number}"


@task(cache_policy=NO_CACHE)
def look_up_open_exports() -> int:
    """Settle every posting of which an earlier run did not learn whether its file was handed over; returns how many.

    What still stands in the folder's staging was not handed over, what does not was: PRIMA may have taken it since.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        left_open = [each for each in ledger.postings_in("prima", LIVE) if each.operation == OPERATION]
        if left_open:
            folder = RefundFolder(Path(settings.refunds.export_folder))
            for posting in left_open:
                _settle(ledger, folder, posting)
    return len(left_open)


@task(cache_policy=NO_CACHE)
def export_refunds(refunds: Sequence[RefundToTell]) -> list[PostingResult]:
    """Put a file for each refund into `refunds.export_folder`; returns one result a refund, in their order.

    The file is written where nobody reads it, then the posting is pending, then the file is moved into the folder. A
    folder that cannot be used leaves
    `refused` with REFUND_NOT_EXPORTED; the next run tries again.
    """
    if not refunds:
        return []
    settings = Settings.from_env()
    folder = RefundFolder(Path(settings.refunds.export_folder))
    results = []
    with connect.open_ledger(settings) as ledger:
        connect.free_lanes_of_the_dead(ledger)
        for told in refunds:
            key, number = refund_key(told.refund.refund_number), told.refund.refund_number
            with ledger.lane(f"order {told.refund.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
                if not is_ours:
                    results.append(PostingResult(key, number, "waiting", detail="another worker has this order"))
                    continue
                try:
                    results.append(_export(ledger, folder, told))
                except SystemUnavailableError as error:
                    results.append(PostingResult(key, number, "refused", code="REFUND_NOT_EXPORTED", detail=str(error)))
    return results


def _settle(ledger: Ledger, folder: RefundFolder, posting: Posting) -> Posting:
    name = file_name(posting.key.removeprefix(KEY))
    if folder.is_staged(name):
        return ledger.resolve_posting(posting.id, "not_there")
    return ledger.resolve_posting(posting.id, "posted", reference=name)


def _export(ledger: Ledger, folder: RefundFolder, told: RefundToTell) -> PostingResult:
    key, name, refund = refund_key(told.refund.refund_number), file_name(told.refund.refund_number), told.refund
    last = ledger.posting(key)
    if last is not None and last.state in LIVE:
        last = _settle(ledger, folder, last)
    if last is not None and last.state == "posted":
        return PostingResult(key, refund.refund_number, "already", last.reference)
    content = file_of(told)
    folder.stage(name, content)
    evidence_id = ledger.keep_evidence("refund export", f"order {refund.order_number}", content, media="text/csv")
    posting = ledger.begin_posting(
        key,
        system="prima",
        operation=OPERATION,
        subject=f"order {refund.order_number}",
        request_hash=hashlib.sha256(content).hexdigest(),
        evidence_id=evidence_id,
    )
    try:
        folder.hand_over(name)
    except SystemUnavailableError as error:
        ledger.finish_posting(posting.id, "refused", error_code=NOT_WRITTEN, error_text=str(error))
        raise
    ledger.finish_posting(posting.id, "posted", reference=name)
    return PostingResult(key, refund.refund_number, "posted", name)
