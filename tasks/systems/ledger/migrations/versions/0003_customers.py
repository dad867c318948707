"""Which customer of PRIMA stands for which Magento account."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("customer_id_magento", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_code", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id_magento", name=op.f("pk_customers")),
    )
