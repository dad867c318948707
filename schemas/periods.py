"""A month or a VAT quarter that finance closes: its name and dates, what was locked, and what changed afterwards.

Money is whole minor units of the row's currency, instants are aware UTC. No input or output.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

PeriodKind = Literal["month", "vat_quarter"]
PeriodState = Literal["open", "prepared", "approved", "locked"]
Role = Literal["preparer", "approver"]
STATES: tuple[PeriodState, ...] = ("open", "prepared", "approved", "locked")
# A signature names the figures by the beginning of their hash, as the preview shows it.
HASH_SHOWN = 12
_NAME = re.compile(r"(vat-)?(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class ClosingPeriod:
    """A period with a name: `2026-11` is a month, `vat-2026-11` the VAT quarter that ends with November 2026."""

    name: str
    kind: PeriodKind
    from_date: date
    to_date: date


def closing_period(name: str) -> ClosingPeriod:
    """Return the period of a name. Raises ValueError for any other name, with the two forms there are."""
    found = _NAME.fullmatch(name.strip())
    if found is None:
        raise ValueError(
            f"{name!r} is no period: 2026-11 is a month, vat-2026-11 the VAT quarter that ends with November 2026"
        )
    year, month = int(found[2]), int(found[3])
    last = date(year, month, monthrange(year, month)[1])
    if found[1] is None:
        return ClosingPeriod(found[0], "month", last.replace(day=1), last)
    months = year * 12 + month - 1 - 2
    return ClosingPeriod(found[0], "vat_quarter", date(months // 12, months % 12 + 1, 1), last)


@dataclass(frozen=True, slots=True)
class Figures:
    """Where and in what a figure of a period stands: one document of one side at one VAT rate. None: not there."""

    net_pence: int
    vat_pence: int
    destination: str
    business_date: date

    @property
    def gross_pence(self) -> int:
        """Net and VAT together."""
        return self.net_pence + self.vat_pence


@dataclass(frozen=True, slots=True)
class Change:
    """A document at a VAT rate whose figures are not those that were locked; `rate` is empty where none is given."""

    side: str
    level: str
    document_number: str
    rate: str
    order_key: str
    currency: str
    before: Figures | None
    now: Figures | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same figure."""
        return self.side, self.level, self.document_number, self.rate

    @property
    def kind(self) -> str:
        """New, gone or changed."""
        return "new" if self.before is None else "gone" if self.now is None else "changed"

    @property
    def net_pence(self) -> int:
        """By how much the net grew since the lock."""
        return (self.now.net_pence if self.now else 0) - (self.before.net_pence if self.before else 0)

    @property
    def vat_pence(self) -> int:
        """By how much the VAT grew since the lock."""
        return (self.now.vat_pence if self.now else 0) - (self.before.vat_pence if self.before else 0)

    @property
    def gross_pence(self) -> int:
        """By how much the gross grew since the lock."""
        return self.net_pence + self.vat_pence


@dataclass(frozen=True, slots=True)
class PriorItem:
    """A change that came after the lock, as the ledger keeps it; `carried_into` is the period that took it, or empty.

    `figures_hash` is the hash of the lock that it changes.
    """

    item_id: int
    period: str
    revision: int
    found_at: datetime
    batch_id: str
    figures_hash: str
    change: Change
    carried_into: str = ""


def new_changes(against_lock: Iterable[Change], known: Sequence[PriorItem]) -> list[Change]:
    """Return what is new since the lock and the items found already: each change once, and its undoing as well.

    `against_lock` compares with the locked figures. `known` are all items of the same lock, oldest first.
    """
    latest = {item.change.key: item.change for item in known}
    locked = {item.change.key: item.change.before for item in reversed(known)}
    found = {change.key: change for change in against_lock}
    new = []
    for key, change in found.items():
        earlier = latest.get(key)
        if earlier is None:
            new.append(change)
        elif earlier.now != change.now:
            new.append(_from(change, earlier.now, change.now))
    for key, earlier in latest.items():
        if key not in found and earlier.now != locked[key]:
            new.append(_from(earlier, earlier.now, locked[key]))
    return sorted(new, key=lambda change: change.key)


