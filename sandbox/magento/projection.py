"""The `fields=` parameter: which parts of an answer are kept, with PHP's habits on empty lists."""

import re
from typing import Any

Wanted = dict[str, Any]


def parse_fields(text: str) -> Wanted:
    """Return `items[sku,id],total_count` as `{"items": {"sku": None, "id": None}, "total_count": None}`."""
    wanted: Wanted = {}
    open_levels = [wanted]
    last = ""
    for token in re.findall(r"[^\[\],]+|[\[\],]", text):
        if token == "[":
            inner: Wanted = {}
            open_levels[-1][last] = inner
            open_levels.append(inner)
        elif token == "]":
            if len(open_levels) > 1:
                open_levels.pop()
        elif token != ",":
            last = token.strip()
            open_levels[-1][last] = None
    return wanted


def project(body: Any, wanted: Wanted) -> Any:
    """Return the parts of an answer that are wanted; unknown names are ignored.

    An empty list becomes None when parts of its members are asked for, and an object without any wanted part becomes
    an empty list.
    """
    if isinstance(body, list) or body == {}:
        return [_kept(member, wanted) for member in body] or None
    return _kept(body, wanted) if isinstance(body, dict) else body


def _kept(member: Any, wanted: Wanted) -> Any:
    if not isinstance(member, dict):
        return member
    kept = {}
    for name, value in member.items():
        if name in wanted:
            inner = wanted[name]
            kept[name] = project(value, inner) if isinstance(inner, dict) and isinstance(value, dict | list) else value
    return kept or []
