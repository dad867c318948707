"""The last whole stock cycle that was finished, and what it went by."""

from sqlalchemy import JSON, Column, Table

from tasks.systems.ledger.models.columns import at_column, metadata, text_column

stock_cycles = Table(
    "stock_cycles",
    metadata,
    text_column("stream", primary_key=True),
    text_column("batch_id"),
    Column("marks", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    at_column("finished_at"),
)
