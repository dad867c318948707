"""What the ledger tells of a day: its spans, its totals, what ran, and the last reconciliation. No input or output."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
PLACED = "Orders placed in Magento"
SEEN = "Orders first read from Magento"
POSTED = "Orders posted to PRIMA"
TOLD = "Dispatches told to customers"
REFUNDED = "Refunds in Magento"
CREDITED = "Credit notes in PRIMA"
STOCKED = "Stock levels written to Magento"
STREAM = "daily report"
# What is meant to run each day, where it ran in the days before.
DAILY_STREAMS = frozenset(
    {
        "orders",
        "stock",
        "dispatches",
        "refunds",
        "sales orders",
        "reconciliation",
        "census",
        "dispatch census",
        "stock check",
    }
)


@dataclass(frozen=True, slots=True)
class ReportDay:
    """A London date `[start, end)`, and the span `[since, until)` in which exceptions came and went.

    Totals are of the date. New and closed exceptions are those since the hour of the report of the day before, so that
    one report begins where the other ended; what is open is open at `until`.
    """

    business_date: date
    start: datetime
    end: datetime
    since: datetime
    until: datetime


def report_day(business_date: date | None, now: datetime, at: time) -> ReportDay:
    """Return the spans of a report, of London's yesterday unless a date is given; `at` is its hour in London.

    The report of a date is made up to that hour of the next day, or up to now where that has not come, and is the same
    whenever it is made. Raises ValueError for a date that has not begun.
    """
    today = now.astimezone(LONDON).date()
    day = business_date or today - timedelta(days=1)
    if day > today:
        raise ValueError(f"{day} has not begun yet; a report can be had of {today} and before.")
    until = min(now, _london(day + timedelta(days=1), at))
    return ReportDay(
        business_date=day,
        start=_london(day, time.min),
        end=_london(day + timedelta(days=1), time.min),
        since=min(_london(day, at), until),
        until=until,
    )


def _london(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LONDON).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class DayTotal:
    """How many of something there were on the day, in one currency; pence are None where it has no money."""

    what: str
    count: int
    currency: str = ""
    net_pence: int | None = None
    vat_pence: int | None = None
    gross_pence: int | None = None


@dataclass(frozen=True, slots=True)
class StreamRuns:
    """How many batches of a stream were begun on the day, how many of them ended well, and when the last one did."""

    stream: str
    begun: int
    closed: int
    last_closed_at: datetime | None

    @property
    def stopped(self) -> int:
        """How many were held, left something for another run, failed, or did not finish."""
        return self.begun - self.closed


@dataclass(frozen=True, slots=True)
class StockState:
    """How many levels have a sum, and for how many of them Magento is not known to hold it, at the time of reading."""

    levels: int = 0
    unsynced: int = 0
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UntoldDispatches:
    """How many dispatches the last run had read and left for the next one, because Magento was away or busy, and when.

    They are no exceptions: the next run tells them without a person.
    """

    count: int = 0
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastReconciliation:
    """The last reconciliation that was finished: its dates, its breaks, and the gross pence by document and currency.

    Each total is document, currency, Magento's, variance, PRIMA's and the unexplained part of the variance.
    """

    run_id: str
    from_date: date
    to_date: date
    finished_at: datetime
    breaks: int
    rejected: int
    totals: Sequence[tuple[str, str, int, int, int, int]] = ()
