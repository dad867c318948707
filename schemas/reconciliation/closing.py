"""The tables that the closing of a period and the VAT return stand on. No input or output."""

from schemas.reconciliation.columns import CURRENCY, DESTINATIONS, amounts, level, order_key, text
from schemas.tables import Column, Table

SIDES_OF_CHARGES = ("magento", "prima")
_SIDE = text("side", "magento or prima", is_key=True, values=SIDES_OF_CHARGES)
_RATE_KEY = Column("vat_rate_percent", "rate", "empty = not given by the system", is_key=True, is_required=False)

TABLES: tuple[Table, ...] = (
    Table(
        "vat_charges",
        "one side, level, document and VAT rate, dated in the period; each document is in one period only",
        (
            _SIDE,
            level(),
            text("document_number", "the side's own number of the order, invoice or refund", is_key=True),
            order_key(is_key=False),
            CURRENCY,
            Column("business_date", "date", "London date of the document; of PRIMA's orders the date of Magento's"),
            text("destination", "group of destinations", values=DESTINATIONS),
            _RATE_KEY,
            *amounts("", "what the document charges, or refunds, at the rate"),
        ),
        adds_up=("",),
    ),
)
