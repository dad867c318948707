"""What is at risk where a step did not state it: the order's total, or what a SKU's stock sells for."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, select

from schemas.documents import ExceptionNote
from schemas.reasons import REASONS
from tasks.systems.ledger.database import chunks, distinct
from tasks.systems.ledger.models import order_lines, orders, stock_levels


def valued(connection: Connection, notes: Sequence[ExceptionNote]) -> list[ExceptionNote]:
    """Return the notes, each with a value by the rule of its code. What a step stated stays as it is.

    `order gross`: the order's gross total. `stock value`: the units that PRIMA has or Magento holds of the SKU, at the
    price that an order paid last; nothing where it was never sold.
    """
    unvalued = [note for note in notes if not note.value_at_risk_pence]
    of_orders = [note.order_number for note in unvalued if _rule(note) == "order gross" and note.order_number]
    of_skus = [note.sku for note in unvalued if _rule(note) == "stock value" and note.sku]
    gross = _order_totals(connection, of_orders)
    stock = _stock_values(connection, of_skus)
    return [
        note if note.value_at_risk_pence else _with(note, gross.get(note.order_number), stock.get(note.sku))
        for note in notes
    ]


def _rule(note: ExceptionNote) -> str:
    return REASONS[note.code].value_rule


def _with(note: ExceptionNote, gross: tuple[int, str] | None, stock: tuple[int, str] | None) -> ExceptionNote:
    found = {"order gross": gross, "stock value": stock}.get(_rule(note))
    return note if found is None else replace(note, value_at_risk_pence=found[0], currency=found[1])


def _order_totals(connection: Connection, order_numbers: Sequence[str]) -> dict[str, tuple[int, str]]:
    found = {}
    for part in chunks(distinct(order_numbers)):
        query = select(orders.c.order_number, orders.c.gross_pence, orders.c.currency)
        for row in connection.execute(query.where(orders.c.order_number.in_(part))):
            found[row.order_number] = (row.gross_pence, row.currency)
    return found


def _stock_values(connection: Connection, skus: Sequence[str]) -> dict[str, tuple[int, str]]:
    found = {}
    for part in chunks(distinct(skus)):
        held = func.max(func.coalesce(stock_levels.c.confirmed_qty, 0))
        available = func.max(func.coalesce(stock_levels.c.available_to_sell, 0))
        levels = (
            select(stock_levels.c.sku, held.label("held"), available.label("available"))
            .where(stock_levels.c.sku.in_(part))
            .group_by(stock_levels.c.sku)
        )
        units = {row.sku: max(row.held, row.available) for row in connection.execute(levels)}
        latest = select(func.max(order_lines.c.item_id_magento)).where(
            order_lines.c.sku.in_(part), order_lines.c.quantity > 0
        )
        prices = (
            select(order_lines.c.sku, order_lines.c.gross_pence, order_lines.c.quantity, orders.c.currency)
            .join(orders, orders.c.order_number == order_lines.c.order_number)
            .where(order_lines.c.item_id_magento.in_(latest.group_by(order_lines.c.sku)))
        )
        for row in connection.execute(prices):
            worth = units.get(row.sku, 0) * row.gross_pence
            found[row.sku] = ((2 * worth + row.quantity) // (2 * row.quantity), row.currency)
    return found
