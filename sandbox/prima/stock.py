"""The stock room: items, what is available to sell, and the two stock answers."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from lxml import etree
from sqlalchemy import Connection, RowMapping, func, insert, select, update

from sandbox.prima.documents import Data, result
from sandbox.prima.items import Codes, Item, code_key
from sandbox.prima.refusals import error_text, unknown_item
from sandbox.prima.settings import StandInSettings
from sandbox.prima.store import Store
from sandbox.prima.tables import items
from schemas.money import to_pence

CODES = ("Product", "MtrxCode1", "MtrxCode2", "MtrxCode3", "MtrxCode4")
_TUPLE = (items.c.product, items.c.mtrx1, items.c.mtrx2, items.c.mtrx3, items.c.mtrx4)


class Level(NamedTuple):
    """One row of a stock answer."""

    codes: Codes
    quantity: int
    expected: date | None

    def attributes(self) -> dict[str, str]:
        """Return the row's attributes in alphabetical order; a date only where nothing is available."""
        product, *matrix = self.codes
        return {
            "AvailableDate": f"{self.expected:%d/%m/%Y}" if self.expected and self.quantity <= 0 else "",
            "AvailableQuantity": str(max(0, self.quantity)),
            **dict(zip(CODES[1:], matrix, strict=True)),
            "Product": product,
        }


class StockRoom:
    """Items and their quantities."""

    def __init__(self, store: Store, settings: StandInSettings) -> None:
        self._store = store
        self._settings = settings

    def add(self, rows: Iterable[Item], now: datetime) -> None:
        """Add items, all in one go; ValueError when a SKU or a tuple exists already or a price is not whole pence."""
        values = [_values(item, now) for item in rows]
        with self._store.writing() as connection:
            for name in ("sku", "code_key"):
                wanted = [value[name] for value in values]
                there = _existing(connection, name, wanted)
                if there or len(set(wanted)) < len(wanted):
                    raise ValueError(f"an item with this {name} exists already: {sorted(there)[:5] or 'given twice'}")
            if values:
                connection.execute(insert(items), values)

    def known(self) -> tuple[set[str], set[str]]:
        """Return the SKUs and the tuple keys in use."""
        with self._store.reading() as connection:
            rows = connection.execute(select(items.c.sku, items.c.code_key)).all()
        return {row.sku for row in rows}, {row.code_key for row in rows}

    def row(self, sku: str) -> RowMapping:
        """Return the item's row; KeyError for an unknown SKU."""
        with self._store.reading() as connection:
            found = connection.execute(select(items).where(items.c.sku == sku)).mappings().first()
        if found is None:
            raise KeyError(f"no item with SKU {sku}")
        return found

    def rows(self) -> list[dict[str, Any]]:
        """Return every item: SKU, tuple, vat_code, price in pence, physical and available units."""
        with self._store.reading() as connection:
            return [dict(row) for row in connection.execute(select(items).order_by(items.c.sku)).mappings()]

    def move(self, sku: str, now: datetime, *, physical: int = 0, available: int = 0) -> None:
        """Change the quantities of an item by units; KeyError for an unknown SKU."""
        self.row(sku)
        with self._store.writing() as connection:
            move(connection, sku, now, physical=physical, available=available)

    def change(self, sku: str, now: datetime, **values: Any) -> None:
        """Set columns of an item (`available_date`, `is_active`, `vat_code`); KeyError for an unknown SKU."""
        self.row(sku)
        with self._store.writing() as connection:
            connection.execute(update(items).where(items.c.sku == sku).values(**values, updated_at=now))

    def all_levels(self, product_from: str, product_to: str) -> list[Level]:
        """Return the levels of a range of products, both limits included and empty for open, sorted by tuple."""
        wanted = select(*_TUPLE, items.c.available, items.c.available_date).where(
            items.c.is_stocked == 1, items.c.is_active == 1
        )
        if product_from:
            wanted = wanted.where(func.upper(items.c.product) >= product_from.upper())
        if product_to:
            wanted = wanted.where(func.upper(items.c.product) <= product_to.upper())
        with self._store.reading() as connection:
            found = [Level((a, b, c, d, e), *rest) for a, b, c, d, e, *rest in connection.execute(wanted).all()]
        return sorted(found, key=lambda level: level.codes)

    def range_answer(self, company: str, data: Data, share: float = 1.0) -> etree._Element:
        """Return the answer of ProductAvailableToSell; `share` below 1 keeps only the first rows."""
        levels = self.all_levels(data.get("ProductFrom"), data.get("ProductTo"))
        return self._answer(company, "ProductAvailableToSell", "sku", levels[: int(len(levels) * share)])

    def list_answer(self, company: str, data: Data, share: float = 1.0) -> etree._Element:
        """Return the answer of MultiAvailableToSell: a row for each one asked for, in the same order."""
        levels = []
        asked = [codes_of(attributes) for name, attributes in data.children if name.lower() == "sku"]
        with self._store.reading() as connection:
            found = find_items(connection, asked)
        for codes in asked:
            row = found.get(code_key(codes))
            if row is not None and row["is_stocked"] and row["is_active"]:
                levels.append(Level(_tuple_of(row), row["available"], row["available_date"]))
            elif self._settings.unknown_sku == "zero":
                levels.append(Level(codes, 0, None))
            elif self._settings.unknown_sku == "error":
                error = error_text([unknown_item(codes)], self._settings.dev_mode)
                return result(company, "MultiAvailableToSell", status="ERROR", error=error)
        return self._answer(company, "MultiAvailableToSell", "SKU", levels[: int(len(levels) * share)])

    @staticmethod
    def _answer(company: str, request_type: str, tag: str, levels: Sequence[Level]) -> etree._Element:
        root = result(company, request_type, status="OK")
        data = etree.SubElement(root, "Data")
        for level in levels:
            etree.SubElement(data, tag, level.attributes())
        return root


