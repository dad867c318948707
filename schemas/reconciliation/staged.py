"""The inputs of the reconciliation as the flow stages them. No input or output."""

from schemas.reconciliation.columns import (
    AS_AT,
    CHARGES,
    CURRENCY,
    CURRENCY_KEY,
    ORDER_NUMBER,
    PERIOD,
    amounts,
    level,
    order_key,
    pence,
    text,
)
from schemas.reconciliation.payments import STAGED as PAYMENTS
from schemas.tables import Column, Table

BUSINESS_DATE = Column("business_date", "date", "London date of the document")
DOCUMENT_ID = Column("document_id", "integer", "number of the document, within its side and this run")
COMPARISON_ID = Column(
    "comparison_id", "integer", "number of the level, order key and currency in this run: the same on both sides"
)
# Numbers that a run gives so that the mass is joined by whole numbers. They say nothing of their own.
RUN_NUMBERS = (DOCUMENT_ID.name, COMPARISON_ID.name)
MAGENTO_DOCUMENT = (
    text("document_number", "Magento's number of the order, invoice or credit memo", is_key=True),
    ORDER_NUMBER,
    CURRENCY,
    Column("document_at", "instant", "when it was made"),
    Column("business_date", "date", "London date of document_at"),
    Column("is_cancelled", "flag", "a cancelled order: it counts as nothing"),
)
PRIMA_DOCUMENT = (
    text("document_number", "PRIMA's number of the order, invoice or credit note", is_key=True),
    text("order_number_prima", "PRIMA's order number"),
    CURRENCY,
    Column("document_at", "instant", "when PRIMA took the order, or last changed the invoice or credit note"),
    Column("business_date", "date", "London date of the order, tax point of the invoice, date of the credit note"),
    Column("updated_at", "instant", "when PRIMA last changed it"),
    Column("is_cancelled", "flag", "a cancelled order: it counts as nothing"),
    text("status_prima", "accepted, part_dispatched, dispatched, cancelled; empty for other documents or words"),
    Column("open_qty", "integer", "units of an order neither dispatched nor cancelled", is_required=False),
)
DELIVERY = amounts("delivery_", "delivery")
TENDER = pence(
    ("tender", "gift cards and store credit that paid part of it: payment, so inside the amounts"),
    ("discount_vat", "VAT inside its discount, which Magento keeps apart (discount tax compensation)"),
)
LINE = (
    Column("line_number", "integer", "from 1, within the document", is_key=True),
    DOCUMENT_ID,
    Column(
        "comparison_id",
        "integer",
        "under which it is compared with the other side; empty for lines of refunds and of cancelled orders",
        is_required=False,
    ),
    Column("line_key", "integer", "as what it is compared: line of the order; 0 delivery, below 0 adjustments"),
    BUSINESS_DATE,
    text("charge", "goods, delivery, adjustment, rounding remainder, or the document as a whole", values=CHARGES),
    Column("order_line_number", "integer", "line of the order that the goods belong to", is_required=False),
    Column("quantity", "integer", "units", is_required=False),
    Column("vat_rate_hundredths", "integer", "VAT rate in hundredths of a per cent: 2000 = 20 %", is_required=False),
    *amounts("", "the line after discount"),
)
_POLICY = (
    Column("policy_version", "integer", "version of the tolerance policy; 0 = the settings file", is_key=True),
    Column("order_pence", "pence", "largest difference of a document that is tolerated"),
    Column("line_pence", "pence", "largest difference of one line of it; empty = no limit", is_required=False),
    Column("day_pence", "pence", "largest sum tolerated in a day and currency; empty = no limit", is_required=False),
    text("methods", "causes that may be tolerated, separated by commas; empty = any"),
    Column("materiality_pence", "pence", "breaks below it are marked as not material"),
    text("set_by", "who set it"),
    Column("set_at", "instant", "when it was set", is_required=False),
    text("set_because", "the reason that was given"),
)

