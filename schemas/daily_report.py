"""The daily report: what it is made from, and what it says. No input or output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from schemas.daily_facts import (
    POSTED,
    TOLD,
    DayTotal,
    LastReconciliation,
    ReportDay,
    StockState,
    StreamRuns,
    UntoldDispatches,
)
from schemas.money import show
from schemas.reasons import REASONS

UTC_TIME = Annotated[pd.DatetimeTZDtype, "us", "UTC"]
Row = Mapping[str, Any]
Section = Literal["sku", "stock", "dispatch", ""]
# Which SKUs of one side the other does not know, or not alone.
SKU_CODES = frozenset(
    {
        "SKU_UNKNOWN",
        "SKU_CASE",
        "SKU_AMBIGUOUS",
        "STOCK_ITEM_AMBIGUOUS",
        "STOCK_NOT_IN_MAGENTO",
        "STOCK_NOT_IN_PRIMA",
        "STOCK_ORPHAN",
    }
)
_NO_DISPATCH = frozenset({"INVOICE_FAILED", "INVOICE_OUTCOME_UNKNOWN", "ORDER_STATUS_NOT_WRITTEN"})
AGES = (("under a day", 24), ("1 to 3 days", 72), ("3 to 7 days", 168), ("over 7 days", None))


def section_of(code: str) -> Section:
    """Return where the report lists exceptions of a code by name; empty for those that it counts only."""
    if code in SKU_CODES:
        return "sku"
    reason = REASONS.get(code)
    if reason is None:
        return ""
    if reason.retry in ("stock", "stock check"):
        return "stock"
    return "dispatch" if reason.retry == "dispatches" and code not in _NO_DISPATCH else ""


class DayExceptions(pa.DataFrameModel):
    """One row per exception that was open at any time of the span. Values in pence of `currency`.

    What an exception says in its own words is not among the columns: nothing about a customer can be.
    """

    number: Series[pd.Int64Dtype] = pa.Field(unique=True, gt=0)
    code: Series[str]
    subject: Series[str]
    order_number: Series[str]
    sku: Series[str]
    owner: Series[str]
    severity: Series[str]
    sentence: Series[str]
    next_step: Series[str]
    fix: Series[str]
    value_pence: Series[pd.Int64Dtype]
    currency: Series[str]
    first_seen_at: Series[UTC_TIME]
    closed_at: Series[UTC_TIME] = pa.Field(nullable=True)
    is_taken: Series[bool]
    is_resting: Series[bool]

    class Config:
        """No column besides these, and each in its type, in an empty frame as well."""

        strict = True
        coerce = True


class OrdersNotPosted(pa.DataFrameModel):
    """One row per order that was seen and that PRIMA has not accepted. Pence of `currency`."""

    order_number: Series[str] = pa.Field(unique=True)
    state: Series[str]
    placed_at: Series[UTC_TIME]
    currency: Series[str]
    gross_pence: Series[pd.Int64Dtype]

    class Config:
        """No column besides these, and each in its type, in an empty frame as well."""

        strict = True
        coerce = True


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What a report is made from. `exceptions` and `orders` are frames of DayExceptions and OrdersNotPosted."""

    run_id: str
    day: ReportDay
    built_at: datetime
    exceptions: pd.DataFrame
    orders: pd.DataFrame
    totals: Sequence[DayTotal]
    runs: Sequence[StreamRuns]
    stock: StockState
    untold: UntoldDispatches
    reconciliation: LastReconciliation | None


