"""What a command prints: the result of a flow, a view, or JSON; and the options that several commands share."""

import dataclasses
import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

import typer

FAILED, MISUSED = 1, 2
LIST_WIDTH = 140
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def finish(result: Any, as_json: bool) -> None:
    """Print what a flow gave back: one object or a list of them, in plain words or as JSON."""
    parts = result if isinstance(result, list) else [result]
    plain = [dataclasses.asdict(part) if dataclasses.is_dataclass(part) else part for part in parts]  # type: ignore[arg-type]
    if as_json:
        print_json(plain if isinstance(result, list) else plain[0])
        return
    for part in plain:
        print(plain_words(part))


def plain_words(part: dict[str, Any]) -> str:
    """Return the fields of a result that say something, one after the other; counts of nothing are left out."""
    said = []
    for key, value in part.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {each}" for name, each in value.items() if each)
        if value not in ("", None, []):
            said.append(f"{key.replace('_', ' ')}: {value}")
    return "; ".join(said)


def show_view(view: dict[str, Any], as_text: Callable[[dict[str, Any]], list[str]], as_json: bool) -> None:
    if as_json:
        print_json(view)
    else:
        print("\n".join(as_text(view)))


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def fail(message: str) -> None:
    print(message, file=sys.stderr)
    raise typer.Exit(FAILED)


def as_date(value: datetime | None) -> date | None:
    return value.date() if value else None
