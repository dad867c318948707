"""Periods that finance closes, their audit trail, and what changed after a lock."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "periods",
        sa.Column("id", _ROW_ID, autoincrement=True, nullable=False),
        *_text("name", "kind"),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("to_date", sa.Date(), nullable=False),
        *_text("state"),
        _count("revision"),
        *_text("figures_hash", "run_id", "folder"),
        sa.Column("figures", sa.JSON(), nullable=False),
        *_text("preparer", "approver"),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        *_text("pack", "pack_sha256"),
        sa.PrimaryKeyConstraint("id", name="pk_periods"),
    )
    op.create_index("uq_periods_name", "periods", ["name"], unique=True)
    op.create_table(
        "period_events",
        sa.Column("id", _ROW_ID, autoincrement=True, nullable=False),
        sa.Column("period_id", _ROW_ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_text("actor", "event", "text"),
        _count("revision"),
        *_text("figures_hash", "sha256"),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_period_events_period_id_periods"),
        sa.PrimaryKeyConstraint("id", name="pk_period_events"),
    )
    op.create_index("ix_period_events_period_id", "period_events", ["period_id"])
    op.create_table(
        "prior_period_items",
        sa.Column("id", _ROW_ID, autoincrement=True, nullable=False),
        sa.Column("period_id", _ROW_ID, nullable=False),
        _count("revision"),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        *_text("batch_id", "figures_hash", "side", "level", "document_number", "rate", "order_key", "currency"),
        *(
            column
            for when in ("before", "now")
            for column in (
                sa.Column(f"{when}_net_pence", sa.BigInteger(), nullable=True),
                sa.Column(f"{when}_vat_pence", sa.BigInteger(), nullable=True),
                sa.Column(f"{when}_destination", sa.Text(), nullable=True),
                sa.Column(f"{when}_date", sa.Date(), nullable=True),
            )
        ),
        *_text("carried_into"),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_prior_period_items_period_id_periods"),
        sa.PrimaryKeyConstraint("id", name="pk_prior_period_items"),
    )
    op.create_index("ix_prior_period_items_period_id", "prior_period_items", ["period_id"])
    op.create_index("ix_prior_period_items_carried_into", "prior_period_items", ["carried_into"])
