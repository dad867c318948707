"""The page of open exceptions: one file that works offline, sorted by what is at risk, with filters and timelines."""

import os
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from schemas.money import show

FILE_NAME = "exceptions.html"
LONDON = ZoneInfo("Europe/London")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TeamTotal:
    """What one team has on its desk; what rests is not in it."""

    owner: str
    count: int
    worth: str


@dataclass(frozen=True, slots=True)
class DeskPage:
    """Everything that the page shows. `rows` are views of exceptions with their history, the most valuable first."""

    as_at: datetime
    after: str
    rows: Sequence[Row]
    left_out: int
    closed: Sequence[Row]
    timelines: Mapping[str, Row]
    handbook_url: str = ""

    @property
    def awake(self) -> list[Row]:
        """The rows that nobody let rest."""
        return [row for row in self.rows if not row["is_resting"]]

    @property
    def resting(self) -> int:
        """How many rows rest."""
        return len(self.rows) - len(self.awake)

    @property
    def teams(self) -> list[TeamTotal]:
        """The teams with something open, the one with most at risk first."""
        owners = dict.fromkeys(row["owner"] for row in self.rows)
        of_owner = {owner: [row for row in self.awake if row["owner"] == owner] for owner in owners}
        return [TeamTotal(owner, len(rows), worth_of(rows)) for owner, rows in of_owner.items()]

    @property
    def codes(self) -> list[str]:
        """The codes that are open."""
        return sorted({row["code"] for row in self.rows})

    @property
    def people(self) -> list[str]:
        """Who has any of them."""
        return sorted({row["assigned_to"] for row in self.rows if row["assigned_to"]})

    @property
    def is_calm(self) -> bool:
        """Whether nothing is open but what rests."""
        return not self.awake and not self.left_out

    @property
    def headline(self) -> str:
        """What is open, in one sentence."""
        if self.is_calm and self.resting:
            return f"Nothing is open but what rests: {self.resting}."
        if self.is_calm:
            return "Nothing is open: every order, SKU and dispatch went its way."
        count = len(self.awake) + self.left_out
        word = "exception is" if count == 1 else "exceptions are"
        critical = sum(row["severity"] == "critical" for row in self.awake)
        urgent = f", {critical} of them critical" if critical else ""
        listed = " on this page" if self.left_out else ""
        rests = f" {self.resting} more {'rests' if self.resting == 1 else 'rest'}." if self.resting else ""
        return f"{count} {word} open{urgent}: {worth_of(self.awake)} at risk{listed}.{rests}"


def worth_of(rows: Sequence[Row]) -> str:
    """Return what is at risk by currency: `£1,204.50, €12.00`."""
    sums: dict[str, int] = {}
    for row in rows:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["value_at_risk_pence"]
    return ", ".join(show(pence, currency) for currency, pence in sorted(sums.items()) if pence) or show(0)


def write_desk_page(page: DeskPage, folder: Path) -> Path:
    """Write the page beside the one that is read, and put it in its place at once; returns where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{FILE_NAME}-{uuid.uuid4().hex}"
    try:
        unfinished.write_text(_template().render(page=page), encoding="utf-8")
        os.replace(unfinished, folder / FILE_NAME)
    finally:
        unfinished.unlink(missing_ok=True)
    return folder / FILE_NAME


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("tasks.record", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": show,
        "iso": lambda at: at.astimezone(UTC).isoformat(timespec="seconds"),
        "london": _london,
        "london_text": lambda text: _london(datetime.fromisoformat(text)) if "T" in text else text,
        "age": lambda hours: f"{int(hours)} h" if hours < 48 else f"{int(hours // 24)} days",
        "commands": _commands,
        "anchor": lambda text: re.sub(r"[^A-Za-z0-9_-]", "-", text),
    }
    return environment.get_template("desk_page.html.j2")


def _commands(text: str) -> Markup:
    """Return a sentence with what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def _london(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%d %b %Y, %H:%M}"
