"""The stock snapshot to compare with, snapshots that were held, and the decisions about them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stock_holds",
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("units", sa.LargeBinary(), nullable=False),
        sa.Column("units_sha256", sa.Text(), nullable=False),
        sa.Column("top", sa.JSON(), nullable=False),
        sa.Column("value_at_risk_pence", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times_held", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_stock_holds")),
    )
    with op.batch_alter_table("stock_holds", schema=None) as batch_op:
        batch_op.create_index("ix_stock_holds_state", ["state", "held_at"], unique=False)

    op.create_table(
        "stock_hold_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["stock_holds.hold_id"], name=op.f("fk_stock_hold_events_hold_id_stock_holds")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_hold_events")),
    )
    with op.batch_alter_table("stock_hold_events", schema=None) as batch_op:
        batch_op.create_index("ix_stock_hold_events_hold_id", ["hold_id"], unique=False)

    op.create_table(
        "stock_baselines",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("units", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_stock_baselines")),
    )
