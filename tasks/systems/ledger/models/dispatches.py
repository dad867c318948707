"""Which of PRIMA's dispatches became which shipment in Magento."""

from sqlalchemy import Index, Table

from tasks.systems.ledger.models.columns import at_column, metadata, text_column

dispatch_links = Table(
    "dispatch_links",
    metadata,
    text_column("dispatch_number", primary_key=True),
    text_column("order_number"),
    text_column("shipment_id"),
    text_column("state"),
    at_column("first_seen_at"),
    at_column("updated_at"),
    Index("ix_dispatch_links_order_number", "order_number"),
)
