"""PRIMA's dispatches: what came in, which shipment in Magento tells of each, its tracks, and what the order shows."""

from sqlalchemy import Column, Index, Table, Text

from tasks.systems.ledger.models.columns import at_column, metadata, text_column

# `content` is the hash of what was told: a dispatch that still reads like it needs no second look.
dispatch_links = Table(
    "dispatch_links",
    metadata,
    text_column("dispatch_number", primary_key=True),
    text_column("order_number"),
    text_column("shipment_id"),
    text_column("state"),
    at_column("first_seen_at"),
    at_column("updated_at"),
    text_column("content", server_default=""),
    Index("ix_dispatch_links_order_number", "order_number"),
    Index("ix_dispatch_links_updated_at", "updated_at"),
)

# The tracking numbers that stand on a dispatch's shipment; `withdrawn`: PRIMA does not name it any more.
dispatch_tracks = Table(
    "dispatch_tracks",
    metadata,
    text_column("dispatch_number", primary_key=True),
    text_column("track_number", primary_key=True),
    text_column("carrier_code"),
    text_column("title"),
    text_column("url"),
    text_column("state"),
    at_column("told_at"),
)

# Dispatches that were dropped as files or asked for one by one: what a reporting source would keep for us.
dispatch_inbox = Table(
    "dispatch_inbox",
    metadata,
    text_column("dispatch_number", primary_key=True),
    text_column("source"),
    Column("header", Text, nullable=False),
    Column("lines", Text, nullable=False),
    at_column("received_at"),
    at_column("updated_at"),
    Index("ix_dispatch_inbox_updated_at", "updated_at"),
)

# When PRIMA was last asked for the state of an order, where nothing else tells of dispatches.
status_polls = Table(
    "status_polls",
    metadata,
    text_column("order_number", primary_key=True),
    at_column("asked_at"),
    text_column("word"),
)

# What was last written on the Magento order about its way through PRIMA, and the status that stood there before.
order_marks = Table(
    "order_marks",
    metadata,
    text_column("order_number", primary_key=True),
    text_column("mark"),
    text_column("status"),
    text_column("status_before"),
    at_column("told_at"),
)
