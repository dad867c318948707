"""Alerts: who is told of open exceptions, through which channel, and when. No input or output.

An alert names codes, order numbers, SKUs, values and times. It never holds a detail or a suggestion of an exception,
so nothing about a customer can be in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Literal, Protocol

from schemas.money import show
from schemas.reasons import Owner, Severity

AlertState = Literal["pending", "sent", "withdrawn"]
Grouping = Literal["code", "cause"]
TEST_CODE = "TEST"
Why = Literal["quiet hours", "below the floor", "told a short while ago"]


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """Whom a channel reaches: the teams and severities that it is told of at once; neither for escalations alone."""

    name: str
    teams: frozenset[Owner]
    severities: frozenset[Severity]


@dataclass(frozen=True, slots=True)
class AlertRules:
    """How alerts are grouped, what is too small for one, when people sleep, and who is next.

    A group is told when its value reaches `floor_pence` or its number `floor_count`; a floor of 0 is none, and without
    any every group is told. So is a critical one, and one whose code has no value: nothing says that it is small.
    `next` are the channels after a team's own, in the order in which they are told. `link` may hold `{code}`.
    """

    channels: Sequence[ChannelRule]
    next: Mapping[Owner, Sequence[str]] = field(default_factory=dict)
    group_by: Grouping = "code"
    floor_pence: int = 0
    floor_count: int = 0
    pause: timedelta = timedelta(hours=1)
    quiet_from: time | None = None
    quiet_until: time | None = None
    wakes: frozenset[Severity] = frozenset({"critical"})
    link: str = ""


@dataclass(frozen=True, slots=True)
class Matter:
    """An open exception that nobody lets rest, as far as alerts look at it."""

    id: int
    code: str
    subject: str
    order_number: str
    sku: str
    value_pence: int
    currency: str
    since: datetime

    @property
    def name(self) -> str:
        """What it is about, in a word or two."""
        if self.order_number:
            return f"order {self.order_number}"
        return f"SKU {self.sku}" if self.sku else self.subject


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert of the ledger: `pending` from before its call leaves until the channel took it."""

    id: int
    channel: str
    topic: str
    level: int
    state: AlertState
    begun_at: datetime
    sent_at: datetime | None
    attempts: int
    problem: str
    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to one channel: all open exceptions of a topic, of which `new` were not told there before.

    `number` is the ledger's, 0 before it is written down. `level` 0 goes to the owner's channels, 1 to the next person,
    2 to the one after. `after_hours` is the delay that passed when it was escalated.
    """

    number: int
    channel: str
    topic: str
    level: int
    code: str
    team: str
    severity: str
    sentence: str
    next_step: str
    members: frozenset[int]
    new: int
    value_pence: Mapping[str, int]
    oldest_at: datetime
    subjects: Sequence[str]
    as_at: datetime
    link: str = ""
    after_hours: int = 0

    @property
    def count(self) -> int:
        """How many exceptions are open."""
        return len(self.members)

    @property
    def value(self) -> str:
        """The value at risk for a person, a sum for each currency."""
        known = [show(pence, currency) for currency, pence in sorted(self.value_pence.items()) if pence]
        return " and ".join(known) if known else "no value that can be told"

    @property
    def title(self) -> str:
        """One line: how many, of what, worth what, and for how long."""
        escalated = "Escalated: " if self.level else ""
        return (
            f"{escalated}{self.count} x {self.code}, {self.value} at risk, oldest {_age(self.as_at - self.oldest_at)}"
        )

    @property
    def text(self) -> str:
        """The message for a person, in a few lines."""
        rest = self.count - len(self.subjects)
        about = ", ".join(self.subjects) + (f" and {rest} more" if rest > 0 else "")
        lines = [
            f"{self.sentence} ({self.team}, {self.severity})",
            f"Open: {self.count}, of which {self.new} new; at risk: {self.value}; "
            f"oldest: {_age(self.as_at - self.oldest_at)}.",
            f"About: {about}.",
            f"What to do: {self.next_step}",
        ]
        if self.level:
            lines.append(f"You are told because nobody ended it within {self.after_hours} h.")
        lines.append(f"Look: {self.link}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return what a generic webhook is sent; `alert` is the same when a message is sent twice."""
        return {
            "alert": self.number,
            "channel": self.channel,
            "code": self.code,
            "topic": self.topic,
            "team": self.team,
            "severity": self.severity,
            "level": self.level,
            "count": self.count,
            "new": self.new,
            "value_pence": dict(self.value_pence),
            "oldest_at": self.oldest_at.isoformat(timespec="seconds"),
            "subjects": list(self.subjects),
            "sentence": self.sentence,
            "next_step": self.next_step,
            "link": self.link,
            "title": self.title,
            "text": self.text,
        }


class Message(Protocol):
    """What a channel is handed: about which exceptions, in one line, in a few lines, and as JSON for a webhook."""

    @property
    def channel(self) -> str:
        """The channel that is told."""

    @property
    def topic(self) -> str:
        """What it is about; a channel has at most one pending message of a topic and level."""

    @property
    def level(self) -> int:
        """How far it was escalated."""

    @property
    def members(self) -> frozenset[int]:
        """The exceptions that it tells of, by number; none where it is about no single one."""

    @property
    def title(self) -> str:
        """One line."""

    @property
    def text(self) -> str:
        """A few lines."""

    def as_json(self) -> dict[str, Any]:
        """What a webhook is sent."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A group that is not told now, and why: quiet hours, too small, or told a short while ago."""

    channel: str
    topic: str
    level: int
    why: Why


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """What is sent now, what is held back, and which pending alerts nobody needs any more."""

    to_send: Sequence[Alert] = ()
    held_back: Sequence[HeldBack] = ()
    to_withdraw: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """What became of a run of alerts; `findings` are the health findings that are open after it."""

    open_exceptions: int = 0
    sent: int = 0
    not_sent: int = 0
    held_back: int = 0
    withdrawn: int = 0
    findings: int = 0
    is_under_way_elsewhere: bool = False


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h" if hours else f"{max(0, int(age.total_seconds() // 60))} min"
