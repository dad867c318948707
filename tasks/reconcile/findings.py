"""Breaks in the ledger: their life through the nights, and an exception for each while it lasts."""

from collections.abc import Iterable, Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.breaks import FoundBreak
from schemas.documents import ExceptionNote
from schemas.money import show
from schemas.reconciliation import BREAK_STATUSES, CAUSES
from tasks import connect
from tasks.reconcile.money_findings import MONEY_CODES, money_notes, money_settled
from tasks.reconcile.payment_inputs import FILE_SUBJECT
from tasks.reconcile.period import Period
from tasks.reconcile.run import Reconciliation
from tasks.reconcile.stage import PRIMA_EXTRACTS
from tasks.reconcile.staging import Problem
from tasks.settings import Settings
from tasks.systems.ledger import ExceptionRecord
from tasks.systems.warehouse import Row

STREAM = "reconciliation"
CODES = tuple(f"RECON_{status}" for status in BREAK_STATUSES)
REJECTED_CODE = "RECON_INPUT_REJECTED"
# What a problem can be about that is no single record: every run reads it anew.
PARTS = (*(f"PRIMA {name}" for name in PRIMA_EXTRACTS), "clock of PRIMA")


def subject_of(level: str, order_key: str) -> str:
    """Return what an exception is about: `order 000000101`, `refunds of order 000000101`, `PRIMA order 30000777`."""
    order = order_key.replace("PRIMA ", "PRIMA order ", 1) if order_key.startswith("PRIMA ") else f"order {order_key}"
    return order if level == "orders" else f"{level} of {order}"


def notes_of(breaks: Iterable[Row]) -> list[ExceptionNote]:
    """Return an exception for each break; an order in two currencies is one, with both rows in its detail."""
    found: dict[tuple[str, str], ExceptionNote] = {}
    for row in breaks:
        note = _note(row)
        earlier = found.get((note.code, note.subject))
        if earlier is not None:
            note = ExceptionNote(
                code=note.code,
                subject=note.subject,
                detail=f"{earlier.detail}; {note.detail}",
                order_number=note.order_number,
                value_at_risk_pence=max(earlier.value_at_risk_pence, note.value_at_risk_pence),
                currency=earlier.currency,
            )
        found[note.code, note.subject] = note
    return list(found.values())


def _note(row: Row) -> ExceptionNote:
    currency = row["currency"]
    sides = [
        f"{side} {_shown(row[f'{key}_gross_pence'], currency)} with VAT {_shown(row[f'{key}_vat_pence'], currency)}"
        for side, key in (("Magento", "magento"), ("PRIMA", "prima"))
    ]
    detail = f" ({row['cause_detail']})" if row["cause_detail"] else ""
    return ExceptionNote(
        code=f"RECON_{row['status']}",
        subject=subject_of(row["level"], row["order_key"]),
        detail=f"{row['cause']}{detail}: {', '.join(sides)}",
        order_number=row["order_number"] or "",
        value_at_risk_pence=row["value_pence"],
        currency=currency,
    )


def _shown(pence: int | None, currency: str) -> str:
    return "nothing" if pence is None else show(pence, currency)


def found_breaks(breaks: Iterable[Row]) -> list[FoundBreak]:
    """Return the breaks of a run as the ledger keeps them."""
    names = [
        name for name in FoundBreak.__dataclass_fields__ if name not in ("order_number", "order_number_prima", "owner")
    ]
    return [
        FoundBreak(
            **{name: row[name] for name in names},
            order_number=row["order_number"] or "",
            order_number_prima=row["order_number_prima"] or "",
            owner=CAUSES[row["cause"]].owner,
        )
        for row in breaks
    ]


def problem_notes(problems: Iterable[Problem]) -> list[ExceptionNote]:
    """Return an exception for each record that could not be reconciled as it is."""
    return [ExceptionNote(REJECTED_CODE, f"reconciliation: {each.subject}", each.detail) for each in problems]


def settled(
    open_before: Iterable[ExceptionRecord], notes: Sequence[ExceptionNote], subjects: Iterable[str]
) -> list[tuple[str, str]]:
    """Return code and subject of the open exceptions that this run looked at and did not find again.

    `subjects` are all that the run compared; an exception on anything else stays open.
    """
    found = {(note.code, note.subject) for note in notes}
    compared = set(subjects)
    keys = {(record.code, record.subject) for record in open_before if record.code in CODES}
    return sorted((code, subject) for code, subject in keys - found if subject in compared)


@task(cache_policy=NO_CACHE)
def open_run(period: Period) -> str:
    """Record in the ledger that a run begins; its batch id is the run id of every file that it makes."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return ledger.open_batch(STREAM, period.start, period.end)


@task(cache_policy=NO_CACHE)
def record_breaks(found: Reconciliation, problems: Sequence[Problem], batch_id: str) -> int:
    """Keep each break and raise an exception for it and for what could not be reconciled; close those that are gone.

    Returns how many breaks were mended. The ledger keeps the control totals of the run in its batch.
    """
    notes = [*notes_of(found.breaks), *problem_notes(problems), *money_notes(found.payment_ties)]
    codes = (*CODES, *MONEY_CODES, REJECTED_CODE)
    with connect.open_ledger(Settings.from_env()) as ledger:
        mended = ledger.see_breaks(batch_id, found_breaks(found.breaks), set(found.compared))
        open_before = [record for code in codes for record in ledger.exceptions(code=code)]
        gone = settled(open_before, notes, (subject_of(*key) for key in found.compared))
        gone += read_again(open_before, notes) + money_settled(open_before, found.money_seen)
        ledger.raise_exceptions(batch_id, notes)
        for code in codes:
            subjects = [subject for each, subject in gone if each == code]
            if subjects:
                ledger.close_exceptions(subjects=subjects, codes=[code], by=f"batch {batch_id}")
        ledger.close_batch(batch_id, "closed", totals_of(found))
    return mended


def read_again(open_before: Iterable[ExceptionRecord], notes: Sequence[ExceptionNote]) -> list[tuple[str, str]]:
    """Return the exceptions on whole parts (an extract, a clock) that this run could read without a problem."""
    found = {note.subject for note in notes}
    parts = {
        record.subject
        for record in open_before
        if record.code == REJECTED_CODE and is_read_anew(record.subject.removeprefix("reconciliation: "))
    }
    return sorted((REJECTED_CODE, subject) for subject in parts - found)


def is_read_anew(subject: str) -> bool:
    """Tell whether a problem is about something that every run reads: an extract, a clock, a settlement file."""
    return subject in PARTS or subject.startswith(FILE_SUBJECT)


def totals_of(found: Reconciliation) -> dict[str, int | str]:
    """Return the control totals of a run for the ledger: pence by level and currency, and the hash of its inputs."""
    totals: dict[str, int | str] = {
        "input_hash": found.run["input_hash"],
        "breaks": len(found.breaks),
        "rejected": found.run["rejected_count"],
    }
    for row in found.control_totals:
        for name in ("magento_gross_pence", "variance_pence", "prima_gross_pence", "unexplained_variance_pence"):
            totals[f"{row['level']} {row['currency']} {name}"] = row[name]
    return totals
