"""Which customer of PRIMA stands for which Magento account."""

from sqlalchemy import BigInteger, Column, Table

from tasks.systems.ledger.models.columns import at_column, metadata, text_column

customers = Table(
    "customers",
    metadata,
    Column("customer_id_magento", BigInteger, primary_key=True, autoincrement=False),
    text_column("customer_code"),
    at_column("updated_at"),
)
