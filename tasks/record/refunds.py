"""Refunds and credit notes into the ledger, and what became of everything that is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.batches import CheckedBatch, PostingResult, rows_by, rows_of, totals_of
from schemas.credit_memos import CarryPlan
from schemas.documents import ExceptionNote, Watermark
from schemas.money import show
from schemas.reasons import REASONS
from schemas.refund_rows import RefundFrames
from schemas.refunds import CreditNote, Refund, RefundLine, RefundPlan
from tasks import connect
from tasks.record.totals import CheckedTotals
from tasks.settings import Settings

STREAM = "refunds"
BY = "refunds"
ROWS_SHOWN = 200
LONDON = "Europe/London"
_TEXTS = ("refund_number", "order_number", "currency", "credit_note_number")
_NUMBERS = ("creditmemo_id", "entity_id_magento", "net_pence", "vat_pence", "gross_pence", "tender_pence")
POSTING_CODES = ("REFUND_NOT_EXPORTED", "CREDIT_NOTE_NOT_CARRIED", "REFUND_OUTCOME_UNKNOWN")
CLOCK_CODES = (
    "REFUND_TO_CREDIT",
    "REFUND_CREDIT_DUE",
    "REFUND_CREDIT_OVERDUE",
    "CREDIT_NOTE_TO_REFUND",
    "CREDIT_NOTE_REFUND_DUE",
    "CREDIT_NOTE_REFUND_OVERDUE",
    *POSTING_CODES,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was read by a run: credit memos, credit notes, and what of both was not for us or could not be read."""

    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RefundSummary:
    """How a run of refunds ended: counts by step, what is still open by currency in pence, and the oldest in days."""

    batch_id: str
    counts: Mapping[str, int]
    open_refunds_pence: Mapping[str, int] = field(default_factory=dict)
    open_credit_notes_pence: Mapping[str, int] = field(default_factory=dict)
    oldest_days: int = 0
    is_out_of_reach: str = ""


@task(cache_policy=NO_CACHE)
def keep_refunds(
    batch_id: str,
    watermark: Watermark | None,
    frames: RefundFrames,
    checked: CheckedBatch,
    rejected: Sequence[ExceptionNote],
) -> Kept:
    """Keep the refunds of a batch with their charges, note those that cannot be read, and move the watermark last.

    Raises UnexpectedResponseError when fetched is not accepted and rejected, in count and pence; the watermark then
    stays.
    """
    totals = CheckedTotals(STREAM)
    totals.note("fetched", totals_of(frames.refunds))
    totals.note("accepted", totals_of(checked.accepted))
    totals.note("rejected", totals_of(checked.rejected))
    totals.must_agree("fetched", ["accepted", "rejected"])
    found = refunds_of(checked.accepted, frames.lines)
    with connect.open_ledger(Settings.from_env()) as ledger:
        totals.check(ledger, batch_id)
        new = ledger.keep_refunds(found)
        readable = [each.subject for each in found]
        if readable:
            ledger.close_exceptions(subjects=readable, codes=["REFUND_REJECTED"], by=BY)
        ledger.raise_exceptions(batch_id, rejected)
        ledger.close_batch(batch_id, "closed", totals.as_dict())
        if watermark is not None:
            ledger.set_watermark(watermark, batch_id)
    return Kept({"credit memos read": len(frames.refunds), "new refunds": new, "rejected": len(checked.rejected)})


@task(cache_policy=NO_CACHE)
def keep_credit_notes(batch_id: str, watermark: Watermark | None, checked: CheckedBatch) -> Kept:
    """Keep the credit notes of orders that PRIMA accepted from here; the others are counted and left alone."""
    rejected = [
        ExceptionNote("ROW_REJECTED", f"credit note {row['credit_note_number']}", row["detail"])
        for row in rows_of(checked.rejected)
    ]
    with connect.open_ledger(Settings.from_env()) as ledger:
        orders = {
            order.order_number_prima: order.order_number
            for order in ledger.orders_by_prima_numbers(sorted(set(checked.accepted["order_number_prima"])))
            if order.accepted_at is not None
        }
        rows = rows_of(checked.accepted)
        ours = [_credit_note(row, orders) for row in rows if row["order_number_prima"] in orders]
        new = ledger.keep_credit_notes(ours)
        if ours:
            ledger.close_exceptions(subjects=[note.subject for note in ours], codes=["ROW_REJECTED"], by=BY)
        ledger.raise_exceptions(batch_id, rejected)
        if watermark is not None:
            ledger.set_watermark(watermark, batch_id)
    return Kept(
        {
            "credit notes read": len(rows) + len(rejected),
            "of other orders": len(rows) - len(ours),
            "new credit notes": new,
            "credit notes rejected": len(rejected),
        }
    )


