"""The exceptions desk after each run: the page of open exceptions, and a table for each team in the Prefect UI."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.context import FlowRunContext

from flows import timeline
from flows.views import event_view, exception_view
from schemas.money import show
from tasks import connect
from tasks.record.desk_page import DeskPage, Row, worth_of, write_desk_page
from tasks.settings import Settings
from tasks.systems.ledger import Ledger

ROWS_IN_TABLE = 200
CLOSED_ON_PAGE = 200
TOLD = "teams.json"


@contextmanager
def desk_after_run(name: str) -> Iterator[None]:
    """Write the desk when a flow has ended, well or not. A desk that cannot be written is told, and fails no run."""
    try:
        yield
    finally:
        try:
            write_desk(Settings.from_env(), name)
        except Exception as error:
            if FlowRunContext.get() is not None:
                get_run_logger().warning("the desk page was not written: %s", error)


def write_desk(settings: Settings, after: str) -> Path | None:
    """Write the page and tell each team whose exceptions changed; returns where the page is, None where none is kept.

    Source: the ledger alone.
    """
    if not settings.desk.folder:
        return None
    folder = Path(settings.desk.folder)
    with connect.open_ledger(settings) as ledger:
        page = desk_page(ledger, settings, after)
    path = write_desk_page(page, folder)
    if FlowRunContext.get() is not None:
        tell_teams(page, folder)
    return path


def desk_page(ledger: Ledger, settings: Settings, after: str) -> DeskPage:
    """Return what the page shows: open exceptions with history, what closed in a day, and the orders' timelines."""
    now = datetime.now(UTC)
    found = sorted(ledger.exceptions(), key=lambda note: (-note.value_at_risk_pence, note.first_seen_at, note.code))
    awake = [note for note in found if not note.is_resting(now)]
    kept = {note.id for note in [*awake, *(note for note in found if note.is_resting(now))][: settings.desk.rows]}
    listed = [note for note in found if note.id in kept]
    histories = ledger.histories([note.id for note in listed])
    rows = [
        {**exception_view(note, now), "history": [event_view(each) for each in histories.get(note.id, [])]}
        for note in listed
    ]
    over = ledger.exceptions(state="closed", closed_since=now - timedelta(hours=24))
    over.sort(key=lambda note: note.closed_at or now, reverse=True)
    closed = [exception_view(note, now) for note in over[:CLOSED_ON_PAGE]]
    numbers = list(dict.fromkeys(row["order_number"] for row in rows if row["order_number"]))
    orders = {order.order_number: order for order in ledger.orders(numbers[: settings.desk.timelines])}
    timelines = {number: timeline.view_of(ledger, orders[number], settings) for number in numbers if number in orders}
    left_out = max(0, len(awake) - settings.desk.rows)
    return DeskPage(now, after, rows, left_out, closed, timelines, settings.desk.handbook_url)


def tell_teams(page: DeskPage, folder: Path) -> None:
    """Publish what each team has open as the artifact `exceptions-TEAM`, where that changed since it was told last."""
    told_file = folder / TOLD
    told = _told(told_file)
    now_told = dict(told)
    for owner in sorted({*told, *(row["owner"] for row in page.rows)}):
        rows = [row for row in page.awake if row["owner"] == owner]
        facts = [(row["number"], row["value_at_risk_pence"], row["assigned_to"], row["detail"]) for row in rows]
        mark = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
        if told.get(owner) == mark:
            continue
        create_table_artifact(
            key=f"exceptions-{owner.replace(' ', '-')}",
            table=[_cells(row) for row in rows[:ROWS_IN_TABLE]],
            description=f"{owner}: {len(rows)} open, {worth_of(rows)} at risk",
        )
        now_told[owner] = mark
    if now_told != told:
        told_file.write_text(json.dumps(now_told), encoding="utf-8")


def _told(path: Path) -> dict[str, str]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _cells(row: Row) -> dict[str, Any]:
    fix = row["fix"]
    return {
        "no": row["number"],
        "code": row["code"],
        "about": row["subject"],
        "at risk": show(row["value_at_risk_pence"], row["currency"]),
        "since": row["first_seen_at"],
        "came up": row["occurrences"],
        "with": row["assigned_to"] or "nobody yet",
        "what": row["detail"],
        "what to do": row["next_step"],
        "suggested": f"{fix['text']} ({fix['confidence']})" if fix else "",
    }
