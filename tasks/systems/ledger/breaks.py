"""Breaks of the reconciliation: one open row a document, from the first night it is seen to the day it is settled."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update

from schemas.breaks import FoundBreak, KnownBreak
from tasks.errors import NotFoundError
from tasks.systems.ledger.database import SYSTEM, Database, chunks
from tasks.systems.ledger.errors import LedgerStateError
from tasks.systems.ledger.models import break_events, breaks

Key = tuple[str, str, str]
_FIGURES = ("status", "cause", "value_pence", "vat_variance_pence", "variance_pence")


@dataclass(frozen=True, slots=True)
class BreakEvent:
    """One line of a break's history."""

    at: datetime
    actor: str
    event: str
    text: str


class Breaks(Database):
    """Found by runs, settled by later runs (correction) or by people (acceptance, journal), with their history."""

    def see_breaks(self, batch_id: str, found: Sequence[FoundBreak], looked_at: Collection[tuple[str, str]]) -> int:
        """Record what a run found, and settle as corrected what it looked at and did not find; return how many.

        `looked_at` are level and order key of everything that the run compared. A break seen before keeps its first
        night, its owner and its comments. One that was accepted or journalled and comes with other figures is new.
        """
        now, actor = self._now(), f"batch {batch_id}"
        latest = {each.key: each for each in found}
        with self._writing("see breaks") as connection:
            self._locked(connection, "breaks")
            open_rows = {_key(row): row for row in connection.execute(select(breaks).where(breaks.c.settled_by == ""))}
            events = []
            for key, each in sorted(latest.items()):
                row = open_rows.get(key)
                if row is None:
                    number = self._first_night(connection, each, batch_id, now)
                    events.append(_event(number, now, actor, "found", f"{each.status}, {each.cause}"))
                    continue
                if any(getattr(row, name) != getattr(each, name) for name in _FIGURES):
                    events.append(_event(row.id, now, actor, "changed", _figures(row)))
                connection.execute(
                    update(breaks).where(breaks.c.id == row.id).values(_seen_again(row, each, batch_id, now))
                )
            gone = [
                row.id
                for key, row in sorted(open_rows.items())
                if key not in latest and (row.level, row.order_key) in looked_at
            ]
            self._settle_breaks(connection, gone, "correction", actor, "", now)
            if events:
                connection.execute(break_events.insert(), events)
        return len(gone)

    def known_breaks(self) -> list[KnownBreak]:
        """Return every open break, and the latest settlement by a person of each document that has none open.

        Oldest first. What a run settled as corrected is over and not among them.
        """
        query = select(breaks).where(breaks.c.settled_by != "correction").order_by(breaks.c.id)
        with self._reading("known breaks") as connection:
            latest: dict[Key, Row[Any]] = {}
            for row in connection.execute(query):
                if row.settled_by == "" or latest.get(_key(row)) is None or latest[_key(row)].settled_by != "":
                    latest[_key(row)] = row
        return [_known(row) for row in sorted(latest.values(), key=lambda row: (row.first_seen_at, row.id))]

    def breaks(self, state: Literal["open", "settled", "all"] = "open") -> list[KnownBreak]:
        """Return breaks, the most valuable first."""
        query = select(breaks).order_by(breaks.c.value_pence.desc(), breaks.c.id)
        if state != "all":
            query = query.where(breaks.c.settled_by == "" if state == "open" else breaks.c.settled_by != "")
        with self._reading("breaks") as connection:
            return [_known(row) for row in connection.execute(query)]

    def break_by_id(self, break_id: int) -> KnownBreak:
        """Return one break; raises NotFoundError when there is none of that number."""
        with self._reading("break") as connection:
            return _known(_row(connection, break_id))

    def break_events(self, break_id: int) -> list[BreakEvent]:
        """Return the history of a break, oldest first. That it was seen again is counted, not listed."""
        query = select(break_events).where(break_events.c.break_id == break_id).order_by(break_events.c.id)
        with self._reading("break events") as connection:
            return [BreakEvent(row.at, row.actor, row.event, row.text) for row in connection.execute(query)]

    def assign_break(self, break_id: int, *, owner: str, by: str) -> None:
        """Name who looks into it. Raises NotFoundError, and LedgerStateError when it is settled."""
        self._change_break(break_id, by, "assigned", owner, owner=owner)

    def comment_on_break(self, break_id: int, *, text: str, by: str, reason_code: str = "") -> None:
        """Keep a remark, and the reason that a person gives it. Raises as `assign_break` does."""
        reason = {"reason_code": reason_code} if reason_code else {}
        self._change_break(
            break_id, by, "comment", f"{reason_code}: {text}" if reason_code else text, comment=text, **reason
        )

    def settle_break(
        self, break_id: int, how: Literal["correction", "acceptance", "journal"], *, reference: str, by: str
    ) -> None:
        """Close a break: accepted (`reference` says why), journalled (the journal's reference) or corrected.

        An accepted or journalled break stays closed for as long as its figures stay. Raises ValueError without a
        reference, NotFoundError, and LedgerStateError when it is settled already.
        """
        if not reference.strip() or not by.strip():
            raise ValueError("a settlement names who, and why or which journal")
        with self._writing("settle break") as connection:
            self._locked(connection, "breaks")
            _open_row(connection, break_id)
            self._settle_breaks(connection, [break_id], how, by, reference, self._now())

    def _change_break(self, break_id: int, by: str, event: str, text: str, **values: str) -> None:
        with self._writing("change break") as connection:
            self._locked(connection, "breaks")
            _open_row(connection, break_id)
            connection.execute(update(breaks).where(breaks.c.id == break_id).values(**values))
            connection.execute(break_events.insert().values(_event(break_id, self._now(), by, event, text)))

    def _first_night(self, connection: Connection, each: FoundBreak, batch_id: str, now: datetime) -> int:
        values = {name: getattr(each, name) for name in FoundBreak.__dataclass_fields__}
        blank = dict.fromkeys(("comment", "reason_code", "settled_by", "settlement_reference", "settled_who"), "")
        times = {"first_seen_at": now, "last_seen_at": now, "nights": 1, "batch_id": batch_id}
        number: int = connection.execute(
            breaks.insert().values({**values, **blank, **times}).returning(breaks.c.id)
        ).scalar_one()
        return number

    def _settle_breaks(
        self, connection: Connection, ids: Iterable[int], how: str, by: str, reference: str, now: datetime
    ) -> None:
        settled = list(ids)
        values = {"settled_by": how, "settlement_reference": reference, "settled_at": now, "settled_who": by}
        for part in chunks(settled):
            connection.execute(update(breaks).where(breaks.c.id.in_(part)).values(values))
        if settled:
            connection.execute(break_events.insert(), [_event(each, now, by, how, reference) for each in settled])


