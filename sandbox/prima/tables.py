"""The stand-in's own tables. Amounts are whole pence, instants naive UTC, and sent documents JSON text."""

from typing import Any

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

metadata = MetaData()

_SECONDS: TypeEngine[Any] = sqlite.DATETIME(  # type: ignore[no-untyped-call]
    storage_format="%(year)04d-%(month)02d-%(day)02d %(hour)02d:%(minute)02d:%(second)02d",
    regexp=r"(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+)",
)


def _instant() -> TypeEngine[Any]:
    return DateTime().with_variant(_SECONDS, "sqlite")


def _text(name: str, *, key: bool = False) -> "Column[str]":
    return Column(name, String, primary_key=key, nullable=False, default="")


def _count(name: str, *, key: bool = False) -> "Column[int]":
    return Column(name, Integer, primary_key=key, nullable=False, default=0, autoincrement=False)


def _pence(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=False, default=0)


def _tuple() -> "tuple[Column[str], ...]":
    return tuple(_text(name) for name in ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4"))


def _amounts(prefix: str = "") -> "tuple[Column[int], ...]":
    return tuple(_pence(f"{prefix}{name}") for name in ("net", "vat", "gross"))


def _updated() -> "Column[object]":
    return Column("updated_at", _instant(), nullable=False)


counters = Table("stand_in_counters", metadata, _text("name", key=True), _count("value"))

items = Table(
    "stand_in_items",
    metadata,
    _text("sku", key=True),
    Column("code_key", String, nullable=False, unique=True),  # the tuple without case: PRIMA compares codes so
    *_tuple(),
    _text("description"),
    _text("vat_code"),
    _pence("price"),
    _count("physical"),
    _count("available"),  # may fall below zero inside; answers never show that
    Column("available_date", Date),
    _count("is_active"),
    _count("is_stocked"),
    _updated(),
)

orders = Table(
    "stand_in_orders",
    metadata,
    _text("order_number", key=True),
    _count("sequence"),
    _text("status"),
    _count("is_held"),
    _text("customer_code"),
    _text("currency"),
    _text("country"),
    _text("charge_code"),
    _text("charge_rate"),
    *_amounts("charge_"),
    _count("charge_invoiced"),
    _count("charge_credited"),
    *_amounts(),
    _text("tran_amount"),
    Column("sent", Text, nullable=False),
    Column("ordered_at", _instant(), nullable=False),
    _updated(),
)

order_lines = Table(
    "stand_in_order_lines",
    metadata,
    _text("order_number", key=True),
    _count("line_number", key=True),
    _text("sku"),
    *_tuple(),
    _count("is_stocked"),
    _count("quantity"),
    _count("dispatched"),
    _count("cancelled"),
    _count("invoiced"),
    _count("credited"),
    _text("vat_code"),
    _text("vat_rate"),
    *_amounts(),
    _updated(),
)

dispatches = Table(
    "stand_in_dispatches",
    metadata,
    _text("dispatch_number", key=True),
    _text("order_number"),
    Column("dispatched_at", _instant(), nullable=False),
    _text("carrier"),
    _text("service"),
    _text("tracking_numbers"),
    _updated(),
)

dispatch_lines = Table(
    "stand_in_dispatch_lines",
    metadata,
    _text("dispatch_number", key=True),
    _count("line_number", key=True),
    _text("order_number"),
    _count("order_line_number"),
    *_tuple(),
    _count("quantity"),
    _updated(),
)

invoices = Table(
    "stand_in_invoices",
    metadata,
    _text("invoice_number", key=True),
    _text("order_number"),
    Column("invoice_date", Date, nullable=False),
    _text("currency"),
    *_amounts(),
    _updated(),
)

invoice_lines = Table(
    "stand_in_invoice_lines",
    metadata,
    _text("invoice_number", key=True),
    _count("line_number", key=True),
    _text("order_number"),
    _text("line_type"),
    Column("order_line_number", Integer),
    *_tuple(),
    _count("quantity"),
    _text("vat_rate"),
    *_amounts(),
    _updated(),
)

credit_notes = Table(
    "stand_in_credit_notes",
    metadata,
    _text("credit_note_number", key=True),
    _text("order_number"),
    _text("invoice_number"),
    Column("credit_note_date", Date, nullable=False),
    _text("currency"),
    *_amounts(),
    _text("reason"),
    _updated(),
)

credit_note_lines = Table(
    "stand_in_credit_note_lines",
    metadata,
    _text("credit_note_number", key=True),
    _count("line_number", key=True),
    _text("order_number"),
    _text("line_type"),
    Column("order_line_number", Integer),
    *_tuple(),
    _count("quantity"),
    _text("vat_rate"),
    *_amounts(),
    _updated(),
)

_TABLES = (items, orders, order_lines, dispatches, dispatch_lines, invoices, invoice_lines, credit_notes)
for _table in (*_TABLES, credit_note_lines):
    Index(f"{_table.name}_updated_at", _table.c.updated_at)
for _table in (dispatches, invoices, invoice_lines):
    Index(f"{_table.name}_order_number", _table.c.order_number)
