"""Alerts that were sent, what they were about, and the runs of each deployment."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PENDING = sa.text("state = 'pending'")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", _ROW_ID, autoincrement=True, nullable=False),
        *_text("channel", "topic"),
        _count("level"),
        *_text("state"),
        _at("begun_at"),
        _at("tried_at", nullable=True),
        _at("sent_at", nullable=True),
        _count("attempts"),
        *_text("problem"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index(
        "uq_alerts_pending",
        "alerts",
        ["channel", "topic", "level"],
        unique=True,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_index("ix_alerts_begun_at", "alerts", ["begun_at"])
    op.create_table(
        "alert_members",
        sa.Column("alert_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("exception_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_alert_members_alert_id_alerts"),
        sa.ForeignKeyConstraint(["exception_id"], ["exceptions.id"], name="fk_alert_members_exception_id_exceptions"),
        sa.PrimaryKeyConstraint("alert_id", "exception_id", name="pk_alert_members"),
    )
    op.create_index("ix_alert_members_exception_id", "alert_members", ["exception_id"])
    op.create_table(
        "flow_runs",
        *_text("run_id", "deployment", "state"),
        _at("expected_at"),
        _at("started_at", nullable=True),
        _at("ended_at", nullable=True),
        _count("run_count"),
        sa.PrimaryKeyConstraint("run_id", name="pk_flow_runs"),
    )
    op.create_index("ix_flow_runs_deployment_expected_at", "flow_runs", ["deployment", "expected_at"])
