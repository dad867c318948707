"""Search criteria as Magento reads them from a query string, and lists searched in SQL by them."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from sandbox.magento import errors
from sandbox.magento.fields import Field, Listing
from sandbox.magento.store import Store

_OPERATORS = {"eq": "=", "neq": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "from": ">=", "to": "<="}
_DATE = re.compile(r"\s*(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?)?")
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?")
ZERO_DATE = "0000-00-00 00:00:00"

Query = dict[str, Any]


@dataclass
class Filter:
    """One comparison."""

    field: str
    value: str
    condition: str = "eq"


@dataclass
class Criteria:
    """What a list request asks for; None where the request left something out."""

    groups: list[list[Filter]] = field(default_factory=list)
    orders: list[tuple[str, str]] = field(default_factory=list)
    page_size: int | None = None
    current_page: int | None = None

    def echo(self) -> dict[str, Any]:
        """Return the criteria as an answer repeats them."""
        shown: dict[str, Any] = {
            "filter_groups": [
                {"filters": [{"field": f.field, "value": f.value, "condition_type": f.condition} for f in group]}
                for group in self.groups
            ]
        }
        if self.orders:
            shown["sort_orders"] = [{"field": name, "direction": direction} for name, direction in self.orders]
        if self.page_size is not None:
            shown["page_size"] = self.page_size
        if self.current_page is not None:
            shown["current_page"] = self.current_page
        return shown


@dataclass(frozen=True)
class Limits:
    """Web API input limiting; Magento leaves it off. None means no limit of that kind."""

    array: int | None = None
    page_size: int = 300
    default_page_size: int | None = None


def parse_query(text: str) -> Query:
    """Return a query string as PHP reads it: `a[b][0]=1` becomes `{"a": {"b": {"0": "1"}}}`, `a[]` counts up."""
    parsed: Query = {}
    for pair in filter(None, text.split("&")):
        name, _, value = pair.partition("=")
        path = re.findall(r"[^\[\]]+|\[\]", unquote_plus(name))
        if not path:
            continue
        place = parsed
        for key in path[:-1]:
            inner = place.get(key)
            if not isinstance(inner, dict):
                inner = place[key] = {}
            place = inner
        last = str(len(place)) if path[-1] == "[]" else path[-1]
        place[last] = unquote_plus(value)
    return parsed


def read_criteria(query: Query, *, needed: bool = True, limits: Limits | None = None) -> Criteria:
    """Return the search criteria of a parsed query; Refusal when they are missing, no numbers or too large."""
    given = query.get("searchCriteria", query.get("search_criteria"))
    if given is None and needed:
        raise errors.required("searchCriteria")
    given = given if isinstance(given, dict) else {}
    criteria = Criteria(
        groups=[
            [_read_filter(f) for f in _members(_either(group, "filters", "filters"))]
            for group in _members(_either(given, "filterGroups", "filter_groups"))
        ],
        orders=[
            (order.get("field", ""), order.get("direction", "ASC").upper())
            for order in _members(_either(given, "sortOrders", "sort_orders"))
        ],
        page_size=_integer(_either(given, "pageSize", "page_size"), "pageSize"),
        current_page=_integer(_either(given, "currentPage", "current_page"), "currentPage"),
    )
    if limits is not None:
        if criteria.page_size is None:
            criteria.page_size = limits.default_page_size
        if (criteria.page_size or 0) > limits.page_size:
            raise errors.Refusal(400, "Maximum SearchCriteria pageSize is %max", {"max": limits.page_size})
    return criteria


def find(store: Store, listing: Listing, criteria: Criteria, *bound: Any) -> tuple[list[Any], int]:
    """Return what the listing serves for the page asked for, and the number of rows that match on all pages.

    A field that the list does not have is Refusal 500; a page beyond the end is empty.
    """
    where, values = _condition(listing, criteria)
    total = int(store.value(f"select count(*) from {listing.table} {where}", *bound, *values))
    ordered = [f"{_field(listing, name).expression} {_direction(way)}" for name, way in criteria.orders]
    query = f"select {listing.document} from {listing.table} {where} order by {', '.join([*ordered, listing.key])}"
    if criteria.page_size:
        page = max(criteria.current_page or 1, 1)
        query += " limit ? offset ?"
        values += [criteria.page_size, (page - 1) * criteria.page_size]
    return [row[0] for row in store.rows(query, *bound, *values)], total


def answer(items: list[Any], criteria: Criteria, total: int) -> dict[str, Any]:
    """Return the body of a list answer."""
    return {"items": items, "search_criteria": criteria.echo(), "total_count": total}


def _condition(listing: Listing, criteria: Criteria) -> tuple[str, list[Any]]:
    groups: list[str] = []
    values: list[Any] = []
    for group in filter(None, criteria.groups):
        tests = []
        for one in group:
            test, bound = _test(_field(listing, one.field), one)
            tests.append(test)
            values += bound
        groups.append(f"({' or '.join(tests)})")
    return ("where " + " and ".join(groups) if groups else ""), values


def _test(found: Field, one: Filter) -> tuple[str, list[Any]]:
    inside = found.kind == "text" and found.expression.startswith("json_extract")
    expression = found.expression + (" collate nocase" if inside else "")
    if one.condition in ("null", "notnull"):
        return f"{found.expression} is {'not ' if one.condition == 'notnull' else ''}null", []
    if one.condition in ("in", "nin"):
        members = [_value(found.kind, member) for member in one.value.split(",")]
        listed = ", ".join("?" * len(members))
        return f"{expression} {'not ' if one.condition == 'nin' else ''}in ({listed})", members
    if one.condition == "like":
        return f"{found.expression} like ?", [one.value]
    operator = _OPERATORS.get(one.condition, "=")  # Magento treats a condition it does not know as "eq"
    return f"{expression} {operator} ?", [_value(found.kind, one.value)]


def _value(kind: str, text: str) -> Any:
    if kind == "date":
        date = _DATE.match(text)  # an offset behind the time is ignored, as MariaDB does
        return f"{date[1]} {date[2] or '00:00'}{date[3] or ':00'}" if date else ZERO_DATE
    if kind == "number":
        figure = _NUMBER.match(text)
        return float(figure[0]) if figure else 0
    return text


def _field(listing: Listing, name: str) -> Field:
    if name not in listing.fields:
        raise errors.internal_error()
    return listing.fields[name]


def _direction(asked: str) -> str:
    return "desc" if asked == "DESC" else "asc"


def _read_filter(given: dict[str, str]) -> Filter:
    condition = given.get("conditionType", given.get("condition_type", "eq"))
    return Filter(given.get("field", ""), given.get("value", ""), condition or "eq")


def _either(given: Query, camel: str, snake: str) -> Any:
    return given.get(camel, given.get(snake))


def _members(given: Any) -> list[dict[str, Any]]:
    return [member for member in given.values() if isinstance(member, dict)] if isinstance(given, dict) else []


def _integer(given: Any, name: str) -> int | None:
    if given is None:
        return None
    if not isinstance(given, str) or not re.fullmatch(r"-?\d+", given):
        raise errors.wrong_type(given, "int", name)
    return int(given)
