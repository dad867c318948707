"""The ledger's tables. The migrations in `migrations/versions` make them; a test holds the two together.

Money is BIGINT pence, instants are UTC, `_at` in the name. SQLite and PostgreSQL use the same definitions.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from tasks.systems.ledger.states import LIVE_POSTING_STATES


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, kept in UTC: SQLite would give back a naive one. A naive instant is refused (ValueError)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PlainText(TypeDecorator[str]):
    """Free text from outside, without what a database refuses: PostgreSQL takes no NUL, neither takes half a pair."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column declared INTEGER.
_ROW_ID = BigInteger().with_variant(Integer, "sqlite")
_LIVE = text(f"state IN ({', '.join(repr(state) for state in LIVE_POSTING_STATES)})")
_OPEN = text("state = 'open'")
_UNSHIPPED = text("quantity > quantity_shipped + quantity_cancelled")
_CURRENT = text("ended_at IS NULL")
_NUMBERED = text("order_number_prima <> ''")
_UNVERIFIED = text("verified_at IS NULL")


def _id() -> Column[Any]:
    return Column("id", _ROW_ID, primary_key=True, autoincrement=True)


def _text(name: str, **options: Any) -> Column[Any]:
    return Column(name, Text, nullable=False, **options)


def _count(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False)


def _pence(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False)


def _at(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, UtcDateTime, nullable=nullable)


orders = Table(
    "orders",
    metadata,
    _text("order_number", primary_key=True),
    Column("entity_id_magento", BigInteger, nullable=False),
    _count("store_id"),
    _text("state_magento"),
    _text("status_magento"),
    _at("placed_at"),
    _at("updated_at"),
    _text("currency"),
    _pence("net_pence"),
    _pence("vat_pence"),
    _pence("gross_pence"),
    _text("country"),
    _text("payment_method"),
    _text("delivery_method"),
    Column("is_virtual", Boolean, nullable=False),
    _text("order_number_prima"),
    Column("evidence_id", BigInteger),
    _text("content_hash"),
    _text("state"),
    _at("state_since"),
    _at("seen_at"),
    _at("accepted_at", nullable=True),
    _text("customer_code"),
    _text("claimed_by"),
    _at("claimed_until", nullable=True),
    _at("verified_at", nullable=True),
    Index("ix_orders_state_placed_at", "state", "placed_at"),
    Index("ix_orders_accepted_at", "accepted_at"),
    Index("ix_orders_entity_id_magento", "entity_id_magento"),
    # Holds only orders whose figures are still to be compared, so that finding them is quick however old the shop is.
    Index("ix_orders_unverified", "accepted_at", sqlite_where=_UNVERIFIED, postgresql_where=_UNVERIFIED),
    Index(
        "uq_orders_order_number_prima",
        "order_number_prima",
        unique=True,
        sqlite_where=_NUMBERED,
        postgresql_where=_NUMBERED,
    ),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_number", Text, ForeignKey("orders.order_number"), primary_key=True),
    Column("item_id_magento", BigInteger, primary_key=True, autoincrement=False),
    _count("line_number"),
    _text("sku"),
    _text("product_type"),
    _count("quantity"),
    _pence("net_pence"),
    _pence("vat_pence"),
    _pence("gross_pence"),
    _text("vat_rate_percent"),
    _text("source_code"),
    _count("quantity_shipped"),
    _count("quantity_cancelled"),
    _count("quantity_refunded"),
    _count("quantity_invoiced"),
    # Holds only lines that may still be open, so that open units are quick however old the shop is.
    Index("ix_order_lines_unshipped", "order_number", sqlite_where=_UNSHIPPED, postgresql_where=_UNSHIPPED),
    Index("ix_order_lines_sku", "sku"),
)