def _key(row: Row[Any]) -> Key:
    return row.level, row.order_key, row.currency


def _row(connection: Connection, break_id: int) -> Row[Any]:
    row = connection.execute(select(breaks).where(breaks.c.id == break_id)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such break.", system=SYSTEM, reference=str(break_id))
    return row


def _open_row(connection: Connection, break_id: int) -> Row[Any]:
    row = _row(connection, break_id)
    if row.settled_by:
        raise LedgerStateError(
            f"break {break_id} was closed by {row.settled_by} on {row.settled_at:%Y-%m-%d}.",
            system=SYSTEM,
            operation="change break",
        )
    return row


def _seen_again(row: Row[Any], each: FoundBreak, batch_id: str, now: datetime) -> dict[str, Any]:
    """Return what changes on a break that is still there: its figures, never its first night or what people said."""
    figures = {name: getattr(each, name) for name in (*_FIGURES, "order_number", "order_number_prima")}
    return {**figures, "nights": row.nights + 1, "last_seen_at": now, "batch_id": batch_id}


def _figures(row: Row[Any]) -> str:
    return f"was {row.status}, {row.cause}, {row.variance_pence} and VAT {row.vat_variance_pence} pence"


def _event(break_id: int, at: datetime, actor: str, event: str, text: str) -> dict[str, Any]:
    return {"break_id": break_id, "at": at, "actor": actor, "event": event, "text": text}


def _known(row: Row[Any]) -> KnownBreak:
    values = {name: value for name, value in row._asdict().items() if name not in ("id", "batch_id")}
    return KnownBreak(break_id=row.id, **values)
