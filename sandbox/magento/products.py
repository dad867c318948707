"""Products: scopes, upserts, attributes. Bulk prices are in prices.py."""

import json
import re
from decimal import Decimal
from typing import Any

from sandbox.magento import fields, inventory
from sandbox.magento.errors import Refusal, no_product, required, wrong_type
from sandbox.magento.figures import exact, number, php_json, stored_text
from sandbox.magento.search import answer, find
from sandbox.magento.shop import ALL_STORES, DEFAULT_SOURCE, Call, Shop

TAX_CLASSES = {"standard": "4", "zero": "5", "reduced": "6"}
Product = dict[str, Any]

_NO_SET = "Invalid attribute set entity type"
NUMERIC = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)$")


def create(
    shop: Shop,
    sku: str,
    *,
    price: Decimal,
    name: str | None = None,
    type_id: str = "simple",
    vat_class: str = "standard",
    entity_id: int | None = None,
    weight: Any = 0.4,
) -> int:
    """Insert a product and return its id; one that exists already (in any case) keeps everything."""
    held = shop.store.value("select entity_id from products where sku = ?", sku)
    if held is not None:
        return int(held)
    wanted = entity_id and not shop.store.value("select 1 from products where entity_id = ?", entity_id)
    product_id = int(entity_id) if entity_id and wanted else shop.store.next_id("product")
    if wanted:
        shop.store.used_id("product", product_id)
    document: Product = shop.recorded("product")
    for part in ("id", "sku", "name", "price", "status", "visibility", "type_id", "created_at", "updated_at"):
        document.pop(part)
    document["extension_attributes"].pop("stock_item")
    attributes = {"url_key": re.sub(r"[^a-z0-9]+", "-", sku.lower()).strip("-")}
    attributes["tax_class_id"] = TAX_CLASSES.get(vat_class, "7")
    document["custom_attributes"] = [
        {**attribute, "value": attributes.get(attribute["attribute_code"], attribute["value"])}
        for attribute in document["custom_attributes"]
        if attribute["attribute_code"] not in ("fcolour", "fsize", "ean13")
    ]
    if type_id == "virtual":
        document.pop("weight")
    else:
        document["weight"] = weight
    statement = "insert into products values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    now = shop.now()
    shown = str(Decimal(price))
    shop.store.write(
        statement, product_id, sku, name or sku, type_id, 4, 1, 4, shown, vat_class, now, now, php_json(document)
    )
    return product_id


def read(call: Call) -> Product:
    """GET /V1/products/:sku"""
    return _document(call.shop, _row(call.shop, call.place["sku"])["entity_id"], call.store_id)


def search(call: Call) -> dict[str, Any]:
    """GET /V1/products; lists leave the stock item out"""
    criteria = call.criteria()
    found, total = find(call.shop.store, fields.PRODUCTS, criteria)
    return answer([_document(call.shop, key, call.store_id, stock=False) for key in found], criteria, total)


def put(call: Call) -> Product:
    """PUT /V1/products/:sku: an unknown SKU is 400; without `all` in the path the price becomes an override."""
    return save(call, call.argument("product"), call.place["sku"], new=False)


def post(call: Call) -> Product:
    """POST /V1/products: an existing SKU, in any case, is updated and takes the spelling sent."""
    product = call.argument("product")
    return save(call, product, str(product.get("sku") or "").strip(), new=True)


def save(call: Call, given: Product, sku: str, *, new: bool) -> Product:
    """Save a product's price, name, status, stock item and attributes, and return it as it reads afterwards."""
    shop = call.shop
    price = _checked_price(given.get("price"))
    row = shop.store.row("select * from products where sku = ?", sku)
    if row is None:
        if not new or "attribute_set_id" not in given or price is None:
            raise Refusal(400, "Invalid product data: %1", [_NO_SET])
        name = given.get("name")
        create(shop, sku, price=price, name=name, type_id=given.get("type_id", "simple"))
        row = _row(shop, sku)
    elif price is not None:
        set_price(shop, row["entity_id"], call.store_id, price)
    changes = {"updated_at": shop.now()}
    if new:
        changes["sku"] = sku
    changes |= {part: given[part] for part in ("status", "visibility") if given.get(part) is not None}
    if given.get("name") is not None:
        named = stored_text(given["name"])
        if new or call.store_id == ALL_STORES:
            changes["name"] = named
        else:
            shop.store.write(
                "insert or replace into product_names values (?, ?, ?)", row["entity_id"], call.store_id, named
            )
    assigned = ", ".join(f"{part} = ?" for part in changes)
    shop.store.write(f"update products set {assigned} where entity_id = ?", *changes.values(), row["entity_id"])
    _set_attributes(shop, row["entity_id"], given.get("custom_attributes") or [])
    stock = (given.get("extension_attributes") or {}).get("stock_item")
    if stock:
        quantity, in_stock = exact(stock.get("qty")), int(bool(stock.get("is_in_stock", True)))
        inventory.set_source_item(shop, sku, DEFAULT_SOURCE, quantity, in_stock)
    return _document(shop, row["entity_id"], call.store_id)


