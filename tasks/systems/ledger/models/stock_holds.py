"""The stock snapshot that the next one is compared with, snapshots that were held, and who decided what about each."""

from sqlalchemy import JSON, Column, ForeignKey, Index, LargeBinary, Table, Text

from tasks.systems.ledger.models.columns import (
    PlainText,
    at_column,
    count_column,
    metadata,
    pence_column,
    row_id,
    text_column,
)

stock_baselines = Table(
    "stock_baselines",
    metadata,
    text_column("stream", primary_key=True),
    text_column("batch_id"),
    count_column("rows"),
    Column("units", LargeBinary, nullable=False),
    at_column("recorded_at"),
)

stock_holds = Table(
    "stock_holds",
    metadata,
    text_column("hold_id", primary_key=True),
    text_column("batch_id"),
    text_column("state"),
    Column("reasons", JSON, nullable=False),
    Column("figures", JSON, nullable=False),
    count_column("rows"),
    Column("units", LargeBinary, nullable=False),
    text_column("units_sha256"),
    Column("top", JSON, nullable=False),
    pence_column("value_at_risk_pence"),
    text_column("currency"),
    at_column("held_at"),
    at_column("last_held_at"),
    count_column("times_held"),
    Index("ix_stock_holds_state", "state", "held_at"),
)

stock_hold_events = Table(
    "stock_hold_events",
    metadata,
    row_id(),
    Column("hold_id", Text, ForeignKey("stock_holds.hold_id"), nullable=False),
    at_column("at"),
    text_column("actor"),
    text_column("event"),
    Column("text", PlainText, nullable=False),
    Index("ix_stock_hold_events_hold_id", "hold_id"),
)
