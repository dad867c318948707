"""Refunds of Magento, credit notes of PRIMA, and which of them answer one another."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_OPEN = sa.text("settled_at IS NULL")


def _texts(*names: str) -> "list[sa.Column[Any]]":
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> "list[sa.Column[Any]]":
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _at(name: str, *, nullable: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _settled() -> "list[sa.Column[Any]]":
    return [_at("settled_at", nullable=True), *_texts("settled_by", "settled_why")]


def upgrade() -> None:
    op.create_table(
        "refunds",
        *_texts("refund_number", "order_number", "currency", "credit_note_number"),
        *_numbers("creditmemo_id", "entity_id_magento", "net_pence", "vat_pence", "gross_pence", "tender_pence"),
        _at("refunded_at"),
        sa.Column("refund_date", sa.Date(), nullable=False),
        _at("seen_at"),
        *_settled(),
        sa.PrimaryKeyConstraint("refund_number", name="pk_refunds"),
    )
    op.create_table(
        "refund_lines",
        *_texts("refund_number", "charge", "sku", "vat_rate_percent"),
        *_numbers("line_number", "item_id_magento", "net_pence", "vat_pence", "gross_pence"),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["refund_number"], ["refunds.refund_number"], name="fk_refund_lines_refund_number_refunds"
        ),
        sa.PrimaryKeyConstraint("refund_number", "line_number", name="pk_refund_lines"),
    )
    op.create_table(
        "credit_notes",
        *_texts("credit_note_number", "order_number", "order_number_prima", "invoice_number", "currency", "reason"),
        sa.Column("credit_note_date", sa.Date(), nullable=False),
        *_numbers("net_pence", "vat_pence", "gross_pence", "creditmemo_id"),
        _at("seen_at"),
        *_settled(),
        sa.PrimaryKeyConstraint("credit_note_number", name="pk_credit_notes"),
    )
    for table in ("refunds", "credit_notes"):
        op.create_index(f"ix_{table}_order_number", table, ["order_number"], unique=False)
        op.create_index(
            f"ix_{table}_open", table, ["order_number"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN
        )
    op.create_table(
        "refund_matches",
        *_texts("refund_number", "credit_note_number"),
        sa.ForeignKeyConstraint(
            ["refund_number"], ["refunds.refund_number"], name="fk_refund_matches_refund_number_refunds"
        ),
        sa.ForeignKeyConstraint(
            ["credit_note_number"],
            ["credit_notes.credit_note_number"],
            name="fk_refund_matches_credit_note_number_credit_notes",
        ),
        sa.PrimaryKeyConstraint("refund_number", "credit_note_number", name="pk_refund_matches"),
    )
    op.create_index("ix_refund_matches_credit_note_number", "refund_matches", ["credit_note_number"], unique=False)
