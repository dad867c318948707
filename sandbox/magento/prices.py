"""Prices in bulk: base, special and tier prices and cost. None of them touches a product's `updated_at`.

What a good row, an unknown SKU and a bad base price are answered was recorded; the other texts are those of the code.
"""

from collections.abc import Callable
from typing import Any

from sandbox.magento.errors import no_product
from sandbox.magento.figures import exact, number
from sandbox.magento.products import NUMERIC, set_price
from sandbox.magento.shop import ALL_STORES, Call

BASE_PRICE = "Catalog\\Api\\Data\\BasePriceInterface"
SPECIAL_PRICE = "Catalog\\Api\\Data\\SpecialPriceInterface"
TIER_PRICE = "Catalog\\Api\\Data\\TierPriceInterface"
COST = "Catalog\\Api\\Data\\CostInterface"
ALL_GROUPS = "all groups"

_SPECIAL_ROW = " Row ID: SKU = %SKU, Store ID: %storeId, Price From: %priceFrom, Price To: %priceTo."
_TIER_ROW = " Row ID: SKU = %SKU, Website ID: %websiteId, Customer Group: %customerGroup, Quantity: %qty."
Row = dict[str, Any]


def save_base_prices(call: Call) -> list[Row]:
    """POST /V1/products/base-prices: good rows are saved, bad ones listed without their place in the request."""
    problems = []
    for row in _rows(call, BASE_PRICE):
        price, store_id, product_id = row.get("price"), _store(row), _product(call, row)
        if product_id is None:
            problems.append(_bad_field("SKU", _sku(row)))
        elif not _is_price(price):
            problems.append(_bad_field("Price", "" if price is None else str(price)))
        elif store_id not in call.shop.views.values():
            problems.append({"message": "Requested store is not found. Row ID: SKU = %SKU, Store ID: %storeId."})
        else:
            set_price(call.shop, product_id, store_id, exact(price))
    return problems


def base_prices(call: Call) -> list[Row]:
    """POST /V1/products/base-prices-information: a row per scope that has a price; unknown SKUs are skipped."""

    def of_product(product_id: int, sku: str) -> list[Row]:
        price = call.shop.store.value("select price from products where entity_id = ?", product_id)
        if price is None:
            return []
        own = call.shop.store.rows(
            "select store_id, price from product_prices where product_id = ? order by store_id", product_id
        )
        scopes = [(ALL_STORES, price), *((one["store_id"], one["price"]) for one in own)]
        return [{"price": number(held), "store_id": store_id, "sku": sku} for store_id, held in scopes]

    return _of_skus(call, of_product)


def save_special_prices(call: Call) -> list[Row]:
    """POST /V1/products/special-price: good rows are saved, bad ones listed with a text that names the row."""

    def save(product_id: int, row: Row) -> None:
        values = (product_id, _store(row), str(exact(row["price"])), row.get("price_from"), row.get("price_to"))
        call.shop.store.write("insert or replace into special_prices values (?, ?, ?, ?, ?)", *values)

    return _special(call, save)


def delete_special_prices(call: Call) -> list[Row]:
    """POST /V1/products/special-price-delete: rows are checked as on saving; one that is gone is no error."""

    def delete(product_id: int, row: Row) -> None:
        statement = "delete from special_prices where product_id = ? and store_id = ?"
        call.shop.store.write(statement, product_id, _store(row))

    return _special(call, delete)


def special_prices(call: Call) -> list[Row]:
    """POST /V1/products/special-price-information: a row per scope; unknown SKUs are skipped."""

    def of_product(product_id: int, sku: str) -> list[Row]:
        statement = "select * from special_prices where product_id = ? order by store_id"
        return [
            {"price": number(row["price"]), "store_id": row["store_id"], "sku": sku}
            | {"price_from": row["price_from"], "price_to": row["price_to"]}
            for row in call.shop.store.rows(statement, product_id)
        ]

    return _of_skus(call, of_product)


def save_tier_prices(call: Call) -> list[Row]:
    """POST /V1/products/tier-prices: one unknown SKU refuses the whole call; other bad rows are listed."""
    rows = _rows(call, TIER_PRICE)
    if any(_product(call, row) is None for row in rows):
        raise no_product()
    groups = {str(group["code"]).lower(): group["id"] for group in call.shop.recorded("customer-groups")}
    groups[ALL_GROUPS] = None
    problems = []
    for row in rows:
        group, price, quantity = str(row.get("customer_group")).lower(), row.get("price"), row.get("quantity")
        fault = ""
        if not _is_price(price) or (row.get("price_type") == "discount" and exact(price) > 100):
            fault = f"Invalid attribute Price = {'' if price is None else price}."
        elif row.get("price_type") not in ("fixed", "discount"):
            fault = f"Invalid attribute Price Type = {row.get('price_type')}."
        elif not _is_price(quantity) or exact(quantity) < 1:
            fault = "Invalid attribute Quantity = %qty."
        elif group not in groups:
            fault = "No such entity with Customer Group = %customerGroup."
        if fault:
            named = [row.get("sku"), row.get("website_id"), row.get("customer_group"), quantity]
            problems.append({"message": fault + _TIER_ROW, "parameters": [_text(each) for each in named]})
            continue
        key = (_product(call, row), groups[group], int(row.get("website_id", 0)), int(exact(quantity) * 10000))
        call.shop.store.write(
            "delete from tier_prices where product_id = ? and group_id is ? and website_id = ? and quantity_e4 = ?",
            *key,
        )
        statement = "insert into tier_prices values (?, ?, ?, ?, ?, ?)"
        call.shop.store.write(statement, *key, str(exact(price)), row["price_type"])
    return problems


