"""HTML pages that need nothing but themselves: one look, one way to write money, times and codes."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from schemas.money import show

LONDON = ZoneInfo("Europe/London")


def environment(package: str) -> Environment:
    """Return where the templates of a package are; `reports/style.css` is the look that they share."""
    made = Environment(
        loader=ChoiceLoader(
            [PackageLoader(package, "."), PrefixLoader({"reports": PackageLoader("tasks.systems.reports", ".")})]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(money=money, time=london, day=short_day, commands=commands, iso=iso)
    return made


def money(pence: int | None, currency: str) -> str:
    """Return pence for a person; nothing where there are none."""
    return "" if pence is None else show(pence, currency)


def london(instant: datetime | None) -> str:
    """Return an aware instant in London's time, with the name of the zone; empty for none."""
    if instant is None:
        return ""
    local = instant.astimezone(LONDON)
    return f"{local.day} {local:%b %Y %H:%M %Z}"


def iso(instant: datetime) -> str:
    """Return an aware instant for a machine."""
    return instant.astimezone(UTC).isoformat(timespec="seconds")


def short_day(day: date) -> str:
    """Return a date for a person: `24 Nov 2026`."""
    return f"{day.day} {day:%b %Y}"


def commands(text: str) -> Markup:
    """Return a sentence with what stands between backticks as code."""
    parts = re.split("`", text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))
