"""Periods in the ledger: previews, signatures, locks and reopenings, with an audit trail that only grows."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from schemas.periods import (
    HASH_SHOWN,
    Change,
    ClosingPeriod,
    Figures,
    PeriodEvent,
    PeriodRecord,
    PriorItem,
    Role,
    lock_problem,
    new_changes,
    reopen_problem,
    signature_problem,
)
from tasks.errors import NotFoundError
from tasks.systems.ledger.database import SYSTEM, Database
from tasks.systems.ledger.errors import LedgerStateError
from tasks.systems.ledger.models import period_events, periods, prior_period_items

CHAIN_START = "0" * 64
_BLANK = dict.fromkeys(("figures_hash", "run_id", "folder", "preparer", "approver", "pack", "pack_sha256"), "")


class Periods(Database):
    """Each change of a period is one transaction with its line in the audit trail."""

    def period(self, name: str) -> PeriodRecord:
        """Return a period; raises NotFoundError when nobody previewed it yet."""
        with self._reading("period") as connection:
            return _record(_row(connection, name))

    def periods(self) -> list[PeriodRecord]:
        """Return every period, oldest first."""
        with self._reading("periods") as connection:
            return _all(connection)

    def period_events(self, name: str) -> list[PeriodEvent]:
        """Return the audit trail of a period, oldest first."""
        with self._reading("period events") as connection:
            return _events(connection, _row(connection, name).id)

    def prior_items(self, *, of: str = "", carried_into: str | None = None) -> list[PriorItem]:
        """Return changes after locks, oldest first: of one period, and those that a period took ("" = none yet)."""
        query = select(prior_period_items, periods.c.name).join(periods).order_by(prior_period_items.c.id)
        if of:
            query = query.where(periods.c.name == of)
        if carried_into is not None:
            query = query.where(prior_period_items.c.carried_into == carried_into)
        with self._reading("prior items") as connection:
            return [_item(row) for row in connection.execute(query)]

    def preview_period(
        self, period: ClosingPeriod, *, figures_hash: str, run_id: str, folder: str, figures: Mapping[str, Any], by: str
    ) -> PeriodRecord:
        """Keep what a preview found; signatures on other figures are void. Raises LedgerStateError when locked."""
        with self._writing("preview period") as connection:
            self._locked(connection, "periods")
            row = connection.execute(select(periods).where(periods.c.name == period.name)).one_or_none()
            if row is None:
                blank: dict[str, Any] = {**_BLANK, "figures": {}, "state": "open", "revision": 1, "name": period.name}
                blank |= {"kind": period.kind, "from_date": period.from_date, "to_date": period.to_date}
                connection.execute(periods.insert().values(blank))
                row = _row(connection, period.name)
            if row.state == "locked":
                raise _refused("preview period", period.name, "it is locked: check it against its lock instead")
            values: dict[str, Any] = {"run_id": run_id, "folder": folder, "figures": dict(figures)}
            values["figures_hash"] = figures_hash
            if row.state != "open" and row.figures_hash != figures_hash:
                text = f"figures changed from {row.figures_hash[:HASH_SHOWN]} to {figures_hash[:HASH_SHOWN]}"
                self._sealed(connection, row, by, "signatures void", text)
                values |= {"state": "open", "preparer": "", "approver": ""}
            self._change(connection, row, values)
            self._sealed(connection, row, by, "preview", f"run {run_id}", figures_hash)
            return _record(_row(connection, period.name))

    def sign_period(self, name: str, role: Role, *, by: str, figures_hash: str, comment: str = "") -> PeriodRecord:
        """Sign the figures of the last preview: the preparer first, then a different approver.

        Raises NotFoundError, and LedgerStateError with the sentence of `signature_problem`.
        """
        with self._writing("sign period") as connection:
            self._locked(connection, "periods")
            row = _row(connection, name)
            problem = signature_problem(_record(row), role, by, figures_hash, comment)
            if problem:
                raise _refused("sign off period", name, problem)
            state = "prepared" if role == "preparer" else "approved"
            self._change(connection, row, {"state": state, role: _storable(by)})
            self._sealed(connection, row, by, f"signed as {role}", comment)
            return _record(_row(connection, name))

    def lock_period(self, name: str, *, by: str, today: date, pack: str, pack_sha256: str) -> PeriodRecord:
        """Lock what both have signed, and take the changes of earlier locked periods that nobody took yet.

        Raises NotFoundError, and LedgerStateError with the sentence of `lock_problem`.
        """
        with self._writing("lock period") as connection:
            self._locked(connection, "periods")
            row = _row(connection, name)
            problem = lock_problem(_record(row), by, today, _all(connection))
            if problem:
                raise _refused("lock period", name, problem)
            values = {"state": "locked", "locked_at": self._now(), "pack": pack, "pack_sha256": pack_sha256}
            self._change(connection, row, values)
            earlier = select(periods.c.id).where(periods.c.kind == row.kind, periods.c.to_date < row.from_date)
            taken = connection.execute(
                update(prior_period_items)
                .where(prior_period_items.c.carried_into == "", prior_period_items.c.period_id.in_(earlier))
                .values(carried_into=name)
            ).rowcount
            self._sealed(
                connection, row, by, "locked", f"evidence pack {pack_sha256}; {taken} prior-period items taken"
            )
            return _record(_row(connection, name))

    def reopen_period(self, name: str, *, by: str, reason: str) -> PeriodRecord:
        """Open a locked period again under the next revision; both must sign anew.

        Its own later changes are part of its figures again, and what it had taken of earlier periods waits for its next
        lock. Raises NotFoundError, and LedgerStateError with the sentence of `reopen_problem`.
        """
        with self._writing("reopen period") as connection:
            self._locked(connection, "periods")
            row = _row(connection, name)
            problem = reopen_problem(_record(row), by, reason, _all(connection))
            if problem:
                raise _refused("reopen period", name, problem)
            revision = row.revision + 1
            self._sealed(connection, row, by, "reopened", reason.strip())
            items = prior_period_items.c
            connection.execute(
                update(prior_period_items)
                .where(items.carried_into == name, items.period_id != row.id)
                .values(carried_into="")
            )
            connection.execute(
                update(prior_period_items)
                .where(items.carried_into == "", items.period_id == row.id)
                .values(carried_into=f"{name} revision {revision}")
            )
            self._change(
                connection,
                row,
                {**_BLANK, "state": "open", "revision": revision, "locked_at": None, "figures": {}},
            )
            return _record(_row(connection, name))

    def check_period(
        self, name: str, changes: Sequence[Change], *, figures_hash: str, batch_id: str, by: str
    ) -> list[PriorItem]:
        """Record what differs from a lock and was not recorded yet, as prior-period items; return these.

        Raises NotFoundError, and LedgerStateError when the period is not locked.
        """
        with self._writing("check period") as connection:
            self._locked(connection, "periods")
            row = _row(connection, name)
            if row.state != "locked":
                raise _refused("check period", name, f"it is {row.state}, not locked")
            query = (
                select(prior_period_items, periods.c.name)
                .join(periods)
                .where(prior_period_items.c.period_id == row.id, prior_period_items.c.revision == row.revision)
                .order_by(prior_period_items.c.id)
            )
            known = [_item(each) for each in connection.execute(query)]
            found = new_changes(changes, known)
            for change in found:
                values = _change_values(change) | {"batch_id": batch_id, "figures_hash": row.figures_hash}
                values |= {"period_id": row.id, "revision": row.revision, "found_at": self._now(), "carried_into": ""}
                connection.execute(prior_period_items.insert().values(values))
            same = "the figures of the lock" if figures_hash == row.figures_hash else f"{len(changes)} figures differ"
            self._sealed(connection, row, by, "checked", f"{same}, {len(found)} not seen before", figures_hash)
            fresh = connection.execute(query).all()[len(known) :]
            return [_item(each) for each in fresh]

    def _change(self, connection: Connection, row: Row[Any], values: Mapping[str, Any]) -> None:
        connection.execute(update(periods).where(periods.c.id == row.id).values(**values))

    def _sealed(
        self, connection: Connection, row: Row[Any], by: str, event: str, text: str, figures_hash: str | None = None
    ) -> None:
        last = (
            select(period_events.c.sha256)
            .where(period_events.c.period_id == row.id)
            .order_by(period_events.c.id.desc())
            .limit(1)
        )
        previous = connection.execute(last).scalar_one_or_none() or CHAIN_START
        values: dict[str, Any] = {"at": self._now(), "actor": _storable(by), "event": event, "text": _storable(text)}
        values |= {"revision": row.revision, "figures_hash": row.figures_hash if figures_hash is None else figures_hash}
        values["sha256"] = seal(previous, **values)
        connection.execute(period_events.insert().values(period_id=row.id, **values))


def seal(previous: str, *, at: datetime, actor: str, event: str, text: str, revision: int, figures_hash: str) -> str:
    """Return the SHA-256 of a line of an audit trail and the seal of the line before it."""
    content = json.dumps([previous, at.isoformat(), actor, event, text, revision, figures_hash])
    return hashlib.sha256(content.encode()).hexdigest()


def first_broken(events: Sequence[PeriodEvent]) -> int | None:
    """Return the position of the first line of an audit trail that its seal does not fit; None when all fit."""
    previous = CHAIN_START
    for position, each in enumerate(events):
        expected = seal(
            previous,
            at=each.at,
            actor=each.actor,
            event=each.event,
            text=each.text,
            revision=each.revision,
            figures_hash=each.figures_hash,
        )
        if each.sha256 != expected:
            return position
        previous = each.sha256
    return None


def _storable(text: str) -> str:
    """Return text as every database gives it back, so that its seal fits for ever."""
    return text.strip().replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _refused(operation: str, name: str, problem: str) -> LedgerStateError:
    return LedgerStateError(f"{problem}.", system=SYSTEM, operation=operation, reference=name)


def _row(connection: Connection, name: str) -> Row[Any]:
    row = connection.execute(select(periods).where(periods.c.name == name)).one_or_none()
    if row is None:
        raise NotFoundError(
            "nobody previewed it yet.", system=SYSTEM, reference=f"period {name}", next_step="Run its preview first."
        )
    return row


def _all(connection: Connection) -> list[PeriodRecord]:
    return [_record(row) for row in connection.execute(select(periods).order_by(periods.c.from_date, periods.c.id))]


def _record(row: Row[Any]) -> PeriodRecord:
    return PeriodRecord(**{name: value for name, value in row._asdict().items() if name != "id"})


def _events(connection: Connection, period_id: int) -> list[PeriodEvent]:
    query = select(period_events).where(period_events.c.period_id == period_id).order_by(period_events.c.id)
    return [
        PeriodEvent(row.at, row.actor, row.event, row.text, row.revision, row.figures_hash, row.sha256)
        for row in connection.execute(query)
    ]


def _change_values(change: Change) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: getattr(change, name) for name in ("side", "level", "document_number", "rate", "order_key", "currency")
    }
    for when, figures in (("before", change.before), ("now", change.now)):
        values[f"{when}_net_pence"] = figures and figures.net_pence
        values[f"{when}_vat_pence"] = figures and figures.vat_pence
        values[f"{when}_destination"] = figures and figures.destination
        values[f"{when}_date"] = figures and figures.business_date
    return values


def _item(row: Row[Any]) -> PriorItem:
    before, now = (_figures(row, when) for when in ("before", "now"))
    change = Change(
        row.side, row.level, row.document_number, row.rate, row.order_key, row.currency, before=before, now=now
    )
    return PriorItem(
        row.id, row.name, row.revision, row.found_at, row.batch_id, row.figures_hash, change, row.carried_into
    )


def _figures(row: Row[Any], when: str) -> Figures | None:
    if getattr(row, f"{when}_net_pence") is None:
        return None
    return Figures(*(getattr(row, f"{when}_{name}") for name in ("net_pence", "vat_pence", "destination", "date")))
