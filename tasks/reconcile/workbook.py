"""What a run found as an Excel workbook that foots: one sheet a question, sums as formulas over the rows they sum."""

from tasks.reconcile.payment_sheets import payment_sheets
from tasks.reconcile.run import Reconciliation
from tasks.reconcile.sheet import CURRENCY, LEVEL, RATE
from tasks.reconcile.vat_sheets import vat_sheets
from tasks.systems.reports.workbook import Field, Sheet, Workbook, money, write_workbook

_BRIDGE = [
    *money(("Magento net", "magento_net"), ("Magento VAT", "magento_vat")),
    *money(("Unexplained net", "unexplained_net"), ("Unexplained VAT", "unexplained_vat")),
    *money(("Explained net", "explained_net"), ("Explained VAT", "explained_vat")),
    *money(("PRIMA net", "prima_net"), ("PRIMA VAT", "prima_vat")),
    Field(
        "Check net",
        "",
        "money",
        11,
        "{magento_net_pence}+{unexplained_net_pence}+{explained_net_pence}-{prima_net_pence}",
    ),
    Field(
        "Check VAT",
        "",
        "money",
        11,
        "{magento_vat_pence}+{unexplained_vat_pence}+{explained_vat_pence}-{prima_vat_pence}",
    ),
]


def sheets(found: Reconciliation) -> list[Sheet]:
    """Return the sheets of the workbook, in the order in which finance asks."""
    totals = [
        LEVEL,
        CURRENCY,
        Field("In Magento", "magento_count", "count", 11),
        Field("In PRIMA", "prima_count", "count", 11),
        *money(("Magento", "magento_gross"), ("Unexplained", "unexplained_variance")),
        *money(("Explained", "explained_variance"), ("PRIMA", "prima_gross")),
        Field(
            "Check",
            "",
            "money",
            11,
            "{magento_gross_pence}+{unexplained_variance_pence}+{explained_variance_pence}-{prima_gross_pence}",
        ),
        *money(("Magento VAT", "magento_vat"), ("Unexplained VAT", "unexplained_vat_variance")),
        *money(("Explained VAT", "explained_vat_variance"), ("PRIMA VAT", "prima_vat")),
        Field(
            "Check VAT",
            "",
            "money",
            11,
            "{magento_vat_pence}+{unexplained_vat_variance_pence}+{explained_vat_variance_pence}-{prima_vat_pence}",
        ),
    ]
    day = Field("Day", "business_date", "date", 12)
    place = [Field("Store", "store", width=12), Field("Destination", "destination", width=12)]
    return [
        Sheet("Totals", "Do they agree, document by document?", totals, found.control_totals),
        Sheet(
            "Days",
            "On which day and at which rate do they differ?",
            [LEVEL, CURRENCY, day, RATE, *_BRIDGE],
            found.day_totals,
        ),
        Sheet("Why", "What makes the difference?", _WHY, found.differences),
        Sheet("Breaks", "What must somebody act on?", _BREAKS, found.breaks),
        Sheet("Lines", "Which lines differ?", _LINES, found.lines),
        Sheet("Ageing", "How old are the open breaks?", _AGEING, found.open_breaks),
        Sheet("VAT", "What VAT is there at each rate and destination?", _VAT, found.vat_by_rate),
        Sheet(
            "Tie-out",
            "By store, destination, day and rate?",
            [LEVEL, CURRENCY, day, *place, RATE, *_BRIDGE],
            found.tie_out,
        ),
        *vat_sheets(found),
        *payment_sheets(found),
        Sheet("Settled", "What was accepted or journalled?", _SETTLED, found.settled_breaks),
        Sheet("Not reconciled", "What could not be compared?", _REJECTED, found.not_reconciled),
    ]


