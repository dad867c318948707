"""What a stock cycle went by, in a few words each: where all of it is as it was, its outcome is too."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StockMarks:
    """Everything that decides what a whole stock cycle writes, as digests and counts.

    `answer` is PRIMA's answer as it came, `items` what leads from its tuples to SKUs, `settings` all settings and the
    file of categories, `day` the date that expected stock is judged by, `open_units` the units of accepted orders that
    are still to be shipped, `products` what Magento has for products, `levels` what it is known to hold, `exceptions`
    the open exceptions that a cycle raises and closes. A new field of this class makes every cycle before it another.
    """

    answer: str
    items: str
    settings: str
    day: str
    open_units: str
    products: str
    levels: str
    exceptions: str

    @classmethod
    def of(cls, kept: Mapping[str, str]) -> "StockMarks":
        """Return marks from what the ledger kept; one that an earlier version did not keep is empty."""
        return cls(**{field.name: str(kept.get(field.name, "")) for field in fields(cls)})

    def kept(self) -> dict[str, str]:
        """Return the marks as the ledger keeps them."""
        return asdict(self)

    def changed(self, before: "StockMarks") -> list[str]:
        """Return the names of the marks that are not as they were."""
        return [name for name, mark in asdict(self).items() if mark != getattr(before, name)]


@dataclass(frozen=True, slots=True)
class LevelState:
    """The ledger's levels in a few figures; `astray` are those that hold another quantity than their sum makes."""

    mark: str
    astray: int


@dataclass(frozen=True, slots=True)
class FinishedCycle:
    """The last whole cycle that was carried out to its end: nothing held, refused, unknown or waiting."""

    batch_id: str
    finished_at: datetime
    marks: StockMarks
    counts: Mapping[str, int]
