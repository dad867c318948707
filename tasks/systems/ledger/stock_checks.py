"""What a read-back of stock is compared with: levels as the ledger knows them, pushes by call, open lines."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import and_, case, delete, func, select

from schemas.documents import SourceKey
from schemas.drift import KnownLevel, ReadBack
from tasks.systems.ledger.database import Database, chunks, distinct
from tasks.systems.ledger.models import order_lines, orders, stock_levels, stock_pushes, stock_read_backs
from tasks.systems.ledger.records import UNSHIPPED_PRODUCT_TYPES


class StockChecks(Database):
    """What was written, and what a run confirmed by reading, is recorded by `Stock`; here is the history of reading."""

    def record_read_backs(self, batch_id: str, read_backs: Sequence[ReadBack]) -> None:
        """Append levels as they were read to the history that `stock_read_backs` shows."""
        if read_backs:
            rows = [{**asdict(each), "batch_id": batch_id} for each in read_backs]
            with self._writing("record read-backs") as connection:
                connection.execute(stock_read_backs.insert(), rows)

    def stock_read_backs(self, sku: str, limit: int = 20) -> list[ReadBack]:
        """Return how the levels of a SKU were read in Magento the last times, newest first."""
        rows = stock_read_backs.c
        query = select(rows.sku, rows.source_code, rows.read_at, rows.quantity, rows.expected, rows.cause)
        with self._reading("stock read-backs") as connection:
            found = connection.execute(query.where(rows.sku == sku).order_by(rows.id.desc()).limit(limit))
            return [ReadBack(**row._asdict()) for row in found]

    def forget_read_backs(self, *, before: datetime) -> int:
        """Forget what was read before an instant; return how many readings of a level that were."""
        with self._writing("forget read-backs") as connection:
            return connection.execute(delete(stock_read_backs).where(stock_read_backs.c.read_at < before)).rowcount

    def known_levels(self, skus: Sequence[str] | None = None) -> dict[SourceKey, KnownLevel]:
        """Return what each source is known to hold, by (sku, source_code); `skus` None means all."""
        levels, pushes = stock_levels.c, stock_pushes.c
        its_push = and_(
            pushes.sku == levels.sku,
            pushes.source_code == levels.source_code,
            pushes.state == "posted",
            pushes.pushed_at == levels.confirmed_at,
        )
        query = (
            select(
                levels.sku,
                levels.source_code,
                levels.confirmed_qty,
                levels.confirmed_at,
                levels.previous_qty,
                pushes.id,
            )
            .join_from(stock_levels, stock_pushes, its_push, isouter=True)
            .where(levels.confirmed_qty.is_not(None))
        )
        wanted = [None] if skus is None else list(chunks(distinct(skus)))
        with self._reading("known levels") as connection:
            return {
                (row[0], row[1]): KnownLevel(row[2], row[3], row[4], is_from_push=row[5] is not None)
                for part in wanted
                for row in connection.execute(query if part is None else query.where(levels.sku.in_(part)))
            }

    def some_levels(self, count: int) -> list[SourceKey]:
        """Return so many of the levels that are known, others each time."""
        levels = stock_levels.c
        query = select(levels.sku, levels.source_code).where(levels.confirmed_qty.is_not(None))
        with self._reading("some levels") as connection:
            return [(row[0], row[1]) for row in connection.execute(query.order_by(func.random()).limit(count))]

    def writes_of(self, batch_id: str) -> list[list[SourceKey]]:
        """Return the levels that each call of a run wrote, as Magento's answers have it, oldest call first."""
        pushes = stock_pushes.c
        query = (
            select(pushes.sku, pushes.source_code, pushes.pushed_at)
            .where(pushes.batch_id == batch_id, pushes.state == "posted")
            .order_by(pushes.id)
        )
        calls: dict[object, list[SourceKey]] = {}
        with self._reading("writes of a run") as connection:
            for row in connection.execute(query):
                calls.setdefault(row.pushed_at, []).append((row.sku, row.source_code))
        return list(calls.values())

    def open_line_units(self) -> dict[tuple[str, int], tuple[str, int]]:
        """Return SKU and units, by order number and item id, of accepted lines still to be shipped in Magento."""
        line = order_lines.c
        taken = case(
            (line.product_type.in_(UNSHIPPED_PRODUCT_TYPES), line.quantity_invoiced), else_=line.quantity_shipped
        )
        gone = case((line.quantity_refunded > taken, line.quantity_refunded), else_=taken)
        units = (line.quantity - line.quantity_cancelled - gone).label("units")
        query = (
            select(line.order_number, line.item_id_magento, line.sku, units)
            .join(orders, orders.c.order_number == line.order_number)
            .where(line.quantity > line.quantity_shipped + line.quantity_cancelled, units > 0)
            .where(orders.c.accepted_at.is_not(None))
        )
        with self._reading("open lines") as connection:
            return {(row.order_number, row.item_id_magento): (row.sku, row.units) for row in connection.execute(query)}

    def accepted_among(self, order_numbers: Sequence[str]) -> set[str]:
        """Return those of these orders that PRIMA has accepted."""
        found: set[str] = set()
        with self._reading("accepted orders") as connection:
            for part in chunks(distinct(order_numbers)):
                query = select(orders.c.order_number).where(
                    orders.c.order_number.in_(part), orders.c.accepted_at.is_not(None)
                )
                found.update(connection.execute(query).scalars())
        return found
