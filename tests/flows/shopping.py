"""What happens around a flow: goods on the shelf of both systems, a customer who buys, a person at Magento's admin."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from flows.orders import sync_orders
from sandbox.magento.carts import Cart, CartLine, Customer, PostalAddress
from sandbox.prima.items import Item
from tasks import connect
from tasks.systems.magento import MagentoClient
from tests.installation import Installation

Order = dict[str, Any]

TEE, JEANS = "TEE-NAVY-M", "JEANS-BLUE-32"
STOCK_WRITE = "POST /V1/inventory/source-items"
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


def buy(installation: Installation, *lines: CartLine) -> Order:
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


def accepted_order(installation: Installation) -> Order:
    """Return an order of 3 tees and 2 pairs of jeans that PRIMA has accepted."""
    stock_both(installation, {TEE: 100, JEANS: 100})
    bought = buy(installation, a_line(TEE, 3), a_line(JEANS, 2))
    sync_orders()
    return bought


def shipped_units(shipment: Order, order: Order) -> dict[str, int]:
    """Return what a Magento shipment holds of an order, by SKU."""
    skus = {line["item_id"]: line["sku"] for line in order["items"]}
    return {skus[item["order_item_id"]]: item["qty"] for item in shipment["items"]}


def tracks(shipment: Order) -> list[tuple[str, str, str]]:
    """Return number, carrier code and title of each track of a Magento shipment."""
    return [(track["track_number"], track["carrier_code"], track["title"]) for track in shipment["tracks"]]


def ship_calls(installation: Installation) -> int:
    """Return how often Magento was asked to ship."""
    return sum(
        1 for call in installation.magento.calls() if call["method"] == "POST" and call["path"].endswith("/ship")
    )


def ship_by_hand(installation: Installation, order: Order, units: int) -> None:
    """Ship units of an order's first line from Magento's admin, without an e-mail and without a word of a dispatch."""
    items = [{"order_item_id": order["items"][0]["item_id"], "qty": units}]
    with by_hand(installation) as magento:
        magento._transport.write(f"/V1/order/{order['entity_id']}/ship", {"items": items, "notify": False})


def stock_writes(installation: Installation) -> int:
    """Return how often source quantities were written to Magento."""
    return sum(1 for call in installation.magento.calls() if f"{call['method']} {call['path']}" == STOCK_WRITE)


def levels(installation: Installation, sku: str) -> tuple[int, int]:
    """Return what Magento's source holds of a SKU, and what the shop sells of it."""
    held, sold = installation.magento.source_quantity(sku), installation.magento.salable(sku)
    assert held == int(held)
    assert sold == int(sold)
    return int(held), int(sold)
