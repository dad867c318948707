"""The order desk: takes sales orders from the web, or refuses them, and tells their state."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from lxml import etree
from sqlalchemy import Connection, RowMapping, insert, select

from sandbox.prima import refusals
from sandbox.prima.documents import Data, alphabetical, result
from sandbox.prima.items import code_key
from sandbox.prima.refusals import Refusal
from sandbox.prima.settings import StandInSettings
from sandbox.prima.stock import codes_of, find_items, move
from sandbox.prima.store import Store, next_number
from sandbox.prima.tables import dispatches, order_lines, orders
from sandbox.prima.vat import half_up, vat_on_net
from schemas.money import to_decimal, vat_in_gross

FIRST_CUSTOMER = 912345

Amounts = dict[str, int]


@dataclass(frozen=True)
class Taken:
    """An order was taken, for this customer of PRIMA."""

    customer_code: str


class BadValueError(Exception):
    """A value of an order cannot be read."""

    def __init__(self, element: str, attribute: str, value: str) -> None:
        super().__init__(f"{element}/@{attribute}={value!r}")
        self.refusal = refusals.bad_value(element, attribute, value)


class OrderDesk:
    """Takes orders, one at a time, each in a transaction of its own."""

    def __init__(self, store: Store, settings: StandInSettings) -> None:
        self._store = store
        self._settings = settings

    def take(self, data: Data, now: datetime) -> Taken | list[Refusal]:
        """Store one order, allocate its stock and make its customer; or return why it is refused."""
        with self._store.writing() as connection:
            order_number = data.get("OrderNumber")
            if not order_number:
                return [refusals.bad_value("Data", "OrderNumber", "")]
            if connection.scalar(select(orders.c.sequence).where(orders.c.order_number == order_number)) is not None:
                noise = [refusals.NOISE_LINE, refusals.NOISE_CHARGES] if self._settings.dev_mode else []
                return [refusals.duplicate(order_number), *noise]
            lines, refused = self._lines(connection, data, now)
            if refused and not (lines and self._settings.drops_bad_lines):
                summary = [] if lines else [refusals.NO_VALID_LINES]
                return [*summary, *refused, refusals.NOISE_MATRIX]
            if not lines:
                return [refusals.NO_VALID_LINES]
            try:
                order = self._order(data, lines, now)
            except BadValueError as error:
                return [error.refusal]
            charge = order["charge_code"]
            if self._settings.charge_codes is not None and charge and charge not in self._settings.charge_codes:
                return [refusals.unknown_charge(charge)]
            order["sequence"] = next_number(connection, "order", 1)
            order["customer_code"] = data.get("Customer") or f"{self._new_customer(connection):010d}"
            connection.execute(insert(orders).values(**order))
            connection.execute(insert(order_lines), lines)
            for line in lines:
                move(connection, line["sku"], now, available=-line["quantity"])
            return Taken(order["customer_code"])

    @staticmethod
    def _new_customer(connection: Connection) -> int:
        return next_number(connection, "customer", FIRST_CUSTOMER)

    def _lines(self, connection: Connection, data: Data, now: datetime) -> tuple[list[dict[str, Any]], list[Refusal]]:
        sent = data.all("OrderLineData")
        found = find_items(connection, [codes_of(line) for line in sent])
        lines: list[dict[str, Any]] = []
        refused: list[Refusal] = []
        for position, line in enumerate(sent, start=1):
            codes = codes_of(line)
            item = found.get(code_key(codes))
            if item is None:
                refused.append(refusals.unknown_item(codes))
            elif not item["is_active"]:
                refused.append(refusals.inactive_item(codes))
            elif data.get("VatInclusive") != ("Yes" if self._has_vat(item["sku"]) else "No"):
                refused.append(refusals.VAT_INCLUSIVE_MISMATCH)
            else:
                try:
                    stored = self._line(line, position, item, data.get("Country"))
                except BadValueError as error:
                    refused.append(error.refusal)
                    continue
                if any(other["line_number"] == stored["line_number"] for other in lines):
                    refused.append(refusals.bad_value("OrderLineData", "OrderLine", line.get("OrderLine", "")))
                    continue
                lines.append({**stored, "order_number": data.get("OrderNumber"), "updated_at": now})
        return lines, refused

    def _has_vat(self, sku: str) -> bool:
        """Return whether the prices of the SKU's price book hold VAT."""
        return self._settings.vat_inclusive and sku not in self._settings.net_price_books

    def _line(self, line: dict[str, str], position: int, item: RowMapping, country: str) -> dict[str, Any]:
        quantity = _whole(line, "Quantity")
        if quantity < 1:
            raise BadValueError("OrderLineData", "Quantity", line.get("Quantity", ""))
        rate = self._settings.rate_of(item["vat_code"], country)
        return {
            "line_number": _whole(line, "OrderLine") if line.get("OrderLine") else position,
            "sku": item["sku"],
            **{name: item[name] for name in ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4", "is_stocked")},
            "quantity": quantity,
            "vat_code": item["vat_code"],
            "vat_rate": str(rate),
            **self._amounts(line, quantity, rate),
        }

    def _amounts(self, line: dict[str, str], quantity: int, rate: Decimal) -> Amounts:
        """Return a line's net, VAT and gross: VAT is ExtTaxVal where it is filled, else worked out at the rate."""
        meaning = self._settings.price_meaning
        price = _pence(line, "OrderLineData", "Price")
        off = self._settings.discount_attribute
        discount = _pence(line, "OrderLineData", off) if off and line.get(off) else Decimal(0)
        amount = half_up((price * quantity if meaning.startswith("unit") else price) - discount)
        locked = half_up(_pence(line, "OrderLineData", "ExtTaxVal")) if line.get("ExtTaxVal") else None
        if meaning.endswith("gross"):
            vat = vat_in_gross(amount, rate) if locked is None else locked
            return {"net": amount - vat, "vat": vat, "gross": amount}
        vat = vat_on_net(amount, rate) if locked is None else locked
        return {"net": amount, "vat": vat, "gross": amount + vat}

    def _order(self, data: Data, lines: Sequence[dict[str, Any]], now: datetime) -> dict[str, Any]:
        country = data.get("Country")
        charge = data.first("OrderChargeData")
        rate = self._settings.charge_rate(country)
        charged = half_up(_pence(charge, "OrderChargeData", "ChargeValue")) if charge.get("ChargeValue") else 0
        vat = vat_in_gross(charged, rate)
        amounts = {"charge_net": charged - vat, "charge_vat": vat, "charge_gross": charged}
        is_held = data.get("HoldOrder") == "Yes"
        return {
            "order_number": data.get("OrderNumber"),
            "status": "Held" if is_held else "On Order",
            "is_held": int(is_held),
            "currency": data.first("OrderHeaderData").get("Currency") or "GBP",
            "country": country,
            "charge_code": charge.get("Charge", ""),
            "charge_rate": str(rate),
            **amounts,
            **{name: amounts[f"charge_{name}"] + sum(line[name] for line in lines) for name in ("net", "vat", "gross")},
            "tran_amount": data.first("OrderPaymentData").get("TranAmount", ""),
            "sent": json.dumps({"Data": data.attributes, "children": data.children}),
            "ordered_at": now,
            "updated_at": now,
        }

    def answer_row(self, root: etree._Element, data: Data, outcome: Taken | list[Refusal]) -> None:
        """Add the `Data` row of one order to the answer; the request's `UniqueId` comes back as `UniqueID`."""
        taken = isinstance(outcome, Taken)
        row = etree.SubElement(
            root,
            "Data",
            alphabetical(
                {
                    "CustRef": "",
                    "CustomerCode": outcome.customer_code if isinstance(outcome, Taken) else "",
                    "OrderNumber": data.get("OrderNumber"),
                    "RequestStatus": "OK" if taken else "ERROR",
                    "TPGUID": data.get("TPGUID"),
                    "UniqueID": data.get("UniqueId"),
                }
            ),
        )
        if not isinstance(outcome, Taken):
            error = refusals.error_text(outcome, self._settings.dev_mode)
            etree.SubElement(row, "RequestError", {"Error": error, "UniqueID": data.get("UniqueId")})

    def status_answer(self, company: str, data: Data, *, with_parcels: bool = False) -> etree._Element:
        """Return the answer of OrderStatus for one order; ERROR with the not-found text for an unknown number.

        `with_parcels` adds what the reference knows nothing of: a `Despatch` for each dispatch, its parcels in it.
        """
        order_number = data.get("OrderNumber")
        left = select(dispatches).where(dispatches.c.order_number == order_number)
        with self._store.reading() as connection:
            status = connection.scalar(select(orders.c.status).where(orders.c.order_number == order_number))
            sent = connection.execute(left.order_by(dispatches.c.dispatch_number)).all() if with_parcels else []
        if status is None:
            error = f"{self._settings.not_found_text} {order_number} "
            return result(company, "OrderStatus", status="ERROR", error=error)
        root = result(company, "OrderStatus", status="OK")
        row = etree.SubElement(root, "Data", {"OrderNumber": order_number, "OrderStatus": status})
        for each in sent:
            despatch = etree.SubElement(
                row, "Despatch", {"Carrier": each.carrier, "DespatchNumber": each.dispatch_number}
            )
            for number in filter(None, each.tracking_numbers.split(";")):
                etree.SubElement(despatch, "Parcel", {"CarrServ": each.service, "TrackingNumber": number})
        return root


def _whole(line: dict[str, str], name: str) -> int:
    try:
        return int(line.get(name, ""))
    except ValueError as error:
        raise BadValueError("OrderLineData", name, line.get(name, "")) from error


def _pence(attributes: dict[str, str], element: str, name: str) -> Decimal:
    try:
        return to_decimal(attributes.get(name, "")) * 100
    except ValueError as error:
        raise BadValueError(element, name, attributes.get(name, "")) from error
