"""What a day carried, by counts and sums, and what was not carried at its end."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, or_, select

from schemas.daily_facts import (
    CREDITED,
    LONDON,
    PLACED,
    POSTED,
    REFUNDED,
    SEEN,
    STOCKED,
    TOLD,
    DayTotal,
    LastReconciliation,
    StockState,
    StreamRuns,
    UntoldDispatches,
)
from tasks.systems.ledger.database import Database
from tasks.systems.ledger.models import (
    batches,
    credit_notes,
    orders,
    postings,
    refunds,
    stock_cycles,
    stock_levels,
    stock_pushes,
)
from tasks.systems.ledger.placed import PlacedOrder, placed_orders
from tasks.systems.ledger.states import ORDER_STATES, OrderStateName

NOT_POSTED: tuple[OrderStateName, ...] = ("seen", "held", "ready", "posting", "refused", "unknown")
SHIP = "ship"
RECONCILIATION, DISPATCHES = "reconciliation", "dispatches"
# A stream that ended well in so many days before is expected to run each day.
EXPECTED_DAYS = 7
_NAMES = ("magento_gross_pence", "variance_pence", "prima_gross_pence", "unexplained_variance_pence")


class DailyFigures(Database):
    """Reads for the report of a day; a row for each currency, and one of 0 for what there was none of."""

    def day_totals(self, start: datetime, end: datetime, business_date: date) -> list[DayTotal]:
        """Return what the day `[start, end)` carried: orders, dispatches, refunds, credit notes and stock."""
        order, refund, note = orders.c, refunds.c, credit_notes.c
        # The index on placed_at begins with the state.
        placed = and_(order.state.in_(ORDER_STATES), _within(order.placed_at, start, end))
        with self._reading("totals of a day") as connection:
            return [
                *_money(connection, PLACED, orders, placed),
                *_money(connection, SEEN, orders, _within(order.seen_at, start, end)),
                *_money(connection, POSTED, orders, _within(order.accepted_at, start, end)),
                DayTotal(TOLD, _told(connection, start, end)),
                *_money(connection, REFUNDED, refunds, _within(refund.refunded_at, start, end)),
                *_money(connection, CREDITED, credit_notes, note.credit_note_date == business_date),
                DayTotal(STOCKED, _written(connection, start, end)),
            ]

    def orders_not_posted(self, until: datetime) -> list[PlacedOrder]:
        """Return the orders that were seen before `until` and not accepted by PRIMA then, oldest first.

        One that was left out, cancelled or closed since is not among them: the ledger keeps the present state.
        """
        waits = or_(orders.c.state.in_(NOT_POSTED), orders.c.accepted_at >= until)
        with self._reading("orders not posted") as connection:
            return placed_orders(connection, and_(waits, orders.c.seen_at < until))

    def stream_runs(self, start: datetime, end: datetime) -> list[StreamRuns]:
        """Return the batches of the day by stream, with a row of none for a stream that ran in the days before."""
        batch = batches.c
        counted = (func.count(), func.count(batch.closed_at), func.max(batch.closed_at))
        is_well = batch.state == "closed"
        before = _within(batch.opened_at, start - timedelta(days=EXPECTED_DAYS), start)
        that_day = _within(batch.opened_at, start, end)
        with self._reading("runs of a day") as connection:
            begun = dict(_pairs(connection, select(batch.stream, func.count()).where(that_day), batch.stream))
            ended = {
                row.stream: row
                for row in connection.execute(
                    select(batch.stream, *counted).where(that_day, is_well).group_by(batch.stream)
                )
            }
            expected = connection.execute(select(batch.stream).where(before, is_well).distinct()).scalars().all()
        found = []
        for stream in sorted({*begun, *expected}):
            row = ended.get(stream)
            found.append(
                StreamRuns(stream, int(begun.get(stream, 0)), int(row[1]) if row else 0, row[3] if row else None)
            )
        return found

    def stock_state(self) -> StockState:
        """Return how many levels have a sum, and of how many Magento is not known to hold it."""
        level = stock_levels.c
        has_sum = level.source_qty.is_not(None)
        differs = or_(level.confirmed_qty.is_(None), level.confirmed_qty != level.source_qty)
        with self._reading("stock state") as connection:
            levels = connection.execute(select(func.count()).select_from(stock_levels).where(has_sum)).scalar_one()
            unsynced = connection.execute(
                select(func.count()).select_from(stock_levels).where(has_sum, differs)
            ).scalar_one()
            finished_at = connection.execute(select(func.max(stock_cycles.c.finished_at))).scalar_one()
        return StockState(int(levels), int(unsynced), finished_at)

    def untold_dispatches(self, until: datetime) -> UntoldDispatches:
        """Return how many dispatches the run that was the last to end by then left for the next one."""
        batch = batches.c
        query = (
            select(batch.closed_at, batch.control_totals)
            .where(batch.stream == DISPATCHES, batch.state != "failed", batch.closed_at <= until)
            .order_by(batch.closed_at.desc())
            .limit(1)
        )
        with self._reading("untold dispatches") as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return UntoldDispatches()
        return UntoldDispatches(int(row.control_totals.get("waiting", {}).get("count", 0)), row.closed_at)

    def last_reconciliation(self, until: datetime) -> LastReconciliation | None:
        """Return the reconciliation that was the last to end by then; None when none did."""
        batch = batches.c
        query = (
            select(batches)
            .where(batch.stream == RECONCILIATION, batch.state == "closed", batch.closed_at <= until)
            .order_by(batch.closed_at.desc())
            .limit(1)
        )
        with self._reading("last reconciliation") as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        last_instant = row.window_end - timedelta(microseconds=1)
        return LastReconciliation(
            row.batch_id,
            row.window_start.astimezone(LONDON).date(),
            last_instant.astimezone(LONDON).date(),
            row.closed_at,
            int(row.control_totals.get("breaks", 0)),
            int(row.control_totals.get("rejected", 0)),
            _documents(row.control_totals),
        )


def _within(column: Any, start: datetime, end: datetime) -> ColumnElement[bool]:
    return and_(column >= start, column < end)


def _money(connection: Connection, what: str, table: FromClause, condition: Any) -> list[DayTotal]:
    columns = table.c
    query = (
        select(
            columns.currency,
            func.count(),
            func.sum(columns.net_pence),
            func.sum(columns.vat_pence),
            func.sum(columns.gross_pence),
        )
        .where(condition)
        .group_by(columns.currency)
        .order_by(columns.currency)
    )
    found = [
        DayTotal(what, int(count), currency, int(net), int(vat), int(gross))
        for currency, count, net, vat, gross in connection.execute(query)
    ]
    return found or [DayTotal(what, 0)]


def _told(connection: Connection, start: datetime, end: datetime) -> int:
    posting = postings.c
    chosen = (posting.system == "magento", posting.state == "posted", posting.operation == SHIP)
    query = select(func.count(posting.key.distinct())).where(*chosen, _within(posting.finished_at, start, end))
    return int(connection.execute(query).scalar_one())


def _written(connection: Connection, start: datetime, end: datetime) -> int:
    push = stock_pushes.c
    query = select(func.count()).select_from(stock_pushes)
    return int(
        connection.execute(query.where(push.state == "posted", _within(push.pushed_at, start, end))).scalar_one()
    )


def _pairs(connection: Connection, query: Any, by: Any) -> Sequence[tuple[str, int]]:
    return [(name, int(count)) for name, count in connection.execute(query.group_by(by))]


def _documents(totals: dict[str, Any]) -> list[tuple[str, str, int, int, int, int]]:
    """Return the sums that a run of the reconciliation left in its batch, by document and currency."""
    keys = sorted({tuple(name.split(" ")[:2]) for name in totals if name.endswith(_NAMES[0])})
    found = []
    for level, currency in keys:
        magento, variance, prima, unexplained = (int(totals[f"{level} {currency} {name}"]) for name in _NAMES)
        found.append((level, currency, magento, variance, prima, unexplained))
    return found
