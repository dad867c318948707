"""Breaks of the reconciliation through the nights, and the tolerance policy with its versions."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("settled_by = ''")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _pence(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "breaks",
        sa.Column("id", _ROW_ID, autoincrement=True, nullable=False),
        *(_text(name) for name in ("level", "order_key", "currency")),
        sa.Column("business_date", sa.Date(), nullable=False),
        *(_text(name) for name in ("order_number", "order_number_prima", "status", "cause", "owner", "comment")),
        _text("reason_code"),
        *(_pence(name) for name in ("value_pence", "vat_variance_pence", "variance_pence")),
        sa.Column("nights", sa.Integer(), nullable=False),
        _text("batch_id"),
        _at("first_seen_at"),
        _at("last_seen_at"),
        *(_text(name) for name in ("settled_by", "settlement_reference")),
        _at("settled_at", nullable=True),
        _text("settled_who"),
        sa.PrimaryKeyConstraint("id", name="pk_breaks"),
    )
    op.create_index(
        "uq_breaks_open",
        "breaks",
        ["level", "order_key", "currency"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_breaks_order_key", "breaks", ["order_key"])
    op.create_index("ix_breaks_settled_by", "breaks", ["settled_by"])
    op.create_table(
        "break_events",
        sa.Column("id", _ROW_ID, autoincrement=True, nullable=False),
        sa.Column("break_id", _ROW_ID, nullable=False),
        _at("at"),
        *(_text(name) for name in ("actor", "event", "text")),
        sa.ForeignKeyConstraint(["break_id"], ["breaks.id"], name="fk_break_events_break_id_breaks"),
        sa.PrimaryKeyConstraint("id", name="pk_break_events"),
    )
    op.create_index("ix_break_events_break_id", "break_events", ["break_id"])
    op.create_table(
        "tolerance_policies",
        sa.Column("version", _ROW_ID, autoincrement=True, nullable=False),
        _pence("order_pence"),
        sa.Column("line_pence", sa.BigInteger(), nullable=True),
        sa.Column("day_pence", sa.BigInteger(), nullable=True),
        sa.Column("methods", sa.JSON(), nullable=False),
        _pence("materiality_pence"),
        _text("set_by"),
        _at("set_at"),
        _text("set_because"),
        sa.PrimaryKeyConstraint("version", name="pk_tolerance_policies"),
    )
