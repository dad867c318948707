"""Orders and their lines, as Magento had them last and as far as they have come."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, text

from tasks.systems.ledger.models.columns import at_column, count_column, metadata, pence_column, text_column

_UNSHIPPED = text("quantity > quantity_shipped + quantity_cancelled")
_NUMBERED = text("order_number_prima <> ''")
_UNVERIFIED = text("verified_at IS NULL")

orders = Table(
    "orders",
    metadata,
    text_column("order_number", primary_key=True),
    Column("entity_id_magento", BigInteger, nullable=False),
    count_column("store_id"),
    text_column("state_magento"),
    text_column("status_magento"),
    at_column("placed_at"),
    at_column("updated_at"),
    text_column("currency"),
    pence_column("net_pence"),
    pence_column("vat_pence"),
    pence_column("gross_pence"),
    text_column("country"),
    text_column("payment_method"),
    text_column("delivery_method"),
    Column("is_virtual", Boolean, nullable=False),
    text_column("order_number_prima"),
    Column("evidence_id", BigInteger),
    text_column("content_hash"),
    text_column("state"),
    at_column("state_since"),
    at_column("seen_at"),
    at_column("accepted_at", nullable=True),
    text_column("customer_code"),
    text_column("claimed_by"),
    at_column("claimed_until", nullable=True),
    at_column("verified_at", nullable=True),
    Index("ix_orders_state_placed_at", "state", "placed_at"),
    Index("ix_orders_accepted_at", "accepted_at"),
    Index("ix_orders_entity_id_magento", "entity_id_magento"),
    # Holds only orders whose figures are still to be compared, so that finding them is quick however old the shop is.
    Index("ix_orders_unverified", "accepted_at", sqlite_where=_UNVERIFIED, postgresql_where=_UNVERIFIED),
    Index(
        "uq_orders_order_number_prima",
        "order_number_prima",
        unique=True,
        sqlite_where=_NUMBERED,
        postgresql_where=_NUMBERED,
    ),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_number", Text, ForeignKey("orders.order_number"), primary_key=True),
    Column("item_id_magento", BigInteger, primary_key=True, autoincrement=False),
    count_column("line_number"),
    text_column("sku"),
    text_column("product_type"),
    count_column("quantity"),
    pence_column("net_pence"),
    pence_column("vat_pence"),
    pence_column("gross_pence"),
    text_column("vat_rate_percent"),
    text_column("source_code"),
    count_column("quantity_shipped"),
    count_column("quantity_cancelled"),
    count_column("quantity_refunded"),
    count_column("quantity_invoiced"),
    # Holds only lines that may still be open, so that open units are quick however old the shop is.
    Index("ix_order_lines_unshipped", "order_number", sqlite_where=_UNSHIPPED, postgresql_where=_UNSHIPPED),
    Index("ix_order_lines_sku", "sku"),
)
