"""Batches with their control totals, and the watermark of each stream."""

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, or_, select, update

from schemas.documents import Watermark
from tasks.systems.ledger.database import SYSTEM, Database
from tasks.systems.ledger.errors import LedgerStateError
from tasks.systems.ledger.models import batches, watermarks
from tasks.systems.ledger.records import BatchRecord


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot stand in control totals")


class Batches(Database):
    """What each run fetched, and how far each stream is recorded."""

    def watermark(self, stream: str) -> Watermark | None:
        """Return how far a stream is recorded; None before its first batch."""
        with self._reading("watermark") as connection:
            row = connection.execute(select(watermarks).where(watermarks.c.stream == stream)).one_or_none()
        return None if row is None else Watermark(row.stream, row.at, row.key)

    def set_watermark(self, watermark: Watermark, batch_id: str) -> bool:
        """Move a stream's watermark forward and return True; one that is not ahead is left alone: False."""
        insert = self._insert(watermarks).values(
            stream=watermark.stream,
            at=watermark.at,
            key=watermark.key,
            batch_id=batch_id,
            recorded_at=self._now(),
        )
        new = insert.excluded
        ahead = or_(watermarks.c.at < new.at, and_(watermarks.c.at == new.at, watermarks.c.key < new.key))
        moved = {name: new[name] for name in ("at", "key", "batch_id", "recorded_at")}
        with self._writing("set watermark") as connection:
            statement = insert.on_conflict_do_update(index_elements=["stream"], set_=moved, where=ahead)
            return connection.execute(statement.returning(watermarks.c.stream)).first() is not None

    def open_batch(self, stream: str, window_start: datetime, window_end: datetime) -> str:
        """Record that a run begins to fetch `[window_start, window_end)` of a stream; return its batch id."""
        opened_at = self._now()
        batch_id = f"{stream}-{opened_at:%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
        row = {
            "batch_id": batch_id,
            "stream": stream,
            "window_start": window_start,
            "window_end": window_end,
            "state": "open",
            "opened_at": opened_at,
            "control_totals": {},
        }
        with self._writing("open batch") as connection:
            connection.execute(batches.insert().values(row))
        return batch_id

    def close_batch(self, batch_id: str, state: str, control_totals: Mapping[str, Any]) -> None:
        """End a batch in a state of the caller's words (`closed`, `stopped`), with its control totals.

        Totals may hold ControlTotals, whole numbers, text and nested mappings of them. Closing a batch again in the
        same way does nothing; raises LedgerStateError when it is unknown or was closed otherwise.
        """
        if state == "open":
            raise ValueError("a batch is closed in another state than open")
        totals = json.loads(json.dumps(dict(control_totals), default=_plain))
        closing = (
            update(batches)
            .where(batches.c.batch_id == batch_id, batches.c.state == "open")
            .values(state=state, closed_at=self._now(), control_totals=totals)
        )
        with self._writing("close batch") as connection:
            if connection.execute(closing).rowcount == 1:
                return
            row = connection.execute(select(batches).where(batches.c.batch_id == batch_id)).one_or_none()
        if row is None or (row.state, row.control_totals) != (state, totals):
            problem = "is not known" if row is None else f"is already {row.state} with other figures"
            raise LedgerStateError(f"the batch {problem}.", system=SYSTEM, operation="close batch", reference=batch_id)

    def batch(self, batch_id: str) -> BatchRecord | None:
        """Return one batch, or None."""
        with self._reading("batch") as connection:
            row = connection.execute(select(batches).where(batches.c.batch_id == batch_id)).one_or_none()
        return None if row is None else BatchRecord(**row._asdict())

    def batches(self, stream: str | None = None, *, limit: int = 100) -> list[BatchRecord]:
        """Return the latest batches, newest first."""
        query = select(batches).order_by(batches.c.opened_at.desc(), batches.c.batch_id).limit(limit)
        if stream is not None:
            query = query.where(batches.c.stream == stream)
        with self._reading("batches") as connection:
            return [BatchRecord(**row._asdict()) for row in connection.execute(query)]
