"""The tables that the closing of a period and the VAT return stand on. No input or output."""

from schemas.reconciliation.columns import (
    CURRENCY,
    CURRENCY_KEY,
    DESTINATIONS,
    VARIANCES,
    amounts,
    level,
    order_key,
    pence,
    text,
)
from schemas.tables import Column, Table

SIDES_OF_CHARGES = ("magento", "prima")
BASES = ("invoices less refunds", "orders")
GOODS = ("no goods", "zero-rated only", "one rate", "several rates")
POLICIES = (
    "follows the goods",
    "differs from the goods",
    "goods at several rates",
    "no goods",
    "rate unknown",
)
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
    Table(
        "vat_return",
        "one currency, destination and VAT rate: what the period contributes to the VAT return",
        (
            text("basis", "what is summed", values=BASES),
            CURRENCY_KEY,
            text("destination", "group of destinations", is_key=True, values=DESTINATIONS),
            _RATE_KEY,
            Column("is_box_1", "flag", "its VAT belongs to Box 1: supplies in the UK, NI and the Isle of Man"),
            Column("is_box_6", "flag", "its net belongs to Box 6: these, exports, and zero-rated sales to the EU"),
            *amounts("magento_", "what Magento charged"),
            *amounts("prima_", "what PRIMA holds"),
            *VARIANCES,
        ),
        adds_up=("magento_", "prima_"),
    ),
    Table(
        "vat_boxes",
        "one currency: boxes 1 and 6 on both sides, and the net error beside its limit",
        (
            text("basis", "what is summed", values=BASES),
            CURRENCY_KEY,
            *pence(
                ("magento_box_1", "VAT for Box 1 as it was charged"),
                ("prima_box_1", "VAT for Box 1 as PRIMA holds it"),
                ("magento_box_6", "net sales for Box 6 as they were charged"),
                ("prima_box_6", "net sales for Box 6 as PRIMA holds them"),
            ),
            Column("magento_box_6_pounds", "integer", "Box 6 in whole pounds, rounded down"),
            Column("prima_box_6_pounds", "integer", "Box 6 in whole pounds, rounded down"),
            *pence(
                ("magento_other_vat", "VAT that is not for Box 1: EU, exports, unknown destinations"),
                ("prima_other_vat", "VAT that is not for Box 1: EU, exports, unknown destinations"),
                ("overstated", "VAT that PRIMA holds above what was charged, by destination and rate"),
                ("understated", "VAT that PRIMA holds below what was charged, as a negative figure"),
                ("net_error", "both together: what the return would be wrong by"),
                ("error_limit", "10,000 pounds, or 1 % of Box 6 up to 50,000: above it a correction is notified"),
            ),
            Column("is_above_limit", "flag", "the net error is above the limit"),
        ),
    ),
    Table(
        "vat_by_size",
        "one side, level, document and line whose VAT is not that of its size; empty without `[childrens_sizes]`",
        (
            _SIDE,
            level(),
            text("document_number", "the side's own number of the document", is_key=True),
            Column("line_number", "integer", "line of the document", is_key=True),
            order_key(is_key=False),
            CURRENCY,
            Column("business_date", "date", "London date of the document"),
            text("destination", "group of destinations", values=DESTINATIONS),
            text("sku", "Magento's SKU; empty on PRIMA's side", is_required=False),
            text("product", "PRIMA's product and matrix codes, joined by a slash"),
            text("size", "the matrix code that is the size"),
            Column("is_childs_size", "flag", "the settings call it a children's size"),
            Column("vat_rate_percent", "rate", "VAT rate of the line"),
            text("finding", "what is wrong", values=("VAT_CHARGED_ON_CHILD_SIZE", "VAT_ZERO_ON_ADULT_SIZE")),
            *amounts("", "the line after discount"),
        ),
        adds_up=("",),
    ),
    Table(
        "delivery_vat",
        "one side, level, currency, destination, kind of goods, delivery rate and policy",
        (
            _SIDE,
            level(),
            CURRENCY_KEY,
            text("destination", "group of destinations", is_key=True, values=DESTINATIONS),
            text("goods", "rates of the goods in the document", is_key=True, values=GOODS),
            Column("delivery_rate_percent", "rate", "rate of delivery", is_key=True, is_required=False),
            text("policy", "how the rate of delivery stands to that of the goods", is_key=True, values=POLICIES),
            Column("document_count", "integer", "documents with a delivery charge"),
            *amounts("", "delivery"),
            *pence(("zero_rated_share", "net of delivery that falls on zero-rated goods, shared out by their net")),
        ),
        adds_up=("",),
    ),
)