def _from(change: Change, before: Figures | None, now: Figures | None) -> Change:
    return Change(
        change.side,
        change.level,
        change.document_number,
        change.rate,
        change.order_key,
        change.currency,
        before,
        now,
    )


@dataclass(frozen=True, slots=True)
class PeriodRecord:
    """A period as the ledger keeps it. `figures` is what its last preview or its lock says, by name.

    `revision` counts from 1 and grows with each reopening. The hashes are empty before the first preview and lock.
    """

    name: str
    kind: PeriodKind
    from_date: date
    to_date: date
    state: PeriodState
    revision: int
    figures_hash: str = ""
    run_id: str = ""
    folder: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    preparer: str = ""
    approver: str = ""
    locked_at: datetime | None = None
    pack: str = ""
    pack_sha256: str = ""

    @property
    def needs_words(self) -> bool:
        """Tell whether a signature must say something: breaks are open, or parts were not reconciled."""
        return bool(self.figures.get("open_breaks") or self.figures.get("not_reconciled"))


@dataclass(frozen=True, slots=True)
class PeriodEvent:
    """One line of a period's audit trail; `sha256` seals it and all lines before it."""

    at: datetime
    actor: str
    event: str
    text: str
    revision: int
    figures_hash: str
    sha256: str


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are one person's, however they were typed."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def signature_problem(record: PeriodRecord, role: Role, by: str, figures_hash: str, comment: str) -> str:
    """Return why somebody may not sign, as a sentence; empty when they may.

    The preparer signs first, then a second person approves; both name the figures that they looked at.
    """
    wanted: PeriodState = "open" if role == "preparer" else "prepared"
    given = figures_hash.strip().lower()
    if not by.strip():
        return "a signature names who signs"
    if not record.figures_hash:
        return "there is nothing to sign yet: run the preview first"
    if record.state != wanted:
        return f"it is {record.state}: {_NEXT[record.state]}"
    if len(given) < HASH_SHOWN or not record.figures_hash.startswith(given):
        return (
            f"the figures that are signed are those of the last preview, {record.figures_hash[:HASH_SHOWN]}: "
            f"give at least these {HASH_SHOWN} characters of their hash; given: {figures_hash.strip() or 'nothing'}"
        )
    if role == "approver" and same_person(by, record.preparer):
        return f"{record.preparer.strip()} prepared it: the approver is a second person"
    if record.needs_words and not comment.strip():
        return "breaks are open or parts were not reconciled: a comment says why it may be signed all the same"
    return ""


_NEXT: Mapping[PeriodState, str] = {
    "open": "the preparer signs first",
    "prepared": "the approver signs next",
    "approved": "both have signed, it can be locked",
    "locked": "only reopening it, with a reason, changes that",
}


def lock_problem(record: PeriodRecord, by: str, today: date, others: Iterable[PeriodRecord]) -> str:
    """Return why a period may not be locked, as a sentence; empty when it may. `today` is London's date."""
    earlier = [
        other.name
        for other in others
        if other.kind == record.kind and other.to_date < record.from_date and other.state != "locked"
    ]
    if not by.strip():
        return "a lock names who locks"
    if record.state != "approved":
        return f"it is {record.state}: {_NEXT[record.state]}"
    if today <= record.to_date:
        return f"it is not over before {record.to_date}"
    if earlier:
        return f"{', '.join(earlier)} before it is not locked"
    return ""


def reopen_problem(record: PeriodRecord, by: str, reason: str, others: Iterable[PeriodRecord]) -> str:
    """Return why a period may not be reopened, as a sentence; empty when it may."""
    later = [
        other.name
        for other in others
        if other.kind == record.kind and other.from_date > record.to_date and other.state == "locked"
    ]
    if not by.strip() or not reason.strip():
        return "reopening names who, and the reason"
    if record.state != "locked":
        return f"it is {record.state}, not locked"
    if later:
        return f"{', '.join(later)} after it is locked: reopen that first"
    return ""
