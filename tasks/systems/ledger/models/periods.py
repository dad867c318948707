"""Periods that finance closes: their state, their audit trail, and what changed after a lock."""

from sqlalchemy import JSON, BigInteger, Column, Date, ForeignKey, Index, Table

from tasks.systems.ledger.models.columns import (
    ROW_ID,
    PlainText,
    at_column,
    count_column,
    metadata,
    row_id,
    text_column,
)

periods = Table(
    "periods",
    metadata,
    row_id(),
    text_column("name"),
    text_column("kind"),
    Column("from_date", Date, nullable=False),
    Column("to_date", Date, nullable=False),
    text_column("state"),
    count_column("revision"),
    text_column("figures_hash"),
    text_column("run_id"),
    Column("folder", PlainText, nullable=False),
    Column("figures", JSON, nullable=False),
    text_column("preparer"),
    text_column("approver"),
    at_column("locked_at", nullable=True),
    Column("pack", PlainText, nullable=False),
    text_column("pack_sha256"),
    Index("uq_periods_name", "name", unique=True),
)

# Only ever appended to; each row seals the one before it.
period_events = Table(
    "period_events",
    metadata,
    row_id(),
    Column("period_id", ROW_ID, ForeignKey("periods.id"), nullable=False),
    at_column("at"),
    text_column("actor"),
    text_column("event"),
    Column("text", PlainText, nullable=False),
    count_column("revision"),
    text_column("figures_hash"),
    text_column("sha256"),
    Index("ix_period_events_period_id", "period_id"),
)

# `before` and `now` are empty where the figure is not there.
prior_period_items = Table(
    "prior_period_items",
    metadata,
    row_id(),
    Column("period_id", ROW_ID, ForeignKey("periods.id"), nullable=False),
    count_column("revision"),
    at_column("found_at"),
    text_column("batch_id"),
    text_column("figures_hash"),
    text_column("side"),
    text_column("level"),
    text_column("document_number"),
    text_column("rate"),
    text_column("order_key"),
    text_column("currency"),
    *(
        column
        for when in ("before", "now")
        for column in (
            Column(f"{when}_net_pence", BigInteger),
            Column(f"{when}_vat_pence", BigInteger),
            Column(f"{when}_destination", PlainText),
            Column(f"{when}_date", Date),
        )
    ),
    text_column("carried_into"),
    Index("ix_prior_period_items_period_id", "period_id"),
    Index("ix_prior_period_items_carried_into", "carried_into"),
)
