"""What was last written on each Magento order about its way through PRIMA."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, or_, select

from tasks.systems.ledger.database import Database, chunks, distinct
from tasks.systems.ledger.models import order_marks, orders

_REACHED = case((orders.c.state == "closed", "dispatched"), else_=orders.c.state)


@dataclass(frozen=True, slots=True)
class OrderMark:
    """How far an order is (`reached`), and the mark, the status and the status before it that were told last."""

    order_number: str
    entity_id_magento: int
    store_id: int
    order_number_prima: str
    reached: str
    mark: str
    status: str
    status_before: str
    told_at: datetime | None


class OrderMarks(Database):
    """One row an order that was marked."""

    def orders_to_mark(self, since: datetime, order_numbers: Sequence[str] = ()) -> list[OrderMark]:
        """Return orders that PRIMA accepted since then whose mark is not what they have reached, and these orders.

        Orders that PRIMA does not have yet, and cancelled ones, are left out.
        """
        query = (
            select(
                orders.c.order_number,
                orders.c.entity_id_magento,
                orders.c.store_id,
                orders.c.order_number_prima,
                _REACHED.label("reached"),
                order_marks.c.mark,
                order_marks.c.status,
                order_marks.c.status_before,
                order_marks.c.told_at,
            )
            .join(order_marks, order_marks.c.order_number == orders.c.order_number, isouter=True)
            .where(orders.c.state.in_(("accepted", "part_dispatched", "dispatched", "closed")))
            .order_by(orders.c.accepted_at, orders.c.order_number)
        )
        changed = and_(orders.c.accepted_at >= since, or_(order_marks.c.mark.is_(None), order_marks.c.mark != _REACHED))
        found: dict[str, OrderMark] = {}
        with self._reading("orders to mark") as connection:
            conditions = [changed, *(orders.c.order_number.in_(part) for part in chunks(distinct(order_numbers)))]
            for condition in conditions:
                for row in connection.execute(query.where(condition)):
                    marked = {name: row._mapping[name] or "" for name in ("mark", "status", "status_before")}
                    found[row.order_number] = OrderMark(**{**row._asdict(), **marked})
        return list(found.values())

    def set_order_mark(self, order_number: str, mark: str, status: str, status_before: str) -> None:
        """Remember what was written on an order."""
        insert = self._insert(order_marks).values(
            order_number=order_number, mark=mark, status=status, status_before=status_before, told_at=self._now()
        )
        told = {name: insert.excluded[name] for name in ("mark", "status", "status_before", "told_at")}
        with self._writing("set order mark") as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["order_number"], set_=told))
