"""What a channel is sent of the daily report. No input or output, and nothing about a customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

CODE = "DAILY_REPORT"
NEXT_STEP = "Open the report; begin with what is critical, then with the largest value."
NEXT_STEP_CALM = "Nothing."


@dataclass(frozen=True, slots=True)
class ReportMessage:
    """The headline of a report for one channel, with a line for each of its teams; a message as alerts are."""

    channel: str
    business_date: date
    headline: str
    team_lines: Sequence[str]
    link: str
    counts: Mapping[str, int]
    value_pence: Mapping[str, int]
    oldest_at: datetime | None

    @property
    def topic(self) -> str:
        """The report of this date: a channel takes it once."""
        return f"daily report {self.business_date}"

    @property
    def level(self) -> int:
        """A report is not escalated."""
        return 0

    @property
    def members(self) -> frozenset[int]:
        """It is about no single exception."""
        return frozenset()

    @property
    def next_step(self) -> str:
        """What the reader does."""
        return NEXT_STEP if self.counts["open"] else NEXT_STEP_CALM

    @property
    def title(self) -> str:
        """One line."""
        return f"Daily report of {self.business_date}: {self.counts['open']} open, {self.counts['new']} new"

    @property
    def text(self) -> str:
        """A few lines."""
        return "\n".join(
            [self.headline, *self.team_lines, f"What to do: {self.next_step}", f"Look: {self.link}"],
        )

    def as_json(self) -> dict[str, Any]:
        """Return what a webhook is sent."""
        return {
            "code": CODE,
            "channel": self.channel,
            "topic": self.topic,
            "business_date": self.business_date.isoformat(),
            **{f"{name}_count": count for name, count in self.counts.items()},
            "value_pence": dict(self.value_pence),
            "oldest_at": self.oldest_at.isoformat(timespec="seconds") if self.oldest_at else None,
            "next_step": self.next_step,
            "link": self.link,
            "title": self.title,
            "text": self.text,
        }
