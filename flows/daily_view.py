"""The daily report as plain values and lines of text, for `magento-prima report`; nothing is written."""

from datetime import UTC, date, datetime
from typing import Any

from schemas.money import show
from tasks import connect
from tasks.decide.daily_report import daily_report
from tasks.extract.daily_report import facts_of_day
from tasks.settings import Settings

LISTED = 10


def daily_view(settings: Settings, business_date: date | None) -> dict[str, Any]:
    """Return the report of a London date, yesterday unless one is given, as plain values with `lines` to read."""
    with connect.open_ledger(settings) as ledger:
        facts = facts_of_day(ledger, settings, business_date, datetime.now(UTC))
    report = daily_report(facts)
    return {**report.as_json(), "team_lines": [report.of_team(row["owner"]) for row in report.teams]}


def lines_of_text(view: dict[str, Any]) -> list[str]:
    """Return the report as lines of text: the headline, the teams, the dearest of each list, and the totals."""
    lines = [view["headline"], *(f"  {line}" for line in view["team_lines"])]
    for title, name in (
        ("New", "new"),
        ("SKUs that do not match", "skus"),
        ("Stock that is not synced", "stock"),
        ("Orders that are not posted", "orders"),
        ("Dispatches that were not told", "dispatches"),
    ):
        rows = view[name]
        lines += ["", f"{title}: {len(rows) or 'none'}"]
        lines += [f"  {_line(row)}" for row in rows[:LISTED]]
        if len(rows) > LISTED:
            lines.append(f"  and {len(rows) - LISTED} more, with --json")
    if view["dispatches_waiting"]:
        lines.append(
            f"  and {view['dispatches_waiting']} that wait for the next run, for which nobody has to do anything"
        )
    lines += ["", "What the day carried"]
    for row in view["totals"]:
        gross = "" if row["gross_pence"] is None else f", {show(row['gross_pence'], row['currency'])}"
        lines.append(f"  {row['what']}: {row['count']:,}{gross}")
    return [*lines, "", f"Last reconciliation. {view['reconciliation']}"]


def _line(row: dict[str, Any]) -> str:
    """Return a row of any of the lists: what it is about, its codes, its worth and age, and what to do."""
    about = row.get("subject") or (f"SKU {row['sku']}" if "sku" in row else f"order {row['order_number']}")
    codes = row.get("code") or row.get("codes") or row.get("state", "")
    pence = row["value_pence"] if "value_pence" in row else row["gross_pence"]
    step = row.get("next_step") or row.get("fix") or ""
    return f"{codes} {about}, {show(pence, row['currency'])}, {row['age']}{': ' if step else ''}{step}"
