"""What needs a person, and what was done about it."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Table, text

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

_OPEN = text("state = 'open'")

exceptions = Table(
    "exceptions",
    metadata,
    row_id(),
    text_column("code"),
    text_column("subject"),
    text_column("state"),
    Column("detail", PlainText, nullable=False),
    text_column("order_number"),
    text_column("sku"),
    pence_column("value_at_risk_pence"),
    text_column("currency"),
    Column("suggestions", JSON, nullable=False),
    count_column("occurrences"),
    text_column("batch_id"),
    at_column("first_seen_at"),
    at_column("last_seen_at"),
    at_column("closed_at", nullable=True),
    text_column("closed_by"),
    Column("reopens_id", ROW_ID),
    Index("uq_exceptions_open", "subject", "code", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_exceptions_subject_code", "subject", "code"),
    Index("ix_exceptions_state_code", "state", "code"),
    Index("ix_exceptions_order_number", "order_number"),
)

exception_events = Table(
    "exception_events",
    metadata,
    row_id(),
    Column("exception_id", ROW_ID, ForeignKey("exceptions.id"), nullable=False),
    at_column("at"),
    text_column("actor"),
    text_column("event"),
    Column("text", PlainText, nullable=False),
    Index("ix_exception_events_exception_id", "exception_id"),
)
