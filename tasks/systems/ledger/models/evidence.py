"""Payloads of both sides, chained by hash; and what in them is personal, in a table of its own that can be erased."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, text

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
    # Of the compressed bytes and of the personal values with their salt: both can go, their seal stays.
    text_column("packed_sha256", server_default=""),
    text_column("personal_sha256", server_default=""),
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

_NAMED = text("email <> ''")

# The only table with names, addresses, e-mails and telephone numbers of customers. Erasing empties a row and leaves it,
# with the evidence that says who erased it, when and why. Whoever analyses needs no right to read it.
personal_data = Table(
    "personal_data",
    metadata,
    Column("evidence_id", ROW_ID, primary_key=True, autoincrement=False),
    Column("content", LargeBinary),
    Column("salt", LargeBinary),
    text_column("email"),
    Column("erasure_id", BigInteger),
    Index("ix_personal_data_email", "email", sqlite_where=_NAMED, postgresql_where=_NAMED),
)
