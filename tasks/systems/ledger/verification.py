"""Which accepted orders PRIMA shows with our figures, and orders by the numbers that PRIMA gives them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, update

from tasks.systems.ledger.database import Database, chunks, distinct
from tasks.systems.ledger.models import orders
from tasks.systems.ledger.orders import records_of
from tasks.systems.ledger.records import OrderRecord


class Verification(Database):
    """An order is verified once: when PRIMA's net, VAT and gross equal ours, on the order and on each line."""

    def unverified_orders(self) -> list[OrderRecord]:
        """Return the orders that PRIMA accepted and that are neither verified nor cancelled, longest accepted first."""
        query = (
            select(orders)
            # In the words of the partial index, which therefore serves the query.
            .where(orders.c.verified_at.is_(None), orders.c.accepted_at.is_not(None), orders.c.state != "cancelled")
            .order_by(orders.c.accepted_at, orders.c.order_number)
        )
        with self._reading("unverified orders") as connection:
            return records_of(connection, connection.execute(query).all())

    def note_verified(self, order_numbers: Sequence[str]) -> int:
        """Remember that these orders are verified, now; return for how many that is new."""
        noted = 0
        with self._writing("note verified") as connection:
            for part in chunks(distinct(order_numbers)):
                new = orders.c.order_number.in_(part), orders.c.verified_at.is_(None)
                noted += connection.execute(update(orders).where(*new).values(verified_at=self._now())).rowcount
        return noted

    def orders_by_prima_numbers(self, order_numbers_prima: Sequence[str]) -> list[OrderRecord]:
        """Return those orders that PRIMA keeps under one of these numbers, with their lines."""
        found: list[Row[Any]] = []
        with self._reading("orders by PRIMA numbers") as connection:
            for part in chunks(distinct(number for number in order_numbers_prima if number)):
                found.extend(connection.execute(select(orders).where(orders.c.order_number_prima.in_(part))))
            return records_of(connection, found)
