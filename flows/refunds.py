"""Refunds of Magento and credit notes of PRIMA: each seen on both sides, or an exception with its age."""

from prefect import flow

from flows.passing import whole
from flows.slots import slots_of_both_systems
from schemas.batches import rows_of
from schemas.reporting import PrimaCreditNotes
from tasks.decide import refunds as decide
from tasks.extract import refunds as extract
from tasks.normalise.refunds import refunds as refund_rows
from tasks.normalise.reporting import extract_rows
from tasks.post import refunds as post
from tasks.record import refunds as record
from tasks.record.refunds import Kept, RefundSummary
from tasks.settings import Settings
from tasks.validate import check_batch, check_refunds


@flow(name="refunds", description="Magento's refunds and PRIMA's credit notes: each seen on both sides, or it ages.")
@slots_of_both_systems()
def sync_refunds() -> RefundSummary:
    """Read both sides, settle what answers one another, tell PRIMA of new refunds, and show what is open and how long.

    A refund that PRIMA has no credit note for is a warning after `refunds.warn_days` and critical after
    `refunds.alert_days`; so is a credit note without a refund.
    """
    settings = Settings.from_env()
    post.look_up_open_exports()
    batch = extract.fetch_refunds()
    kept = [take_in(batch, settings)]
    while not batch.is_last:
        batch = extract.fetch_refunds(after=batch.position)
        kept.append(take_in(batch, settings))
    notes = extract.fetch_credit_notes()
    checked = check_batch(PrimaCreditNotes, whole(extract_rows("credit_notes", notes.records)))
    kept.append(record.keep_credit_notes(batch.batch_id, notes.watermark, whole(checked)))
    found = extract.fetch_open_refunds(notes.is_seen)
    plan = decide.refunds(found.orders, found.rules)
    results = post.export_refunds(whole(plan.to_tell))
    return record.close_refunds(batch.batch_id, whole(kept), whole(plan), whole(results))


def take_in(batch: extract.RefundBatch, settings: Settings) -> Kept:
    """Take one batch of credit memos into the ledger: normalise, validate, record."""
    frames = refund_rows(batch.records, batch.orders, settings.orders.amounts)
    checked = check_refunds(whole(frames))
    rejected = decide.rejected(rows_of(checked.rejected))
    return record.keep_refunds(batch.batch_id, batch.watermark, whole(frames), whole(checked), rejected)
