"""Which products Magento has, as of the last look: stock of any other SKU would become an orphan there."""

from sqlalchemy import Table

from tasks.systems.ledger.models.columns import at_column, metadata, text_column

magento_products = Table(
    "magento_products",
    metadata,
    text_column("sku", primary_key=True),
    text_column("type_id"),
    at_column("seen_at"),
)
