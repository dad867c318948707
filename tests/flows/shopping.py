"""What happens around a flow: goods on the shelf of both systems, a customer who buys, a person at Magento's admin."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from sandbox.magento.carts import Cart, CartLine, Customer, PostalAddress
from sandbox.prima.items import Item
from tasks import connect
from tasks.systems.magento import MagentoClient
from tests.installation import Installation

PRICE = Decimal("12.00")
CUSTOMER = Customer("Ada", "Example", "ada@shop.example")
ADDRESS = PostalAddress("Ada", "Example", ("1 Sample Street",), "Sampletown", "ZZ1 1ZZ")


def a_line(sku: str, quantity: int = 1, product_type: str = "simple") -> CartLine:
    """Return a line of a cart."""
    return CartLine(sku, quantity, PRICE, name=sku, product_type=product_type, child_name=sku)


def stock_both(installation: Installation, available: Mapping[str, int]) -> None:
    """Give PRIMA these units of these SKUs, and Magento a product for each with the same units."""
    for sku, units in available.items():
        installation.prima.add_items([Item(sku, sku.replace("-", ""), available=units, price=PRICE)])
        installation.magento.add_product(sku, price=PRICE, quantity=units)


def buy(installation: Installation, *lines: CartLine) -> dict[str, Any]:
    """Let a customer buy these lines, delivery paid by cheque; returns Magento's order."""
    return installation.magento.place_order(Cart(lines, CUSTOMER, ADDRESS))


def prima_number(order: Mapping[str, Any]) -> str:
    """Return the number under which PRIMA gets an order."""
    return f"30{order['entity_id']:06d}"


@contextmanager
def by_hand(installation: Installation) -> Iterator[MagentoClient]:
    """Work in Magento as somebody in its admin does, past the flows and the ledger."""
    with connect.open_magento(installation.settings) as magento:
        yield magento


def state(installation: Installation, order: Mapping[str, Any]) -> str:
    """Return the state of an order in the ledger."""
    with installation.ledger() as ledger:
        found = ledger.order(order["increment_id"])
    assert found is not None, f"{order['increment_id']} is not in the ledger"
    return found.state


def in_prima(installation: Installation, sql: str) -> None:
    """Change PRIMA's own tables, as somebody at its database would."""
    with sqlite3.connect(installation.folder / "prima.db") as database:
        database.execute(sql)
