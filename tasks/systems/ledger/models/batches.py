"""What was read, how far, and whether its totals added up."""

from sqlalchemy import JSON, BigInteger, Column, Index, Table

from tasks.systems.ledger.models.columns import at_column, metadata, text_column

watermarks = Table(
    "watermarks",
    metadata,
    text_column("stream", primary_key=True),
    at_column("at"),
    Column("key", BigInteger, nullable=False),
    text_column("batch_id"),
    at_column("recorded_at"),
)

batches = Table(
    "batches",
    metadata,
    text_column("batch_id", primary_key=True),
    text_column("stream"),
    at_column("window_start"),
    at_column("window_end"),
    text_column("state"),
    at_column("opened_at"),
    at_column("closed_at", nullable=True),
    Column("control_totals", JSON, nullable=False),
    Index("ix_batches_stream_opened_at", "stream", "opened_at"),
)
