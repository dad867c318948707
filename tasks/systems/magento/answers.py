"""Reads and writes the bodies that go over the wire: exact numbers, filled messages, odd empty lists."""

import html
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from schemas.redaction import without_contacts

LONGEST_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an answer of 4xx or 5xx says: the text with its placeholders filled, and the parts it was made of.

    Nothing by which a person can be reached is left in the text; template and parameters are as they came.
    """

    status: int
    text: str
    template: str
    parameters: dict[str, Any] | list[Any]
    is_html: bool


def complaint(response: httpx.Response) -> Complaint:
    """Read an error answer of any kind: Magento's JSON, its maintenance page, or a web server's own page."""
    try:
        body = decode(response.text)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        text = excerpt(response) or response.reason_phrase
        return Complaint(response.status_code, text, text, {}, is_html(response))
    template = body["message"]
    given = body.get("parameters")
    parameters: dict[str, Any] | list[Any] = given if isinstance(given, dict | list) else {}
    text = fill(template, parameters)
    further = [
        filled
        for each in body.get("errors") or []
        if isinstance(each, dict) and (filled := fill(str(each.get("message", "")), each.get("parameters") or {}))
    ]
    unseen = [each for each in dict.fromkeys(further) if each not in text]
    if unseen:
        text = f"{text} ({'; '.join(unseen[:5])})"
    return Complaint(response.status_code, without_contacts(text)[:LONGEST_TEXT], template, parameters, False)


def fill(template: str, parameters: object) -> str:
    """Put the parameters of a message in its placeholders: `%name` and `%1` from an object or a list.

    A list beside named placeholders is used in order, as Magento means it: `%fieldName = %fieldValue` and
    `["SKU", "AB-1"]` become `SKU = AB-1`. A placeholder without a parameter stays as it is.
    """
    if isinstance(parameters, dict):
        known = {str(name): _plain(value) for name, value in parameters.items()}
    elif isinstance(parameters, list):
        known = {str(position): _plain(value) for position, value in enumerate(parameters, start=1)}
        names = list(dict.fromkeys(re.findall(r"%([A-Za-z_]\w*)", template)))
        if not re.search(r"%\d", template):
            known |= dict(zip(names, map(_plain, parameters), strict=False))
    else:
        known = {}
    return re.sub(r"%([A-Za-z_]\w*|\d+)", lambda found: known.get(found[1], found[0]), template).strip()


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def is_html(response: httpx.Response) -> bool:
    """Tell a web page from everything else, by type or by how it begins."""
    return "html" in response.headers.get("Content-Type", "") or response.text[:200].lstrip().lower().startswith(
        ("<!doctype html", "<html")
    )


def excerpt(response: httpx.Response) -> str:
    """Return the beginning of what a body says, without mark-up: the title of a page, or its first words."""
    text = response.text
    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    if title:
        text = title[1]
    elif is_html(response):
        text = re.sub(r"<[^>]*>", " ", text)
    return without_contacts(" ".join(html.unescape(text).split()))[:200]


def decode(text: str | bytes) -> Any:
    """Parse JSON with decimals kept exact; raises ValueError for anything that is no JSON in UTF-8."""
    return json.loads(text, parse_float=Decimal)


def encode_body(value: object) -> str:
    """Write JSON with Decimal as the number it is; raises TypeError for a float, which could not be trusted."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(str(name))}:{encode_body(each)}" for name, each in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode_body, value)) + "]"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} is no number for JSON")
        return format(value, "f")
    if value is None or isinstance(value, bool | int | str):
        return json.dumps(value)
    raise TypeError(f"a {type(value).__name__} cannot be sent to Magento")
