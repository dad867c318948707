"""The warehouse: dispatches whole, in part, split, in several parcels; cancels orders and lines."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update

from sandbox.prima.stock import move
from sandbox.prima.store import Store, next_number
from sandbox.prima.tables import dispatch_lines, dispatches, order_lines, orders

FIRST_DISPATCH = 900001

Quantities = Mapping[int, int]


def order_row(connection: Connection, order_number: str) -> RowMapping:
    """Return an order's row; KeyError for an unknown number."""
    found = connection.execute(select(orders).where(orders.c.order_number == order_number)).mappings().first()
    if found is None:
        raise KeyError(f"no order {order_number}")
    return found


def line_rows(connection: Connection, order_number: str) -> list[RowMapping]:
    """Return an order's lines by line number."""
    chosen = select(order_lines).where(order_lines.c.order_number == order_number).order_by(order_lines.c.line_number)
    return list(connection.execute(chosen).mappings())


def open_units(line: RowMapping) -> int:
    """Return the units of a line that have neither left nor been cancelled."""
    return int(line["quantity"] - line["dispatched"] - line["cancelled"])


class Warehouse:
    """Moves goods out of the door."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def dispatch(
        self,
        order_number: str,
        lines: Quantities | None,
        now: datetime,
        *,
        carrier: str,
        service: str,
        tracking: Sequence[str] | None,
        parcels: int = 1,
    ) -> tuple[str, dict[int, int]]:
        """Dispatch units (`{line number: units}`, None for all that are open); return the number and the units sent.

        KeyError for an unknown order, ValueError for one that is held, for lines it does not have and for more units
        than are open. Services (delivery as a line) leave with the first dispatch and stand on no dispatch line.
        """
        with self._store.writing() as connection:
            order = order_row(connection, order_number)
            if order["is_held"]:
                raise ValueError(f"order {order_number} is held")
            rows = line_rows(connection, order_number)
            leaving = chosen_units(rows, lines, open_units)
            goods = {row["line_number"]: leaving[row["line_number"]] for row in rows if _goes_out(row, leaving)}
            if not goods:
                raise ValueError(f"order {order_number} has nothing to dispatch")
            number = next_number(connection, "dispatch", FIRST_DISPATCH)
            numbers = tracking if tracking is not None else [f"1550{number:06d}{n:04d}" for n in range(1, parcels + 1)]
            named = {"dispatch_number": f"D{number}", "order_number": order_number, "updated_at": now}
            connection.execute(
                insert(dispatches).values(
                    **named, dispatched_at=now, carrier=carrier, service=service, tracking_numbers=";".join(numbers)
                )
            )
            sent: dict[int, int] = {}
            for row in rows:
                units = goods.get(row["line_number"], 0) if row["is_stocked"] else open_units(row)
                if units:
                    sent[row["line_number"]] = units
                    _change_line(connection, row, now, dispatched=row["dispatched"] + units)
                    move(connection, row["sku"], now, physical=-units)
            by_number = {row["line_number"]: row for row in rows}
            for position, (line_number, units) in enumerate(goods.items(), start=1):
                codes = {name: by_number[line_number][name] for name in ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4")}
                connection.execute(
                    insert(dispatch_lines).values(
                        **named, **codes, line_number=position, order_line_number=line_number, quantity=units
                    )
                )
            settle_status(connection, order_number, now)
            return f"D{number}", sent

    def cancel(self, order_number: str, lines: Quantities | Sequence[int] | None, now: datetime) -> None:
        """Cancel open units (all, the lines of a list, or `{line number: units}`) and free their stock.

        KeyError for an unknown order, ValueError when nothing is open or more is asked for than is open.
        """
        with self._store.writing() as connection:
            order_row(connection, order_number)
            rows = line_rows(connection, order_number)
            if lines is not None and not isinstance(lines, Mapping):
                lines = {row["line_number"]: open_units(row) for row in rows if row["line_number"] in lines}
            leaving = chosen_units(rows, lines, open_units)
            if not any(leaving.values()):
                raise ValueError(f"order {order_number} has nothing to cancel")
            for row in rows:
                units = leaving[row["line_number"]]
                if units:
                    _change_line(connection, row, now, cancelled=row["cancelled"] + units)
                    move(connection, row["sku"], now, available=units)
            settle_status(connection, order_number, now)

    def release(self, order_number: str, now: datetime) -> None:
        """Let a held order go on; KeyError for an unknown one."""
        with self._store.writing() as connection:
            order_row(connection, order_number)
            connection.execute(update(orders).where(orders.c.order_number == order_number).values(is_held=0))
            settle_status(connection, order_number, now)

    def open_orders(self) -> list[tuple[str, str, dict[int, int]]]:
        """Return number, status and open units of goods by line of each order that can be dispatched, oldest first."""
        with self._store.reading() as connection:
            waiting = select(orders.c.order_number, orders.c.status).where(
                orders.c.status.in_(("On Order", "Part Despatched")), orders.c.is_held == 0
            )
            found = []
            for order in connection.execute(waiting.order_by(orders.c.sequence)).all():
                rows = line_rows(connection, order.order_number)
                goods = {row["line_number"]: open_units(row) for row in rows if row["is_stocked"] and open_units(row)}
                if goods:
                    found.append((order.order_number, order.status, goods))
        return found


def plan(goods: dict[int, int], dice: random.Random, *, part: float, split: float) -> list[dict[int, int]]:
    """Return the dispatches of one order for now: all at once, in two, or only a part with the rest left for later."""
    throw = dice.random()
    if sum(goods.values()) < 2 or throw >= part + split:
        return [goods]
    first: dict[int, int] = {}
    units = dice.randint(1, sum(goods.values()) - 1)
    for line_number, quantity in goods.items():
        taken = min(quantity, units - sum(first.values()))
        if taken:
            first[line_number] = taken
    if throw < part:
        return [first]
    rest = {number: quantity - first.get(number, 0) for number, quantity in goods.items()}
    return [first, {number: quantity for number, quantity in rest.items() if quantity}]


def chosen_units(
    rows: Sequence[RowMapping], lines: Quantities | None, most: Callable[[RowMapping], int]
) -> dict[int, int]:
    """Return units by line number: those asked for, or all that `most(row)` allows; ValueError for too many."""
    allowed = {row["line_number"]: most(row) for row in rows}
    if lines is None:
        return allowed
    for number, units in lines.items():
        if number not in allowed:
            raise ValueError(f"there is no line {number}")
        if not 0 <= units <= allowed[number]:
            raise ValueError(f"line {number}: {units} units asked for, {allowed[number]} possible")
    return {number: lines.get(number, 0) for number in allowed}


def settle_status(connection: Connection, order_number: str, now: datetime) -> None:
    """Work out an order's status from its goods (from its services where it has no goods) and store it."""
    order = order_row(connection, order_number)
    rows = line_rows(connection, order_number)
    goods = [row for row in rows if row["is_stocked"]] or rows
    dispatched = sum(row["dispatched"] for row in goods)
    still_open = sum(open_units(row) for row in goods)
    if dispatched:
        status = "Part Despatched" if still_open else "Despatched"
    elif not still_open:
        status = "Cancelled"
    else:
        status = "Held" if order["is_held"] else "On Order"
    connection.execute(
        update(orders).where(orders.c.order_number == order_number).values(status=status, updated_at=now)
    )


def _goes_out(row: RowMapping, leaving: dict[int, int]) -> bool:
    return bool(row["is_stocked"]) and leaving[row["line_number"]] > 0


def _change_line(connection: Connection, row: RowMapping, now: datetime, **values: int) -> None:
    connection.execute(
        update(order_lines)
        .where(order_lines.c.order_number == row["order_number"], order_lines.c.line_number == row["line_number"])
        .values(**values, updated_at=now)
    )
