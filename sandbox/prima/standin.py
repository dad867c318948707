"""PRIMA for rehearsals: a web service, a warehouse, accounts and a reporting database, in one process."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping, select

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.prima import app
from sandbox.prima.accounts import Accounts
from sandbox.prima.items import Item, items_of_orders
from sandbox.prima.orders import OrderDesk
from sandbox.prima.service import WebService
from sandbox.prima.settings import DELIVERY, ROUNDING, StandInSettings, VatHabit
from sandbox.prima.soap import name_of
from sandbox.prima.stock import StockRoom
from sandbox.prima.store import Store
from sandbox.prima.tables import order_lines, orders
from sandbox.prima.warehouse import Warehouse, line_rows, order_row, plan
from sandbox.serving import Server


class PrimaStandIn:
    """A stand-in of PRIMA with its state in a folder; a context manager that serves while it is entered.

    `settings` (or single settings by name: `PrimaStandIn(folder, style="rpc_encoded")`) say how this installation
    differs; they may be changed while it runs, through `settings`. Its Python API takes effect at once, without
    HTTP, and raises KeyError for an order or SKU that does not exist and ValueError for what makes no sense.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        port: int = 0,
        reporting_url: str | None = None,
        clock: Clock | None = None,
        faults: Faults | None = None,
        settings: StandInSettings | None = None,
        tls: Mapping[str, Any] | None = None,
        **different: Any,
    ) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.reporting_url = reporting_url or f"sqlite:///{(state_dir / 'prima.db').resolve()}"
        self.clock = clock or Clock()
        self.faults = faults or Faults()
        self.settings = replace(settings or StandInSettings(), **different)
        self._store = Store(self.reporting_url)
        self._stock = StockRoom(self._store, self.settings)
        self._desk = OrderDesk(self._store, self.settings)
        self._warehouse = Warehouse(self._store)
        self._accounts = Accounts(self._store, self.settings)
        self._service = WebService(self.settings, self._stock, self._desk, self.faults, self._now)
        self._server = Server(self.faults.wrap(app.application(self, self._service), name_of), port=port, tls=tls)
        services = {DELIVERY: "Delivery", ROUNDING: "Rounding"}
        missing = [name for name in services if name not in self._stock.known()[0]]
        if missing:
            self.add_items([Item(name, name, description=services[name], is_stocked=False) for name in missing])

    def _now(self, operation: str) -> datetime:
        """Return the instant to write down, naive UTC; the fault stale_clock puts it back."""
        stale = self.faults.take("stale_clock", operation)
        behind = timedelta(seconds=float(stale["seconds"])) if stale else timedelta()
        return (self.clock.now() - behind).replace(tzinfo=None)

    # Serving.

    def start(self) -> None:
        """Serve; returns once calls are answered."""
        self._server.start()

    def stop(self) -> None:
        """Stop serving: connections are refused until `start`. State stays."""
        self._server.stop()

    def close(self) -> None:
        """Stop serving and close the database."""
        self.stop()
        self._store.close()

    def __enter__(self) -> "PrimaStandIn":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Address of the web service, where calls are POSTed."""
        return f"{self._server.url}{app.PATH}"

    @property
    def control_url(self) -> str:
        """Address of the control endpoints, without a final slash."""
        return f"{self._server.url}/_sandbox"

    @property
    def wsdl_url(self) -> str:
        """Address of the WSDL."""
        return f"{self.url}/wsdl?targetURI={self.settings.target_uri}"

    @property
    def vat_habit(self) -> VatHabit:
        """How invoices get their VAT: `locked` keeps each line's, `recalculated` works it out on the total by rate."""
        return self.settings.vat_habit

    @vat_habit.setter
    def vat_habit(self, habit: VatHabit) -> None:
        if habit not in ("locked", "recalculated"):
            raise ValueError(f"{habit!r} is not a VAT habit: locked, recalculated")
        self.settings.vat_habit = habit

    @property
    def not_found_text(self) -> str:
        """How the error of OrderStatus begins for an order that does not exist (the stand-in's own text)."""
        return self.settings.not_found_text

    @not_found_text.setter
    def not_found_text(self, text: str) -> None:
        self.settings.not_found_text = text

    # Items and stock.

    def add_items(self, rows: Iterable[Item]) -> None:
        """Add items; ValueError when a SKU or stock tuple exists already (tuples are compared without case)."""
        self._stock.add(rows, self._now("items"))

    def items_from_orders(self, documents: Iterable[Mapping[str, Any]]) -> list[Item]:
        """Add an item for each new SKU of Magento order documents and return the items added.

        Available: 100 and the units that those orders have neither shipped nor cancelled. See `items.items_of_orders`.
        """
        skus, keys = self._stock.known()
        added = [item for item in items_of_orders(documents, keys) if item.sku not in skus]
        self.add_items(added)
        return added

    def items(self) -> list[dict[str, Any]]:
        """Return all items: sku, product, mtrx1..mtrx4, vat_code, price (pence), physical and available units."""
        return self._stock.rows()

    def available(self, sku: str) -> int:
        """Return the units available to sell (below zero when oversold)."""
        return int(self._stock.row(sku)["available"])

    def physical(self, sku: str) -> int:
        """Return the units in the warehouse."""
        return int(self._stock.row(sku)["physical"])

    def receive(self, sku: str, n: int) -> None:
        """Take goods in."""
        self._stock.move(sku, self._now("receive"), physical=n, available=n)

    def sell_elsewhere(self, sku: str, n: int) -> None:
        """Sell units in a shop or by telephone: they are gone."""
        self._stock.move(sku, self._now("sell_elsewhere"), physical=-n, available=-n)

    def expect(self, sku: str, day: date | None) -> None:
        """Say when the next stock of an item is expected; it shows while nothing is available."""
        self._stock.change(sku, self._now("items"), available_date=day)

    def change_item(self, sku: str, **values: Any) -> None:
        """Set `is_active` (0 or 1), `vat_code`, `description` or `price` (pence) of an item."""
        unknown = set(values) - {"is_active", "vat_code", "description", "price"}
        if unknown:
            raise ValueError(f"cannot set {', '.join(sorted(unknown))} of an item")
        self._stock.change(sku, self._now("items"), **values)

    # Orders.

    def orders(self) -> list[dict[str, Any]]:
        """Return all orders in the order in which they were taken; see `order`."""
        with self._store.reading() as connection:
            rows = connection.execute(select(orders).order_by(orders.c.sequence)).mappings().all()
            lines = connection.execute(select(order_lines).order_by(order_lines.c.line_number)).mappings().all()
        by_order: dict[str, list[RowMapping]] = {}
        for line in lines:
            by_order.setdefault(line["order_number"], []).append(line)
        return [_order(row, by_order.get(row["order_number"], [])) for row in rows]

    def order(self, number: str) -> dict[str, Any] | None:
        """Return an order, or None.

        The columns of `tables.orders` with amounts in pence (`net`, `vat`, `gross`, `charge_gross`), `lines` (of
        `tables.order_lines`) and `sent`, the
        attributes as they came: `{"Data": {...}, "children": [[name, {...}]]}`.
        """
        with self._store.reading() as connection:
            try:
                return _order(order_row(connection, number), line_rows(connection, number))
            except KeyError:
                return None

    def order_numbers(self) -> list[str]:
        """Return the numbers of all orders in the order in which they were taken."""
        with self._store.reading() as connection:
            return list(connection.scalars(select(orders.c.order_number).order_by(orders.c.sequence)))

    def requests(self) -> list[dict[str, str]]:
        """Return the inner documents that arrived: request_type, xml, answer (only the start of a long one)."""
        return list(self._service.requests)

    # Warehouse.

    def dispatch(
        self,
        number: str,
        lines: Mapping[int, int] | None = None,
        carrier: str = "DPD",
        service: str = "NEXTDAY",
        tracking: Sequence[str] | None = None,
        parcels: int = 1,
    ) -> str:
        """Dispatch `{line number: units}` (None: all open units) and return the dispatch number.

        Tracking numbers are made up, one for each parcel, unless they are given. The dispatch is invoiced at once when
        `settings.invoices_on_dispatch` says so.
        """
        dispatch_number, sent = self._warehouse.dispatch(
            number, lines, self._now("dispatch"), carrier=carrier, service=service, tracking=tracking, parcels=parcels
        )
        if self.settings.invoices_on_dispatch:
            self._accounts.invoice_dispatch(number, sent, self._now("invoice"))
        return dispatch_number

    def cancel(self, number: str, lines: Mapping[int, int] | Sequence[int] | None = None) -> None:
        """Cancel an order, some of its lines (a list), or units of them (a mapping); only what has not left."""
        self._warehouse.cancel(number, lines, self._now("cancel"))

    def release(self, number: str) -> None:
        """Release a held order."""
        self._warehouse.release(number, self._now("release"))

    def run_warehouse(
        self,
        *,
        seed: int = 0,
        part: float = 0.15,
        split: float = 0.1,
        several_parcels: float = 0.15,
        cancel: float = 0.0,
        limit: int | None = None,
        carriers: Sequence[tuple[str, str]] = (("DPD", "NEXTDAY"),),
    ) -> list[str]:
        """Work through the open orders, oldest first, and return the dispatch numbers.

        Shares of orders: `part` leave in part (the rest in a later run), `split` in two dispatches, `several_parcels`
        of the dispatches in two or three parcels, `cancel` are cancelled. What happens to an order depends only on the
        seed and its number. An order that was dispatched in part before leaves whole.
        """
        dispatched = []
        for number, status, goods in self._warehouse.open_orders()[:limit]:
            dice = random.Random(f"{seed}:{number}")
            is_cancelled, carrier = dice.random() < cancel, dice.choice(carriers)
            if status == "Part Despatched":
                dispatches = [goods]
            elif is_cancelled:
                self.cancel(number)
                continue
            else:
                dispatches = plan(goods, dice, part=part, split=split)
            for lines in dispatches:
                parcels = dice.randint(2, 3) if dice.random() < several_parcels else 1
                dispatched.append(self.dispatch(number, lines, *carrier, parcels=parcels))
        return dispatched

    # Accounts.

    def invoice(self, number: str, lines: Mapping[int, int] | None = None) -> str:
        """Invoice units (None: all neither cancelled nor invoiced) by the VAT habit and return the invoice number."""
        return self._accounts.invoice(number, lines, self._now("invoice"))

    def credit(
        self,
        number: str,
        lines: Mapping[int, int] | None = None,
        *,
        delivery: bool = False,
        reason: str = "RETURN",
        restock: bool = False,
    ) -> str:
        """Credit invoiced units (None: all) and, if asked, the delivery charge; returns the credit note number."""
        return self._accounts.credit(
            number, lines, self._now("credit"), delivery=delivery, reason=reason, restock=restock
        )


def _order(row: RowMapping, lines: Sequence[RowMapping]) -> dict[str, Any]:
    return {**row, "sent": json.loads(row["sent"]), "lines": [dict(line) for line in lines]}