@task(cache_policy=NO_CACHE)
def close_refunds(
    batch_id: str,
    kept: Sequence[Kept],
    plan: RefundPlan,
    results: Sequence[PostingResult],
    carry: CarryPlan,
    carried: Sequence[PostingResult],
) -> RefundSummary:
    """Settle what is answered, raise and close exceptions, and say what is still open.

    `results` are those of refunds to PRIMA, `carried` those of credit notes to Magento. Every open refund and credit
    note was looked at, so an exception that this run does not raise again is over; but not one of a posting that waits.
    """
    of_refund = {each.refund.refund_number: each.refund for each in plan.to_tell}
    of_note = {each.note.credit_note_number: each.note for each in carry.to_make}
    noted = [_noted(result, of_refund[result.subject]) for result in results if result.code in REASONS]
    noted += [_noted(result, of_note[result.subject]) for result in carried if result.code in REASONS]
    waiting = [*plan.exceptions, *carry.exceptions, *noted]
    left = {of_refund[each.subject].subject for each in results if each.state == "waiting"}
    left |= {of_note[each.subject].subject for each in carried if each.state == "waiting"}
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.settle_refunds(plan.settled, by=f"batch {batch_id}")
        still = {(note.code, note.subject) for note in waiting}
        for code in CLOCK_CODES:
            over = [
                note.subject
                for note in ledger.exceptions(code=code)
                if (code, note.subject) not in still and not (code in POSTING_CODES and note.subject in left)
            ]
            if over:
                ledger.close_exceptions(subjects=over, codes=[code], by=BY)
        ledger.raise_exceptions(batch_id, [*waiting, *plan.differing])
    counts = {
        **_counts(kept),
        "settled": sum(len(each.refund_numbers) for each in plan.settled),
        "still open": len(plan.open_refunds),
        "credit notes settled": sum(len(each.credit_note_numbers) for each in plan.settled),
        "credit notes still open": len(plan.open_notes),
        **{state: sum(1 for each in results if each.state == state) for state in ("posted", "refused", "waiting")},
        **{
            f"credit memos {state}": sum(1 for each in carried if each.state == state)
            for state in ("posted", "already", "refused", "unknown", "waiting")
        },
    }
    summary = RefundSummary(
        batch_id,
        counts,
        _by_currency([refund for refund, _ in plan.open_refunds]),
        _by_currency([note for note, _ in plan.open_notes]),
        max((age for _, age in [*plan.open_refunds, *plan.open_notes]), default=0),
        next((each.detail for each in carried if each.code == "UNAVAILABLE"), ""),
    )
    get_run_logger().info(f"refunds {batch_id}: {', '.join(f'{step} {n}' for step, n in counts.items() if n) or 0}")
    _show(summary, plan)
    return summary


def refunds_of(rows: pd.DataFrame, lines: pd.DataFrame) -> list[Refund]:
    """Return the accepted rows as records with their charges; the date of the refund is London's."""
    by_number = rows_by(lines, "refund_number")
    found = []
    for row in rows_of(rows):
        at = pd.Timestamp(row["refunded_at"])
        facts: dict[str, Any] = {name: row[name] for name in _TEXTS} | {name: int(row[name]) for name in _NUMBERS}
        found.append(
            Refund(
                **facts,
                refunded_at=at.to_pydatetime(),
                refund_date=at.tz_convert(LONDON).date(),
                lines=tuple(_line(line) for line in by_number.get(row["refund_number"], [])),
            )
        )
    return found


def _line(line: Mapping[str, Any]) -> RefundLine:
    return RefundLine(
        line_number=int(line["line_number"]),
        charge=line["charge"],
        item_id_magento=0 if pd.isna(line["item_id_magento"]) else int(line["item_id_magento"]),
        sku=line["sku"],
        quantity=0 if pd.isna(line["quantity"]) else int(line["quantity"]),
        vat_rate_percent=line["vat_rate_percent"],
        net_pence=int(line["net_pence"]),
        vat_pence=int(line["vat_pence"]),
        gross_pence=int(line["gross_pence"]),
    )


def _credit_note(row: Mapping[str, Any], orders: Mapping[str, str]) -> CreditNote:
    return CreditNote(
        row["credit_note_number"],
        orders[row["order_number_prima"]],
        row["order_number_prima"],
        row["invoice_number"] or "",
        row["credit_note_date"],
        row["currency"],
        int(row["net_pence"]),
        int(row["vat_pence"]),
        int(row["gross_pence"]),
        row["reason"] or "",
    )


def _noted(result: PostingResult, document: Refund | CreditNote) -> ExceptionNote:
    return ExceptionNote(
        result.code,
        document.subject,
        result.detail,
        order_number=document.order_number,
        value_at_risk_pence=document.gross_pence,
        currency=document.currency,
    )


def _counts(kept: Sequence[Kept]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in kept:
        for step, count in each.counts.items():
            counts[step] = counts.get(step, 0) + count
    return counts


def _by_currency(documents: Sequence[Refund | CreditNote]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each in documents:
        sums[each.currency] = sums.get(each.currency, 0) + each.gross_pence
    return sums


def _show(summary: RefundSummary, plan: RefundPlan) -> None:
    """Publish what is open as the artifact `refunds`, the oldest first."""
    waiting: list[tuple[Refund | CreditNote, int]] = [*plan.open_refunds, *plan.open_notes]
    rows = [
        {
            "what": each.subject,
            "order": each.order_number,
            "of": str(each.refund_date if isinstance(each, Refund) else each.credit_note_date),
            "age in days": age,
            "gross": show(each.gross_pence, each.currency),
            "VAT": show(each.vat_pence, each.currency),
            "missing": "credit note in PRIMA" if isinstance(each, Refund) else "refund in Magento",
        }
        for each, age in sorted(waiting, key=lambda pair: -pair[1])[:ROWS_SHOWN]
    ]
    counts = ", ".join(f"{step} {count}" for step, count in summary.counts.items() if count)
    create_table_artifact(key="refunds", table=rows, description=f"Refunds and credit notes: {counts or 'nothing'}.")
