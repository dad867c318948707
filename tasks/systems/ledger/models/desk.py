"""What people decided about an open exception: who has it, until when it rests, and that it is left as it is."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table

from tasks.systems.ledger.models.columns import ROW_ID, at_column, metadata, text_column

# A row only for exceptions that somebody did something about. `ignored_pence` is what was at risk at that time.
exception_care = Table(
    "exception_care",
    metadata,
    Column("exception_id", ROW_ID, ForeignKey("exceptions.id"), primary_key=True, autoincrement=False),
    text_column("assigned_to"),
    at_column("snoozed_until", nullable=True),
    at_column("ignored_at", nullable=True),
    Column("ignored_pence", BigInteger),
)
