"""Exceptions: what a person must see. One open row per code and subject, counting how often it came up."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, text, update

from schemas.documents import ExceptionNote
from schemas.reasons import REASONS, reason_or_former
from tasks.errors import NotFoundError
from tasks.systems.ledger.database import SYSTEM, Database, chunks, distinct
from tasks.systems.ledger.desk import return_ignored
from tasks.systems.ledger.models import exception_care, exception_events, exceptions
from tasks.systems.ledger.records import ExceptionEvent, ExceptionRecord
from tasks.systems.ledger.redaction import without_customers
from tasks.systems.ledger.valuing import valued

_UPDATED = ("detail", "order_number", "sku", "value_at_risk_pence", "currency", "suggestions", "batch_id")
# In the words of the unique index: PostgreSQL does not match it by a parameter.
_OPEN = text("state = 'open'")
_SHOWN = ("detail", "value_at_risk_pence", "suggestions")
_CARE = (exception_care.c.assigned_to, exception_care.c.snoozed_until, exception_care.c.ignored_at)


class Exceptions(Database):
    """Raised by runs, closed by later runs or by people, with a history of who did what."""

    def raise_exceptions(self, batch_id: str, notes: Sequence[ExceptionNote]) -> int:
        """Raise each note, or count it on the row already open; return how many different exceptions these are.

        The latest note gives detail, value and suggestions; a value that no step stated follows the rule of its code.
        One that was closed before is opened anew (`reopens_id`); one that was ignored comes back when more is at risk.
        Raises ValueError, and writes nothing, when a code is not in REASONS.
        """
        unknown = sorted({note.code for note in notes} - set(REASONS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: not in schemas/reasons")
        latest = {(note.subject, note.code): note for note in notes}
        if not latest:
            return 0
        now, actor = self._now(), f"batch {batch_id}" if batch_id else "system"
        with self._writing("raise exceptions") as connection:
            self._locked(connection, "exceptions")
            notes = _unnamed(connection, valued(connection, list(latest.values())))
            latest = {(note.subject, note.code): note for note in notes}
            before = _latest_rows(connection, latest)
            is_open = {key for key, row in before.items() if row.state == "open"}
            rows = [
                {
                    **_columns(note),
                    "batch_id": batch_id,
                    "state": "open",
                    "occurrences": 1,
                    "first_seen_at": now,
                    "last_seen_at": now,
                    "closed_by": "",
                    "reopens_id": before[key].id if key in before and key not in is_open else None,
                }
                for key, note in sorted(latest.items())
            ]
            insert = self._insert(exceptions)
            changed: dict[str, Any] = {name: insert.excluded[name] for name in (*_UPDATED, "last_seen_at")}
            changed["occurrences"] = exceptions.c.occurrences + 1
            connection.execute(
                insert.on_conflict_do_update(index_elements=["subject", "code"], index_where=_OPEN, set_=changed),
                rows,
            )
            after = _latest_rows(connection, latest)
            events = []
            for key, row in after.items():
                event = _event_of(before.get(key), row)
                if event:
                    events.append(_event(row.id, now, actor, *event))
            if events:
                connection.execute(exception_events.insert(), events)
            again = {row.id: row.value_at_risk_pence for key, row in after.items() if key in is_open}
            return_ignored(connection, again, now, actor)
        return len(latest)

    def close_exceptions(
        self,
        *,
        subjects: Sequence[str],
        codes: Collection[str] | None = None,
        by: str,
        except_codes: Collection[str] = (),
        note: str = "",
    ) -> int:
        """Close the open exceptions on these subjects; return how many there were.

        `codes` limits it to these codes, `except_codes` leaves those open. `by` is a person or `batch <id>`.
        """
        condition = [exceptions.c.state == "open"]
        if codes is not None:
            condition.append(exceptions.c.code.in_(sorted(codes)))
        if except_codes:
            condition.append(exceptions.c.code.not_in(sorted(except_codes)))
        closed = 0
        with self._writing("close exceptions") as connection:
            self._locked(connection, "exceptions")
            for part in chunks(distinct(subjects)):
                closed += self._close(connection, [*condition, exceptions.c.subject.in_(part)], by, note)
        return closed

    def close_exception(self, exception_id: int, *, by: str, note: str = "") -> bool:
        """Close one exception; False when it is not open."""
        with self._writing("close exception") as connection:
            self._locked(connection, "exceptions")
            condition = [exceptions.c.state == "open", exceptions.c.id == exception_id]
            return self._close(connection, condition, by, note) == 1

    def note_on_exception(self, exception_id: int, *, by: str, text: str) -> None:
        """Add a person's remark to its history; raises NotFoundError when there is no such exception."""
        with self._writing("note on exception") as connection:
            if connection.execute(select(exceptions.c.id).where(exceptions.c.id == exception_id)).first() is None:
                raise NotFoundError("there is no such exception.", system=SYSTEM, reference=str(exception_id))
            connection.execute(exception_events.insert().values(_event(exception_id, self._now(), by, "noted", text)))

    def exceptions(
        self,
        *,
        state: Literal["open", "closed", "all"] = "open",
        code: str | None = None,
        owner: str | None = None,
        order_number: str | None = None,
        subject: str | None = None,
        sku: str | None = None,
        number: int | None = None,
        closed_since: datetime | None = None,
    ) -> list[ExceptionRecord]:
        """Return exceptions, oldest first; `owner` is the team that REASONS names for the code today."""
        query = (
            select(exceptions, *_CARE)
            .outerjoin(exception_care, exception_care.c.exception_id == exceptions.c.id)
            .order_by(exceptions.c.first_seen_at, exceptions.c.id)
        )
        if state != "all":
            query = query.where(exceptions.c.state == state)
        if closed_since is not None:
            query = query.where(exceptions.c.closed_at >= closed_since)
        if owner is not None:
            codes = sorted(reason.code for reason in REASONS.values() if reason.owner == owner)
            query = query.where(exceptions.c.code.in_(codes))
        wanted = {"code": code, "order_number": order_number, "subject": subject, "sku": sku, "id": number}
        for name, value in wanted.items():
            if value is not None:
                query = query.where(exceptions.c[name] == value)
        with self._reading("exceptions") as connection:
            return [_record(row) for row in connection.execute(query)]

    def exception_events(self, exception_id: int) -> list[ExceptionEvent]:
        """Return the history of an exception, oldest first. That it came up again is counted, not listed."""
        query = (
            select(exception_events)
            .where(exception_events.c.exception_id == exception_id)
            .order_by(exception_events.c.id)
        )
        with self._reading("exception events") as connection:
            return [ExceptionEvent(**row._asdict()) for row in connection.execute(query)]

    def _close(self, connection: Connection, condition: Sequence[Any], by: str, note: str) -> int:
        now = self._now()
        closing = update(exceptions).where(*condition).values(state="closed", closed_at=now, closed_by=by)
        closed = connection.execute(closing.returning(exceptions.c.id)).scalars().all()
        if closed:
            connection.execute(
                exception_events.insert(), [_event(number, now, by, "closed", note) for number in closed]
            )
        return len(closed)


