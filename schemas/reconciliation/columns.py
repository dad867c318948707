"""Columns that several tables of the reconciliation share. No input or output."""

from typing import Any

from schemas.causes import CAUSES
from schemas.tables import Column

LEVELS = ("orders", "invoices", "refunds")
STATUSES = (
    "MATCHED",
    "WITHIN_TOLERANCE",
    "TOTAL_VARIANCE",
    "VAT_VARIANCE",
    "MISSING_IN_PRIMA",
    "MISSING_IN_MAGENTO",
    "DUPLICATE_IN_PRIMA",
    "TIMING",
    "EXCLUDED",
)
BREAK_STATUSES = STATUSES[2:7]
DESTINATIONS = ("GB", "NI", "IM", "EU", "export", "unknown")
CHARGES = ("goods", "delivery", "adjustment", "rounding", "document")
AGE_BANDS = ("0-1", "2-7", "8-30", "31+")
# How a person closed a break whose difference stays: by accepting it, or by a journal in the accounts.
SETTLEMENTS = ("acceptance", "journal")


def text(name: str, meaning: str, **more: Any) -> Column:
    return Column(name, "text", meaning, **more)


def pence(*pairs: tuple[str, str], required: bool = True) -> tuple[Column, ...]:
    return tuple(Column(f"{name}_pence", "pence", meaning, is_required=required) for name, meaning in pairs)


def amounts(prefix: str, of: str, *, required: bool = True) -> tuple[Column, ...]:
    return pence(
        (f"{prefix}net", f"{of}, without VAT"),
        (f"{prefix}vat", f"VAT of: {of}"),
        (f"{prefix}gross", f"{of}, with VAT"),
        required=required,
    )


def level(*, is_key: bool = True) -> Column:
    return text("level", "kind of document: orders, invoices or refunds", is_key=is_key, values=LEVELS)


def order_key(*, is_key: bool) -> Column:
    meaning = "the order number; `PRIMA` and PRIMA's number for a document that fits no Magento order"
    return text("order_key", meaning, is_key=is_key)


CURRENCY = text("currency", "ISO 4217; every sum is within one currency")
CURRENCY_KEY = text("currency", "ISO 4217; every sum is within one currency", is_key=True)
ORDER_NUMBER = text("order_number", "Magento's increment id")
ORDER_NUMBER_EMPTY = text("order_number", "Magento's increment id; empty when no order fits", is_required=False)
PRIMA_NUMBERS = text("order_number_prima", "PRIMA's order number, several separated by a comma", is_required=False)
DESTINATION = text(
    "destination", "GB, NI (postcode BT), IM, EU, export, or unknown when only PRIMA has it", values=DESTINATIONS
)
STORE = text("store", "store view of Magento; empty when only PRIMA has it")
FIRST_DATE = Column("business_date", "date", "London date of the first document, Magento's before PRIMA's")
IS_CARRIED = Column("is_carried", "flag", "outside the period: looked at again because its break was open")
AS_AT = (
    Column("magento_as_at", "instant", "when Magento was read"),
    Column("prima_as_at", "instant", "up to when PRIMA's figures are complete"),
)
PERIOD = (
    Column("from_date", "date", "first business date"),
    Column("to_date", "date", "last business date"),
)
SIDES = (
    Column("magento_count", "integer", "documents in Magento; 0 = missing there"),
    Column("prima_count", "integer", "documents in PRIMA; 0 = missing there"),
    *amounts("magento_", "what Magento charged", required=False),
    *amounts("prima_", "what PRIMA holds", required=False),
)
VARIANCES = pence(
    ("net_variance", "net, PRIMA minus Magento, a missing side counting as 0"),
    ("vat_variance", "VAT, PRIMA minus Magento"),
    ("variance", "gross, PRIMA minus Magento"),
)
BRIDGE = (
    *amounts("magento_", "what Magento charged"),
    *amounts("unexplained_", "part of the difference that has no cause"),
    *amounts("explained_", "part of the difference that has a cause"),
    *amounts("prima_", "what PRIMA holds"),
)
STATUS = text("status", "how the two sides compare", values=STATUSES)
CAUSE = text("cause", "why they differ, found by calculation; empty when they agree", values=("", *CAUSES))
CAUSE_DETAIL = text("cause_detail", "the lines, the method or the side that the cause is about; empty for none")
