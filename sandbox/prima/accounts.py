"""The accounts: invoices and credit notes, and the habit that decides what VAT they show."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from sandbox.prima.settings import DELIVERY, StandInSettings
from sandbox.prima.stock import move
from sandbox.prima.store import Store, next_number
from sandbox.prima.tables import credit_note_lines, credit_notes, invoice_lines, invoices, order_lines, orders
from sandbox.prima.vat import part_of, spread_vat
from sandbox.prima.warehouse import chosen_units, line_rows, order_row

FIRST_INVOICE = 500001
FIRST_CREDIT_NOTE = 700001
LONDON = ZoneInfo("Europe/London")


def not_invoiced(line: RowMapping) -> int:
    """Return the units of a line that can still be invoiced."""
    return int(line["quantity"] - line["cancelled"] - line["invoiced"])


def not_credited(line: RowMapping) -> int:
    """Return the invoiced units of a line that can still be credited."""
    return int(line["invoiced"] - line["credited"])


class Accounts:
    """Writes invoices and credit notes."""

    def __init__(self, store: Store, settings: StandInSettings) -> None:
        self._store = store
        self._settings = settings

    def invoice(self, order_number: str, lines: Mapping[int, int] | None, now: datetime) -> str:
        """Invoice units (None: all that are neither cancelled nor invoiced) and return the invoice number.

        The delivery charge stands on an order's first invoice. KeyError for an unknown order, ValueError when there
        is nothing to invoice or more is asked for than there is.
        """
        with self._store.writing() as connection:
            order = order_row(connection, order_number)
            rows = line_rows(connection, order_number)
            units = chosen_units(rows, lines, not_invoiced)
            written = [_goods_line(row, units[row["line_number"]]) for row in rows if units[row["line_number"]]]
            if not written:
                raise ValueError(f"order {order_number} has nothing to invoice")
            if not order["charge_invoiced"] and order["charge_gross"]:
                written.append(_charge_line(order))
            if self._settings.vat_habit == "recalculated":
                recalculate(written, amounts_are_net=self._settings.price_meaning.endswith("net"))
            number = f"INV{next_number(connection, 'invoice', FIRST_INVOICE)}"
            named = {"invoice_number": number, "order_number": order_number, "updated_at": now}
            connection.execute(
                insert(invoices).values(
                    **named, invoice_date=_london(now), currency=order["currency"], **_totals(written)
                )
            )
            for position, line in enumerate(written, start=1):
                connection.execute(insert(invoice_lines).values(**named, **line, line_number=position))
            for row in rows:
                if units[row["line_number"]]:
                    _count(connection, row, now, invoiced=row["invoiced"] + units[row["line_number"]])
            connection.execute(
                update(orders).where(orders.c.order_number == order_number).values(charge_invoiced=1, updated_at=now)
            )
            return number

    def invoice_dispatch(self, order_number: str, sent: Mapping[int, int], now: datetime) -> str | None:
        """Invoice the units of a dispatch, less any that were invoiced before; None when that leaves nothing."""
        with self._store.reading() as connection:
            possible = {row["line_number"]: not_invoiced(row) for row in line_rows(connection, order_number)}
        units = {number: min(quantity, possible[number]) for number, quantity in sent.items()}
        return self.invoice(order_number, units, now) if any(units.values()) else None

    def credit(
        self,
        order_number: str,
        lines: Mapping[int, int] | None,
        now: datetime,
        *,
        delivery: bool,
        reason: str,
        restock: bool,
    ) -> str:
        """Credit invoiced units (None: all) as they were invoiced and return the credit note number.

        `delivery` credits the delivery charge too; `restock` puts the goods back on sale. KeyError for an unknown
        order, ValueError when there is nothing to credit or more is asked for than was invoiced.
        """
        with self._store.writing() as connection:
            order = order_row(connection, order_number)
            rows = line_rows(connection, order_number)
            units = chosen_units(rows, lines, not_credited)
            credited = [
                _goods_line(row, units[row["line_number"]]) | _credited(connection, row, units[row["line_number"]])
                for row in rows
                if units[row["line_number"]]
            ]
            if delivery:
                if order["charge_credited"]:
                    raise ValueError(f"delivery of order {order_number} is credited already")
                credited.append(_charge_line(order) | _invoiced(connection, order_number, None))
            if not credited:
                raise ValueError(f"order {order_number} has nothing to credit")
            of_order = select(func.max(invoices.c.invoice_number)).where(invoices.c.order_number == order_number)
            number = f"CRN{next_number(connection, 'credit note', FIRST_CREDIT_NOTE)}"
            connection.execute(
                insert(credit_notes).values(
                    credit_note_number=number,
                    order_number=order_number,
                    invoice_number=connection.scalar(of_order) or "",
                    credit_note_date=_london(now),
                    currency=order["currency"],
                    **_totals(credited),
                    reason=reason,
                    updated_at=now,
                )
            )
            named = {"credit_note_number": number, "order_number": order_number, "updated_at": now}
            for position, line in enumerate(credited, start=1):
                connection.execute(insert(credit_note_lines).values(**named, **line, line_number=position))
            for row in rows:
                back = units[row["line_number"]]
                if back:
                    _count(connection, row, now, credited=row["credited"] + back)
                    if restock:
                        move(connection, row["sku"], now, physical=back, available=back)
            changed = {"charge_credited": 1} if delivery else {}
            connection.execute(
                update(orders).where(orders.c.order_number == order_number).values(**changed, updated_at=now)
            )
            return number


def recalculate(lines: list[dict[str, Any]], *, amounts_are_net: bool) -> None:
    """Work VAT out anew on the total of each rate, delivery included, and spread it over the lines.

    With prices that include VAT the gross stays what the customer paid, and net gives way.
    """
    by_rate: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_rate.setdefault(line["vat_rate"], []).append(line)
    kept, moved, sign = ("net", "gross", 1) if amounts_are_net else ("gross", "net", -1)
    for rate, same_rate in by_rate.items():
        shares = spread_vat([line[kept] for line in same_rate], Decimal(rate), amounts_are_net=amounts_are_net)
        for line, vat in zip(same_rate, shares, strict=True):
            line["vat"] = vat
            line[moved] = line[kept] + sign * vat


def _goods_line(row: RowMapping, units: int) -> dict[str, Any]:
    is_delivery = not row["is_stocked"]
    gross, vat = (part_of(row[name], row["invoiced"], units, row["quantity"]) for name in ("gross", "vat"))
    return {
        "line_type": "delivery" if is_delivery else "goods",
        "order_line_number": row["line_number"],
        **{name: row[name] for name in ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4", "vat_rate")},
        "quantity": units,
        "net": gross - vat,
        "vat": vat,
        "gross": gross,
    }


def _charge_line(order: RowMapping) -> dict[str, Any]:
    return {
        "line_type": "delivery",
        "order_line_number": None,
        "product": order["charge_code"] or DELIVERY,
        "quantity": 1,
        "vat_rate": order["charge_rate"],
        **{name: order[f"charge_{name}"] for name in ("net", "vat", "gross")},
    }


def _totals(lines: list[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(line[name] for line in lines) for name in ("net", "vat", "gross")}


def _invoiced(connection: Connection, order_number: str, line_number: int | None) -> dict[str, int]:
    """Return what was invoiced of an order line (None: of the delivery charge), over all invoices."""
    amounts = [func.coalesce(func.sum(invoice_lines.c[name]), 0) for name in ("net", "vat", "gross")]
    chosen = select(*amounts).where(
        invoice_lines.c.order_number == order_number,
        invoice_lines.c.order_line_number.is_not_distinct_from(line_number),
    )
    net, vat, gross = connection.execute(chosen).one()
    return {"net": int(net), "vat": int(vat), "gross": int(gross)}


def _credited(connection: Connection, row: RowMapping, units: int) -> dict[str, int]:
    whole = _invoiced(connection, row["order_number"], row["line_number"])
    gross, vat = (part_of(whole[name], row["credited"], units, row["invoiced"]) for name in ("gross", "vat"))
    return {"net": gross - vat, "vat": vat, "gross": gross}


def _count(connection: Connection, row: RowMapping, now: datetime, **values: int) -> None:
    connection.execute(
        update(order_lines)
        .where(order_lines.c.order_number == row["order_number"], order_lines.c.line_number == row["line_number"])
        .values(**values, updated_at=now)
    )


def _london(now: datetime) -> Any:
    return now.replace(tzinfo=ZoneInfo("UTC")).astimezone(LONDON).date()
