"""Orders: what Magento told of each, how far Magento is with it, and the units that are still open."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from tasks.errors import ConfigurationError
from tasks.systems.ledger.database import SYSTEM, Database, chunks, distinct
from tasks.systems.ledger.models import order_lines, orders
from tasks.systems.ledger.order_rows import LINE_REPLACED, PROGRESS, REPLACED, line_row, order_record, order_row
from tasks.systems.ledger.records import (
    UNSHIPPED_PRODUCT_TYPES,
    LineProgress,
    MovedLine,
    OpenLine,
    OrderRecord,
    SeenOrders,
)
from tasks.systems.ledger.states import OrderStateName

Rows = list[dict[str, Any]]


class Orders(Database):
    """One row per Magento order, and its lines."""

    def see_orders(self, rows: Sequence[OrderRecord]) -> SeenOrders:
        """Keep what Magento tells of these orders; new ones begin in `seen`, the state of the others stays.

        Told again, an order changes nothing. A reading older than the one kept is left out, quantities that only grow
        in Magento never shrink, and a PRIMA number once given stays. Raises ConfigurationError, and writes nothing,
        when a PRIMA number already belongs to another order.
        """
        now = self._now()
        told: dict[str, OrderRecord] = {}
        for order in sorted(rows, key=lambda order: order.updated_at):
            told[order.order_number] = order
        made = {number: order_row(told[number], now) for number in sorted(told)}
        with self._writing("see orders") as connection:
            kept = {row.order_number: row for row in _rows_of(connection, list(made))}
            changed = [
                number
                for number, row in made.items()
                if number in kept
                and row["content_hash"] != kept[number].content_hash
                and row["updated_at"] >= kept[number].updated_at
            ]
            new = [number for number in made if number not in kept]
            written = sorted([*new, *changed])
            if written:
                lines = [line_row(number, line) for number in written for line in told[number].lines]
                _refuse_taken_numbers(connection, [made[number] for number in written])
                self._write(connection, [made[number] for number in written], lines)
                _remove_lines(connection, changed, {(line["order_number"], line["item_id_magento"]) for line in lines})
        return SeenOrders(len(new), len(changed), len(made) - len(written), tuple(new), tuple(changed))

    def update_order_progress(self, rows: Sequence[LineProgress]) -> list[MovedLine]:
        """Record how far Magento is with these lines; return the lines that moved. Unknown lines are left out.

        A partial shipment does not touch the order's `updated_at` in Magento, so an earlier reading may well arrive
        later: of each quantity the larger one is the true one.
        """
        told = {(row.order_number, int(row.item_id_magento)): row for row in rows}
        moved: list[MovedLine] = []
        grown: Rows = []
        with self._writing("update order progress") as connection:
            for part in chunks(distinct(row.order_number for row in rows)):
                query = select(order_lines).where(order_lines.c.order_number.in_(part)).with_for_update()
                for line in connection.execute(
                    query.order_by(order_lines.c.order_number, order_lines.c.item_id_magento)
                ):
                    progress = told.get((line.order_number, line.item_id_magento))
                    before = {name: line._mapping[name] for name in PROGRESS}
                    after = {name: max(kept, int(getattr(progress, name, 0))) for name, kept in before.items()}
                    if after != before:
                        moved.append(MovedLine(line.order_number, line.item_id_magento, line.sku, line.source_code))
                        grown.append({"of_order": line.order_number, "of_item": line.item_id_magento, **after})
            if grown:
                this_line = and_(
                    order_lines.c.order_number == bindparam("of_order"),
                    order_lines.c.item_id_magento == bindparam("of_item"),
                )
                connection.execute(
                    update(order_lines).where(this_line).values({name: bindparam(name) for name in PROGRESS}), grown
                )
        return moved

    def order(self, order_number: str) -> OrderRecord | None:
        """Return an order with its lines, or None."""
        with self._reading("order") as connection:
            found = records_of(connection, _rows_of(connection, [order_number]))
        return found[0] if found else None

    def orders(self, order_numbers: Sequence[str]) -> list[OrderRecord]:
        """Return those of these orders that are known, with their lines."""
        with self._reading("orders") as connection:
            return records_of(connection, _rows_of(connection, order_numbers))

    def order_by_prima_number(self, order_number_prima: str) -> OrderRecord | None:
        """Return the order that PRIMA keeps under this number, or None."""
        if not order_number_prima:
            return None
        query = select(orders).where(orders.c.order_number_prima == order_number_prima)
        with self._reading("order by PRIMA number") as connection:
            found = records_of(connection, connection.execute(query).all())
        return found[0] if found else None

    def orders_in_state(self, *states: OrderStateName, limit: int | None = None) -> list[OrderRecord]:
        """Return the orders in these states with their lines, placed longest ago first."""
        query = (
            select(orders)
            .where(orders.c.state.in_(states))
            .order_by(orders.c.placed_at, orders.c.order_number)
            .limit(limit)
        )
        with self._reading("orders in state") as connection:
            return records_of(connection, connection.execute(query).all())

    def order_states(self, order_numbers: Sequence[str]) -> dict[str, OrderStateName]:
        """Return the state of each of these orders that is known."""
        states: dict[str, OrderStateName] = {}
        with self._reading("order states") as connection:
            for part in chunks(distinct(order_numbers)):
                query = select(orders.c.order_number, orders.c.state).where(orders.c.order_number.in_(part))
                states.update((row.order_number, row.state) for row in connection.execute(query))
        return states

    def order_numbers_known(self, order_numbers: Sequence[str]) -> set[str]:
        """Return those of these order numbers that were seen before."""
        return set(self.order_states(order_numbers))

    def accepted_numbers(self, entity_ids: Iterable[int]) -> set[str]:
        """Return the order numbers of those Magento entity ids whose orders PRIMA has accepted."""
        numbers: set[str] = set()
        with self._reading("accepted numbers") as connection:
            for part in chunks(sorted({int(entity_id) for entity_id in entity_ids})):
                query = select(orders.c.order_number).where(
                    orders.c.entity_id_magento.in_(part), orders.c.accepted_at.is_not(None)
                )
                numbers.update(connection.execute(query).scalars())
        return numbers

    def oldest_open_order(self) -> datetime | None:
        """Return when the oldest order was placed that PRIMA accepted and that is not closed; None without one."""
        query = select(func.min(orders.c.placed_at)).where(
            orders.c.accepted_at.is_not(None), orders.c.state.not_in(("closed", "cancelled"))
        )
        with self._reading("oldest open order") as connection:
            oldest: datetime | None = connection.execute(query).scalar_one()
        return oldest

    def count_orders(self) -> dict[OrderStateName, int]:
        """Return how many orders are in each state that has any."""
        query = select(orders.c.state, func.count()).group_by(orders.c.state).order_by(orders.c.state)
        with self._reading("count orders") as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def open_units(self, accepted_before: datetime) -> dict[tuple[str, str], int]:
        """Return by (sku, source_code) the units that PRIMA has taken off its stock and Magento still reserves.

        That is, for each line of an order that PRIMA accepted before the instant:
        quantity - cancelled - the larger of shipped and refunded, never below 0 (refunded beyond shipped means
        refunded before shipping). Virtual lines count as shipped when invoiced, as Magento does.
        """
        totals: dict[tuple[str, str], int] = {}
        for line in self._open_lines(orders.c.accepted_at < accepted_before):
            key = (line.sku, line.source_code)
            totals[key] = totals.get(key, 0) + line.units
        return totals

    def open_lines(self, sku: str, accepted_before: datetime) -> list[OpenLine]:
        """Return the lines that make up `open_units` of a SKU, to explain the figure."""
        return self._open_lines(and_(orders.c.accepted_at < accepted_before, order_lines.c.sku == sku))

    def _open_lines(self, condition: Any) -> list[OpenLine]:
        line = order_lines.c
        taken = case(
            (line.product_type.in_(UNSHIPPED_PRODUCT_TYPES), line.quantity_invoiced), else_=line.quantity_shipped
        )
        gone = case((line.quantity_refunded > taken, line.quantity_refunded), else_=taken)
        units = (line.quantity - line.quantity_cancelled - gone).label("units")
        query = (
            select(line.order_number, line.sku, line.source_code, units)
            .join(orders, orders.c.order_number == line.order_number)
            # In the words of the partial index, which therefore serves the query.
            .where(line.quantity > line.quantity_shipped + line.quantity_cancelled, units > 0, condition)
            .order_by(line.order_number, line.line_number)
        )
        with self._reading("open units") as connection:
            return [OpenLine(**row._asdict()) for row in connection.execute(query)]

    def _write(self, connection: Connection, order_rows: Rows, lines: Rows) -> None:
        insert = self._insert(orders)
        new = insert.excluded
        kept_number = case(
            (orders.c.order_number_prima == "", new.order_number_prima), else_=orders.c.order_number_prima
        )
        replaced: dict[str, Any] = {name: new[name] for name in REPLACED}
        replaced["order_number_prima"] = kept_number
        replaced["evidence_id"] = func.coalesce(new.evidence_id, orders.c.evidence_id)
        upsert = insert.on_conflict_do_update(
            index_elements=["order_number"], set_=replaced, where=orders.c.updated_at <= new.updated_at
        )
        try:
            connection.execute(upsert, order_rows)
        except IntegrityError as error:
            raise _taken("another order just took one of the PRIMA numbers") from error
        if not lines:
            return
        line_insert = self._insert(order_lines)
        new_line = line_insert.excluded
        line_replaced: dict[str, Any] = {name: new_line[name] for name in LINE_REPLACED}
        for name in PROGRESS:
            line_replaced[name] = case(
                (order_lines.c[name] < new_line[name], new_line[name]), else_=order_lines.c[name]
            )
        key = ["order_number", "item_id_magento"]
        ordered = sorted(lines, key=lambda line: (line["order_number"], line["item_id_magento"]))
        connection.execute(line_insert.on_conflict_do_update(index_elements=key, set_=line_replaced), ordered)


def _rows_of(connection: Connection, order_numbers: Sequence[str]) -> list[Any]:
    found: list[Any] = []
    for part in chunks(distinct(order_numbers)):
        found.extend(connection.execute(select(orders).where(orders.c.order_number.in_(part))))
    return found


def records_of(connection: Connection, rows: Iterable[Any]) -> list[OrderRecord]:
    """Return the records of rows of `orders`, with their lines."""
    found = list(rows)
    lines: dict[str, list[Any]] = {row.order_number: [] for row in found}
    for part in chunks(sorted(lines)):
        query = select(order_lines).where(order_lines.c.order_number.in_(part)).order_by(order_lines.c.line_number)
        for line in connection.execute(query):
            lines[line.order_number].append(line)
    return [order_record(row, lines[row.order_number]) for row in found]


def _remove_lines(connection: Connection, changed: Sequence[str], told: set[tuple[str, int]]) -> None:
    """Remove the lines that a changed order does not have any more (an extension of the shop edited it)."""
    for part in chunks(changed):
        query = select(order_lines.c.order_number, order_lines.c.item_id_magento)
        kept = connection.execute(query.where(order_lines.c.order_number.in_(part))).all()
        for number, item in kept:
            if (number, item) not in told:
                this_line = and_(order_lines.c.order_number == number, order_lines.c.item_id_magento == item)
                connection.execute(delete(order_lines).where(this_line))


def _refuse_taken_numbers(connection: Connection, rows: Rows) -> None:
    """Two orders under one PRIMA number would each look posted as soon as one is."""
    numbered: dict[str, str] = {}
    clashes = []
    for row in rows:
        owner = numbered.setdefault(row["order_number_prima"], row["order_number"])
        if row["order_number_prima"] and owner != row["order_number"]:
            clashes.append(f"{row['order_number_prima']} (orders {owner} and {row['order_number']})")
    for part in chunks(distinct(number for number in numbered if number)):
        query = select(orders.c.order_number, orders.c.order_number_prima).where(orders.c.order_number_prima.in_(part))
        for number, prima in connection.execute(query):
            if numbered[prima] != number:
                clashes.append(f"{prima} (orders {number} and {numbered[prima]})")
    if clashes:
        raise _taken(f"two orders would have one PRIMA number: {', '.join(sorted(clashes))}")


def _taken(problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"{problem}.",
        system=SYSTEM,
        operation="see orders",
        next_step="Check prima.orders: number_from, number_prefix and number_length.",
    )