def tier_prices(call: Call) -> list[Row]:
    """POST /V1/products/tier-prices-information: rows of single customer groups come before those of all groups."""
    names = {group["id"]: group["code"] for group in call.shop.recorded("customer-groups")}
    names[None] = ALL_GROUPS

    def of_product(product_id: int, sku: str) -> list[Row]:
        statement = """select * from tier_prices where product_id = ?
                       order by group_id is null, group_id, quantity_e4, website_id"""
        return [
            {
                "price": number(row["price"]),
                "price_type": row["price_type"],
                "website_id": row["website_id"],
                "sku": sku,
            }
            | {"customer_group": names[row["group_id"]], "quantity": number(exact(row["quantity_e4"]) / 10000)}
            for row in call.shop.store.rows(statement, product_id)
        ]

    return _of_skus(call, of_product)


def save_costs(call: Call) -> list[Row]:
    """POST /V1/products/cost: as base prices."""
    problems = []
    for row in _rows(call, COST):
        cost, store_id, product_id = row.get("cost"), _store(row), _product(call, row)
        if product_id is None:
            problems.append(_bad_field("SKU", _sku(row)))
        elif not _is_price(cost):
            said = f"Invalid attribute Cost = {cost}. Row ID: SKU = {_sku(row)}, Store ID: {store_id}."
            problems.append({"message": said, "parameters": [_text(cost), _sku(row), str(store_id)]})
        elif store_id not in call.shop.views.values():
            said = f"Requested store is not found. Row ID: SKU = {_sku(row)}, Store ID: {store_id}."
            problems.append({"message": said, "parameters": [_sku(row), str(store_id)]})
        else:
            values = (product_id, store_id, str(exact(cost)))
            call.shop.store.write("insert or replace into product_costs values (?, ?, ?)", *values)
    return problems


def costs(call: Call) -> list[Row]:
    """POST /V1/products/cost-information: a row per scope, in the form in which they are saved."""

    def of_product(product_id: int, sku: str) -> list[Row]:
        statement = "select * from product_costs where product_id = ? order by store_id"
        return [
            {"cost": number(row["cost"]), "store_id": row["store_id"], "sku": sku}
            for row in call.shop.store.rows(statement, product_id)
        ]

    return _of_skus(call, of_product)


def _special(call: Call, act: Callable[[int, Row], None]) -> list[Row]:
    """Apply `act` to each good row and return a problem for each bad one."""
    problems = []
    for row in _rows(call, SPECIAL_PRICE):
        product_id, fault = _product(call, row), ""
        if product_id is None:
            fault = no_product().message
        elif _store(row) not in call.shop.views.values():
            fault = "Requested store is not found."
        elif not _is_price(row.get("price")):
            fault = f"Invalid attribute Price = {row.get('price')}."
        if product_id is not None and not fault:
            act(product_id, row)
            continue
        named: dict[str, str | None] = {"SKU": _sku(row), "storeId": str(_store(row))}
        named |= {"priceFrom": row.get("price_from"), "priceTo": row.get("price_to")}
        said = fault + _SPECIAL_ROW  # unlike elsewhere the text comes filled in, with its parameters behind it
        for name, value in named.items():
            said = said.replace(f"%{name}", value or "")
        problems.append({"message": said, "parameters": list(named.values())})
    return problems


def _rows(call: Call, type_name: str) -> list[Row]:
    rows = call.argument("prices")
    call.check_size(rows, type_name)
    return list(rows)


def _of_skus(call: Call, of_product: Callable[[int, str], list[Row]]) -> list[Row]:
    """Return the rows of each SKU that is asked for, in that order."""
    found = []
    for sku in call.argument("skus"):
        row = call.shop.store.row("select entity_id, sku from products where sku = ?", sku)
        if row is not None:
            found += of_product(row["entity_id"], row["sku"])
    return found


def _product(call: Call, row: Row) -> int | None:
    found = call.shop.store.value("select entity_id from products where sku = ?", _sku(row))
    return None if found is None else int(found)


def _sku(row: Row) -> str:
    return str(row.get("sku", ""))


def _store(row: Row) -> int:
    return int(row.get("store_id", -1))


def _is_price(value: Any) -> bool:
    return value is not None and bool(NUMERIC.match(str(value))) and exact(value) >= 0


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _bad_field(field: str, value: str) -> Row:
    return {"message": "Invalid attribute %fieldName = %fieldValue.", "parameters": [field, value]}
