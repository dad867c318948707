"""What a reason is."""

from dataclasses import dataclass
from typing import Literal

Owner = Literal["operations", "finance", "ecommerce", "customer service", "integration"]
Severity = Literal["info", "warning", "problem", "critical"]
# What the value at risk of an exception is the value of. The ledger fills in what a step did not state.
ValueRule = Literal[
    "order gross",
    "document gross",
    "refund gross",
    "total difference",
    "VAT difference",
    "cancelled units",
    "dispatched units",
    "stock value",
    "none",
]
# What is run again, from a fresh read of both systems: never what was read before.
Retry = Literal["order", "stock", "dispatches", "refunds", "figures", "orders", "census", "stock check", ""]
MappingKind = Literal["sku", "carrier", "payment", "charge"]
Hold = Literal["order", "stock snapshot", ""]
Act = Literal["assign", "comment", "snooze", "retry", "accept", "map", "release", "refuse", "ignore", "close"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something stopped, who acts on it, with what, and when the next person hears of it.

    `escalate_hours` are hours after the exception was raised: one for each further person, none where nobody is told.
    `may` are the teams that may decide, the owner first. `retry`, `mapping` and `hold` name what the acts of these
    names do; `is_closed_by_hand` says that no run can tell when it is over.
    """

    code: str
    sentence: str
    owner: Owner
    severity: Severity
    next_step: str
    value_rule: ValueRule
    escalate_hours: tuple[int, ...]
    may: tuple[Owner, ...]
    retry: Retry
    mapping: MappingKind | None
    hold: Hold
    can_be_ignored: bool
    is_closed_by_hand: bool

    @property
    def anchor(self) -> str:
        """The handbook page and heading that explains it."""
        return f"docs/operations.md#{self.code.lower()}"

    @property
    def acts(self) -> tuple[Act, ...]:
        """What a person can do about it, besides what the next step says."""
        found: list[Act] = ["assign", "comment", "snooze"]
        if self.retry:
            found.append("retry")
        if self.mapping:
            found += ["accept", "map"]
        if self.hold:
            found += ["release", "refuse"]
        if self.can_be_ignored:
            found.append("ignore")
        if self.is_closed_by_hand:
            found.append("close")
        return tuple(found)


Row = tuple[str, str, Owner, Severity, str, ValueRule]
