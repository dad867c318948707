"""Breaks of the reconciliation through the nights, what people did about them, and what is tolerated."""

from sqlalchemy import JSON, BigInteger, Column, Date, ForeignKey, Index, Table, text

from tasks.systems.ledger.models.columns import (
    ROW_ID,
    PlainText,
    at_column,
    count_column,
    metadata,
    pence_column,
    row_id,
    text_column,
)

_OPEN = text("settled_by = ''")

breaks = Table(
    "breaks",
    metadata,
    row_id(),
    text_column("level"),
    text_column("order_key"),
    text_column("currency"),
    Column("business_date", Date, nullable=False),
    text_column("order_number"),
    text_column("order_number_prima"),
    text_column("status"),
    text_column("cause"),
    text_column("owner"),
    Column("comment", PlainText, nullable=False),
    text_column("reason_code"),
    pence_column("value_pence"),
    pence_column("vat_variance_pence"),
    pence_column("variance_pence"),
    count_column("nights"),
    text_column("batch_id"),
    at_column("first_seen_at"),
    at_column("last_seen_at"),
    text_column("settled_by"),
    Column("settlement_reference", PlainText, nullable=False),
    at_column("settled_at", nullable=True),
    text_column("settled_who"),
    Index("uq_breaks_open", "level", "order_key", "currency", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_breaks_order_key", "order_key"),
    Index("ix_breaks_settled_by", "settled_by"),
)

break_events = Table(
    "break_events",
    metadata,
    row_id(),
    Column("break_id", ROW_ID, ForeignKey("breaks.id"), nullable=False),
    at_column("at"),
    text_column("actor"),
    text_column("event"),
    Column("text", PlainText, nullable=False),
    Index("ix_break_events_break_id", "break_id"),
)

# Only ever appended to: the newest row is the policy in force.
tolerance_policies = Table(
    "tolerance_policies",
    metadata,
    Column("version", ROW_ID, primary_key=True, autoincrement=True),
    pence_column("order_pence"),
    Column("line_pence", BigInteger),
    Column("day_pence", BigInteger),
    Column("methods", JSON, nullable=False),
    pence_column("materiality_pence"),
    text_column("set_by"),
    at_column("set_at"),
    Column("set_because", PlainText, nullable=False),
)