def delete(call: Call) -> bool:
    """DELETE /V1/products/:sku"""
    row = _row(call.shop, call.place["sku"])
    call.shop.store.write("delete from products where entity_id = ?", row["entity_id"])
    for table in ("product_prices", "product_names", "special_prices", "tier_prices", "product_costs"):
        call.shop.store.write(f"delete from {table} where product_id = ?", row["entity_id"])
    return True


def _checked_price(price: Any) -> Decimal | None:
    if price is None:
        return None
    if not NUMERIC.match(str(price)):
        raise wrong_type(price, "float", "price")
    if exact(price) < 0:
        raise Refusal(400, "Please enter a number 0 or greater in this field.")
    return exact(price)


def set_price(shop: Shop, product_id: int, store_id: int, price: Decimal) -> None:
    """Write a price for all stores (store 0) or, the price scope being "website", for every view of one website."""
    if store_id == ALL_STORES:
        shop.store.write("update products set price = ? where entity_id = ?", str(price), product_id)
        return
    rows = [(product_id, view, str(price)) for view in shop.views_of_website(store_id)]
    shop.store.write_many("insert or replace into product_prices values (?, ?, ?)", rows)


def _set_attributes(shop: Shop, product_id: int, given: list[dict[str, Any]]) -> None:
    text = shop.store.value("select document from products where entity_id = ?", product_id)
    document = json.loads(text)
    known = {attribute["attribute_code"]: attribute for attribute in document["custom_attributes"]}
    for attribute in given:
        code, value = attribute.get("attribute_code"), attribute.get("value")
        if code == "url_key" and _taken(shop, product_id, str(value)):
            raise Refusal(400, "URL key for specified store already exists.")
        if code in known:
            known[code]["value"] = value
        elif code in ("ean13", "fcolour", "fsize", "special_price", "cost"):
            document["custom_attributes"].insert(-1, {"attribute_code": code, "value": value})
    shop.store.write("update products set document = ? where entity_id = ?", php_json(document), product_id)


def _taken(shop: Shop, product_id: int, url_key: str) -> bool:
    statement = """select 1 from products, json_each(document, '$.custom_attributes') as attribute
                   where entity_id != ? and json_extract(attribute.value, '$.attribute_code') = 'url_key'
                   and json_extract(attribute.value, '$.value') = ?"""
    return bool(shop.store.value(statement, product_id, url_key))


def _row(shop: Shop, sku: str) -> Any:
    if not sku:
        raise required("sku")
    row = shop.store.row("select * from products where sku = ?", sku)
    if row is None:
        raise no_product()
    return row


def _document(shop: Shop, product_id: int, store_id: int, *, stock: bool = True) -> Product:
    row = shop.store.row("select * from products where entity_id = ?", product_id)
    if row is None:
        raise no_product()
    own = shop.store.value(
        "select price from product_prices where product_id = ? and store_id = ?", product_id, store_id
    )
    named = shop.store.value(
        "select name from product_names where product_id = ? and store_id = ?", product_id, store_id
    )
    rest: Product = json.loads(row["document"])
    price = own if own is not None else row["price"]
    head = {
        "id": product_id,
        "sku": row["sku"],
        "name": row["name"] if named is None else named,
        "attribute_set_id": row["attribute_set_id"],
        "price": 0 if row["type_id"] == "configurable" or price is None else number(price),
        "status": row["status"],
        "visibility": row["visibility"],
        "type_id": row["type_id"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
    if stock:
        rest["extension_attributes"]["stock_item"] = inventory.stock_item(shop, row["sku"])
    return head | rest
