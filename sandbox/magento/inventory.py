"""Stock: source items, reservations and what they leave to sell."""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.magento import fields
from sandbox.magento.errors import (
    Refusal,
    no_entity,
    not_supported,
    required,
    run_error,
    validation_failed,
    wrong_type,
)
from sandbox.magento.figures import exact, number
from sandbox.magento.search import answer, find
from sandbox.magento.shop import DEFAULT_SOURCE, Call, Shop

SOURCE_ITEM = "InventoryApi\\Api\\Data\\SourceItemInterface"
_FIELDS = ("sku", "source_code", "quantity", "status")
_LOW_STOCK = (("qty", "0"), ("currentPage", "1"), ("pageSize", "0"))
_LOW_STOCK_MAPPER = "Magento\\CatalogInventory\\Model\\ResourceModel\\Stock\\Item\\StockItemCriteriaMapper"
_NUMERIC = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")


def salable(shop: Shop, sku: str, stock_id: int) -> Decimal:
    """Return what can still be sold: in-stock quantities of the stock's sources less reservations, never below 0."""
    codes = shop.sources_of_stocks.get(stock_id, [])
    marks = ", ".join("?" * len(codes))
    statement = f"""
        select coalesce((select sum(quantity_e4) from source_items
                         where sku = ? and status = 1 and source_code in ({marks})), 0)
             + coalesce((select sum(quantity_e4) from reservations where sku = ? and stock_id = ?), 0)"""
    left = shop.store.value(statement, sku, *codes, sku, stock_id)
    return max(Decimal(left) / 10000, Decimal(0))


def reserve(shop: Shop, order: dict[str, Any], changes: Iterable[tuple[str, Decimal]], event: str) -> None:
    """Add reservations on the stock of an order's website: negative when units are ordered, positive on release."""
    stock_id = shop.stocks_of_views.get(order["store_id"], 1)
    rows = [(stock_id, sku, _e4(quantity), event, order["entity_id"]) for sku, quantity in changes if quantity]
    statement = "insert into reservations (stock_id, sku, quantity_e4, event, order_id) values (?, ?, ?, ?, ?)"
    shop.store.write_many(statement, rows)


def source_quantity(shop: Shop, sku: str, source_code: str = DEFAULT_SOURCE) -> Decimal | None:
    """Return the quantity of a source item, or None when there is no such row."""
    found = shop.store.value("select quantity_e4 from source_items where sku = ? and source_code = ?", sku, source_code)
    return None if found is None else Decimal(found) / 10000


def set_source_item(shop: Shop, sku: str, source_code: str, quantity: Decimal, status: int) -> None:
    """Insert or update a source item; an existing row keeps its spelling of the SKU."""
    statement = """insert into source_items (sku, source_code, quantity_e4, status) values (?, ?, ?, ?)
                   on conflict (sku, source_code) do update set quantity_e4 = excluded.quantity_e4,
                                                                 status = excluded.status"""
    shop.store.write(statement, sku, source_code, _e4(quantity), status)


def take_from_source(shop: Shop, source_code: str, units: Iterable[tuple[str, Decimal]]) -> bool:
    """Take units out of a source; False when it has too little, and then the caller must undo its transaction.

    The status of the source item is not looked at; one that becomes empty goes out of stock.
    """
    for sku, quantity in units:
        held = source_quantity(shop, sku, source_code)
        if held is None or held < quantity:
            return False
        left = held - quantity
        status = "0" if left == 0 else "status"
        shop.store.write(
            f"update source_items set quantity_e4 = ?, status = {status} where sku = ? and source_code = ?",
            _e4(left),
            sku,
            source_code,
        )
    return True


def search_source_items(call: Call) -> dict[str, Any]:
    """GET /V1/inventory/source-items, by SKU and source unless the request sorts"""
    criteria = call.criteria()
    found, total = find(call.shop.store, fields.SOURCE_ITEMS, criteria)
    rows = [call.shop.store.row("select * from source_items where source_item_id = ?", key) for key in found]
    items = [
        {
            "sku": row["sku"],
            "source_code": row["source_code"],
            "quantity": number(Decimal(row["quantity_e4"]) / 10000),
            "status": row["status"],
        }
        for row in rows
        if row is not None
    ]
    return answer(items, criteria, total)


def save_source_items(call: Call) -> list[Any]:
    """POST /V1/inventory/source-items: one unknown source refuses all; unknown SKUs and negatives are accepted."""
    items = _source_items(call)
    codes = call.shop.source_codes
    if any(item["source_code"] not in codes for item in items):
        raise Refusal(400, "Could not save Source Item")
    for item in items:
        quantity = exact(item["quantity"])
        set_source_item(call.shop, item["sku"], item["source_code"], quantity, int(item["status"]))
    return []


def delete_source_items(call: Call) -> list[Any]:
    """POST /V1/inventory/source-items-delete: rows that are gone are no error."""
    for item in _source_items(call):
        call.shop.store.write(
            "delete from source_items where sku = ? and source_code = ?", item["sku"], item["source_code"]
        )
    return []


def salable_quantity(call: Call) -> int | float:
    """GET /V1/inventory/get-product-salable-quantity/:sku/:stockId"""
    sku, stock_id = call.place["sku"], call.number("stockId")
    if stock_id not in call.shop.sources_of_stocks:
        raise Refusal(400, "Could not receive Stock Item data")
    type_id = call.shop.store.value("select type_id from products where sku = ?", sku)
    if type_id is None:
        raise run_error()
    if type_id not in ("simple", "virtual", "downloadable"):
        raise Refusal(400, "Can't check requested quantity for products without Source Items support.")
    return number(salable(call.shop, sku, stock_id))


