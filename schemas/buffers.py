"""Safety buffers: the units of a SKU that are kept back from the shop, by SKU, pattern, category or source. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from fnmatch import translate
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class BufferRule:
    """One rule: for SKUs that fit the pattern, in the category and at the source; empty means any.

    Kept back are `units`, or `percent` of what is available, rounded up to whole units; at least `floor` units.
    """

    units: int = 0
    percent: Decimal = Decimal(0)
    floor: int = 0
    sku: str = "*"
    category: str = ""
    source_code: str = ""

    def __str__(self) -> str:
        about = [f"category {self.category}"] if self.category else []
        about += [f"source {self.source_code}"] if self.source_code else []
        about = [self.sku, *about] if self.sku != "*" or not about else about
        amount = f"{self.percent.normalize():f}%" if self.percent else f"{self.units}"
        return f"{', '.join(about)}: {amount}" + (f", at least {self.floor}" if self.floor else "")

    def kept_back(self, available: int) -> int:
        """Return the units to keep back of `available` ones; may be more than there are."""
        of_share = int((available * self.percent / 100).to_integral_value(ROUND_CEILING))
        return max(self.units, of_share, self.floor)


class Level(NamedTuple):
    """What a rule looks at: a SKU at a source, and what is available of it."""

    sku: str
    source_code: str
    available: int


@dataclass(frozen=True, slots=True)
class Buffers:
    """All buffers: a SKU's own units first, then the first rule that fits, then the units of every SKU."""

    units: int = 0
    by_sku: Mapping[str, int] = field(default_factory=dict)
    rules: Sequence[BufferRule] = ()

    @property
    def is_flat(self) -> bool:
        """Whether every SKU has the same buffer."""
        return not self.rules and not self.by_sku

    def of(self, levels: Iterable[Level], categories: Mapping[str, Set[str]]) -> list[tuple[int, str]]:
        """Return for each level the units to keep back and the rule in words; `categories` are those of each SKU."""
        rules = [(rule, re.compile(translate(rule.sku)) if rule.sku != "*" else None) for rule in self.rules]
        return [self._of(level, rules, categories) for level in levels]

    def _of(
        self,
        level: Level,
        rules: Sequence[tuple[BufferRule, re.Pattern[str] | None]],
        categories: Mapping[str, Set[str]],
    ) -> tuple[int, str]:
        own = self.by_sku.get(level.sku)
        if own is not None:
            return own, f"{level.sku}: {own}"
        for rule, pattern in rules:
            if (
                (pattern is None or pattern.match(level.sku))
                and rule.source_code in ("", level.source_code)
                and (not rule.category or rule.category in categories.get(level.sku, ()))
            ):
                return rule.kept_back(level.available), str(rule)
        return self.units, ""