_VARIANCES = money(("Variance", "variance"), ("VAT variance", "vat_variance"))
_WHY = [
    LEVEL,
    CURRENCY,
    Field("How", "status", width=20),
    Field("Cause", "cause", width=34),
    Field("Orders", "order_count", "count", 9),
    *_VARIANCES,
]
_ORDER = [Field("Order", "order_key", width=18), Field("PRIMA order", "order_number_prima", width=14)]
_LIFE = [
    Field("Owner", "owner", width=14),
    Field("First seen", "first_seen_at", "instant", 17),
    Field("Age days", "age_days", "count", 9),
    Field("Age band", "age_band", width=10),
    Field("Reason", "reason_code", width=14),
    Field("Comment", "comment", width=30),
]
_BREAKS = [
    Field("Rank", "rank", "count", 7),
    LEVEL,
    *_ORDER,
    CURRENCY,
    Field("Day", "business_date", "date", 12),
    Field("Store", "store", width=12),
    Field("Destination", "destination", width=12),
    Field("Kind", "status", width=20),
    Field("Cause", "cause", width=34),
    Field("Detail", "cause_detail", width=34),
    *money(("Magento", "magento_gross"), ("PRIMA", "prima_gross")),
    Field("Variance", "variance_pence", "money", 15, "{prima_gross_pence}-{magento_gross_pence}"),
    *money(("Magento VAT", "magento_vat"), ("PRIMA VAT", "prima_vat")),
    Field("VAT variance", "vat_variance_pence", "money", 15, "{prima_vat_pence}-{magento_vat_pence}"),
    *_LIFE,
    Field("Hash of Magento's record", "magento_sha256", width=20),
    Field("Hash sent to PRIMA", "prima_sha256", width=20),
]
_LINES = [
    LEVEL,
    Field("Order", "order_key", width=18),
    CURRENCY,
    Field("Line", "line_key", "count", 7),
    Field("SKU", "sku", width=18),
    Field("PRIMA product", "product", width=20),
    Field("Magento units", "magento_qty", "count", 12),
    Field("PRIMA units", "prima_qty", "count", 12),
    Field("Magento rate %", "magento_rate_percent", "percent", 13),
    Field("PRIMA rate %", "prima_rate_percent", "percent", 13),
    *money(("Magento", "magento_gross"), ("PRIMA", "prima_gross")),
    *_VARIANCES,
]
_AGEING = [
    LEVEL,
    Field("Order", "order_key", width=18),
    CURRENCY,
    Field("Day", "business_date", "date", 12),
    Field("Kind", "status", width=20),
    Field("Cause", "cause", width=34),
    *_LIFE,
    *money(("Value", "value")),
]
_VAT = [
    LEVEL,
    CURRENCY,
    Field("Destination", "destination", width=12),
    RATE,
    *money(("Magento net", "magento_net"), ("PRIMA net", "prima_net")),
    *money(("Magento VAT", "magento_vat"), ("PRIMA VAT", "prima_vat")),
    Field("VAT variance", "vat_variance_pence", "money", 15, "{prima_vat_pence}-{magento_vat_pence}"),
]
_SETTLED = [
    LEVEL,
    Field("Order", "order_key", width=18),
    CURRENCY,
    Field("Day", "business_date", "date", 12),
    Field("Kind", "status", width=20),
    Field("Cause", "cause", width=34),
    Field("Closed by", "settled_by", width=12),
    Field("Reference", "settlement_reference", width=30),
    *_VARIANCES,
]
_REJECTED = [
    Field("What", "subject", width=40),
    Field("What is wrong", "detail", width=90),
    Field("Documents", "level", width=11),
]


def workbook(found: Reconciliation, headline: str) -> bytes:
    """Return the workbook as the bytes of an .xlsx file: the same run gives the same bytes."""
    run_id, input_hash = found.run["run_id"], found.run["input_hash"]
    return write_workbook(
        Workbook(
            title="Reconciliation of Magento and PRIMA",
            created=found.run["run_at"],
            headline=headline,
            marks=f"run {run_id}   data {input_hash}",
            footer=f"{run_id} {input_hash[:16]}",
        ),
        sheets(found),
    )
