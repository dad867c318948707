"""Answers as XML, for a client that accepts nothing else."""

from typing import Any
from xml.sax.saxutils import escape


def to_xml(body: Any) -> str:
    """Return a JSON body as Magento's XML: members of a list are `<item>`."""
    return f'<?xml version="1.0"?>\n<response>{_inside(body, 1)}</response>\n'


def _inside(value: Any, depth: int) -> str:
    if not isinstance(value, dict | list):
        text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
        return escape(text)
    named = value.items() if isinstance(value, dict) else (("item", member) for member in value)
    pad = "  " * depth
    rows = [f"{pad}<{name}>{_inside(member, depth + 1)}</{name}>" for name, member in named]
    return "\n" + "\n".join(rows) + "\n" + "  " * (depth - 1) if rows else ""