STAGED: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "magento_documents",
            "one document of Magento",
            (
                level(),
                *MAGENTO_DOCUMENT,
                text("store", "store view: its code in the settings, else its id"),
                text("country", "ISO 3166 country of delivery"),
                text("postcode_area", "letters that begin the postcode; BT is Northern Ireland"),
                *amounts("", "the document, delivery included"),
                *DELIVERY,
                *TENDER,
                DOCUMENT_ID,
                COMPARISON_ID,
            ),
            adds_up=("", "delivery_"),
            dated_by="business_date",
        ),
        Table(
            "magento_lines",
            "one charge of a document of Magento; they add up to the document",
            (
                level(),
                text("document_number", "the document", is_key=True),
                *LINE,
                text("sku", "Magento's SKU; empty for delivery"),
            ),
            adds_up=("",),
            dated_by="business_date",
        ),
        Table(
            "prima_documents",
            "one document of PRIMA",
            (
                level(),
                *PRIMA_DOCUMENT,
                *amounts("", "the document, delivery included"),
                *amounts("delivery_", "delivery; empty when PRIMA does not say", required=False),
                order_key(is_key=False),
                DOCUMENT_ID,
                COMPARISON_ID,
            ),
            adds_up=("", "delivery_"),
            dated_by="business_date",
        ),
        Table(
            "prima_lines",
            "one charge of a document of PRIMA; they add up to the document",
            (
                level(),
                text("document_number", "the document", is_key=True),
                *LINE,
                text("product", "PRIMA's product and matrix codes, joined by a slash; empty for delivery"),
            ),
            adds_up=("",),
            dated_by="business_date",
        ),
        Table(
            "magento_shipments",
            "one line of a shipment of Magento",
            (
                text("shipment_number", "Magento's number of the shipment", is_key=True),
                Column("line_number", "integer", "from 1, within the shipment", is_key=True),
                ORDER_NUMBER,
                Column("shipped_at", "instant", "when the shipment was made"),
                Column("business_date", "date", "London date of shipped_at"),
                text("sku", "Magento's SKU"),
                Column("quantity", "integer", "units"),
                Column("tracking_count", "integer", "tracking numbers of the shipment"),
            ),
            dated_by="business_date",
        ),
        Table(
            "prima_dispatches",
            "one line of a dispatch of PRIMA",
            (
                text("dispatch_number", "PRIMA's number of the dispatch", is_key=True),
                Column("line_number", "integer", "from 1, within the dispatch", is_key=True),
                text("order_number_prima", "PRIMA's order number"),
                Column("dispatched_at", "instant", "when the goods left"),
                Column("business_date", "date", "London date of dispatched_at"),
                text("product", "PRIMA's product and matrix codes, joined by a slash"),
                Column("quantity", "integer", "units"),
                Column("tracking_count", "integer", "tracking numbers of the dispatch"),
            ),
            dated_by="business_date",
        ),
        Table(
            "order_numbers",
            "one order number of PRIMA that belongs to a Magento order",
            (text("order_number_prima", "PRIMA's order number", is_key=True), ORDER_NUMBER),
        ),
        Table(
            "ledger_orders",
            "one order that the ledger knows, or that a rule keeps out of PRIMA",
            (
                text("order_number", "Magento's increment id", is_key=True),
                Column("business_date", "date", "London date on which it was placed", is_required=False),
                text("ledger_state", "state of the order in the ledger; empty when the ledger does not know it"),
                Column("posted_at", "instant", "when PRIMA accepted it", is_required=False),
                Column("verified_at", "instant", "when PRIMA's figures were seen to equal ours", is_required=False),
                text("exception_code", "its oldest open exception, other than those of the reconciliation"),
                text("exclusion_reason", "the rule that keeps it out of PRIMA"),
                text("magento_sha256", "SHA-256 of Magento's record as it was kept; empty for none"),
                text("prima_sha256", "SHA-256 of what was sent to PRIMA; empty for none"),
            ),
        ),
        Table(
            "ledger_postings",
            "one attempt of the ledger to write about one of these orders",
            (
                text("posting_key", "what was written: system, kind and number", is_key=True),
                Column("attempt", "integer", "from 1", is_key=True),
                ORDER_NUMBER,
                Column("begun_at", "instant", "when it was recorded, before the call left"),
                Column("business_date", "date", "London date of begun_at"),
                text("operation", "what was asked for"),
                text("state", "pending, posted, refused or unknown"),
                text("request_sha256", "SHA-256 of the request; empty when none was kept"),
                text("answer_sha256", "SHA-256 of the answer; empty when none was kept"),
            ),
            dated_by="business_date",
        ),
        Table(
            "known_breaks",
            "one break that was open, accepted or journalled before this run",
            (
                level(),
                order_key(is_key=True),
                CURRENCY_KEY,
                Column("break_id", "integer", "number of the break in the ledger"),
                text("settled_by", "acceptance or journal when a person closed it, else empty"),
                text("settlement_reference", "the journal's reference, or why it was accepted"),
                Column("business_date", "date", "London date of the document"),
                text("status", "kind of break when it was last seen"),
                text("cause", "its cause when it was last seen"),
                text("owner", "who looks into it"),
                text("comment", "the last comment"),
                text("reason_code", "the reason that a person gave it"),
                Column("first_seen_at", "instant", "when a run first found it"),
                Column("last_seen_at", "instant", "when a run last found it"),
                *pence(
                    ("value", "its value when it was last seen"),
                    ("vat_variance", "its VAT variance when it was last seen"),
                    ("variance", "its gross variance when it was last seen"),
                ),
                Column("is_read", "flag", "this run read its documents again"),
            ),
        ),
        *PAYMENTS,
        Table(
            "product_sizes",
            "one product of PRIMA on a line of this run, and whether its size is a children's; empty without a rule",
            (
                text("product", "PRIMA's product and matrix codes, joined by a slash", is_key=True),
                text("size", "the matrix code that is the size"),
                Column("is_childs", "flag", "the settings call it a children's size"),
                text("destinations", "where children's sizes carry no VAT, separated by commas"),
            ),
        ),
        Table(
            "rejections",
            "one record, day or part that was not reconciled",
            (
                text("subject", "what it is", is_key=True),
                text("detail", "what is wrong with it"),
                text("level", "kind of document; empty when it is about no single kind"),
                Column("business_date", "date", "the whole day; empty for a record", is_required=False),
                text("order_number", "Magento's increment id; empty for none"),
                text("order_number_prima", "PRIMA's order number; empty for none"),
            ),
        ),
        Table("policy", "one row: the tolerance policy of this run", _POLICY),
        Table(
            "run",
            "one row: this run",
            (
                *PERIOD,
                Column("run_at", "instant", "when it was built", is_key=True),
                text("run_id", "the batch of the ledger; it is on every report and sheet"),
                *AS_AT,
                text("prima_evidence", "reporting = PRIMA's own figures; ledger = what was posted, and OrderStatus"),
                Column("lag_hours", "integer", "how long a missing document is only late"),
                Column(
                    "rejected_count", "integer", "records and parts that were not reconciled or contradict themselves"
                ),
                text("input_hash", "SHA-256 of the staged inputs: the same hash gives the same tables"),
            ),
        ),
        Table(
            "causes",
            "one cause of a difference",
            (
                text("cause", "code", is_key=True),
                text("sentence", "what it means"),
                text("owner", "team that acts on it"),
                Column("is_explained", "flag", "counts as explained"),
            ),
        ),
    )
}
