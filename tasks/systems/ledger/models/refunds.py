"""Refunds of Magento, credit notes of PRIMA, and which of them answer one another."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Table, Text, text

from tasks.systems.ledger.models.columns import at_column, count_column, metadata, pence_column, text_column

_OPEN = text("settled_at IS NULL")

refunds = Table(
    "refunds",
    metadata,
    text_column("refund_number", primary_key=True),
    Column("creditmemo_id", BigInteger, nullable=False),
    text_column("order_number"),
    Column("entity_id_magento", BigInteger, nullable=False),
    text_column("currency"),
    at_column("refunded_at"),
    Column("refund_date", Date, nullable=False),
    pence_column("net_pence"),
    pence_column("vat_pence"),
    pence_column("gross_pence"),
    pence_column("tender_pence"),
    text_column("credit_note_number"),
    at_column("seen_at"),
    at_column("settled_at", nullable=True),
    text_column("settled_by"),
    text_column("settled_why"),
    Index("ix_refunds_order_number", "order_number"),
    # Holds only what is still to be answered, so that a run is quick however old the shop is.
    Index("ix_refunds_open", "order_number", sqlite_where=_OPEN, postgresql_where=_OPEN),
)

refund_lines = Table(
    "refund_lines",
    metadata,
    Column("refund_number", Text, ForeignKey("refunds.refund_number"), primary_key=True),
    Column("line_number", BigInteger, primary_key=True, autoincrement=False),
    text_column("charge"),
    Column("item_id_magento", BigInteger, nullable=False),
    text_column("sku"),
    count_column("quantity"),
    text_column("vat_rate_percent"),
    pence_column("net_pence"),
    pence_column("vat_pence"),
    pence_column("gross_pence"),
)

credit_notes = Table(
    "credit_notes",
    metadata,
    text_column("credit_note_number", primary_key=True),
    text_column("order_number"),
    text_column("order_number_prima"),
    text_column("invoice_number"),
    Column("credit_note_date", Date, nullable=False),
    text_column("currency"),
    pence_column("net_pence"),
    pence_column("vat_pence"),
    pence_column("gross_pence"),
    text_column("reason"),
    Column("creditmemo_id", BigInteger, nullable=False),
    at_column("seen_at"),
    at_column("settled_at", nullable=True),
    text_column("settled_by"),
    text_column("settled_why"),
    Index("ix_credit_notes_order_number", "order_number"),
    Index("ix_credit_notes_open", "order_number", sqlite_where=_OPEN, postgresql_where=_OPEN),
)

# Which refund is answered by which credit note; one may be answered by several.
refund_matches = Table(
    "refund_matches",
    metadata,
    Column("refund_number", Text, ForeignKey("refunds.refund_number"), primary_key=True),
    Column("credit_note_number", Text, ForeignKey("credit_notes.credit_note_number"), primary_key=True),
    Index("ix_refund_matches_credit_note_number", "credit_note_number"),
)