def is_salable(call: Call) -> bool:
    """GET /V1/inventory/is-product-salable/:sku/:stockId"""
    return _sells(call.shop, call.place["sku"], call.number("stockId"))


def are_salable(call: Call) -> list[dict[str, Any]]:
    """GET /V1/inventory/are-products-salable?skus[]=..&stockId=.."""
    given = call.query.get("skus", {})
    skus = list(given.values()) if isinstance(given, dict) else [given]
    stock_id = int(call.query.get("stockId") or 0)
    return [{"sku": sku, "stock_id": stock_id, "salable": _sells(call.shop, sku, stock_id)} for sku in skus]


def stock_of_website(call: Call) -> dict[str, Any]:
    """GET /V1/inventory/stock-resolver/:type/:code"""
    for stock in call.shop.recorded("stocks"):
        channels = stock["extension_attributes"]["sales_channels"]
        if {"type": call.place["type"], "code": call.place["code"]} in channels:
            return dict(stock)
    raise no_entity()


def legacy_stock_item(call: Call) -> dict[str, Any]:
    """GET /V1/stockItems/:sku: the default source only"""
    return stock_item(call.shop, call.place["sku"])


def low_stock(call: Call) -> dict[str, Any]:
    """GET /V1/stockItems/lowStock?scopeId&qty&currentPage&pageSize: products of which `default` holds at most `qty`."""
    for name in ("scopeId", "qty"):
        if call.query.get(name) is None:
            raise required(name)
    most, page, size = (str(call.query.get(name, given)) for name, given in _LOW_STOCK)
    held = """from products left join source_items on source_items.sku = products.sku and source_code = ?
              where coalesce(quantity_e4, 0) <= ?"""
    at_most = (DEFAULT_SOURCE, _e4(exact(most)))
    skip = (max(int(page), 1) - 1) * int(size)
    statement = f"select products.sku {held} order by products.entity_id limit ? offset ?"
    rows = call.shop.store.rows(statement, *at_most, int(size) or -1, skip)
    return {
        "items": [stock_item(call.shop, row["sku"]) for row in rows],
        "search_criteria": {
            "mapper_interface_name": _LOW_STOCK_MAPPER,
            "criteria_list": [],
            "filters": [],
            "orders": [],
            "limit": [page, size],
        },
        "total_count": call.shop.store.value(f"select count(*) {held}", *at_most),
    }


def save_legacy_stock_item(call: Call) -> int:
    """PUT /V1/products/:sku/stockItems/:itemId: writes the default source; the item id is ignored."""
    sku = call.place["sku"]
    held = stock_item(call.shop, sku)
    given = call.argument("stockItem")
    quantity = exact(given.get("qty", held["qty"]))
    set_source_item(call.shop, sku, DEFAULT_SOURCE, quantity, int(bool(given.get("is_in_stock", held["is_in_stock"]))))
    return int(held["item_id"])


def stock_item(shop: Shop, sku: str) -> dict[str, Any]:
    """Return the legacy stock item of a product; Refusal 404 for an unknown SKU."""
    product_id = shop.store.value("select entity_id from products where sku = ?", sku)
    if product_id is None:
        raise no_entity()
    row = shop.store.row("select * from source_items where sku = ? and source_code = ?", sku, DEFAULT_SOURCE)
    item: dict[str, Any] = shop.recorded("product")["extension_attributes"]["stock_item"]
    return item | {
        "item_id": product_id * 2 - 1,
        "product_id": product_id,
        "qty": number(Decimal(row["quantity_e4"]) / 10000) if row else 0,
        "is_in_stock": bool(row["status"]) if row else True,
    }


def _sells(shop: Shop, sku: str, stock_id: int) -> bool:
    known = shop.store.value("select 1 from products where sku = ?", sku)
    return bool(known) and salable(shop, sku, stock_id) > 0


def _source_items(call: Call) -> list[dict[str, Any]]:
    given = call.argument("sourceItems")
    if isinstance(given, dict):
        given = list(given.values())  # PHP walks over the values of the object and finds nothing in them
    if not isinstance(given, list):
        raise wrong_type(given, "\\Magento\\" + SOURCE_ITEM + "[]")
    call.check_size(given, SOURCE_ITEM)
    if not given:
        raise Refusal(400, "Input data is empty")
    problems: list[tuple[str, str]] = []
    for item in given:
        problems += _problems(item)
    if problems:
        raise validation_failed(problems)
    return given


def _problems(item: Any) -> list[tuple[str, str]]:
    if not isinstance(item, dict):
        absent = [('"%field" can not be empty.', name) for name in _FIELDS[:2]]
        absent += [('"%field" should be numeric.', name) for name in _FIELDS[2:]]
        return absent
    for name in item:
        if name not in (*_FIELDS, "extension_attributes"):
            raise not_supported(name)
    for name, expected in (("quantity", "float"), ("status", "int")):
        value = item.get(name)
        if value is not None and not _NUMERIC.match(str(value)):
            raise wrong_type(value, expected, name)
    problems = [('"%field" can not be empty.', name) for name in _FIELDS[:2] if not str(item.get(name) or "").strip()]
    problems += [('"%field" should be numeric.', name) for name in _FIELDS[2:] if item.get(name) is None]
    return problems


def _e4(quantity: Decimal) -> int:
    return int((quantity * 10000).quantize(Decimal(1), rounding=ROUND_HALF_UP))
