"""State of the stand-in in one SQLite file: documents as Magento serves them beside the columns that are searched."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.magento.figures import php_json

TABLES = """
create table if not exists setting (name text primary key, value text not null);
create table if not exists sequence (name text primary key, value integer not null);
create table if not exists orders (
    entity_id integer primary key, increment_id text not null unique collate nocase, store_id integer not null,
    state text collate nocase, status text collate nocase, created_at text not null, updated_at text not null,
    customer_email text collate nocase, ext_order_id text collate nocase, document text not null);
create index if not exists orders_updated on orders (updated_at, entity_id);
create index if not exists orders_created on orders (created_at, entity_id);
create index if not exists orders_status on orders (status, entity_id);
create index if not exists orders_ext on orders (ext_order_id) where ext_order_id is not null;
create table if not exists order_items (
    item_id integer primary key, order_id integer not null, parent_item_id integer, store_id integer,
    sku text not null collate nocase, name text, product_type text, created_at text, updated_at text);
create index if not exists order_items_order on order_items (order_id);
create index if not exists order_items_sku on order_items (sku);
create table if not exists documents (
    kind text not null, entity_id integer not null, increment_id text not null collate nocase,
    order_id integer not null, store_id integer not null,
    created_at text not null, updated_at text not null, document text not null,
    primary key (kind, entity_id));
create index if not exists documents_order on documents (kind, order_id);
create index if not exists documents_updated on documents (kind, updated_at, entity_id);
create table if not exists products (
    entity_id integer primary key, sku text not null unique collate nocase, name text, type_id text not null,
    attribute_set_id integer not null, status integer not null, visibility integer not null, price text,
    vat_class text not null, created_at text not null, updated_at text not null, document text not null);
create index if not exists products_updated on products (updated_at, entity_id);
create table if not exists product_prices (
    product_id integer not null, store_id integer not null, price text not null, primary key (product_id, store_id));
create table if not exists product_names (
    product_id integer not null, store_id integer not null, name text not null, primary key (product_id, store_id));
create table if not exists product_costs (
    product_id integer not null, store_id integer not null, cost text not null, primary key (product_id, store_id));
create table if not exists special_prices (
    product_id integer not null, store_id integer not null, price text not null, price_from text, price_to text,
    primary key (product_id, store_id));
create table if not exists tier_prices (
    product_id integer not null, group_id integer, website_id integer not null, quantity_e4 integer not null,
    price text not null, price_type text not null);
create table if not exists attribute_options (
    option_id integer primary key, attribute_code text not null, label text not null collate nocase);
create table if not exists source_items (
    source_item_id integer primary key, sku text not null collate nocase, source_code text not null,
    quantity_e4 integer not null, status integer not null, unique (sku, source_code));
create table if not exists reservations (
    reservation_id integer primary key, stock_id integer not null, sku text not null collate nocase,
    quantity_e4 integer not null, event text not null, order_id integer);
create index if not exists reservations_sku on reservations (sku, stock_id);
create table if not exists emails (
    email_id integer primary key, kind text not null, increment_id text, document_id integer, sent_at text not null);
create table if not exists captures (capture_id integer primary key, increment_id text, invoice_id integer not null);
create table if not exists nonces (nonce text primary key);
create table if not exists bulks (
    uuid text primary key, topic text not null, route text not null, store_id integer not null,
    started_at text not null);
create table if not exists bulk_operations (
    operation_key integer primary key, uuid text not null, id integer not null, arguments text not null,
    status integer not null, result_message text, error_code integer, result text, unique (uuid, id));
"""


class Store:
    """One SQLite connection and the lock that every request holds: effects are applied one request after the other."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = off")  # a stand-in may lose its state to a power cut
        self._connection.execute("pragma cache_size = -64000")
        self._connection.executescript(TABLES)

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock; commit at the end, or undo everything when an exception leaves the block."""
        with self.lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Return every row of a query."""
        with self.lock:
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        with self.lock:
            found: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
            return found

    def value(self, statement: str, *values: Any) -> Any:
        """Return the first column of the first row, or None."""
        found = self.row(statement, *values)
        return None if found is None else found[0]

    def write(self, statement: str, *values: Any) -> int:
        """Run one statement and return the number of rows it touched."""
        with self.lock:
            return self._connection.execute(statement, values).rowcount

    def write_many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run one statement for each tuple."""
        with self.lock:
            self._connection.executemany(statement, rows)

    def next_id(self, sequence: str) -> int:
        """Return the next number of a sequence, from 1."""
        statement = """insert into sequence values (?, 1)
                       on conflict (name) do update set value = value + 1 returning value"""
        return int(self.value(statement, sequence))

    def used_id(self, sequence: str, number: int) -> None:
        """Move a sequence past a number that a loaded document already carries."""
        statement = """insert into sequence values (?, ?)
                       on conflict (name) do update set value = max(value, excluded.value)"""
        self.write(statement, sequence, number)

    def setting(self, name: str) -> str | None:
        """Return a setting kept with the state, or None."""
        found = self.value("select value from setting where name = ?", name)
        return None if found is None else str(found)

    def keep_setting(self, name: str, value: str) -> None:
        """Keep a setting with the state."""
        self.write("insert or replace into setting values (?, ?)", name, value)

    def document(self, kind: str, entity_id: int) -> dict[str, Any] | None:
        """Return a shipment, invoice or credit memo ("shipment", "invoice", "creditmemo") by its entity id."""
        text = self.value("select document from documents where kind = ? and entity_id = ?", kind, entity_id)
        return None if text is None else dict(json.loads(text))

    def keep_document(self, kind: str, document: dict[str, Any]) -> None:
        """Insert or replace a shipment, invoice or credit memo."""
        columns = ("entity_id", "increment_id", "order_id", "store_id", "created_at", "updated_at")
        values = [document[name] for name in columns]
        statement = "insert or replace into documents values (?, ?, ?, ?, ?, ?, ?, ?)"
        self.write(statement, kind, *values, php_json(document))
