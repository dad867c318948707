"""The business dates of a run: London's calendar days, as dates and as the UTC instants at which they begin and end."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Period:
    """Business dates from `from_date` to `to_date`, both included."""

    from_date: date
    to_date: date

    @property
    def start(self) -> datetime:
        """First instant of the period, in UTC."""
        return _midnight(self.from_date)

    @property
    def end(self) -> datetime:
        """First instant after the period, in UTC."""
        return _midnight(self.to_date + timedelta(days=1))

    def before(self, days: int) -> "Period":
        """Return the period of the same length so many days earlier."""
        return Period(self.from_date - timedelta(days=days), self.to_date - timedelta(days=days))

    @property
    def label(self) -> str:
        """The period as it stands in file names: `2026-11-22`, or `2026-11-01-to-2026-11-30`."""
        if self.from_date == self.to_date:
            return self.from_date.isoformat()
        return f"{self.from_date.isoformat()}-to-{self.to_date.isoformat()}"


def london_today(now: datetime) -> date:
    """Return London's calendar date of an instant."""
    return now.astimezone(LONDON).date()


def period_of(
    now: datetime, business_date: date | None = None, from_date: date | None = None, to_date: date | None = None
) -> Period:
    """Return the period that a person asked for: one date, a range, or London's yesterday when nothing is given.

    Raises ValueError when both a date and a range are given, or when the range runs backwards.
    """
    if business_date is not None:
        if from_date is not None or to_date is not None:
            raise ValueError("Give business_date, or from_date and to_date, not both.")
        return Period(business_date, business_date)
    yesterday = london_today(now) - timedelta(days=1)
    first = from_date or to_date or yesterday
    last = to_date or max(first, yesterday)
    if first > last:
        raise ValueError(f"from_date {first} lies after to_date {last}.")
    return Period(first, last)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, LONDON).astimezone(UTC)
