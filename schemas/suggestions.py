"""Which SKUs of PRIMA may be meant by one that it does not know, best first, each with why. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process, utils
from rapidfuzz.distance import OSA

from schemas.documents import StockTuple

SKU_CODES = ("SKU_UNKNOWN", "SKU_CASE", "SKU_AMBIGUOUS")
# The ledger's kind of mapping from a SKU of Magento to the one of PRIMA that a person accepted for it.
SKU_MAPPING = "sku"
SUGGESTIONS = 3
LIKENESS, LIKENESS_OF_NAMES = 80, 60
BLANKS = re.compile(r"\s")
SEPARATORS = re.compile(r"[\s\-_./\\]")
# The last part of a SKU, after its last separator, is its size more often than not.
LAST_PART = re.compile(r"(?P<style>.*[\s\-_./\\])(?P<size>[^\s\-_./\\]+)")
LOOK_THE_SAME = str.maketrans("oil", "011")

OTHER_CASE = "only upper and lower case differ"
OTHER_BLANKS = "only blanks differ"
OTHER_SEPARATORS = "only separators differ"
ONE_TYPO = "one character differs"
OTHER_SIZE = "another size of the same style: only if the goods are the same"
ALIKE = "spelt alike"


def nearest(name: str, titles: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names that an unknown one may stand for, the likeliest first; by name and by title."""
    likeness = {
        known: max(fuzz.WRatio(name, each, processor=utils.default_process) for each in (known, title))
        for known, title in titles.items()
    }
    near = sorted(likeness, key=lambda known: (-likeness[known], known))
    return tuple(known for known in near if likeness[known] >= LIKENESS_OF_NAMES)[:SUGGESTIONS]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A SKU that PRIMA has, and why it may be meant."""

    sku: str
    why: str

    def __str__(self) -> str:
        return f"{self.sku} ({self.why})"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a suggestion that a person accepted: `sku` of Magento now stands for `meant` of PRIMA.

    `orders` waited for it; counts and pence are those of the run that took them up at once. What is held still has an
    exception of its own.
    """

    sku: str
    meant: str
    why: str
    by: str
    orders: tuple[str, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    posted_gross_pence: Mapping[str, int] = field(default_factory=dict)


class Suggester:
    """Finds what may be meant among PRIMA's SKUs, each given with the stock tuples that it stands for."""

    def __init__(self, tuples: Mapping[str, Iterable[StockTuple]]) -> None:
        self._skus = list(tuples)
        self._known: dict[str, tuple[Suggestion, ...]] = {}
        self._folded: dict[str, list[str]] = {}
        self._styles: dict[str, list[str]] = {}
        products: dict[str, set[str]] = {}
        for sku, items in tuples.items():
            self._folded.setdefault(folded(sku), []).append(sku)
            style, _ = _parts(sku)
            if style:
                self._styles.setdefault(style, []).append(sku)
                products.setdefault(style, set()).update(item.product for item in items)
        # What begins alike and is not one product is a range or a brand, not a style.
        self._styles = {style: skus for style, skus in self._styles.items() if len(products[style]) == 1}

    def in_other_case(self, sku: str) -> tuple[str, ...]:
        """Return the SKUs that differ from this one in upper and lower case alone."""
        return tuple(other for other in self._folded.get(folded(sku), []) if other.casefold() == sku.casefold())

    def suggestions(self, sku: str) -> tuple[Suggestion, ...]:
        """Return up to three SKUs: case, blanks, separators, one typo, another size of the style, spelt alike."""
        if sku not in self._known:
            self._known[sku] = tuple(self._ranked(sku))[:SUGGESTIONS]
        return self._known[sku]

    def _ranked(self, sku: str) -> list[Suggestion]:
        found = [Suggestion(other, _spelling(sku, other)) for other in self._folded.get(folded(sku), [])]
        found.sort(key=lambda each: (OTHER_CASE, OTHER_BLANKS, OTHER_SEPARATORS).index(each.why))
        style, size = _parts(sku)
        sizes = self._styles.get(style, [])
        near = process.extract(sku, self._skus, processor=str.casefold, scorer=OSA.distance, limit=None, score_cutoff=1)
        typos = [other for other, _, _ in near if other not in sizes]
        mistyped = [other for other in sizes if _read_alike(size, _parts(other)[1])]
        others = [other for other in sizes if other not in mistyped]
        others.sort(key=lambda other: (OSA.distance(size, _parts(other)[1]), other))
        alike = process.extract(sku, self._skus, scorer=fuzz.ratio, limit=SUGGESTIONS, score_cutoff=LIKENESS)
        found += [Suggestion(other, ONE_TYPO) for other in (*mistyped, *typos)]
        found += [Suggestion(other, OTHER_SIZE) for other in others]
        found += [Suggestion(other, ALIKE) for other, _, _ in alike]
        best: dict[str, Suggestion] = {}
        for each in found:
            best.setdefault(each.sku, each)
        best.pop(sku, None)
        return list(best.values())


def folded(sku: str) -> str:
    """Return a SKU without case, blanks and separators: what people mix up."""
    return SEPARATORS.sub("", sku).casefold()


def _spelling(sku: str, other: str) -> str:
    """Return why two SKUs that fold to the same are not the same."""
    if sku.casefold() == other.casefold():
        return OTHER_CASE
    if BLANKS.sub("", sku).casefold() == BLANKS.sub("", other).casefold():
        return OTHER_BLANKS
    return OTHER_SEPARATORS


def _parts(sku: str) -> tuple[str, str]:
    """Return a SKU's style and size, folded; no style where it has no separator."""
    found = LAST_PART.fullmatch(sku)
    return (folded(found["style"]), found["size"].casefold()) if found else ("", "")


def _read_alike(size: str, other: str) -> bool:
    """Say whether two sizes are one and the same to the eye: O for 0, I for 1, a leading nought."""
    return _seen(size) == _seen(other)


def _seen(size: str) -> str:
    return size.translate(LOOK_THE_SAME).lstrip("0")
