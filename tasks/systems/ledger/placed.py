"""Orders by when they were placed, without their lines: for counting whole weeks of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from tasks.systems.ledger.database import Database, chunks, distinct
from tasks.systems.ledger.models import order_lines, orders
from tasks.systems.ledger.states import ORDER_STATES, OrderStateName

_COLUMNS = (
    "order_number",
    "entity_id_magento",
    "store_id",
    "state",
    "state_since",
    "state_magento",
    "status_magento",
    "placed_at",
    "updated_at",
    "accepted_at",
    "order_number_prima",
    "currency",
    "gross_pence",
    "vat_pence",
)


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """How far an order has come, without lines. `accepted_at` is None until PRIMA has it."""

    order_number: str
    entity_id_magento: int
    store_id: int
    state: OrderStateName
    state_since: datetime
    state_magento: str
    status_magento: str
    placed_at: datetime
    updated_at: datetime
    accepted_at: datetime | None
    order_number_prima: str
    currency: str
    gross_pence: int
    vat_pence: int


@dataclass(frozen=True, slots=True)
class PlacedLines:
    """When an order was placed, and SKU and units of each of its lines."""

    order_number: str
    placed_at: datetime
    lines: tuple[tuple[str, int], ...]


class PlacedOrders(Database):
    """Reads without lines. Every state is named in them, because the index on placed_at begins with the state."""

    def orders_placed(self, since: datetime, until: datetime | None = None) -> list[PlacedOrder]:
        """Return the orders placed in `[since, until)`, oldest first."""
        query = select(*_columns()).where(orders.c.state.in_(ORDER_STATES), orders.c.placed_at >= since)
        if until is not None:
            query = query.where(orders.c.placed_at < until)
        with self._reading("orders placed") as connection:
            return _placed(connection.execute(query.order_by(orders.c.placed_at, orders.c.order_number)))

    def placed_by_number(self, order_numbers: Sequence[str]) -> list[PlacedOrder]:
        """Return those of these orders that are known."""
        found: list[PlacedOrder] = []
        with self._reading("orders placed") as connection:
            for part in chunks(distinct(order_numbers)):
                found += _placed(connection.execute(select(*_columns()).where(orders.c.order_number.in_(part))))
        return found

    def numbers_taken(self, numbers: Sequence[str]) -> dict[str, str]:
        """Return those of PRIMA's numbers that an order has, with the order's number."""
        taken: dict[str, str] = {}
        with self._reading("numbers taken") as connection:
            for part in chunks(distinct(number for number in numbers if number)):
                # The partial index on the number holds only orders that have one, and must be told so.
                chosen = (orders.c.order_number_prima.in_(part), orders.c.order_number_prima != "")
                rows = connection.execute(select(orders.c.order_number_prima, orders.c.order_number).where(*chosen))
                taken.update((row.order_number_prima, row.order_number) for row in rows)
        return taken

    def lines_placed(self, windows: Sequence[tuple[datetime, datetime]], *states: OrderStateName) -> list[PlacedLines]:
        """Return the orders in these states that were placed in one of the windows, both ends included."""
        found: dict[str, tuple[datetime, list[tuple[str, int]]]] = {}
        columns = (orders.c.order_number, orders.c.placed_at, order_lines.c.sku, order_lines.c.quantity)
        query = select(*columns).join(order_lines, order_lines.c.order_number == orders.c.order_number)
        with self._reading("lines placed") as connection:
            for since, until in windows:
                chosen = query.where(orders.c.state.in_(states), orders.c.placed_at.between(since, until))
                lines: dict[str, tuple[datetime, list[tuple[str, int]]]] = {}
                for row in connection.execute(chosen):
                    lines.setdefault(row.order_number, (row.placed_at, []))[1].append((row.sku, row.quantity))
                found |= lines
        return [PlacedLines(number, at, tuple(lines)) for number, (at, lines) in sorted(found.items())]

    def times_placed(self, since: datetime) -> list[datetime]:
        """Return when each order since then was placed, oldest first."""
        query = select(orders.c.placed_at).where(orders.c.state.in_(ORDER_STATES), orders.c.placed_at >= since)
        with self._reading("times placed") as connection:
            return list(connection.execute(query.order_by(orders.c.placed_at)).scalars())


def placed_orders(connection: Connection, condition: ColumnElement[bool]) -> list[PlacedOrder]:
    """Return the orders of a condition, oldest first."""
    query = select(*_columns()).where(condition).order_by(orders.c.placed_at, orders.c.order_number)
    return _placed(connection.execute(query))


def _columns() -> list[Any]:
    return [orders.c[name] for name in _COLUMNS]


def _placed(rows: Iterable[Row[Any]]) -> list[PlacedOrder]:
    return [PlacedOrder(**row._asdict()) for row in rows]