def _latest_rows(connection: Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Row[Any]]:
    """Return the newest row, open or closed, of each (subject, code) that has one."""
    wanted = set(keys)
    found: dict[tuple[str, str], Row[Any]] = {}
    for part in chunks(distinct(subject for subject, _ in wanted)):
        query = select(exceptions).where(exceptions.c.subject.in_(part)).order_by(exceptions.c.id)
        rows = (((row.subject, row.code), row) for row in connection.execute(query))
        found.update((key, row) for key, row in rows if key in wanted)
    return found


def _unnamed(connection: Connection, notes: Sequence[ExceptionNote]) -> list[ExceptionNote]:
    """Return the notes without their customers' values: an error text of another system may stand in the detail."""
    said = [(f"order {note.order_number}" if note.order_number else "", note.detail) for note in notes]
    details = without_customers(connection, said)
    return [
        note if note.detail == detail else replace(note, detail=detail)
        for note, detail in zip(notes, details, strict=True)
    ]


def _columns(note: ExceptionNote) -> dict[str, Any]:
    return {
        "code": note.code,
        "subject": note.subject,
        "detail": note.detail,
        "order_number": note.order_number,
        "sku": note.sku,
        "value_at_risk_pence": int(note.value_at_risk_pence),
        "currency": note.currency,
        "suggestions": list(note.suggestions),
    }


def _event(exception_id: int, at: datetime, actor: str, event: str, text: str) -> dict[str, Any]:
    return {"exception_id": exception_id, "at": at, "actor": actor, "event": event, "text": text}


def _event_of(before: Row[Any] | None, row: Row[Any]) -> tuple[str, str] | None:
    """Return what happened between two readings of an exception, or None when it was only counted."""
    if before is None:
        return "raised", row.detail
    if before.id != row.id:
        return "reopened", row.detail
    earlier = {name: before._mapping[name] for name in _SHOWN}
    if earlier == {name: row._mapping[name] for name in _SHOWN}:
        return None
    return "changed", json.dumps(earlier, ensure_ascii=False, sort_keys=True)


def _record(row: Row[Any]) -> ExceptionRecord:
    """Return the row with its reason; a code that a later version dropped keeps its row, and belongs to integration."""
    reason = reason_or_former(row.code)
    values = row._asdict()
    values["suggestions"] = tuple(values["suggestions"])
    values["assigned_to"] = values["assigned_to"] or ""
    return ExceptionRecord(
        **values,
        sentence=reason.sentence,
        owner=reason.owner,
        severity=reason.severity,
        next_step=reason.next_step,
        anchor=reason.anchor if row.code in REASONS else "",
    )
