"""The shop's fixed parts: websites, views, sources, stocks, tax set-up, modules; served as they were recorded."""

import json
from typing import Any

from sandbox.magento.errors import no_entity
from sandbox.magento.fields import fixed
from sandbox.magento.search import answer, find
from sandbox.magento.shop import Call, Handler


def served(name: str) -> Handler:
    """Return a route that serves recorded data whole."""

    def handler(call: Call) -> Any:
        return call.shop.recorded(name)

    return handler


def searched(name: str, *, needed: bool) -> Handler:
    """Return a route that searches recorded rows; `needed` says whether searchCriteria must be present."""

    def handler(call: Call) -> dict[str, Any]:
        criteria = call.criteria(needed=needed)
        rows = call.shop.recorded(name)
        names = sorted({field for row in rows for field, value in row.items() if not isinstance(value, dict | list)})
        found, total = find(call.shop.store, fixed(names), criteria, json.dumps(rows))
        return answer([json.loads(text) for text in found], criteria, total)

    return handler


def nothing(call: Call) -> dict[str, Any]:
    """A list that is always empty: payment transactions of offline methods."""
    return answer([], call.criteria(), 0)


def modules(call: Call) -> list[str]:
    """GET /V1/modules: names only; pages work, filters do not apply."""
    criteria = call.criteria(needed=False)
    names = list(call.shop.recorded("modules"))
    if not criteria.page_size:
        return names
    first = (max(criteria.current_page or 1, 1) - 1) * criteria.page_size
    return names[first : first + criteria.page_size]


def country(call: Call) -> Any:
    """GET /V1/directory/countries/:id"""
    row = call.shop.recorded("countries-gb")
    if call.place["id"] != row["id"]:
        raise no_entity()
    return row
