"""What keeps a stock snapshot that cannot be true from the shop: its figures, the brakes, and what they say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

HoldState = Literal["held", "released", "refused", "passed", "expired", "replaced"]
HoldDecision = Literal["release", "refuse"]
Outcome = Literal["sane", "held", "released"]
OPEN_HOLDS: tuple[HoldState, ...] = ("held", "released", "refused")


@dataclass(frozen=True, slots=True)
class BrakeRules:
    """Where the brakes grip. Shares are whole per cent, and a figure must be beyond its share to be held.

    `fewest_skus`: with fewer sellable SKUs to compare, shares say nothing, and only the rows are looked at.
    `same_percent`: by how much of all units a snapshot may differ from a held one and still be the same deviation.
    """

    lowest_rows: int = 0
    shrink_percent: int = 20
    zeroed_percent: int = 20
    fall_percent: int = 40
    rise_percent: int = 100
    moved_percent: int = 60
    fewest_skus: int = 20
    same_percent: int = 10


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stock snapshot as the brakes see it: usable rows, and units available to sell by SKU (all warehouses)."""

    rows: int
    units: Mapping[str, int] = field(repr=False)


@dataclass(frozen=True, slots=True)
class BrakeFigures:
    """A snapshot against the one before. Units are those of the SKUs that both have; a missing SKU is no zero.

    `known`: SKUs of the last snapshot. `present`: those of them that this one has. `sellable`: SKUs with units before.
    `zeroed`: those of them without any now. `moved`: the sum of all changes, up or down, which finds quantities that
    stand with the wrong SKUs although their total is right.
    """

    rows_before: int
    rows: int
    known: int
    present: int
    sellable: int
    zeroed: int
    units_before: int
    units: int
    moved: int


@dataclass(frozen=True, slots=True)
class StockHold:
    """A held snapshot in the ledger, and what was decided about it. `snapshot` is what a release is for.

    `hold_id` begins with the day and ends with the start of the SHA-256 of the snapshot. Every later snapshot that
    deviates in the same way counts as another time of this hold.
    """

    hold_id: str
    batch_id: str
    state: HoldState
    reasons: tuple[str, ...]
    figures: BrakeFigures
    snapshot: Snapshot
    top: tuple[str, ...]
    value_at_risk_pence: int
    currency: str
    held_at: datetime
    last_held_at: datetime
    times_held: int


@dataclass(frozen=True, slots=True)
class HoldEvent:
    """Who did what to a hold, when and why."""

    hold_id: str
    at: datetime
    actor: str
    event: str
    text: str


@dataclass(frozen=True, slots=True)
class BrakeMemory:
    """What the ledger knows: the last snapshot that was not held, and the hold that is still open."""

    before: Snapshot
    hold: StockHold | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The units of a SKU before and now; `now` is None where the snapshot does not contain it."""

    sku: str
    before: int
    now: int | None

    @property
    def units(self) -> int:
        """How many units are in question."""
        return self.before if self.now is None else abs(self.now - self.before)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the brakes say. `reasons` is empty for a sane snapshot; `hold_id` names the hold that it belongs to.

    `is_unchanged`: the snapshot is the same as the one that it was compared with.
    """

    outcome: Outcome
    snapshot: Snapshot
    figures: BrakeFigures
    reasons: tuple[str, ...] = ()
    hold_id: str = ""
    changes: tuple[Change, ...] = field(default=(), repr=False)
    is_unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Risk:
    """What a held snapshot is about: pence of the units in question, SKUs without a price, the largest changes."""

    value_at_risk_pence: int
    currency: str
    without_price: int
    top: tuple[str, ...]


NOT_JUDGED = Verdict("sane", Snapshot(0, {}), BrakeFigures(0, 0, 0, 0, 0, 0, 0, 0, 0), is_unchanged=True)
"""Where only some SKUs were asked for: there is nothing to compare as a whole, and nothing to remember."""
