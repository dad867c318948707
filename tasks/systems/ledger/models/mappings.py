"""What people decided about names, each decision kept."""

from sqlalchemy import JSON, Column, Index, Table, text

from tasks.systems.ledger.models.columns import at_column, metadata, row_id, text_column

_CURRENT = text("ended_at IS NULL")

mappings = Table(
    "mappings",
    metadata,
    row_id(),
    text_column("kind"),
    text_column("key"),
    Column("value", JSON, nullable=False),
    text_column("set_by"),
    at_column("set_at"),
    text_column("ended_by"),
    at_column("ended_at", nullable=True),
    Index("uq_mappings_current", "kind", "key", unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT),
    Index("ix_mappings_kind_key", "kind", "key"),
)
