"""Held stock snapshots: what was held and why, and what people decided about it."""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, select, update

from schemas.brakes import (
    OPEN_HOLDS,
    BrakeFigures,
    HoldDecision,
    HoldEvent,
    HoldState,
    Risk,
    Snapshot,
    StockHold,
    Verdict,
)
from tasks.errors import NotFoundError
from tasks.systems.ledger.database import SYSTEM, Database
from tasks.systems.ledger.errors import LedgerStateError
from tasks.systems.ledger.models import stock_baselines, stock_hold_events, stock_holds

STREAM = "stock"
DECIDED: Mapping[HoldDecision, HoldState] = {"release": "released", "refuse": "refused"}


class StockHolds(Database):
    """At most one hold is open: held, released or refused. It ends as passed, expired or replaced.

    Snapshots are kept compressed: the last one that was not held, and each that was.
    """

    def baseline(self) -> Snapshot:
        """Return the last snapshot that was not held; one without a row before the first."""
        query = select(stock_baselines.c.rows, stock_baselines.c.units).where(stock_baselines.c.stream == STREAM)
        with self._reading("baseline") as connection:
            row = connection.execute(query).one_or_none()
        return Snapshot(0, {}) if row is None else Snapshot(row.rows, _unpacked(row.units))

    def keep_baseline(self, snapshot: Snapshot, *, batch_id: str) -> None:
        """Keep a snapshot that was not held: the next one is compared with it."""
        row = {
            "stream": STREAM,
            "batch_id": batch_id,
            "rows": snapshot.rows,
            "units": zlib.compress(_packed(snapshot), 1),
            "recorded_at": self._now(),
        }
        insert = self._insert(stock_baselines).values(row)
        with self._writing("keep baseline") as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["stream"], set_=row))

    def hold_snapshot(self, batch_id: str, found: Verdict, at_risk: Risk) -> str:
        """Keep a held snapshot and return its hold id; one that belongs to the open hold counts as another time of it.

        Another hold that was still open is replaced: a release never covers a snapshot that deviates otherwise.
        """
        now = self._now()
        units = _packed(found.snapshot)
        digest = hashlib.sha256(units).hexdigest()
        hold_id = f"{now:%Y%m%d-%H%M%S}-{digest[:8]}"
        with self._writing("hold snapshot") as connection:
            if found.hold_id:
                again = update(stock_holds).where(stock_holds.c.hold_id == found.hold_id)
                connection.execute(again.values(last_held_at=now, times_held=stock_holds.c.times_held + 1))
                return found.hold_id
            for row in _open_rows(connection):
                self._end(connection, row.hold_id, "replaced", f"batch {batch_id}", f"{hold_id} deviates otherwise")
            connection.execute(
                stock_holds.insert().values(
                    hold_id=hold_id,
                    batch_id=batch_id,
                    state="held",
                    reasons=list(found.reasons),
                    figures=asdict(found.figures),
                    rows=found.snapshot.rows,
                    units=zlib.compress(units),
                    units_sha256=digest,
                    top=list(at_risk.top),
                    value_at_risk_pence=at_risk.value_at_risk_pence,
                    currency=at_risk.currency,
                    held_at=now,
                    last_held_at=now,
                    times_held=1,
                )
            )
            self._note(connection, hold_id, f"batch {batch_id}", "held", "; ".join(found.reasons))
        return hold_id

    def open_hold(self) -> StockHold | None:
        """Return the hold that is open, or None."""
        with self._reading("open hold") as connection:
            rows = _open_rows(connection)
        return _hold(rows[0]) if rows else None

    def stock_hold(self, hold_id: str) -> StockHold | None:
        """Return a hold, open or over; None when there is none of this id."""
        with self._reading("stock hold") as connection:
            row = connection.execute(select(stock_holds).where(stock_holds.c.hold_id == hold_id)).one_or_none()
        return None if row is None else _hold(row)

    def stock_hold_events(self, hold_id: str) -> list[HoldEvent]:
        """Return what happened to a hold, oldest first."""
        events = stock_hold_events.c
        query = select(events.hold_id, events.at, events.actor, events.event, events.text)
        with self._reading("stock hold events") as connection:
            found = connection.execute(query.where(events.hold_id == hold_id).order_by(events.id))
            return [HoldEvent(**row._asdict()) for row in found]

    def decide_hold(self, hold_id: str, decision: HoldDecision, *, by: str, why: str) -> None:
        """Release or refuse an open hold; a decision may be changed while the hold is open.

        Raises NotFoundError for an unknown hold, LedgerStateError for one that is over, and for the release of a
        snapshot without a row: there is nothing in it that could be pushed.
        """
        with self._writing("decide hold") as connection:
            query = select(stock_holds).where(stock_holds.c.hold_id == hold_id).with_for_update()
            row = connection.execute(query).one_or_none()
            if row is None:
                raise NotFoundError("there is no such hold.", system=SYSTEM, operation=decision, reference=hold_id)
            if row.state not in OPEN_HOLDS:
                problem = f"the hold is over: {row.state}."
                raise LedgerStateError(problem, system=SYSTEM, operation=decision, reference=hold_id)
            if decision == "release" and row.rows == 0:
                problem = "the held snapshot has no usable row, so a release would push nothing."
                raise LedgerStateError(problem, system=SYSTEM, operation=decision, reference=hold_id)
            self._end(connection, hold_id, DECIDED[decision], by, why)

    def end_hold(self, hold_id: str, state: HoldState, *, batch_id: str) -> None:
        """Note that a hold is over: `passed` with a released snapshot, `expired` with a sane one."""
        with self._writing("end hold") as connection:
            self._end(connection, hold_id, state, f"batch {batch_id}", "")

    def _end(self, connection: Connection, hold_id: str, state: HoldState, actor: str, text: str) -> None:
        connection.execute(update(stock_holds).where(stock_holds.c.hold_id == hold_id).values(state=state))
        self._note(connection, hold_id, actor, state, text)

    def _note(self, connection: Connection, hold_id: str, actor: str, event: str, text: str) -> None:
        row: dict[str, Any] = {"hold_id": hold_id, "at": self._now(), "actor": actor, "event": event, "text": text}
        connection.execute(stock_hold_events.insert().values(row))


def _open_rows(connection: Connection) -> Sequence[Row[Any]]:
    query = select(stock_holds).where(stock_holds.c.state.in_(OPEN_HOLDS)).order_by(stock_holds.c.held_at.desc())
    return connection.execute(query).all()


def _hold(row: Row[Any]) -> StockHold:
    values = row._asdict()
    snapshot = Snapshot(values.pop("rows"), _unpacked(values.pop("units")))
    figures = BrakeFigures(**values.pop("figures"))
    reasons, top = tuple(values.pop("reasons")), tuple(values.pop("top"))
    values.pop("units_sha256")
    return StockHold(**values, snapshot=snapshot, figures=figures, reasons=reasons, top=top)


def _packed(snapshot: Snapshot) -> bytes:
    return json.dumps(snapshot.units, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _unpacked(packed: bytes) -> dict[str, int]:
    units: dict[str, int] = json.loads(zlib.decompress(packed))
    return units
