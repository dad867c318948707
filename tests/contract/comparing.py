"""Comparison of an answer with a recording: the same keys, the same JSON types, the same values."""

import re
from collections.abc import Collection
from typing import Any

import httpx

from tests.contract import recorded

IDENTIFIER = re.compile(r"\d+")


def differences(expected: Any, given: Any, may_differ: Collection[str] = (), path: str = "") -> list[str]:
    """Return one line for every difference, none when the answer holds.

    `may_differ` names fields (at any depth) whose values are not compared, only their presence and type.
    """
    name = path.rsplit(".", 1)[-1].split("[")[0]
    if json_type(expected) != json_type(given):
        return [f"{path}: {json_type(expected)} expected, {json_type(given)} given: {expected!r} / {given!r}"[:300]]
    if isinstance(expected, dict):
        lines = [f"{path}.{key} is missing" for key in sorted(expected.keys() - given.keys())]
        lines += [f"{path}.{key} should not be there" for key in sorted(given.keys() - expected.keys())]
        for key in expected.keys() & given.keys():
            lines += differences(expected[key], given[key], may_differ, f"{path}.{key}")
        return lines
    if name in may_differ:
        return []
    if isinstance(expected, list):
        if len(expected) != len(given):
            return [f"{path}: {len(expected)} members expected, {len(given)} given"]
        pairs = enumerate(zip(expected, given, strict=True))
        return [
            line for place, (one, other) in pairs for line in differences(one, other, may_differ, f"{path}[{place}]")
        ]
    return [] if expected == given else [f"{path}: {expected!r} expected, {given!r} given"]


def json_type(value: Any) -> str:
    """Return the JSON type of a value; whole and broken numbers are both numbers."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return {int: "number", float: "number", str: "string", list: "array", dict: "object"}[type(value)]


def assert_as_recorded(response: httpx.Response, name: str, *may_differ: Collection[str]) -> None:
    """Assert that an answer has the status, media type and body of a recording.

    A recorded id that was given out (text of digits, the whole body) only has to be such a text again.
    """
    expected = recorded.load(name)["response"]
    assert response.status_code == expected["status"], response.text
    media_type = (expected.get("headers") or {}).get("Content-Type", "application/json").split(";")[0]
    assert response.headers["content-type"].split(";")[0] == media_type
    if media_type != "application/json":
        return
    assert not re.search(r"[0-9]\.0+[,}\]]", response.text), "an integral number was written with a point"
    if not response.content:
        assert expected["body"] == ""
        return
    body = expected["body"]
    if isinstance(body, str) and IDENTIFIER.fullmatch(body):
        assert IDENTIFIER.fullmatch(response.json()), response.text
        return
    names = {field for fields in may_differ for field in fields}
    assert_same(body, response.json(), names)


def assert_same(expected: Any, given: Any, may_differ: Collection[str] = ()) -> None:
    """Assert that a document is as expected, and print every difference when it is not."""
    found = differences(expected, given, may_differ)
    assert not found, "\n".join(found)
