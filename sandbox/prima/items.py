"""What can be sold: the item record, and items made up for the SKUs of Magento orders."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

Codes = tuple[str, str, str, str, str]

LONGEST_CODE = 16
OPENING_STOCK = 100


@dataclass(frozen=True)
class Item:
    """One sellable item: its web SKU, PRIMA's tuple, the available units and the selling price with VAT."""

    sku: str
    product: str
    mtrx1: str = ""
    mtrx2: str = ""
    mtrx3: str = ""
    mtrx4: str = ""
    available: int = 0
    price: Decimal = Decimal(0)
    vat_code: str = "S"
    description: str = ""
    available_date: date | None = None  # when the next stock is expected
    is_active: bool = True
    is_stocked: bool = True  # False = a service, never in a stock answer

    @property
    def codes(self) -> Codes:
        """The stock tuple."""
        return self.product, self.mtrx1, self.mtrx2, self.mtrx3, self.mtrx4


def code_key(codes: Iterable[str]) -> str:
    """Return a stock tuple as one key that ignores case, as PRIMA does when it compares codes."""
    return "\x1f".join(code.casefold() for code in codes)


def items_of_orders(orders: Iterable[Mapping[str, Any]], taken: set[str]) -> list[Item]:
    """Return an item for every SKU of Magento orders: 100 units and what those orders have not shipped yet.

    `orders` are documents as GET /V1/orders gives them; `taken` are the keys (`code_key`) of tuples already in use. A
    SKU of three plain parts (TEE-NAVY-M) becomes a product with two matrix codes, any other a product alone, of at
    most 16 letters and digits.
    """
    found: dict[str, _Sold] = {}
    for order in orders:
        country = _destination(order)
        for line in order.get("items", ()):
            if line.get("parent_item_id") is None and line.get("sku"):
                found.setdefault(str(line["sku"]), _Sold()).add(line, country)
    in_use = set(taken)
    return [sold.as_item(sku, _free_codes(sku, in_use)) for sku, sold in sorted(found.items())]


class _Sold:
    """What the orders tell of one SKU."""

    def __init__(self) -> None:
        self.name = ""
        self.price = Decimal(0)
        self.open_units = 0
        self.home_rates: set[Decimal] = set()
        self.foreign_rates: set[Decimal] = set()

    def add(self, line: Mapping[str, Any], country: str) -> None:
        rate = Decimal(str(line.get("tax_percent") or 0))
        (self.home_rates if country in ("GB", "IM") else self.foreign_rates).add(rate)
        self.name = self.name or str(line.get("name", ""))
        self.price = max(self.price, Decimal(str(line.get("price_incl_tax") or line.get("price") or 0)))
        gone = sum(Decimal(str(line.get(name) or 0)) for name in ("qty_shipped", "qty_canceled"))
        self.open_units += max(0, int(Decimal(str(line.get("qty_ordered") or 0)) - gone))

    def as_item(self, sku: str, codes: Codes) -> Item:
        rate = max(self.home_rates or self.foreign_rates)
        vat_code = "S" if rate > Decimal("13.5") else "R" if rate > 0 else "Z"
        return Item(
            sku,
            *codes,
            available=OPENING_STOCK + self.open_units,
            price=self.price.quantize(Decimal("0.01")),
            vat_code=vat_code,
            description=self.name,
        )


def _destination(order: Mapping[str, Any]) -> str:
    """Return the country that an order goes to: of its delivery address, else (virtual goods) of its bill."""
    assignments = (order.get("extension_attributes") or {}).get("shipping_assignments") or [{}]
    delivered_to = (assignments[0].get("shipping") or {}).get("address") or order.get("billing_address") or {}
    return str(delivered_to.get("country_id") or "GB")


def _free_codes(sku: str, in_use: set[str]) -> Codes:
    """Return a tuple for a SKU that no other has, and mark it as used."""
    parts = sku.upper().split("-")
    if len(parts) == 3 and all(re.fullmatch(rf"[A-Z0-9]{{1,{LONGEST_CODE}}}", part) for part in parts):
        codes: Codes = (parts[0], parts[1], parts[2], "", "")
        if code_key(codes) not in in_use:
            in_use.add(code_key(codes))
            return codes
    plain = re.sub(r"[^A-Z0-9]", "", sku.upper()) or "ITEM"
    digest = hashlib.sha256(sku.encode()).hexdigest().upper()
    candidates = [plain] if len(plain) <= LONGEST_CODE else []
    candidates += [plain[: LONGEST_CODE - size] + digest[:size] for size in range(4, LONGEST_CODE + 1)]
    for product in candidates:
        codes = (product, "", "", "", "")
        if code_key(codes) not in in_use:
            in_use.add(code_key(codes))
            return codes
    raise ValueError(f"no free product code for SKU {sku}")
