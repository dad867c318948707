"""Which alerts went out, about which exceptions; and how the runs of each deployment went."""

from sqlalchemy import Column, ForeignKey, Index, Table, text

from tasks.systems.ledger.models.columns import (
    ROW_ID,
    PlainText,
    at_column,
    count_column,
    metadata,
    row_id,
    text_column,
)

_PENDING = text("state = 'pending'")

alerts = Table(
    "alerts",
    metadata,
    row_id(),
    text_column("channel"),
    text_column("topic"),
    count_column("level"),
    text_column("state"),
    at_column("begun_at"),
    at_column("tried_at", nullable=True),
    at_column("sent_at", nullable=True),
    count_column("attempts"),
    Column("problem", PlainText, nullable=False),
    Index(
        "uq_alerts_pending",
        "channel",
        "topic",
        "level",
        unique=True,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    ),
    Index("ix_alerts_begun_at", "begun_at"),
)

alert_members = Table(
    "alert_members",
    metadata,
    Column("alert_id", ROW_ID, ForeignKey("alerts.id"), primary_key=True, autoincrement=False),
    Column("exception_id", ROW_ID, ForeignKey("exceptions.id"), primary_key=True, autoincrement=False),
    Index("ix_alert_members_exception_id", "exception_id"),
)

flow_runs = Table(
    "flow_runs",
    metadata,
    text_column("run_id", primary_key=True),
    text_column("deployment"),
    text_column("state"),
    at_column("expected_at"),
    at_column("started_at", nullable=True),
    at_column("ended_at", nullable=True),
    count_column("run_count"),
    Index("ix_flow_runs_deployment_expected_at", "deployment", "expected_at"),
)
