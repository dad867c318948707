"""What the last whole stock cycle went by, and the same now: a few figures over tables that may be long."""

from collections.abc import Collection, Mapping

from sqlalchemy import and_, case, delete, func, select

from schemas.stock_marks import FinishedCycle, LevelState, StockMarks
from tasks.systems.ledger.catalogue import STOCKED_TYPES
from tasks.systems.ledger.database import Database
from tasks.systems.ledger.models import exceptions, magento_products, stock_cycles, stock_levels

STREAM = "stock"


class StockCycles(Database):
    """At most one finished cycle is kept. It is forgotten before another one begins, so a crash leaves none."""

    def finished_cycle(self) -> FinishedCycle | None:
        """Return the last whole cycle that was finished; None when another one was begun since."""
        query = select(stock_cycles).where(stock_cycles.c.stream == STREAM)
        with self._reading("finished cycle") as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return FinishedCycle(row.batch_id, row.finished_at, StockMarks.of(row.marks), row.counts)

    def keep_finished_cycle(self, batch_id: str, marks: StockMarks, counts: Mapping[str, int]) -> None:
        """Keep a cycle that was carried out to its end."""
        row = {
            "stream": STREAM,
            "batch_id": batch_id,
            "marks": marks.kept(),
            "counts": dict(counts),
            "finished_at": self._now(),
        }
        insert = self._insert(stock_cycles).values(row)
        with self._writing("keep finished cycle") as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["stream"], set_=row))

    def forget_finished_cycle(self) -> None:
        """Forget the last finished cycle: another one begins to change what it left."""
        with self._writing("forget finished cycle") as connection:
            connection.execute(delete(stock_cycles).where(stock_cycles.c.stream == STREAM))

    def level_state(self) -> LevelState:
        """Return what Magento is known to hold as counts, sums and the last time that any of it was learned."""
        levels = stock_levels.c
        is_astray = and_(levels.confirmed_qty.is_not(None), levels.confirmed_qty != levels.source_qty)
        query = select(
            func.count(),
            func.count(levels.confirmed_qty),
            func.coalesce(func.sum(levels.confirmed_qty), 0),
            func.coalesce(func.sum(levels.source_qty), 0),
            func.max(levels.confirmed_at),
            func.coalesce(func.sum(case((is_astray, 1), else_=0)), 0),
        ).select_from(stock_levels)
        with self._reading("level state") as connection:
            *figures, astray = connection.execute(query).one()
        return LevelState(" ".join(str(figure) for figure in figures), int(astray))

    def product_state(self) -> str:
        """Return how many products Magento is known to have, and how many of them have a stock of their own."""
        is_stocked = case((magento_products.c.type_id.in_(STOCKED_TYPES), 1), else_=0)
        query = select(func.count(), func.coalesce(func.sum(is_stocked), 0)).select_from(magento_products)
        with self._reading("product state") as connection:
            return " ".join(str(figure) for figure in connection.execute(query).one())

    def exception_state(self, codes: Collection[str]) -> str:
        """Return how many exceptions of these codes are open, and the newest of them."""
        query = select(func.count(), func.max(exceptions.c.id)).where(
            exceptions.c.state == "open", exceptions.c.code.in_(sorted(codes))
        )
        with self._reading("exception state") as connection:
            return " ".join(str(figure) for figure in connection.execute(query).one())
