"""The report of a day as an Excel workbook that foots; times are London's."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from schemas.daily_report import DailyReport, Row
from tasks.systems.reports.page import LONDON, london
from tasks.systems.reports.workbook import Field, Sheet, Workbook, money, write_workbook

CURRENCY = Field("Currency", "currency", width=9)
_WITHIN = ("currency",)
_AT_RISK = money(("At risk", "value"))
_EXCEPTION = [
    Field("Number", "number", "count", 9),
    Field("Code", "code", width=28),
    Field("About", "subject", width=30),
    Field("Order", "order_number", width=14),
    Field("SKU", "sku", width=20),
    Field("Owner", "owner", width=16),
    Field("Severity", "severity", width=10),
    CURRENCY,
    *_AT_RISK,
    Field("Since (London)", "first_seen_at", "instant", 17),
    Field("Age", "age", width=9),
]
_OPEN = [
    *_EXCEPTION,
    Field("Taken", "taken", width=12),
    Field("What it is", "sentence", width=50),
    Field("What to do", "next_step", width=60),
]
_CLOSED = [*_EXCEPTION, Field("Closed (London)", "closed_at", "instant", 17)]


def _change(title: str, name: str) -> list[Field]:
    return [Field(title, f"{name}_count", "count", 9, is_summed=True), *money((f"{title}, worth", name))]


_CHANGES = [
    Field("Code", "code", width=28),
    Field("Owner", "owner", width=16),
    Field("Severity", "severity", width=10),
    CURRENCY,
    *_change("Before", "before"),
    *_change("New", "new"),
    *_change("Closed", "closed"),
    *_change("Open", "open"),
    Field("Check", "", "count", 8, "{before_count}+{new_count}-{closed_count}-{open_count}", is_summed=True),
    Field("Check, worth", "", "money", 11, "{before_pence}+{new_pence}-{closed_pence}-{open_pence}"),
]
_AGES = [
    Field("Open for", "age", width=14),
    CURRENCY,
    *(
        Field(title, f"{title.lower()}_count", "count", 9, is_summed=True)
        for title in ("Critical", "Problem", "Warning", "Info")
    ),
    Field("Open", "open_count", "count", 9, is_summed=True),
    Field("Check", "", "count", 8, "{critical_count}+{problem_count}+{warning_count}+{info_count}-{open_count}"),
    *_AT_RISK,
]
_TOTALS = [
    Field("What", "what", width=34),
    Field("Number", "count", "count", 11),
    CURRENCY,
    *money(("Net", "net"), ("VAT", "vat"), ("Gross", "gross")),
]
_SKUS = [
    Field("SKU", "sku", width=24),
    Field("Why", "codes", width=34),
    CURRENCY,
    Field("Orders that wait", "order_count", "count", 11, is_summed=True),
    *_AT_RISK,
    Field("Since (London)", "first_seen_at", "instant", 17),
    Field("Age", "age", width=9),
    Field("Suggested", "fix", width=50),
]
_ORDERS = [
    Field("Order", "order_number", width=16),
    Field("State", "state", width=12),
    Field("Why", "codes", width=40),
    Field("Placed (London)", "placed_at", "instant", 17),
    Field("Age", "age", width=9),
    CURRENCY,
    *money(("Gross", "gross")),
]
_RUNS = [
    Field("Stream", "stream", width=24),
    Field("Begun", "begun_count", "count", 9),
    Field("Ended well", "closed_count", "count", 11),
    Field("Held, waiting or not ended", "stopped_count", "count", 11),
    Field("Last ended (London)", "last_closed_at", "instant", 19),
]


def workbook(report: DailyReport) -> bytes:
    """Return the workbook as the bytes of an .xlsx file; the same run gives the same bytes."""
    day = report.day
    span = f"{london(day.since)} to {london(day.until)}"
    return write_workbook(
        Workbook(
            title=f"Daily report of {day.business_date}",
            created=report.built_at.astimezone(UTC).replace(tzinfo=None),
            headline=report.headline,
            marks=f"run {report.run_id}   built {london(report.built_at)}   exceptions of {span}",
            footer=f"{day.business_date} {report.run_id}",
        ),
        sheets(report),
    )


def sheets(report: DailyReport) -> list[Sheet]:
    """Return the sheets, in the order in which a morning asks. Sums stay within a currency, totals within a kind."""
    return [
        Sheet("Changes", "What came, what went, and does it foot?", _CHANGES, report.changes, _WITHIN),
        Sheet("Ages", "How old is what is open, and what is it worth?", _AGES, report.ages, _WITHIN),
        _listed("Open", "What is open?", _OPEN, report.open),
        _listed("New", "What came up?", _OPEN, report.new),
        _listed("Closed", "What was ended?", _CLOSED, report.closed),
        _listed("SKUs", "Which SKUs do the two systems not agree about?", _SKUS, report.skus),
        _listed("Stock", "Which stock is not synced?", _OPEN, report.stock),
        _listed("Orders", "Which orders does PRIMA not have yet?", _ORDERS, report.orders),
        _listed("Dispatches", "Which dispatches were not told?", _OPEN, report.dispatches),
        Sheet("Totals", "What did the day carry?", _TOTALS, report.totals, ("what", "currency")),
        _listed("Runs", "What ran?", _RUNS, report.runs),
    ]


def _listed(name: str, question: str, fields: Sequence[Field], rows: Sequence[Row]) -> Sheet:
    return Sheet(name, question, fields, [_cells(row) for row in rows], _WITHIN)


def _cells(row: Row) -> dict[str, Any]:
    """Return a row with London's times, as Excel has no zones, and with who has it in words."""
    plain = {name: _local(value) if isinstance(value, datetime) else value for name, value in row.items()}
    if "is_taken" in row:
        plain["taken"] = "put aside" if row["is_resting"] else "somebody" if row["is_taken"] else "nobody yet"
    return plain


def _local(instant: datetime) -> datetime:
    return instant.astimezone(LONDON).replace(tzinfo=None)
