"""From a Magento SKU to PRIMA's stock tuple: exact and case-sensitive, with suggestions for what does not fit. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from schemas.documents import StockTuple
from schemas.suggestions import SUGGESTIONS, Suggester, Suggestion

SHARES_ITEM = "shares the item"


@dataclass(frozen=True, slots=True)
class ItemProblem:
    """Why a SKU has no single item: code, what was found, and up to three SKUs that may be meant, each with why."""

    code: str
    detail: str
    meant: tuple[Suggestion, ...] = ()

    @property
    def suggestions(self) -> tuple[str, ...]:
        """The SKUs that may be meant, best first."""
        return tuple(each.sku for each in self.meant)


class ItemIndex:
    """PRIMA's items by Magento SKU.

    `rows` are (sku, stock tuple) pairs of the items extract or file; `mapped` are the settings' own, which win.
    `accepted` are suggestions that people accepted, PRIMA's SKU by Magento's; they win over rows and pattern as long as
    PRIMA's SKU stands for one item. A SKU that two rows give to different tuples, and a tuple that two SKUs share, are
    ambiguous: neither is used. `stocked` are the accepted SKUs whose stock Magento keeps under that very SKU.
    `vat_rates` are PRIMA's rates of its items in per cent, where its items extract is there.
    """

    def __init__(
        self,
        rows: Iterable[tuple[str, StockTuple]],
        mapped: Mapping[str, StockTuple] | None = None,
        pattern: str = "",
        *,
        accepted: Mapping[str, str] | None = None,
        stocked: Collection[str] = (),
        vat_rates: Mapping[StockTuple, Decimal] | None = None,
    ) -> None:
        self.vat_rates = vat_rates or {}
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
        self._folded_tuples: dict[tuple[str, ...], list[str]] | None = None  # made when it is first needed
        named = {sku: self._single(meant) for sku, meant in (accepted or {}).items() if sku not in self._mapped}
        self._accepted = {sku: item for sku, item in named.items() if item is not None}
        self._stocked: dict[StockTuple, list[str]] = {}
        for sku in stocked:
            if sku in self._accepted:
                self._stocked.setdefault(self._accepted[sku], []).append(sku)

    def __len__(self) -> int:
        return len(self._tuples)

    @cached_property
    def _suggester(self) -> Suggester:
        return Suggester(self._tuples)

    def item(self, sku: str) -> StockTuple:
        """Return the stock tuple of a SKU; raises KeyError when `problem` has something to say about it."""
        if self.problem(sku) is not None:
            raise KeyError(sku)
        if sku in self._accepted:
            return self._accepted[sku]
        found = self._tuples.get(sku)
        return next(iter(found)) if found else self._by_pattern(sku)

    def sku(self, item: StockTuple) -> str | None:
        """Return the one SKU under which Magento keeps the stock of a tuple; None when there is no single one.

        One that the settings map comes before an accepted one whose stock Magento keeps, and that before a row's. PRIMA
        takes codes without regard to case, so a tuple that is nobody's exactly may be somebody's all the same.
        """
        skus = self._owners(item)
        mapped = [sku for sku in skus if sku in self._mapped]
        if not mapped and item in self._stocked:
            accepted = self._stocked[item]
            return accepted[0] if len(accepted) == 1 else None
        skus = mapped or skus
        return skus[0] if len(skus) == 1 and len(self._tuples[skus[0]]) == 1 else None

    def claims(self, item: StockTuple) -> list[str]:
        """Return the SKUs of a stock tuple that cannot be used for it because they are several, or have several."""
        return [] if self.sku(item) else sorted(self._owners(item))

    def _owners(self, item: StockTuple) -> list[str]:
        exact = self._skus.get(item)
        if exact is not None:
            return exact
        if self._folded_tuples is None:
            self._folded_tuples = {}
            for known, skus in self._skus.items():
                self._folded_tuples.setdefault(_without_case(known), []).extend(skus)
        return self._folded_tuples.get(_without_case(item), [])

    def problem(self, sku: str) -> ItemProblem | None:
        """Return why a SKU cannot be used, or None when it has exactly one item of its own, or an accepted one."""
        if sku in self._accepted:
            return None
        found = self._tuples.get(sku, set())
        if len(found) == 1:
            others = [other for other in self._skus[next(iter(found))] if other != sku]
            if not others or sku in self._mapped:
                return None
            meant = tuple(Suggestion(other, SHARES_ITEM) for other in others[:SUGGESTIONS])
            return ItemProblem("SKU_AMBIGUOUS", f"{sku} shares its item with {', '.join(others)}", meant)
        if len(found) > 1:
            return ItemProblem("SKU_AMBIGUOUS", f"{sku} stands for {len(found)} items of PRIMA")
        match = self._pattern.fullmatch(sku) if self._pattern else None
        if match is not None and match.group("product"):
            return None
        suggestions = self._suggester.suggestions(sku)
        alike = self._suggester.in_other_case(sku)
        if alike:
            return ItemProblem("SKU_CASE", f"PRIMA spells {sku} as {alike[0]}", suggestions)
        words = f"; meant may be {', '.join(map(str, suggestions))}" if suggestions else ""
        return ItemProblem("SKU_UNKNOWN", f"PRIMA has no item {sku}{words}", suggestions)

    def _single(self, sku: str) -> StockTuple | None:
        found = self._tuples.get(sku, set())
        return next(iter(found)) if len(found) == 1 else None

    def _by_pattern(self, sku: str) -> StockTuple:
        match = self._pattern.fullmatch(sku) if self._pattern else None
        if match is None:
            raise KeyError(sku)
        parts = match.groupdict(default="")
        return StockTuple(parts["product"], *(parts.get(f"mtrx{level}", "") for level in (1, 2, 3, 4)))


def _without_case(item: StockTuple) -> tuple[str, ...]:
    return tuple(part.casefold() for part in (item.product, item.mtrx1, item.mtrx2, item.mtrx3, item.mtrx4))
