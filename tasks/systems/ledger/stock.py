"""Stock: the last sum for each SKU and source, what Magento is known to hold, and every push."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from schemas.documents import SourceKey, StockLevel, StockSum
from tasks.systems.ledger.database import Database
from tasks.systems.ledger.models import stock_levels, stock_pushes
from tasks.systems.ledger.records import StockLevelRecord, StockPush
from tasks.systems.ledger.states import PushState

NO_SUM = -1
_KEY = ("sku", "source_code")
_UNITS = ("available_to_sell", "buffer", "back_order_units", "open_units", "source_qty")
_WORDS = ("available_date", "explanation")
_SUM = (*_UNITS, "snapshot_at")


class Stock(Database):
    """Only changes are written to Magento, so the ledger knows what is there, or knows that it does not know."""

    def record_snapshot(self, levels: Sequence[StockLevel]) -> None:
        """Keep the sums of a snapshot. One older than what is known of a SKU changes nothing."""
        rows = [
            {**_sum_of(level), **{name: getattr(level, name) for name in _WORDS}}
            for level in sorted(levels, key=lambda level: (level.sku, level.source_code))
        ]
        if not rows:
            return
        insert = self._insert(stock_levels)
        is_newer = or_(stock_levels.c.snapshot_at.is_(None), stock_levels.c.snapshot_at <= insert.excluded.snapshot_at)
        set_ = {name: insert.excluded[name] for name in (*_SUM, *_WORDS)}
        statement = insert.on_conflict_do_update(index_elements=_KEY, set_=set_, where=is_newer)
        with self._writing("record snapshot") as connection:
            connection.execute(statement, rows)

    def record_push(self, levels: Sequence[StockLevel], state: PushState, *, batch_id: str = "") -> None:
        """Append these levels to the history of pushes, and keep `confirmed_levels` true.

        `pending` (before the call leaves) and `unknown` make Magento's figure unknown, so that it is sent again;
        `posted` makes it the level that was sent; `refused`, and `withdrawn` (recorded, then not sent), change nothing:
        after `pending` it stays unknown.
        """
        self.record_pushes([(levels, state)], batch_id=batch_id)

    def record_pushes(self, pushes: Sequence[tuple[Sequence[StockLevel], PushState]], *, batch_id: str = "") -> None:
        """Do what `record_push` does for several lists of levels, in their order and in one transaction."""
        kept = [(levels, state) for levels, state in pushes if levels]
        if not kept:
            return
        with self._writing("record push") as connection:
            for levels, state in kept:
                self._push(connection, levels, state, batch_id)

    def _push(self, connection: Connection, levels: Sequence[StockLevel], state: PushState, batch_id: str) -> None:
        now = self._now()
        ordered = sorted(levels, key=lambda level: (level.sku, level.source_code))
        rows = [{**_sum_of(level), "state": state, "batch_id": batch_id, "pushed_at": now} for level in ordered]
        connection.execute(stock_pushes.insert(), rows)
        if state in ("refused", "withdrawn"):
            return
        confirmed = [
            {
                "sku": level.sku,
                "source_code": level.source_code,
                "confirmed_qty": level.source_qty if state == "posted" else None,
                "confirmed_at": now,  # a reading from before says nothing any more
            }
            for level in ordered
        ]
        connection.execute(self._confirm(only_newer=False), confirmed)

    def confirm_levels(self, levels: Iterable[tuple[str, str, int, datetime]]) -> None:
        """Record what Magento was read to hold: (sku, source_code, quantity, read at). An older reading is left out."""
        rows = [
            {"sku": sku, "source_code": source_code, "confirmed_qty": quantity, "confirmed_at": at}
            for sku, source_code, quantity, at in sorted(levels)
        ]
        if rows:
            with self._writing("confirm levels") as connection:
                connection.execute(self._confirm(only_newer=True), rows)

    def forget_levels(self, keys: Iterable[tuple[str, str]]) -> None:
        """Mark what Magento holds for (sku, source_code) as not known, so that the next push sends it."""
        clearing = update(stock_levels).values(confirmed_qty=None, confirmed_at=self._now(), previous_qty=None)
        with self._writing("forget levels") as connection:
            for sku, source_code in sorted(keys):
                connection.execute(clearing.where(stock_levels.c.sku == sku, stock_levels.c.source_code == source_code))

    def write_anew(self, keys: Iterable[tuple[str, str]]) -> None:
        """Note a quantity that no sum makes, so that the next push writes these levels whatever Magento holds."""
        marking = update(stock_levels).values(confirmed_qty=NO_SUM, confirmed_at=self._now())
        with self._writing("write anew") as connection:
            for sku, source_code in sorted(keys):
                connection.execute(marking.where(stock_levels.c.sku == sku, stock_levels.c.source_code == source_code))

    def confirmed_levels(self) -> dict[tuple[str, str], int]:
        """Return what Magento is known to hold by (sku, source_code); what is not known is not in it."""
        query = select(stock_levels.c.sku, stock_levels.c.source_code, stock_levels.c.confirmed_qty).where(
            stock_levels.c.confirmed_qty.is_not(None)
        )
        with self._reading("confirmed levels") as connection:
            return {(sku, source): quantity for sku, source, quantity in connection.execute(query).all()}

    def stock_sums(self) -> dict[SourceKey, StockSum]:
        """Return the last sum of each level that had one, by (sku, source_code)."""
        levels = stock_levels.c
        query = select(
            levels.sku,
            levels.source_code,
            *(levels[name] for name in _UNITS),
            levels.available_date,
            levels.explanation,
        ).where(levels.source_qty.is_not(None))
        with self._reading("stock sums") as connection:
            return {
                (row[0], row[1]): StockSum._make((*row[2:7], row[7].isoformat() if row[7] else "", row[8]))
                for row in connection.execute(query).all()
            }

    def stock_level(self, sku: str) -> list[StockLevelRecord]:
        """Return the last sum of a SKU and what Magento holds, one record per source; empty when never seen."""
        query = select(stock_levels).where(stock_levels.c.sku == sku).order_by(stock_levels.c.source_code)
        with self._reading("stock level") as connection:
            return [StockLevelRecord(**row._asdict()) for row in connection.execute(query)]

    def stock_pushes(self, sku: str, limit: int = 20) -> list[StockPush]:
        """Return the latest pushes of a SKU, newest first."""
        query = select(stock_pushes).where(stock_pushes.c.sku == sku).order_by(stock_pushes.c.id.desc()).limit(limit)
        with self._reading("stock pushes") as connection:
            return [StockPush(**row._asdict()) for row in connection.execute(query)]

    def _confirm(self, *, only_newer: bool) -> Any:
        insert = self._insert(stock_levels)
        set_ = {name: insert.excluded[name] for name in ("confirmed_qty", "confirmed_at")}
        # What was there before: a push that Magento dropped is told from a change by somebody else with it.
        set_["previous_qty"] = func.coalesce(stock_levels.c.confirmed_qty, stock_levels.c.previous_qty)
        if not only_newer:
            return insert.on_conflict_do_update(index_elements=_KEY, set_=set_)
        is_newer = or_(
            stock_levels.c.confirmed_at.is_(None), stock_levels.c.confirmed_at <= insert.excluded.confirmed_at
        )
        return insert.on_conflict_do_update(index_elements=_KEY, set_=set_, where=is_newer)


def _sum_of(level: StockLevel) -> dict[str, Any]:
    """Return the row of a level; numbers become plain ints, which every driver takes."""
    units = {name: int(getattr(level, name)) for name in _UNITS}
    return {"sku": level.sku, "source_code": level.source_code, **units, "snapshot_at": level.snapshot_at}
