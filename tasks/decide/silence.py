"""Whether something that comes again and again has stopped coming, by what earlier weeks make likely. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from schemas.census import SilenceRule

LONDON = ZoneInfo("Europe/London")
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Silence:
    """When it came last, and how often it was to be expected since then."""

    last: datetime
    expected: float

    @property
    def since(self) -> str:
        """The last time, for a person."""
        return f"{self.last.astimezone(LONDON):%d %B at %H:%M} London time"


def silence_in(times: Sequence[datetime], now: datetime, rule: SilenceRule) -> Silence | None:
    """Return the silence since the last of these sorted times, if it is longer than earlier weeks make likely.

    None without enough history. For each hour of the week (London) the history gives how many are to be expected, its
    best week left out, so that one promotion does not make every quiet evening suspect. If they came by chance at that
    rate, none in a time in which n were expected has the probability e^-n.
    """
    past = [at for at in times if at <= now]
    if not past or now - past[-1] < rule.shortest or past[0] > past[-1] - rule.weeks * WEEK:
        return None
    last = past[-1]
    rates = _rates(past, last, rule.weeks)
    expected, at = 0.0, last
    while at < now:
        until = min(now, at.replace(minute=0, second=0, microsecond=0) + HOUR)
        expected += rates.get(hour_of_week(at), 0.0) * ((until - at) / HOUR)
        at = until
    return None if expected < rule.orders else Silence(last, expected)


def hour_of_week(at: datetime) -> int:
    """Return the hour of the week in London, 0 for the first of Monday."""
    local = at.astimezone(LONDON)
    return local.weekday() * 24 + local.hour


def _rates(past: Sequence[datetime], last: datetime, weeks: int) -> dict[int, float]:
    """Return how many came per hour, by hour of the week."""
    counts: dict[int, dict[int, int]] = {}
    for at in past:
        week = ceil((last - at) / WEEK) - 1
        if 0 <= week < weeks:
            of_hour = counts.setdefault(hour_of_week(at), {})
            of_hour[week] = of_hour.get(week, 0) + 1
    return {hour: (sum(by_week.values()) - max(by_week.values())) / (weeks - 1) for hour, by_week in counts.items()}
