"""Builds Magento search criteria, every name and value percent-encoded once, ready to be signed and sent."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

Condition = Literal["eq", "neq", "gt", "gteq", "lt", "lteq", "in", "nin", "like", "null", "notnull"]

# Magento sorts the names of the query naturally ([2] before [10]), OAuth sorts them bytewise: with an index of ten or
# more a correct signature is refused with 401.
HIGHEST_INDEX = 9

# nginx refuses request lines above 8 KiB; an `in` list stays well below it.
LONGEST_LIST = 4_000


@dataclass(frozen=True, slots=True)
class Filter:
    """One comparison of a search: `Filter("updated_at", "gteq", "2026-11-23 02:52:35")`."""

    field: str
    condition: Condition
    value: str | int | datetime


@dataclass(slots=True)
class Search:
    """Search criteria: filters of one group are ORed, groups are ANDed.

    At most ten groups, ten filters in a group and ten sort orders; more raises ValueError, because the signature of
    such a request is refused. A search without `page_size` would load the whole table, so it has no default.
    """

    page_size: int
    page: int = 1
    fields: str = ""
    _groups: list[tuple[Filter, ...]] = field(default_factory=list)
    _orders: list[tuple[str, str]] = field(default_factory=list)

    def where(self, *alternatives: Filter) -> "Search":
        """Add a group: at least one of the filters must hold, and so must every other group."""
        if not alternatives:
            raise ValueError("a group of a search needs at least one filter")
        for each in alternatives:
            if each.condition == "in" and not str(each.value):
                raise ValueError(f"{each.field} in an empty list")
        self._groups.append(alternatives)
        return self

    def ascending(self, *names: str) -> "Search":
        """Sort by these fields, upwards, in this order."""
        self._orders.extend((name, "ASC") for name in names)
        return self

    def descending(self, *names: str) -> "Search":
        """Sort by these fields, downwards, in this order."""
        self._orders.extend((name, "DESC") for name in names)
        return self

    def query(self) -> str:
        """Return the encoded query; raises ValueError when an index would reach ten."""
        if self.page_size < 1:
            raise ValueError("page_size must be at least 1: 0 loads the whole table")
        pairs: list[tuple[str, str]] = []
        for group, alternatives in enumerate(self._groups):
            for index, each in enumerate(alternatives):
                _check_index(max(group, index), "filter")
                name = f"searchCriteria[filterGroups][{group}][filters][{index}]"
                pairs.append((f"{name}[field]", each.field))
                pairs.append((f"{name}[value]", _text(each.value)))
                pairs.append((f"{name}[conditionType]", each.condition))
        for index, (name, direction) in enumerate(self._orders):
            _check_index(index, "sort order")
            pairs.append((f"searchCriteria[sortOrders][{index}][field]", name))
            pairs.append((f"searchCriteria[sortOrders][{index}][direction]", direction))
        pairs.append(("searchCriteria[pageSize]", str(self.page_size)))
        pairs.append(("searchCriteria[currentPage]", str(self.page)))
        if self.fields:
            pairs.append(("fields", self.fields))
        return encode_query(pairs)


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return `name=value&...` with everything but letters, digits and `-._~` percent-encoded; a space is %20.

    Every name may stand only once: Magento keeps one of two equal names when it checks a signature.
    """
    listed = list(pairs)
    names = [name for name, _ in listed]
    if len(set(names)) != len(names):
        raise ValueError("a name stands twice in a query: give each an index of its own")
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in listed)


def encode(text: str) -> str:
    """Percent-encode a value once and whole: `/` becomes %2F, `%` becomes %25."""
    return quote(text, safe="")


def encode_segment(text: str) -> str:
    """Percent-encode one segment of a path, such as a SKU; refuses what no path can carry.

    `.` and `..` would be taken for steps in the path by every program on the way, however they are written.
    """
    if not text.strip() or text in {".", ".."}:
        raise ValueError(f"{text!r} cannot stand in an address")
    return encode(text)


def encode_id(number: int | str) -> str:
    """Return an id as a segment of a path; raises ValueError for anything but a whole number above zero."""
    text = str(number)
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise ValueError(f"{number!r} is no id of Magento")
    return text


def key_after(columns: tuple[str, str], values: tuple[str | int | datetime, str | int]) -> list[tuple[Filter, ...]]:
    """Return the groups for "after this pair in the order of these two columns".

    `(a > x) or (a = x and b > y)`, written as two ANDed groups because that is all the criteria can say.
    """
    (first, second), (x, y) = columns, values
    return [(Filter(first, "gteq", x),), (Filter(first, "gt", x), Filter(second, "gt", y))]


def lists_of(values: Sequence[str], *, column: str, longest: int) -> Iterator[tuple[Filter, int]]:
    """Yield filters that together match exactly the values, each with how many values it stands for.

    `in` splits its list at commas, so that a value with a comma gets an `eq` of its own.
    """
    together: list[str] = []
    length = 0
    for value in dict.fromkeys(values):
        if "," in value:
            yield Filter(column, "eq", value), 1
            continue
        size = len(encode(value)) + 3
        if together and (len(together) >= longest or length + size > LONGEST_LIST):
            yield Filter(column, "in", ",".join(together)), len(together)
            together, length = [], 0
        together.append(value)
        length += size
    if together:
        yield Filter(column, "in", ",".join(together)), len(together)


def timestamp(moment: datetime) -> str:
    """Return the instant as Magento compares it: UTC, whole seconds. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _text(value: str | int | datetime) -> str:
    return timestamp(value) if isinstance(value, datetime) else str(value)


def _check_index(index: int, what: str) -> None:
    if index > HIGHEST_INDEX:
        raise ValueError(f"a search may have {HIGHEST_INDEX + 1} of each {what}: Magento refuses the signature of more")