def codes_of(attributes: dict[str, str]) -> Codes:
    """Return the stock tuple in a request element's attributes."""
    product, one, two, three, four = (attributes.get(name, "") for name in CODES)
    return product, one, two, three, four


def find_items(connection: Connection, wanted: Sequence[Codes]) -> dict[str, RowMapping]:
    """Return the items of stock tuples by `code_key`, whatever the case of the codes asked for."""
    found: dict[str, RowMapping] = {}
    keys = sorted({code_key(codes) for codes in wanted})
    for start in range(0, len(keys), 500):
        chosen = select(items).where(items.c.code_key.in_(keys[start : start + 500]))
        found.update((row["code_key"], row) for row in connection.execute(chosen).mappings())
    return found


def move(connection: Connection, sku: str, now: datetime, *, physical: int = 0, available: int = 0) -> None:
    """Change an item's quantities inside a transaction; services have none and are left alone."""
    connection.execute(
        update(items)
        .where(items.c.sku == sku, items.c.is_stocked == 1)
        .values(physical=items.c.physical + physical, available=items.c.available + available, updated_at=now)
    )


def _tuple_of(row: RowMapping) -> Codes:
    return row["product"], row["mtrx1"], row["mtrx2"], row["mtrx3"], row["mtrx4"]


def _existing(connection: Connection, name: str, wanted: list[str]) -> set[str]:
    there: set[str] = set()
    for start in range(0, len(wanted), 500):
        chosen = select(items.c[name]).where(items.c[name].in_(wanted[start : start + 500]))
        there.update(connection.scalars(chosen))
    return there


def _values(item: Item, now: datetime) -> dict[str, Any]:
    return {
        "sku": item.sku,
        "code_key": code_key(item.codes),
        **dict(zip(("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4"), item.codes, strict=True)),
        "description": item.description,
        "vat_code": item.vat_code,
        "price": to_pence(item.price),
        "physical": item.available,
        "available": item.available,
        "available_date": item.available_date,
        "is_active": int(item.is_active),
        "is_stocked": int(item.is_stocked),
        "updated_at": now,
    }
