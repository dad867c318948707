"""What a source held before its last push: tells a push that Magento dropped from a change by somebody else."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stock_levels", sa.Column("previous_qty", sa.Integer(), nullable=True))
    op.create_index("ix_stock_pushes_batch_id", "stock_pushes", ["batch_id"], unique=False)
