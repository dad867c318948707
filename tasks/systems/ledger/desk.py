"""What people do about exceptions: each act is one transaction with its line in the history."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from tasks.systems.ledger.database import Database, chunks
from tasks.systems.ledger.models import exception_care, exception_events, exceptions
from tasks.systems.ledger.records import ExceptionEvent


class Desk(Database):
    """Assigned, resting and ignored exceptions. An act on one that is closed meanwhile does nothing."""

    def assign_exceptions(self, ids: Sequence[int], to: str, *, by: str, text: str = "") -> list[int]:
        """Give open exceptions to a person; return those that were open. Empty `to` gives them back to their team."""
        said = f"to {to}" if to else "back to the team"
        return self._care(ids, {"assigned_to": to}, by, "assigned", f"{said}: {text}" if text else said)

    def snooze_exceptions(self, ids: Sequence[int], until: datetime, *, by: str, text: str = "") -> list[int]:
        """Let open exceptions rest until a time; return those that were open."""
        said = f"until {until:%Y-%m-%d %H:%M} UTC"
        return self._care(ids, {"snoozed_until": until}, by, "snoozed", f"{said}: {text}" if text else said)

    def ignore_exceptions(self, ids: Sequence[int], *, by: str, text: str) -> list[int]:
        """Leave open exceptions as they are, until more is at risk; return those that were open."""
        return self._care(ids, {"ignored_at": self._now()}, by, "ignored", text)

    def note_acts(self, ids: Sequence[int], event: str, *, by: str, text: str) -> list[int]:
        """Add a line to the history of open exceptions (`noted`, `retried`, ...); return those that were open."""
        return self._care(ids, {}, by, event, text)

    def histories(self, ids: Sequence[int]) -> dict[int, list[ExceptionEvent]]:
        """Return the histories of exceptions by their number, each oldest first."""
        found: dict[int, list[ExceptionEvent]] = {}
        with self._reading("histories of exceptions") as connection:
            for part in chunks(sorted(set(ids))):
                query = select(exception_events).where(exception_events.c.exception_id.in_(part))
                for row in connection.execute(query.order_by(exception_events.c.id)):
                    found.setdefault(row.exception_id, []).append(ExceptionEvent(**row._asdict()))
        return found

    def _care(self, ids: Sequence[int], changes: Mapping[str, Any], by: str, event: str, text: str) -> list[int]:
        done: list[int] = []
        with self._writing(f"exceptions {event}") as connection:
            self._locked(connection, "exceptions")
            now = self._now()
            for part in chunks(sorted(set(ids))):
                query = (
                    select(exceptions.c.id, exceptions.c.value_at_risk_pence)
                    .where(exceptions.c.id.in_(part), exceptions.c.state == "open")
                    .order_by(exceptions.c.id)
                )
                found = connection.execute(query).all()
                if changes and found:
                    rows = [_row(row.id, row.value_at_risk_pence, changes) for row in found]
                    insert = self._insert(exception_care)
                    changed = {name: insert.excluded[name] for name in rows[0] if name in _changed(changes)}
                    connection.execute(
                        insert.on_conflict_do_update(index_elements=["exception_id"], set_=changed), rows
                    )
                if found:
                    line = {"at": now, "actor": by, "event": event, "text": text}
                    connection.execute(exception_events.insert(), [{"exception_id": row.id, **line} for row in found])
                done += [row.id for row in found]
        return done


def return_ignored(connection: Connection, values: Mapping[int, int], at: datetime, actor: str) -> None:
    """End the ignoring of exceptions of which more is at risk now than when they were ignored, and say so.

    `values` holds what is at risk now, in pence, by exception.
    """
    for part in chunks(sorted(values)):
        query = select(exception_care.c.exception_id, exception_care.c.ignored_pence).where(
            exception_care.c.exception_id.in_(part), exception_care.c.ignored_at.is_not(None)
        )
        more = [row.exception_id for row in connection.execute(query) if values[row.exception_id] > row.ignored_pence]
        if not more:
            continue
        ending = update(exception_care).where(exception_care.c.exception_id.in_(more))
        connection.execute(ending.values(ignored_at=None, ignored_pence=None))
        line = {"at": at, "actor": actor, "event": "returned", "text": "more is at risk than when it was ignored"}
        connection.execute(exception_events.insert(), [{"exception_id": each, **line} for each in more])


def _row(exception_id: int, value_pence: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    row = {"exception_id": exception_id, "assigned_to": "", "snoozed_until": None, "ignored_at": None}
    return {**row, "ignored_pence": value_pence if "ignored_at" in changes else None, **changes}


def _changed(changes: Mapping[str, Any]) -> set[str]:
    return {*changes, "ignored_pence"} if "ignored_at" in changes else set(changes)
