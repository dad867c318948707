"""The tables of the reconciliation: one dictionary for checking, for typing and for the page that analysts read.

`STAGED` are the inputs as the flow stages them, `MARTS` the tables that the SQL of `tasks/reconcile/` makes.
From one `Table` come its pandera schema, its Arrow schema (`schemas/tables.py`) and its section of
`docs/reconciliation.md`. Money is whole minor units of the row's currency, variances are PRIMA minus Magento.
"""

from dataclasses import dataclass
from typing import Any

from schemas.tables import Column, Table

LEVELS = ("orders", "invoices", "refunds")
STATUSES = (
    "MATCHED",
    "WITHIN_TOLERANCE",
    "TOTAL_VARIANCE",
    "VAT_VARIANCE",
    "MISSING_IN_PRIMA",
    "MISSING_IN_MAGENTO",
    "DUPLICATE_IN_PRIMA",
    "TIMING",
    "EXCLUDED",
)
BREAK_STATUSES = STATUSES[2:7]
DESTINATIONS = ("GB", "NI", "IM", "EU", "export", "unknown")
CHARGES = ("goods", "delivery", "adjustment", "rounding", "document")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a row differs: the code, one plain sentence, and the team that acts on it."""

    code: str
    sentence: str
    owner: str


CAUSES: dict[str, Cause] = {
    cause.code: cause
    for cause in (
        Cause("UNEXPLAINED", "No known cause fits: look at both documents, line by line.", "finance"),
        Cause("CURRENCY", "The two systems hold the document in different currencies.", "integration"),
        Cause("POSTED_TWICE", "PRIMA holds the same document more than once.", "operations"),
        Cause("CANCELLED_IN_PRIMA", "PRIMA cancelled the order, Magento did not.", "operations"),
        Cause("CANCELLED_IN_MAGENTO", "Magento cancelled the order, PRIMA did not.", "operations"),
        Cause("NOT_YET_POSTED", "The order is held or not accepted yet; its exception says why.", "operations"),
        Cause("EXCLUDED_BY_RULE", "The import rules keep the order out of PRIMA; the reason says which.", "ecommerce"),
        Cause(
            "AWAITING_DISPATCH", "PRIMA invoices what it dispatches, and has not dispatched all of it.", "operations"
        ),
        Cause("LATE_POSTING", "Younger than the allowed lag: the other system may not show it yet.", "operations"),
        Cause("DELIVERY_VAT", "Only the VAT of delivery differs; the VAT of the goods agrees.", "finance"),
        Cause(
            "VAT_RECALCULATED_ON_ORDER_TOTAL",
            "PRIMA's VAT is the VAT of the whole document at each rate, not the VAT that was charged line by line.",
            "finance",
        ),
        Cause("ROUNDING_METHOD", "PRIMA's VAT is what rounding each row by itself gives.", "finance"),
    )
}


def _text(name: str, meaning: str, **more: Any) -> Column:
    return Column(name, "text", meaning, **more)


def _pence(*pairs: tuple[str, str], required: bool = True) -> tuple[Column, ...]:
    return tuple(Column(f"{name}_pence", "pence", meaning, is_required=required) for name, meaning in pairs)


def _amounts(prefix: str, of: str, *, required: bool = True) -> tuple[Column, ...]:
    return _pence(
        (f"{prefix}net", f"{of} without VAT"),
        (f"{prefix}vat", f"VAT of {of}"),
        (f"{prefix}gross", f"{of} with VAT"),
        required=required,
    )


def _level(*, is_key: bool = True) -> Column:
    return _text("level", "kind of document: orders, invoices or refunds", is_key=is_key, values=LEVELS)


def _order_key(*, is_key: bool) -> Column:
    meaning = "the order number; `PRIMA` and PRIMA's number for a document that fits no Magento order"
    return _text("order_key", meaning, is_key=is_key)


_CURRENCY = _text("currency", "ISO 4217; every sum is within one currency")
_CURRENCY_KEY = _text("currency", "ISO 4217; every sum is within one currency", is_key=True)
_ORDER_NUMBER = _text("order_number", "Magento's increment id")
_ORDER_NUMBER_EMPTY = _text("order_number", "Magento's increment id; empty when no order fits", is_required=False)
_DESTINATION = _text(
    "destination", "GB, NI (postcode BT), IM, EU, export, or unknown when only PRIMA has it", values=DESTINATIONS
)
_AS_AT = (
    Column("magento_as_at", "instant", "when Magento was read"),
    Column("prima_as_at", "instant", "up to when PRIMA's figures are complete"),
)
_PERIOD = (
    Column("from_date", "date", "first business date"),
    Column("to_date", "date", "last business date"),
)
_SIDES = (
    Column("magento_count", "integer", "documents in Magento; 0 = missing there"),
    Column("prima_count", "integer", "documents in PRIMA; 0 = missing there"),
    *_amounts("magento_", "what Magento charged", required=False),
    *_amounts("prima_", "what PRIMA holds", required=False),
)
_VARIANCES = _pence(
    ("net_variance", "net, PRIMA minus Magento, a missing side counting as 0"),
    ("vat_variance", "VAT, PRIMA minus Magento"),
    ("variance", "gross, PRIMA minus Magento"),
)
_MAGENTO_DOCUMENT = (
    _text("document_number", "Magento's number of the order, invoice or credit memo", is_key=True),
    _ORDER_NUMBER,
    _CURRENCY,
    Column("document_at", "instant", "when it was made"),
    Column("business_date", "date", "London date of document_at"),
    Column("is_cancelled", "flag", "a cancelled order: it counts as nothing"),
)
_PRIMA_DOCUMENT = (
    _text("document_number", "PRIMA's number of the order, invoice or credit note", is_key=True),
    _text("order_number_prima", "PRIMA's order number"),
    _CURRENCY,
    Column("document_at", "instant", "when PRIMA took the order, or last changed the invoice or credit note"),
    Column("business_date", "date", "London date of the order, tax point of the invoice, date of the credit note"),
    Column("is_cancelled", "flag", "a cancelled order: it counts as nothing"),
    _text("status_prima", "accepted, part_dispatched, dispatched, cancelled; empty for other documents or words"),
    Column("open_qty", "integer", "units of an order neither dispatched nor cancelled", is_required=False),
)
_LINE = (
    Column("line_number", "integer", "from 1, within the document", is_key=True),
    _text("charge", "goods, delivery, adjustment, rounding remainder, or the document as a whole", values=CHARGES),
    Column("quantity", "integer", "units", is_required=False),
    Column("vat_rate_hundredths", "integer", "VAT rate in hundredths of a per cent: 2000 = 20 %", is_required=False),
    *_amounts("", "the line after discount"),
)
_DELIVERY = _amounts("delivery_", "delivery")

STAGED: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "magento_documents",
            "one document of Magento",
            (
                _level(),
                *_MAGENTO_DOCUMENT,
                _text("country", "ISO 3166 country of delivery"),
                _text("postcode_area", "letters that begin the postcode; BT is Northern Ireland"),
                *_amounts("", "the document, delivery included"),
                *_DELIVERY,
            ),
            adds_up=("", "delivery_"),
        ),
        Table(
            "magento_lines",
            "one charge of a document of Magento; they add up to the document",
            (
                _level(),
                _text("document_number", "the document", is_key=True),
                *_LINE,
                _text("sku", "Magento's SKU; empty for delivery"),
            ),
            adds_up=("",),
        ),
        Table(
            "prima_documents",
            "one document of PRIMA",
            (
                _level(),
                *_PRIMA_DOCUMENT,
                *_amounts("", "the document, delivery included"),
                *_amounts("delivery_", "delivery; empty when PRIMA does not say", required=False),
            ),
            adds_up=("", "delivery_"),
        ),
        Table(
            "prima_lines",
            "one charge of a document of PRIMA; they add up to the document",
            (_level(), _text("document_number", "the document", is_key=True), *_LINE),
            adds_up=("",),
        ),
        Table(
            "order_numbers",
            "one order number of PRIMA that belongs to a Magento order",
            (_text("order_number_prima", "PRIMA's order number", is_key=True), _ORDER_NUMBER),
        ),
        Table(
            "ledger_orders",
            "one order that the ledger knows, or that a rule keeps out of PRIMA",
            (
                _text("order_number", "Magento's increment id", is_key=True),
                Column("business_date", "date", "London date on which it was placed", is_required=False),
                _text("ledger_state", "state of the order in the ledger; empty when the ledger does not know it"),
                Column("posted_at", "instant", "when PRIMA accepted it", is_required=False),
                _text("exception_code", "its oldest open exception, other than those of the reconciliation"),
                _text("exclusion_reason", "the rule that keeps it out of PRIMA"),
            ),
        ),
        Table(
            "run",
            "one row: this run",
            (
                *_PERIOD,
                Column("run_at", "instant", "when it was built", is_key=True),
                *_AS_AT,
                _text("prima_evidence", "reporting = PRIMA's own figures; ledger = what was posted, and OrderStatus"),
                Column("tolerance_pence", "pence", "largest variance that still matches"),
                Column("lag_hours", "integer", "how long a missing document is only late"),
                Column(
                    "rejected_count",
                    "integer",
                    "records that could not be read (in no figure) or contradict themselves",
                ),
                _text("input_hash", "SHA-256 of the staged inputs: the same hash gives the same tables"),
            ),
        ),
        Table(
            "causes",
            "one cause of a difference",
            (
                _text("cause", "code", is_key=True),
                _text("sentence", "what it means"),
                _text("owner", "team that acts on it"),
            ),
        ),
    )
}

_STATUS = _text("status", "how the two sides compare", values=STATUSES)
_CAUSE = _text("cause", "why they differ, found by calculation; empty when they agree", values=("", *CAUSES))

MARTS: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "population",
            "one level and order key: the orders that this run is about",
            (_level(), _order_key(is_key=True)),
        ),
        Table(
            "magento_documents",
            "one document of Magento that belongs to the population; cancelled orders count as nothing",
            (
                _level(),
                *_MAGENTO_DOCUMENT,
                _DESTINATION,
                *_amounts("", "the document, delivery included"),
                *_DELIVERY,
            ),
            adds_up=("", "delivery_"),
        ),
        Table(
            "prima_documents",
            "one document of PRIMA that belongs to the population; cancelled orders count as nothing",
            (
                _level(),
                *_PRIMA_DOCUMENT,
                _order_key(is_key=False),
                _ORDER_NUMBER_EMPTY,
                *_amounts("", "the document, delivery included"),
                *_amounts("delivery_", "delivery; empty when PRIMA does not say", required=False),
            ),
            adds_up=("", "delivery_"),
        ),
        Table(
            "order_variances",
            "one level, order key and currency, whether the sides agree or not",
            (
                _level(),
                _order_key(is_key=True),
                _CURRENCY_KEY,
                _ORDER_NUMBER_EMPTY,
                _text("order_number_prima", "PRIMA's order number, several separated by a comma", is_required=False),
                _DESTINATION,
                Column("business_date", "date", "London date of the first document, Magento's before PRIMA's"),
                _STATUS,
                _CAUSE,
                _text("reason", "open exception or rule that stands behind the row; empty for none"),
                *_SIDES,
                *_VARIANCES,
            ),
            adds_up=("magento_", "prima_"),
        ),
        Table(
            "breaks",
            "one row of order_variances that somebody must act on; unexplained first, then by value",
            (
                Column("rank", "integer", "1 = look here first", is_key=True),
                _level(is_key=False),
                _order_key(is_key=False),
                _ORDER_NUMBER_EMPTY,
                _text("order_number_prima", "PRIMA's order number, several separated by a comma", is_required=False),
                _CURRENCY,
                _DESTINATION,
                Column("business_date", "date", "London date of the first document"),
                _text("status", "kind of break", values=BREAK_STATUSES),
                _text("cause", "why, found by calculation", values=tuple(CAUSES)),
                _text("sentence", "the cause in plain words"),
                _text("owner", "team that acts on it"),
                _text("reason", "open exception that stands behind the row; empty for none"),
                *_pence(("value", "the larger of the gross and the VAT variance, without its sign")),
                *_SIDES,
                *_VARIANCES,
                *_AS_AT,
            ),
            adds_up=("magento_", "prima_"),
        ),
        Table(
            "vat_by_rate",
            "one level, currency, destination and VAT rate",
            (
                _level(),
                _CURRENCY_KEY,
                _text("destination", "group of destinations", is_key=True, values=DESTINATIONS),
                Column("vat_rate_percent", "rate", "empty = not given by the system", is_key=True, is_required=False),
                *_amounts("magento_", "what Magento charged"),
                *_amounts("prima_", "what PRIMA holds"),
                *_VARIANCES,
            ),
            adds_up=("magento_", "prima_"),
        ),
        Table(
            "differences",
            "one level, currency, status and cause: the whole difference, taken apart",
            (
                _level(),
                _CURRENCY_KEY,
                _text("status", "how the two sides compare", is_key=True, values=STATUSES),
                _text("cause", "why they differ; empty when they agree", is_key=True, values=("", *CAUSES)),
                Column("order_count", "integer", "rows of order_variances"),
                *_VARIANCES,
            ),
        ),
        Table(
            "control_totals",
            "one level and currency: Magento + variances = PRIMA, to the penny",
            (
                _level(),
                _CURRENCY_KEY,
                Column("magento_count", "integer", "documents in Magento"),
                Column("prima_count", "integer", "documents in PRIMA"),
                *_amounts("magento_", "what Magento charged"),
                *_VARIANCES,
                *_amounts("prima_", "what PRIMA holds"),
                *_pence(
                    ("explained_variance", "part of the gross variance that has a cause"),
                    ("unexplained_variance", "part of the gross variance that has none"),
                    ("explained_vat_variance", "part of the VAT variance that has a cause"),
                    ("unexplained_vat_variance", "part of the VAT variance that has none"),
                ),
                Column("is_adding_up", "flag", "the sums above add up; a run where they do not is not published"),
            ),
            adds_up=("magento_", "prima_"),
        ),
        Table("reconciliation_run", "one row: the run that made this file", STAGED["run"].columns),
    )
}