@dataclass(frozen=True, slots=True)
class DailyReport:
    """What the report says: rows for a page, a workbook and JSON alike, the most valuable first.

    `changes` has a row for each code and currency that foots: before + new - closed = open, in number and pence.
    """

    run_id: str
    day: ReportDay
    built_at: datetime
    teams: Sequence[Row]
    ages: Sequence[Row]
    changes: Sequence[Row]
    open: Sequence[Row]
    new: Sequence[Row]
    closed: Sequence[Row]
    skus: Sequence[Row]
    stock: Sequence[Row]
    orders: Sequence[Row]
    dispatches: Sequence[Row]
    totals: Sequence[Row]
    runs: Sequence[Row]
    stock_state: StockState
    untold: UntoldDispatches
    reconciliation: LastReconciliation | None
    idle: Sequence[str] = field(default_factory=tuple)

    @property
    def is_calm(self) -> bool:
        """Whether nobody has anything to do about it."""
        return not (self.open or self.orders or self.untold.count or self.idle)

    @property
    def headline(self) -> str:
        """What came, went and is open, and what the day carried, in a few sentences."""
        return " ".join(part for part in (self._exceptions(), self._carried(), self._untold(), self._idle()) if part)

    def _exceptions(self) -> str:
        day = long_date(self.day.business_date)
        if not (self.open or self.new or self.closed):
            return f"{day}: nothing came up and nothing is open."
        came = f"{day}: {counted(len(self.new), 'new exception')}, {len(self.closed)} closed"
        if not self.open:
            return f"{came}, nothing is open."
        critical = sum(row["severity"] == "critical" for row in self.open)
        resting = sum(row["is_resting"] for row in self.open)
        notes = [f"{critical} critical" if critical else "", f"{resting} put aside" if resting else ""]
        noted = ", ".join(filter(None, notes))
        oldest = age_text(max(row["age_hours"] for row in self.open))
        return (
            f"{came}, {len(self.open)} open{f' ({noted})' if noted else ''}: {worth(self.open)} at risk, "
            f"the oldest {oldest}."
        )

    def _carried(self) -> str:
        found: dict[str, list[Row]] = {}
        for row in self.totals:
            if row["count"]:
                found.setdefault(row["what"], []).append(row)
        if not found:
            return "No order was placed or posted that day, and no dispatch told."
        posted, told = found.get(POSTED, []), found.get(TOLD, [])
        orders = counted(sum(row["count"] for row in posted), "order") + " posted to PRIMA"
        value = f" for {sums((row['currency'], row['gross_pence']) for row in posted)}" if posted else ""
        waiting = f", {len(self.orders)} not posted yet" if self.orders else ""
        dispatches = counted(sum(row["count"] for row in told), "dispatch", "dispatches")
        return f"{orders}{value}{waiting}; {dispatches} told."

    def _untold(self) -> str:
        number = self.untold.count
        waits = counted(number, "dispatch waits", "dispatches wait")
        return f"{waits} for the next run to be told." if number else ""

    def _idle(self) -> str:
        return f"No run ended well that day of: {', '.join(self.idle)}." if self.idle else ""

    def of_team(self, team: str) -> str:
        """Return one line about what a team has."""
        row = next((each for each in self.teams if each["owner"] == team), None)
        if row is None:
            return f"{team}: nothing is open."
        critical = f", {row['critical_count']} critical" if row["critical_count"] else ""
        oldest = f", the oldest {row['oldest']}" if row["open_count"] else ""
        return (
            f"{team}: {row['open_count']} open{critical}, {row['worth']} at risk{oldest}; {row['new_count']} new, "
            f"{row['closed_count']} closed."
        )

    def as_json(self) -> dict[str, Any]:
        """Return the whole report as plain values; pence are whole numbers."""
        names = ("teams", "ages", "changes", "open", "new", "closed", "skus", "stock", "orders", "dispatches")
        return {
            "business_date": self.day.business_date,
            "since": self.day.since,
            "until": self.day.until,
            "run_id": self.run_id,
            "built_at": self.built_at,
            "headline": self.headline,
            "is_calm": self.is_calm,
            **{name: [dict(row) for row in getattr(self, name)] for name in (*names, "totals", "runs")},
            "dispatches_waiting": self.untold.count,
            "idle": list(self.idle),
            "reconciliation": reconciliation_text(self),
        }


def reconciliation_text(report: DailyReport) -> str:
    """Return one sentence on the last reconciliation, and whether it is of the night before the report."""
    last = report.reconciliation
    if last is None:
        return "No reconciliation has been finished yet."
    dates = long_date(last.from_date)
    if last.to_date != last.from_date:
        dates += f" to {long_date(last.to_date)}"
    amounts = [
        f"{level} {show(magento, currency)} in Magento, {show(prima, currency)} in PRIMA"
        + (f", {show(unexplained, currency)} of the difference unexplained" if unexplained else "")
        for level, currency, magento, _, prima, unexplained in last.totals
    ]
    rejected = f", {counted(last.rejected, 'record')} not reconciled" if last.rejected else ""
    late = "" if last.finished_at >= report.day.since else " None was finished since then."
    documents = f" {'; '.join(amounts)}." if amounts else ""
    return f"{dates}: {counted(last.breaks, 'break') if last.breaks else 'no breaks'}{rejected}.{documents}{late}"


def worth(rows: Sequence[Row]) -> str:
    """Return what is at risk in rows of exceptions, a sum for each currency."""
    return sums((row["currency"], row["value_pence"]) for row in rows)


def sums(amounts: Any) -> str:
    """Return pairs of currency and pence as a sum for each currency: `£1,204.50 and €12.00`."""
    found: dict[str, int] = {}
    for currency, pence in amounts:
        found[currency] = found.get(currency, 0) + pence
    return " and ".join(show(pence, currency) for currency, pence in sorted(found.items()) if pence) or show(0)


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Return a number with its noun: `1 order`, `1,204 orders`."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def age_text(hours: float) -> str:
    """Return an age for a person: `5 h`, `3 days`."""
    return f"{int(hours)} h" if hours < 48 else f"{int(hours // 24)} days"


def long_date(day: date) -> str:
    """Return a date for a person: `Tue 24 November 2026`."""
    return f"{day:%a} {day.day} {day:%B %Y}"