postings = Table(
    "postings",
    metadata,
    _id(),
    _text("key"),
    _count("attempt"),
    _text("system"),
    _text("operation"),
    _text("subject"),
    _text("request_hash"),
    _text("state"),
    _at("begun_at"),
    _at("finished_at", nullable=True),
    _text("reference"),
    _text("error_code"),
    Column("error_text", PlainText, nullable=False),
    _text("resolution"),
    Column("request_evidence_id", BigInteger),
    Column("answer_evidence_id", BigInteger),
    Index("uq_postings_key_attempt", "key", "attempt", unique=True),
    Index("uq_postings_live_key", "key", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("ix_postings_system_state", "system", "state"),
    Index("ix_postings_subject", "subject"),
)

exceptions = Table(
    "exceptions",
    metadata,
    _id(),
    _text("code"),
    _text("subject"),
    _text("state"),
    Column("detail", PlainText, nullable=False),
    _text("order_number"),
    _text("sku"),
    _pence("value_at_risk_pence"),
    _text("currency"),
    Column("suggestions", JSON, nullable=False),
    _count("occurrences"),
    _text("batch_id"),
    _at("first_seen_at"),
    _at("last_seen_at"),
    _at("closed_at", nullable=True),
    _text("closed_by"),
    Column("reopens_id", _ROW_ID),
    Index("uq_exceptions_open", "subject", "code", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_exceptions_subject_code", "subject", "code"),
    Index("ix_exceptions_state_code", "state", "code"),
    Index("ix_exceptions_order_number", "order_number"),
)

exception_events = Table(
    "exception_events",
    metadata,
    _id(),
    Column("exception_id", _ROW_ID, ForeignKey("exceptions.id"), nullable=False),
    _at("at"),
    _text("actor"),
    _text("event"),
    Column("text", PlainText, nullable=False),
    Index("ix_exception_events_exception_id", "exception_id"),
)

watermarks = Table(
    "watermarks",
    metadata,
    _text("stream", primary_key=True),
    _at("at"),
    Column("key", BigInteger, nullable=False),
    _text("batch_id"),
    _at("recorded_at"),
)

batches = Table(
    "batches",
    metadata,
    _text("batch_id", primary_key=True),
    _text("stream"),
    _at("window_start"),
    _at("window_end"),
    _text("state"),
    _at("opened_at"),
    _at("closed_at", nullable=True),
    Column("control_totals", JSON, nullable=False),
    Index("ix_batches_stream_opened_at", "stream", "opened_at"),
)

stock_levels = Table(
    "stock_levels",
    metadata,
    _text("sku", primary_key=True),
    _text("source_code", primary_key=True),
    Column("available_to_sell", Integer),
    Column("buffer", Integer),
    Column("open_units", Integer),
    Column("source_qty", Integer),
    _at("snapshot_at", nullable=True),
    Column("available_date", Date),
    Column("confirmed_qty", Integer),
    _at("confirmed_at", nullable=True),
)

stock_pushes = Table(
    "stock_pushes",
    metadata,
    _id(),
    _text("sku"),
    _text("source_code"),
    _count("available_to_sell"),
    _count("buffer"),
    _count("open_units"),
    _count("source_qty"),
    _at("snapshot_at"),
    _text("state"),
    _text("batch_id"),
    _at("pushed_at"),
    Index("ix_stock_pushes_sku_id", "sku", "id"),
)

dispatch_links = Table(
    "dispatch_links",
    metadata,
    _text("dispatch_number", primary_key=True),
    _text("order_number"),
    _text("shipment_id"),
    _text("state"),
    _at("first_seen_at"),
    _at("updated_at"),
    Index("ix_dispatch_links_order_number", "order_number"),
)

mappings = Table(
    "mappings",
    metadata,
    _id(),
    _text("kind"),
    _text("key"),
    Column("value", JSON, nullable=False),
    _text("set_by"),
    _at("set_at"),
    _text("ended_by"),
    _at("ended_at", nullable=True),
    Index("uq_mappings_current", "kind", "key", unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT),
    Index("ix_mappings_kind_key", "kind", "key"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=False),
    _text("kind"),
    _text("subject"),
    _text("media"),
    Column("payload", LargeBinary, nullable=False),
    _count("size"),
    _text("payload_sha256"),
    _text("previous_hash"),
    _text("chain_hash"),
    _at("kept_at"),
    Index("ix_evidence_subject", "subject"),
)

# One row: the end of the chain. It makes a cut-off end visible, and appends queue up behind its lock.
evidence_head = Table(
    "evidence_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last_id", BigInteger, nullable=False),
    _text("chain_hash"),
)

leases = Table(
    "leases",
    metadata,
    _text("name", primary_key=True),
    _text("owner"),
    _text("token"),
    _at("until"),
)
