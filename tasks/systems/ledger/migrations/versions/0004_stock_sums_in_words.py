"""Units sold on back-order as part of a stock sum, and the sum's warehouses and buffer rule in words."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("stock_levels", "stock_pushes"):
        op.add_column(table, sa.Column("back_order_units", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("stock_levels", sa.Column("explanation", sa.Text(), nullable=False, server_default=""))
