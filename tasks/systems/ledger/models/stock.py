"""What was sent to Magento as stock, and the sum behind it."""

from sqlalchemy import JSON, Column, Date, Index, Integer, Table

from tasks.systems.ledger.models.columns import PlainText, at_column, count_column, metadata, row_id, text_column

stock_levels = Table(
    "stock_levels",
    metadata,
    text_column("sku", primary_key=True),
    text_column("source_code", primary_key=True),
    Column("available_to_sell", Integer),
    Column("buffer", Integer),
    Column("open_units", Integer),
    Column("source_qty", Integer),
    at_column("snapshot_at", nullable=True),
    Column("available_date", Date),
    Column("back_order_units", Integer, nullable=False, server_default="0"),
    Column("explanation", PlainText, nullable=False, server_default=""),
    Column("confirmed_qty", Integer),
    at_column("confirmed_at", nullable=True),
    Column("previous_qty", Integer),
)

stock_pushes = Table(
    "stock_pushes",
    metadata,
    row_id(),
    text_column("sku"),
    text_column("source_code"),
    count_column("available_to_sell"),
    count_column("buffer"),
    count_column("open_units"),
    count_column("source_qty"),
    at_column("snapshot_at"),
    text_column("state"),
    text_column("batch_id"),
    at_column("pushed_at"),
    Column("back_order_units", Integer, nullable=False, server_default="0"),
    Index("ix_stock_pushes_sku_id", "sku", "id"),
    Index("ix_stock_pushes_batch_id", "batch_id"),
)

# What Magento was read to hold, level by level: the sample of each run, and what a check of everything found wrong.
stock_read_backs = Table(
    "stock_read_backs",
    metadata,
    row_id(),
    text_column("batch_id"),
    text_column("sku"),
    text_column("source_code"),
    at_column("read_at"),
    text_column("quantity"),
    Column("expected", Integer),
    text_column("cause"),
    Index("ix_stock_read_backs_sku_id", "sku", "id"),
)

# Bulks that Magento may still perform: what they write then is older than what was written since.
stock_bulks = Table(
    "stock_bulks",
    metadata,
    text_column("uuid", primary_key=True),
    at_column("sent_at"),
    at_column("settled_at", nullable=True),
    Column("levels", JSON, nullable=False),
)
