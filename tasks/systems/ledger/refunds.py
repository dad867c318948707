"""Refunds of Magento and credit notes of PRIMA, and what settled each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update

from schemas.refunds import CreditNote, Refund, RefundLine, Settlement
from tasks.systems.ledger.database import Database, chunks, distinct
from tasks.systems.ledger.models import credit_notes, orders, refund_lines, refund_matches, refunds

_FIGURES = ("currency", "net_pence", "vat_pence", "gross_pence")
_OPEN_AGAIN: dict[str, Any] = {"settled_at": None, "settled_by": "", "settled_why": ""}


@dataclass(frozen=True, slots=True)
class KeptRefund:
    """A refund and how it stands: `settled_at` is None while it is open, `answers` are credit note numbers."""

    refund: Refund
    settled_at: datetime | None = None
    settled_by: str = ""
    settled_why: str = ""
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptCreditNote:
    """A credit note and how it stands: `settled_at` is None while it is open."""

    note: CreditNote
    seen_at: datetime
    settled_at: datetime | None = None
    settled_by: str = ""
    settled_why: str = ""


class Refunds(Database):
    """One row per credit memo and per credit note; both are kept for good."""

    def oldest_order(self) -> datetime | None:
        """Return when the oldest order that was ever seen was placed; None before the first."""
        with self._reading("oldest order") as connection:
            oldest: datetime | None = connection.execute(select(func.min(orders.c.placed_at))).scalar_one()
        return oldest

    def keep_refunds(self, found: Sequence[Refund]) -> int:
        """Keep refunds with their charges; return how many were new. One that changed is open again with its answer."""
        new = 0
        with self._writing("keep refunds") as connection:
            for part in chunks(list({each.refund_number: each for each in found}.values())):
                known = _rows_by(connection, refunds, "refund_number", [each.refund_number for each in part])
                for refund in part:
                    before = known.get(refund.refund_number)
                    if before is not None and _figures(before) == _figures(refund):
                        continue
                    new += before is None
                    self._keep_refund(connection, refund, is_new=before is None)
        return new

    def keep_credit_notes(self, found: Sequence[CreditNote]) -> int:
        """Keep credit notes; return how many were new. One that changed is open again, and so is what it answered."""
        new = 0
        with self._writing("keep credit notes") as connection:
            for part in chunks(list({each.credit_note_number: each for each in found}.values())):
                known = _rows_by(connection, credit_notes, "credit_note_number", [x.credit_note_number for x in part])
                for note in part:
                    before = known.get(note.credit_note_number)
                    if before is None:
                        new += 1
                        values = {**asdict(note), "seen_at": self._now(), **_OPEN_AGAIN}
                        connection.execute(credit_notes.insert().values(values))
                    elif _figures(before) != _figures(note):
                        self._open_again(connection, note)
        return new

    def open_refunds(self) -> list[Refund]:
        """Return the refunds of orders that PRIMA accepted which nothing has settled, with charges, oldest first."""
        query = (
            select(refunds)
            .join(orders, orders.c.order_number == refunds.c.order_number)
            .where(refunds.c.settled_at.is_(None), orders.c.accepted_at.is_not(None))
            .order_by(refunds.c.refunded_at, refunds.c.refund_number)
        )
        with self._reading("open refunds") as connection:
            return [kept.refund for kept in _kept(connection, connection.execute(query))]

    def open_credit_notes(self) -> list[CreditNote]:
        """Return the credit notes that nothing has settled, oldest first."""
        query = (
            select(credit_notes)
            .where(credit_notes.c.settled_at.is_(None))
            .order_by(credit_notes.c.credit_note_date, credit_notes.c.credit_note_number)
        )
        with self._reading("open credit notes") as connection:
            return [_note(row) for row in connection.execute(query)]

    def refunds_of(self, order_numbers: Sequence[str]) -> list[KeptRefund]:
        """Return the refunds of these orders, settled or not, oldest first."""
        found: list[KeptRefund] = []
        with self._reading("refunds of orders") as connection:
            for part in chunks(distinct(order_numbers)):
                query = select(refunds).where(refunds.c.order_number.in_(part))
                found += _kept(connection, connection.execute(query))
        return sorted(found, key=lambda kept: (kept.refund.refunded_at, kept.refund.refund_number))

    def refund(self, refund_number: str) -> KeptRefund | None:
        """Return one refund, or None."""
        with self._reading("refund") as connection:
            rows = connection.execute(select(refunds).where(refunds.c.refund_number == refund_number))
            return next(iter(_kept(connection, rows)), None)

    def credit_notes_of(self, order_numbers: Sequence[str]) -> list[KeptCreditNote]:
        """Return the credit notes of these orders, settled or not, oldest first."""
        found: list[KeptCreditNote] = []
        with self._reading("credit notes of orders") as connection:
            for part in chunks(distinct(order_numbers)):
                query = select(credit_notes).where(credit_notes.c.order_number.in_(part))
                found += [_kept_note(row) for row in connection.execute(query)]
        return sorted(found, key=lambda kept: (kept.note.credit_note_date, kept.note.credit_note_number))

    def credit_note(self, credit_note_number: str) -> KeptCreditNote | None:
        """Return one credit note, or None."""
        query = select(credit_notes).where(credit_notes.c.credit_note_number == credit_note_number)
        with self._reading("credit note") as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _kept_note(row)

    def settle_refunds(self, settlements: Sequence[Settlement], *, by: str) -> None:
        """Settle refunds and credit notes, with what answers what; `by` is a person or `batch <id>`."""
        with self._writing("settle refunds") as connection:
            for each in settlements:
                values = {"settled_at": self._now(), "settled_by": by, "settled_why": each.why}
                for table, key, numbers in (
                    (refunds, refunds.c.refund_number, each.refund_numbers),
                    (credit_notes, credit_notes.c.credit_note_number, each.credit_note_numbers),
                ):
                    if numbers:
                        connection.execute(update(table).where(key.in_(numbers)).values(values))
                pairs = [
                    {"refund_number": refund, "credit_note_number": note}
                    for refund in each.refund_numbers
                    for note in each.credit_note_numbers
                ]
                if pairs:
                    connection.execute(self._insert(refund_matches).on_conflict_do_nothing(), pairs)

    def note_creditmemo(self, credit_note_number: str, creditmemo_id: int) -> None:
        """Remember which credit memo in Magento was made from a credit note."""
        this = credit_notes.c.credit_note_number == credit_note_number
        with self._writing("note credit memo") as connection:
            connection.execute(update(credit_notes).where(this).values(creditmemo_id=creditmemo_id))

    def _keep_refund(self, connection: Connection, refund: Refund, *, is_new: bool) -> None:
        number = refund.refund_number
        values = {name: value for name, value in asdict(refund).items() if name != "lines"} | _OPEN_AGAIN
        if is_new:
            connection.execute(refunds.insert().values({**values, "seen_at": self._now()}))
        else:
            self._part(connection, refund.order_number)
            connection.execute(delete(refund_lines).where(refund_lines.c.refund_number == number))
            connection.execute(update(refunds).where(refunds.c.refund_number == number).values(values))
        if refund.lines:
            rows = [{"refund_number": number, **asdict(line)} for line in refund.lines]
            connection.execute(refund_lines.insert(), rows)

    def _open_again(self, connection: Connection, note: CreditNote) -> None:
        """Write a credit note anew, open, and with it whatever was matched in its order."""
        self._part(connection, note.order_number)
        values = {name: value for name, value in asdict(note).items() if name != "creditmemo_id"} | _OPEN_AGAIN
        this = credit_notes.c.credit_note_number == note.credit_note_number
        connection.execute(update(credit_notes).where(this).values(values))

    def _part(self, connection: Connection, order_number: str) -> None:
        """Undo every match of an order; what was settled for another reason stays settled."""
        query = (
            select(refund_matches)
            .join(refunds, refunds.c.refund_number == refund_matches.c.refund_number)
            .where(refunds.c.order_number == order_number)
        )
        matched = connection.execute(query).all()
        for table, name in ((refunds, "refund_number"), (credit_notes, "credit_note_number")):
            numbers = sorted({row._mapping[name] for row in matched})
            connection.execute(update(table).where(table.c[name].in_(numbers)).values(_OPEN_AGAIN))
        answered = sorted({row.refund_number for row in matched})
        connection.execute(delete(refund_matches).where(refund_matches.c.refund_number.in_(answered)))


def _figures(each: Any) -> tuple[Any, ...]:
    return tuple(getattr(each, name) for name in _FIGURES)


def _rows_by(connection: Connection, table: Table, key: str, values: Sequence[str]) -> dict[str, Any]:
    rows = connection.execute(select(table).where(table.c[key].in_(values)))
    return {row._mapping[key]: row for row in rows}


def _kept(connection: Connection, rows: Iterable[Any]) -> list[KeptRefund]:
    found = list(rows)
    lines: dict[str, list[RefundLine]] = {row.refund_number: [] for row in found}
    answers: dict[str, list[str]] = {row.refund_number: [] for row in found}
    for part in chunks(sorted(lines)):
        query = select(refund_lines).where(refund_lines.c.refund_number.in_(part)).order_by(refund_lines.c.line_number)
        for line in connection.execute(query):
            values = {name: value for name, value in line._asdict().items() if name != "refund_number"}
            lines[line.refund_number].append(RefundLine(**values))
        matched = select(refund_matches).where(refund_matches.c.refund_number.in_(part))
        for match in connection.execute(matched.order_by(refund_matches.c.credit_note_number)):
            answers[match.refund_number].append(match.credit_note_number)
    return [
        KeptRefund(
            Refund(**_without_settling(row, "seen_at"), lines=tuple(lines[row.refund_number])),
            row.settled_at,
            row.settled_by,
            row.settled_why,
            tuple(answers[row.refund_number]),
        )
        for row in found
    ]


def _note(row: Any) -> CreditNote:
    return CreditNote(**_without_settling(row, "seen_at"))


def _kept_note(row: Any) -> KeptCreditNote:
    return KeptCreditNote(_note(row), row.seen_at, row.settled_at, row.settled_by, row.settled_why)


def _without_settling(row: Any, *others: str) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name not in (*_OPEN_AGAIN, *others)}
