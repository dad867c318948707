"""Dispatches that came as files or were asked for one by one, kept until they are told; and when PRIMA was asked."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from tasks.systems.ledger.database import Database, chunks, distinct
from tasks.systems.ledger.models import dispatch_inbox, status_polls


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """A dispatch as it came in: members of the extracts `dispatches` and `dispatch_lines`, instants as text."""

    dispatch_number: str
    header: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """How many dispatches of a call were new, changed, or told nothing new."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class StatusPoll:
    """When PRIMA was last asked for an order's state, and the word that it answered."""

    order_number: str
    asked_at: datetime
    word: str


class DispatchInbox(Database):
    """What a reporting source would keep for us; one row a dispatch, the last that was said of it."""

    def take_in(self, entries: Sequence[InboxEntry], source: str) -> TakenIn:
        """Keep dispatches; one that says the same as before changes nothing, so a file may come twice."""
        now = self._now()
        texts = {each.dispatch_number: (_text(each.header), _text(each.lines)) for each in entries}
        with self._writing("take in dispatches") as connection:
            known: dict[str, tuple[str, str]] = {}
            for part in chunks(distinct(texts)):
                query = select(dispatch_inbox).where(dispatch_inbox.c.dispatch_number.in_(part)).with_for_update()
                known.update((row.dispatch_number, (row.header, row.lines)) for row in connection.execute(query))
            written = [number for number in sorted(texts) if known.get(number) != texts[number]]
            if written:
                insert = self._insert(dispatch_inbox)
                told = {name: insert.excluded[name] for name in ("source", "header", "lines", "updated_at")}
                rows = [
                    {
                        "dispatch_number": number,
                        "source": source,
                        "header": texts[number][0],
                        "lines": texts[number][1],
                        "received_at": now,
                        "updated_at": now,
                    }
                    for number in written
                ]
                connection.execute(insert.on_conflict_do_update(index_elements=["dispatch_number"], set_=told), rows)
        new = sum(number not in known for number in written)
        return TakenIn(new, len(written) - new, len(texts) - len(written))

    def inbox(
        self, *, since: datetime | None = None, numbers: Collection[str] | None = None
    ) -> list[tuple[InboxEntry, datetime]]:
        """Return dispatches with the time of their last change: those changed since then, or those of these numbers."""
        queries = [select(dispatch_inbox)]
        if since is not None:
            queries = [select(dispatch_inbox).where(dispatch_inbox.c.updated_at >= since)]
        if numbers is not None:
            parts = chunks(distinct(numbers))
            queries = [select(dispatch_inbox).where(dispatch_inbox.c.dispatch_number.in_(part)) for part in parts]
        with self._reading("inbox") as connection:
            rows = [row for query in queries for row in connection.execute(query)]
        return [
            (InboxEntry(row.dispatch_number, json.loads(row.header), json.loads(row.lines)), row.updated_at)
            for row in sorted(rows, key=lambda row: (row.updated_at, row.dispatch_number))
        ]

    def status_polls(self, order_numbers: Sequence[str]) -> dict[str, StatusPoll]:
        """Return when PRIMA was last asked for each of these orders, where it ever was."""
        found: dict[str, StatusPoll] = {}
        with self._reading("status polls") as connection:
            for part in chunks(distinct(order_numbers)):
                query = select(status_polls).where(status_polls.c.order_number.in_(part))
                found.update((row.order_number, StatusPoll(**row._asdict())) for row in connection.execute(query))
        return found

    def note_polls(self, words: Mapping[str, str]) -> None:
        """Remember that PRIMA was asked just now for these orders, and what it answered."""
        if not words:
            return
        rows = [{"order_number": number, "asked_at": self._now(), "word": words[number]} for number in sorted(words)]
        insert = self._insert(status_polls)
        asked = {name: insert.excluded[name] for name in ("asked_at", "word")}
        with self._writing("note polls") as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["order_number"], set_=asked), rows)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
