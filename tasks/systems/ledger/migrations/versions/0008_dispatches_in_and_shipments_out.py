"""What a dispatch told, its tracks, dispatches from files and questions, and what stands on the Magento order."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=False)


def _at(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.add_column("dispatch_links", sa.Column("content", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_dispatch_links_updated_at", "dispatch_links", ["updated_at"], unique=False)
    op.create_table(
        "dispatch_tracks",
        *(_text(name) for name in ("dispatch_number", "track_number", "carrier_code", "title", "url", "state")),
        _at("told_at"),
        sa.PrimaryKeyConstraint("dispatch_number", "track_number", name="pk_dispatch_tracks"),
    )
    op.create_table(
        "dispatch_inbox",
        *(_text(name) for name in ("dispatch_number", "source", "header", "lines")),
        _at("received_at"),
        _at("updated_at"),
        sa.PrimaryKeyConstraint("dispatch_number", name="pk_dispatch_inbox"),
    )
    op.create_index("ix_dispatch_inbox_updated_at", "dispatch_inbox", ["updated_at"], unique=False)
    op.create_table(
        "status_polls",
        _text("order_number"),
        _at("asked_at"),
        _text("word"),
        sa.PrimaryKeyConstraint("order_number", name="pk_status_polls"),
    )
    op.create_table(
        "order_marks",
        *(_text(name) for name in ("order_number", "mark", "status", "status_before")),
        _at("told_at"),
        sa.PrimaryKeyConstraint("order_number", name="pk_order_marks"),
    )
