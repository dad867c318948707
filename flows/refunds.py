"""Refunds of Magento and credit notes of PRIMA: each seen on both sides, or an exception with its age."""

from collections.abc import Sequence

from prefect import flow

from flows.desk import desk_after_run
from flows.passing import whole
from flows.slots import slots_of_both_systems
from schemas.batches import rows_of
from schemas.credit_memos import CarryPlan
from schemas.refunds import CreditNote
from schemas.reporting import PrimaCreditNoteLines, PrimaCreditNotes
from tasks.decide import credit_memos as decide_memos
from tasks.decide import refunds as decide
from tasks.errors import SystemUnavailableError
from tasks.extract import credit_memos as extract_memos
from tasks.extract import refunds as extract
from tasks.normalise.refundable import notes_to_carry
from tasks.normalise.refunds import refunds as refund_rows
from tasks.normalise.reporting import extract_rows
from tasks.post import credit_memos as post_memos
from tasks.post import refunds as post
from tasks.record import refunds as record
from tasks.record import unreadable
from tasks.record.refunds import Kept, RefundSummary
from tasks.settings import Settings
from tasks.validate import check_batch, check_refunds


@flow(name="refunds", description="Magento's refunds and PRIMA's credit notes: each seen on both sides, or it ages.")
@desk_after_run("refunds")
@slots_of_both_systems()
def sync_refunds() -> RefundSummary:
    """Read both sides, settle what answers one another, tell PRIMA of new refunds, and show what is open and how long.

    A refund that PRIMA has no credit note for is a warning after `refunds.warn_days` and critical after
    `refunds.alert_days`; so is a credit note without a refund. Where the settings allow it such a credit note becomes
    a credit memo. Raises SystemUnavailableError at the end when Magento was out of reach for that.
    """
    settings = Settings.from_env()
    post.look_up_open_exports()
    post_memos.look_up_open_memos()
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
    carry = to_carry(plan.to_carry, settings)
    carried = post_memos.make_credit_memos(whole(carry.to_make))
    summary = record.close_refunds(
        batch.batch_id, whole(kept), whole(plan), whole(results), whole(carry), whole(carried)
    )
    if summary.is_out_of_reach:
        raise SystemUnavailableError(summary.is_out_of_reach, system="Magento", operation="refund")
    return summary


def take_in(batch: extract.RefundBatch, settings: Settings) -> Kept:
    """Take one batch of credit memos into the ledger: normalise, validate, record."""
    if batch.unreadable:
        unreadable.note_unreadable(batch.batch_id, whole(batch.unreadable))
    frames = refund_rows(batch.records, batch.orders, settings.orders.amounts)
    checked = check_refunds(whole(frames))
    rejected = decide.rejected(rows_of(checked.rejected))
    kept = record.keep_refunds(batch.batch_id, batch.watermark, whole(frames), whole(checked), rejected)
    unreadable.close_readable(batch.batch_id, whole([each["entity_id"] for each in batch.records]), "creditmemos")
    return kept


def to_carry(notes: Sequence[CreditNote], settings: Settings) -> CarryPlan:
    """Work out which credit memo each of these credit notes becomes, from its lines and what Magento has left."""
    if not notes or settings.refunds.delivery_amount is None:
        return CarryPlan()
    rows, records, line_numbers = extract_memos.fetch_notes_to_carry(whole(notes))
    lines = check_batch(PrimaCreditNoteLines, whole(extract_rows("credit_note_lines", rows)))
    found = notes_to_carry(notes, lines.accepted, records, line_numbers)
    return decide_memos.credit_memos(found, settings.refunds.delivery_amount)
