"""The reporting database: one SQL view for each extract of `schemas/extracts.py`, with exactly its columns.

On SQLite money is text with two decimals and an instant the text `2026-11-23 02:52:35`; on PostgreSQL they are
NUMERIC(12,2) and TIMESTAMP (UTC).
"""

from sqlalchemy import Connection, text

from schemas.extracts import EXTRACTS

_FROM: dict[str, str] = {
    "sales_orders": "stand_in_orders t",
    "sales_order_lines": "stand_in_order_lines t",
    "invoices": "stand_in_invoices t",
    "invoice_lines": "stand_in_invoice_lines t",
    "credit_notes": "stand_in_credit_notes t",
    "credit_note_lines": "stand_in_credit_note_lines t",
    "dispatches": "stand_in_dispatches t",
    "dispatch_lines": "stand_in_dispatch_lines t",
    "items": "stand_in_items t",
    "prices": "stand_in_items t where t.is_stocked = 1",
    "stock": "stand_in_items t where t.is_stocked = 1 and t.is_active = 1",
}

# Extract column -> column of ours, where the names differ.
_NAMES: dict[str, str] = {
    "order_number_prima": "order_number",
    "net_amount": "net",
    "vat_amount": "vat",
    "gross_amount": "gross",
    "delivery_net_amount": "charge_net",
    "delivery_vat_amount": "charge_vat",
    "delivery_gross_amount": "charge_gross",
    "quantity_dispatched": "dispatched",
    "quantity_cancelled": "cancelled",
    "gross_price": "price",
}

# The stock room is one warehouse; what is allocated there is what orders have taken off the available units.
_STOCK: dict[str, str] = {
    "warehouse": "'MAIN'",
    "available_quantity": "case when t.available > 0 then t.available else 0 end",
    "physical_quantity": "case when t.physical > 0 then t.physical else 0 end",
    "allocated_quantity": "case when t.physical > t.available then t.physical - t.available else 0 end",
    "reserved_quantity": "0",
}


def create_views(connection: Connection) -> None:
    """Create the views anew; the tables must exist."""
    for name in EXTRACTS:
        connection.execute(text(f"drop view if exists {name}"))
        connection.execute(text(view_sql(name, connection.dialect.name)))


def view_sql(name: str, dialect: str) -> str:
    """Return the CREATE VIEW statement of an extract for `sqlite` or `postgresql`."""
    columns = [f"{_expression(name, c.name, c.type, dialect)} as {c.name}" for c in EXTRACTS[name].columns]
    return f"create view {name} as select {', '.join(columns)} from {_FROM[name]}"


def _expression(extract: str, column: str, kind: str, dialect: str) -> str:
    if extract == "prices" and column == "currency":
        return "'GBP'"
    if extract == "items" and column == "vat_rate":
        rate = "case t.vat_code when 'S' then '20' when 'R' then '5' else '0' end"
        return f"({rate})::numeric" if dialect == "postgresql" else rate
    if extract == "credit_note_lines" and column == "quantity":
        return "case t.line_type when 'goods' then t.quantity else 0 end"
    if extract in ("invoice_lines", "credit_note_lines") and column == "order_line_number":
        return "case t.line_type when 'goods' then t.order_line_number end"
    if extract == "stock" and column in _STOCK:
        return _STOCK[column]
    source = f"t.{_NAMES.get(column, column)}"
    if kind == "money":
        return _money(source, dialect)
    if kind == "rate" and dialect == "postgresql":
        return f"{source}::numeric"
    return source


def _money(pence: str, dialect: str) -> str:
    if dialect == "postgresql":
        return f"({pence} / 100.0)::numeric(12,2)"
    return f"printf('%s%d.%02d', case when {pence} < 0 then '-' else '' end, abs({pence}) / 100, abs({pence}) % 100)"
