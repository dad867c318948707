"""Bringing in documents that were recorded or made elsewhere, with the products and the stock they imply."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.magento import carts, inventory, orders, products
from sandbox.magento.figures import exact, php_numbers, stored
from sandbox.magento.shipments import next_increment
from sandbox.magento.shop import DEFAULT_SOURCE, Shop

SHELF = Decimal(100)
SHELVES = {"wh_dub": Decimal(60), "wh_mids": Decimal(40)}
VAT_CLASSES = {20: "standard", 5: "reduced", 0: "zero"}


class NotSalableError(ValueError):
    """The shop has too little of a SKU to sell for a cart."""


def load_orders(shop: Shop, documents: Iterable[dict[str, Any]]) -> int:
    """Keep order documents as they are and return how many were new; known increment ids are skipped.

    Their SKUs become products. A SKU seen for the first time gets 100 units in `default` (and, for orders on another
    stock, a shelf in each of its sources); what an order has not shipped is put on top and reserved.
    """
    loaded = 0
    with shop.store.transaction():
        for document in documents:
            increment_id = document["increment_id"]
            if shop.store.value("select 1 from orders where increment_id = ?", increment_id):
                continue
            order, text = php_numbers(document)
            orders.keep_as_is(shop, order, text)
            _move_sequences(shop, order)
            _stock_lines(shop, order)
            loaded += 1
    return loaded


def load_documents(shop: Shop, kind: str, documents: Iterable[dict[str, Any]]) -> int:
    """Keep shipments, invoices or credit memos as they are and return how many were new.

    `kind` is "shipment", "invoice" or "creditmemo". Orders and stock stay as they are: their documents already count
    what was shipped, invoiced and refunded.
    """
    loaded = 0
    with shop.store.transaction():
        for document in documents:
            if shop.store.document(kind, document["entity_id"]) is not None:
                continue
            held, _ = php_numbers(document)
            shop.store.keep_document(kind, held)
            shop.store.used_id(kind, held["entity_id"])
            shop.store.used_id(f"{kind} of view {held['store_id']}", int(held["increment_id"][-9:]))
            for item in held["items"]:
                shop.store.used_id(f"{kind} item", item["entity_id"])
            for part, sequence in (("tracks", "track"), ("comments", f"{kind} comment")):
                for row in held.get(part) or []:
                    shop.store.used_id(sequence, row["entity_id"])
            loaded += 1
    return loaded


def place_order(shop: Shop, cart: carts.Cart, *, check_stock: bool = True) -> dict[str, Any]:
    """Turn a cart into an order, reserve its units and return its document.

    NotSalableError when the shop has too little to sell and `check_stock` is on. A SKU that is not in the catalogue is
    added to it first, and one without a source in the website's stock is given a shelf there.
    """
    with shop.store.transaction():
        lines = tuple(_catalogued(shop, cart, line) for line in cart.lines)
        cart = replace(cart, lines=lines)
        needed = carts.ids_needed(cart)
        ids = carts.Ids(
            entity_id=shop.store.next_id("order"),
            increment_id=next_increment(shop, "order", cart.store_id),
            quote_id=shop.store.next_id("quote"),
            first_address_id=_fresh_ids(shop, "address", needed.addresses),
            first_item_id=_fresh_ids(shop, "item", needed.items),
            first_quote_item_id=_fresh_ids(shop, "quote item", needed.items),
            first_tax_id=_fresh_ids(shop, "tax", needed.taxes),
            first_tax_item_id=_fresh_ids(shop, "tax item", needed.tax_items),
        )
        order: dict[str, Any] = php_numbers(stored(carts.order_document(cart, ids, shop.clock.now())))[0]
        wanted = [(line["sku"], exact(line["qty_ordered"])) for line in orders.top_lines(order)]
        if check_stock:
            _check_salable(shop, order, wanted)
        orders.keep(shop, order)
        inventory.reserve(shop, order, [(sku, -quantity) for sku, quantity in wanted], "order_placed")
        return order


def add_product(
    shop: Shop,
    sku: str,
    *,
    price: Decimal,
    name: str | None = None,
    type_id: str = "simple",
    vat_class: str = "standard",
    quantity: Decimal | int = SHELF,
    source_code: str = DEFAULT_SOURCE,
) -> int:
    """Add a product with stock in one source and return its id."""
    with shop.store.transaction():
        product_id = products.create(shop, sku, price=price, name=name, type_id=type_id, vat_class=vat_class)
        if type_id != "configurable":
            inventory.set_source_item(shop, sku, source_code, Decimal(quantity), 1 if quantity > 0 else 0)
        return product_id


def _check_salable(shop: Shop, order: dict[str, Any], wanted: list[tuple[str, Decimal]]) -> None:
    stock_id = shop.stocks_of_views.get(order["store_id"], 1)
    totals: dict[str, Decimal] = {}
    for sku, quantity in wanted:
        totals[sku] = totals.get(sku, Decimal(0)) + quantity
    for sku, quantity in totals.items():
        left = inventory.salable(shop, sku, stock_id)
        if left < quantity:
            raise NotSalableError(f"{sku}: {quantity} wanted, {left} salable in stock {stock_id}")


def _catalogued(shop: Shop, cart: carts.Cart, line: carts.CartLine) -> carts.CartLine:
    """Return the line with the product ids of the catalogue, to which an unknown SKU is added."""
    held = shop.store.value("select entity_id from products where sku = ?", line.sku)
    if held is None:
        held = products.create(
            shop,
            line.sku,
            price=line.catalogue_price,
            name=line.child_name or line.name,
            type_id="virtual" if line.product_type == "virtual" else "simple",
            vat_class=line.vat_class,
        )
    stock_id = shop.stocks_of_views.get(cart.store_id, 1)
    if all(inventory.source_quantity(shop, line.sku, code) is None for code in shop.sources_of_stocks[stock_id]):
        _shelve(shop, line.sku, cart.store_id, Decimal(0))
    if line.product_type == "configurable":
        return replace(line, child_product_id=held)
    return replace(line, product_id=held)


def _fresh_ids(shop: Shop, sequence: str, count: int) -> int:
    """Reserve a run of numbers and return the first."""
    first = shop.store.next_id(sequence)
    if count > 1:
        shop.store.used_id(sequence, first + count - 1)
    return first


def _move_sequences(shop: Shop, order: dict[str, Any]) -> None:
    used = {"order": order["entity_id"], f"order of view {order['store_id']}": _ordinal(order["increment_id"])}
    for line in order["items"]:
        used["item"] = max(used.get("item", 0), line["item_id"])
        used["quote item"] = max(used.get("quote item", 0), line.get("quote_item_id") or 0)
    for entry in order.get("status_histories") or []:
        used["comment"] = max(used.get("comment", 0), entry["entity_id"])
    used["quote"] = order.get("quote_id") or 0
    used["address"] = order.get("billing_address_id") or 0
    extension = order.get("extension_attributes", {})
    for tax in extension.get("taxes") or []:
        used["tax"] = max(used.get("tax", 0), tax.get("tax_id", 0))
    rows = [row for line in order["items"] for row in line.get("extension_attributes", {}).get("itemized_taxes") or []]
    for row in rows + (extension.get("additional_itemized_taxes") or []):
        used["tax item"] = max(used.get("tax item", 0), row.get("tax_item_id", 0))
    for sequence, number in used.items():
        shop.store.used_id(sequence, number)


def _ordinal(increment_id: str) -> int:
    digits = "".join(character for character in increment_id[-9:] if character.isdigit())
    return int(digits or 0)


def _stock_lines(shop: Shop, order: dict[str, Any]) -> None:
    reserved = []
    for line in order["items"]:
        if "parent_item_id" in line:
            continue
        _product_of(shop, order, line)
        done = line["qty_invoiced"] if line.get("is_virtual") else line["qty_shipped"]
        gone = max(exact(done), exact(line["qty_refunded"])) + exact(line["qty_canceled"])
        waiting = max(exact(line["qty_ordered"]) - gone, Decimal(0))
        if order["state"] in ("canceled", "closed"):
            waiting = Decimal(0)
        _shelve(shop, line["sku"], order["store_id"], waiting)
        reserved.append((line["sku"], -waiting))
    inventory.reserve(shop, order, reserved, "order_placed")


def _product_of(shop: Shop, order: dict[str, Any], line: dict[str, Any]) -> None:
    if line["product_type"] == "configurable":
        parent = line.get("product_id")
        known = shop.store.value("select sku from products where entity_id = ?", parent)
        if parent and known is None:
            sku = line["sku"].rsplit("-", 2)[0] + f" (configurable {parent})"
            products.create(shop, sku, price=Decimal(0), name=line["name"], type_id="configurable", entity_id=parent)
        line = next((child for child in orders.children(order, line)), line) | {"price_of": line}
    price = exact(line.get("price_of", line).get("base_original_price", line.get("price")))
    products.create(
        shop,
        line["sku"],
        price=price,
        name=line["name"],
        type_id="virtual" if line.get("is_virtual") else "simple",
        vat_class=VAT_CLASSES.get(int(exact(line.get("price_of", line).get("tax_percent"))), "standard"),
        entity_id=line.get("product_id"),
        weight=line.get("weight", 0.4),
    )


def _shelve(shop: Shop, sku: str, store_id: int, extra: Decimal) -> None:
    """Give a SKU its first stock, and put the units that an order still needs on top of the shelf it sells from."""
    stock_id = shop.stocks_of_views.get(store_id, 1)
    sources = shop.sources_of_stocks.get(stock_id, [DEFAULT_SOURCE])
    for place, code in enumerate(dict.fromkeys([*sources, DEFAULT_SOURCE])):
        held = inventory.source_quantity(shop, sku, code)
        added = extra if place == 0 else Decimal(0)
        if held is None:
            inventory.set_source_item(shop, sku, code, SHELVES.get(code, SHELF) + added, 1)
        elif added:
            inventory.set_source_item(shop, sku, code, held + added, 1)
