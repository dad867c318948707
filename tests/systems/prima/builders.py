"""Orders and settings that are valid by default; a test says only what it is about."""

from dataclasses import replace
from typing import Any

from schemas.documents import Address, Payment, SalesOrder, SalesOrderLine, StockTuple
from tasks.settings import PrimaSettings

BOOT = StockTuple("HARBRN", "F", "075")
WAX = StockTuple("WAXTIN", "NONE", "ONE")
NOT_FOUND = "(E:22) Sales Order Header does not exist with Order Number equal to"


def prima_settings(**changes: Any) -> PrimaSettings:
    """Return settings; `orders` and `reporting` may hold single changes of their sections."""
    orders = {
        "number_prefix": "3",
        "price_meaning": "line_gross",
        "vat_lock": "ext_tax_val",
        "delivery_as": "charge",
        **changes.pop("orders", {}),
    }
    values = {
        "wsdl_url": "http://127.0.0.1:1/wsalive/wsalive/wsdl?targetURI=urn:omlink",
        "status_not_found_text": NOT_FOUND,
        "orders": orders,
        **changes,
    }
    return PrimaSettings.model_validate(values)


def an_address(**changes: Any) -> Address:
    values = {
        "forename": "Asha",
        "surname": "Quill",
        "street": ("7 Fenwick Row", "Flat 2"),
        "town": "Northby",
        "county": "Westshire",
        "postcode": "NB1 2CD",
        "country": "GB",
        "email": "asha@example.test",
        "phone": "01632960123",
    }
    return Address(**{**values, **changes})


def a_line(number: int = 1, **changes: Any) -> SalesOrderLine:
    """Return a line of 3 x £19.99 with the VAT of £9.99 that was charged by line."""
    line = SalesOrderLine(number, 100 + number, "BOOT-F-075", BOOT, 3, 4998, 999, 5997)
    return replace(line, **changes)


def an_order(**changes: Any) -> SalesOrder:
    """Return order 000000042 with one line and £3.95 delivery; totals follow the lines unless they are given."""
    lines = changes.get("lines", (a_line(),))
    delivery = {"delivery_net_pence": 329, "delivery_vat_pence": 66, "delivery_gross_pence": 395}
    delivery |= {name: changes[name] for name in delivery if name in changes}
    values: dict[str, Any] = {
        "order_number": "000000042",
        "order_number_prima": "30000042",
        "entity_id_magento": 42,
        "currency": "GBP",
        "channel": "MailOrder",
        "brand": "",
        "delivery_address": an_address(),
        "invoice_address": an_address(forename="Ravi", street=("1 Quay",), email="ravi@example.test"),
        "lines": lines,
        **delivery,
        "delivery_charge_code": "STD48",
        "carrier": "",
        "service": "",
        "payment": Payment("CSH", "PAYPAL", "NONE", "PAYPAL", "TX-EXAMPLE-1"),
        "note": "",
        "net_pence": sum(line.net_pence for line in lines) + delivery["delivery_net_pence"],
        "vat_pence": sum(line.vat_pence for line in lines) + delivery["delivery_vat_pence"],
        "gross_pence": sum(line.gross_pence for line in lines) + delivery["delivery_gross_pence"],
    }
    return SalesOrder(**{**values, **changes})
