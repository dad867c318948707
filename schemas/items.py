"""From a Magento SKU to PRIMA's stock tuple: exact and case-sensitive, with suggestions for what does not fit. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from schemas.documents import StockTuple

SUGGESTIONS = 3
LIKENESS = 80


@dataclass(frozen=True, slots=True)
class ItemProblem:
    """Why a SKU has no single item: code, what was found, and up to three SKUs that may be meant."""

    code: str
    detail: str
    suggestions: tuple[str, ...]


class ItemIndex:
    """PRIMA's items by Magento SKU.

    `rows` are (sku, stock tuple) pairs of the items extract or file; `mapped` are the settings' own, which win.
    A SKU that two rows give to different tuples, and a tuple that two SKUs share, are ambiguous: neither is used.
    """

    def __init__(
        self,
        rows: Iterable[tuple[str, StockTuple]],
        mapped: Mapping[str, StockTuple] | None = None,
        pattern: str = "",
    ) -> None:
        self._pattern = re.compile(pattern) if pattern else None
        tuples: dict[str, set[StockTuple]] = {}
        for sku, item in rows:
            tuples.setdefault(sku, set()).add(item)
        self._mapped = frozenset(mapped or {})
        for sku, item in (mapped or {}).items():
            tuples[sku] = {item}
        self._tuples = tuples
        skus: dict[StockTuple, list[str]] = {}
        for sku, found in tuples.items():
            for item in found:
                skus.setdefault(item, []).append(sku)
        self._skus = skus
        self._folded: dict[str, list[str]] = {}
        for sku in tuples:
            self._folded.setdefault(_folded(sku), []).append(sku)

    def __len__(self) -> int:
        return len(self._tuples)

    def item(self, sku: str) -> StockTuple:
        """Return the stock tuple of a SKU; raises KeyError when `problem` has something to say about it."""
        if self.problem(sku) is not None:
            raise KeyError(sku)
        found = self._tuples.get(sku)
        return next(iter(found)) if found else self._by_pattern(sku)

    def sku(self, item: StockTuple) -> str | None:
        """Return the one SKU of a stock tuple, a mapped one before others; None when there is none or no single one."""
        skus = self._skus.get(item, [])
        skus = [sku for sku in skus if sku in self._mapped] or skus
        return skus[0] if len(skus) == 1 and len(self._tuples[skus[0]]) == 1 else None

    def problem(self, sku: str) -> ItemProblem | None:
        """Return why a SKU cannot be used, or None when it has exactly one item of its own."""
        found = self._tuples.get(sku, set())
        if len(found) == 1:
            others = [other for other in self._skus[next(iter(found))] if other != sku]
            if not others or sku in self._mapped:
                return None
            return ItemProblem(
                "SKU_AMBIGUOUS", f"{sku} shares its item with {', '.join(others)}", tuple(others[:SUGGESTIONS])
            )
        if len(found) > 1:
            return ItemProblem("SKU_AMBIGUOUS", f"{sku} stands for {len(found)} items of PRIMA", ())
        match = self._pattern.fullmatch(sku) if self._pattern else None
        if match is not None and match.group("product"):
            return None
        alike = [other for other in self._folded.get(_folded(sku), []) if other.casefold() == sku.casefold()]
        if alike:
            return ItemProblem("SKU_CASE", f"PRIMA spells {sku} as {alike[0]}", tuple(alike[:SUGGESTIONS]))
        suggestions = self._suggestions(sku)
        meant = f"; meant may be {', '.join(suggestions)}" if suggestions else ""
        return ItemProblem("SKU_UNKNOWN", f"PRIMA has no item {sku}{meant}", suggestions)

    def _by_pattern(self, sku: str) -> StockTuple:
        match = self._pattern.fullmatch(sku) if self._pattern else None
        if match is None:
            raise KeyError(sku)
        parts = match.groupdict(default="")
        return StockTuple(parts["product"], *(parts.get(f"mtrx{level}", "") for level in (1, 2, 3, 4)))

    def _suggestions(self, sku: str) -> tuple[str, ...]:
        same = self._folded.get(_folded(sku), [])
        near = process.extract(sku, self._tuples.keys(), scorer=fuzz.ratio, limit=SUGGESTIONS, score_cutoff=LIKENESS)
        return tuple(dict.fromkeys([*same, *(match for match, _, _ in near)]))[:SUGGESTIONS]


def _folded(sku: str) -> str:
    """Return a SKU without case, blanks and separators: what people mix up."""
    return re.sub(r"[\s\-_./\\]", "", sku).casefold()
