"""How flows and streams are now, and what is wrong with them, for `magento-prima health`. Writes nothing."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from prefect.settings import get_current_settings

from schemas.documents import ExceptionNote
from schemas.health import RUN_CODES, FlowRun
from tasks import connect
from tasks.decide import health as decide
from tasks.extract import health as extract
from tasks.settings import Settings
from tasks.settings.alert_rules import health_rule

LONDON = ZoneInfo("Europe/London")


def health(settings: Settings, now: datetime) -> dict[str, Any]:
    """Return `findings`, `flows` with their last run, and `streams` with the time of their last batch.

    What is late, stalled, down or silent is worked out now; crashes are those that the deployment `health` found.
    Without a Prefect server (`PREFECT_API_URL`) nothing is known of flows, and `flows` is None.
    """
    rule = health_rule(settings)
    times = extract.stream_times(settings, now, rule)
    notes = decide.stream_findings(times, now, rule)
    flows = None
    if get_current_settings().api.url:
        seen = extract.seen_runs(settings, now)
        latest = seen.latest
        history = extract.run_history(settings, sorted(decide.suspects(latest, now, rule)), now, rule)
        notes = [*decide.run_findings(latest, history, now, rule, seen.forms), *notes]
        flows = _flows(latest)
    return {
        "findings": _findings(settings, notes),
        "flows": flows,
        "streams": [{"stream": name, "recorded_at": at[-1] if at else None} for name, at in times.batches.items()],
    }


def health_lines_of_text(view: dict[str, Any]) -> list[str]:
    """Return the view as lines for a person; times are of London."""
    lines = [f"{row['code']} {row['subject']}: {row['detail']}" for row in view["findings"]] or ["Nothing is wrong."]
    lines.append("")
    if view["flows"] is None:
        lines.append("flows: unknown, PREFECT_API_URL names no Prefect server")
    for row in view["flows"] or ():
        began = f"began {_london(row['began_at'])}" if row["began_at"] else f"due {_london(row['due_at'])}"
        lines.append(f"flow {row['flow']}: {row['state']}, {began}, ended {_london(row['ended_at'])}")
    lines += [f"stream {row['stream']}: last recorded {_london(row['recorded_at'])}" for row in view["streams"]]
    return lines


def _findings(settings: Settings, notes: Iterable[ExceptionNote]) -> list[dict[str, str]]:
    """Return what is found now, and what the deployment found of crashes."""
    rows = {(note.code, note.subject): note.detail for note in notes}
    with connect.open_ledger(settings) as ledger:
        for code in RUN_CODES:
            if code not in ("FLOW_LATE", "FLOW_STALLED"):
                for known in ledger.exceptions(code=code):
                    rows.setdefault((known.code, known.subject), known.detail)
    return [{"code": code, "subject": subject, "detail": detail} for (code, subject), detail in sorted(rows.items())]


def _flows(latest: Iterable[FlowRun]) -> list[dict[str, Any]]:
    """Return the last run of each deployment, by name."""
    last: dict[str, FlowRun] = {}
    for run in sorted(latest, key=lambda run: run.started_at or run.expected_at):
        last[run.deployment] = run
    return [
        {
            "flow": name,
            "state": run.state.lower(),
            "due_at": run.expected_at,
            "began_at": run.started_at,
            "ended_at": run.ended_at,
        }
        for name, run in sorted(last.items())
    ]


def _london(at: datetime | None) -> str:
    return f"{at.astimezone(LONDON):%d %b %H:%M:%S}" if at else "-"
