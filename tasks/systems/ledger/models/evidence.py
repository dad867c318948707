"""Payloads of both sides, chained by hash."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table

from tasks.systems.ledger.models.columns import ROW_ID, at_column, count_column, metadata, text_column

evidence = Table(
    "evidence",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=False),
    text_column("kind"),
    text_column("subject"),
    text_column("media"),
    Column("payload", LargeBinary, nullable=False),
    count_column("size"),
    text_column("payload_sha256"),
    text_column("previous_hash"),
    text_column("chain_hash"),
    at_column("kept_at"),
    Index("ix_evidence_subject", "subject"),
)

# One row: the end of the chain. It makes a cut-off end visible, and appends queue up behind its lock.
evidence_head = Table(
    "evidence_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last_id", BigInteger, nullable=False),
    text_column("chain_hash"),
)
