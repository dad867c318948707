"""Writes to other systems, one row an attempt; and the leases that keep them in lanes."""

from sqlalchemy import BigInteger, Column, Index, Table, text

from tasks.systems.ledger.models.columns import PlainText, at_column, count_column, metadata, row_id, text_column
from tasks.systems.ledger.states import LIVE_POSTING_STATES

_LIVE = text(f"state IN ({', '.join(repr(state) for state in LIVE_POSTING_STATES)})")

postings = Table(
    "postings",
    metadata,
    row_id(),
    text_column("key"),
    count_column("attempt"),
    text_column("system"),
    text_column("operation"),
    text_column("subject"),
    text_column("request_hash"),
    text_column("state"),
    at_column("begun_at"),
    at_column("finished_at", nullable=True),
    text_column("reference"),
    text_column("error_code"),
    Column("error_text", PlainText, nullable=False),
    text_column("resolution"),
    Column("request_evidence_id", BigInteger),
    Column("answer_evidence_id", BigInteger),
    Index("uq_postings_key_attempt", "key", "attempt", unique=True),
    Index("uq_postings_live_key", "key", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("ix_postings_system_state", "system", "state"),
    Index("ix_postings_subject", "subject"),
)

leases = Table(
    "leases",
    metadata,
    text_column("name", primary_key=True),
    text_column("owner"),
    text_column("token"),
    at_column("until"),
)
