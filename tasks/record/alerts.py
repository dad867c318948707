"""What a run of alerts leaves behind: a channel that failed is an exception until it works again."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from schemas.alerts import Alert, AlertPlan, AlertSummary
from schemas.documents import ExceptionNote
from tasks import connect
from tasks.settings import Settings
from tasks.systems.ledger import Ledger

NOT_SENT = "ALERT_NOT_SENT"
BY = "alerts"


@task(cache_policy=NO_CACHE)
def close_alerts(plan: AlertPlan, problems: dict[str, str], open_exceptions: int, findings: int) -> AlertSummary:
    """Raise ALERT_NOT_SENT on each channel that failed, by name, and close it on every other one.

    A channel that nothing was sent through is left as it was: whether it works again is not known.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        note_channels(ledger, settings, {alert.channel for alert in plan.to_send}, problems)
    not_sent = sum(alert.channel in problems for alert in plan.to_send)
    summary = AlertSummary(
        open_exceptions=open_exceptions,
        sent=len(plan.to_send) - not_sent,
        not_sent=not_sent,
        held_back=len(plan.held_back),
        withdrawn=len(plan.to_withdraw),
        findings=findings,
    )
    _show(summary, plan, problems)
    return summary


def note_channels(ledger: Ledger, settings: Settings, tried: Collection[str], problems: Mapping[str, str]) -> None:
    """Raise ALERT_NOT_SENT on each channel that failed and close it on those that took what they were sent."""
    notes = [ExceptionNote(NOT_SENT, f"alert channel {name}", problem) for name, problem in sorted(problems.items())]
    failing = {note.subject for note in ledger.exceptions(code=NOT_SENT)}
    works = {f"alert channel {name}" for name in set(tried) - set(problems)}
    works |= failing - {f"alert channel {channel.name}" for channel in settings.alerts.channels}
    if failing & works:
        ledger.close_exceptions(subjects=sorted(failing & works), codes=[NOT_SENT], by=BY)
    ledger.raise_exceptions("", notes)


def alert_rows(alerts: Sequence[Alert], problems: dict[str, str]) -> list[dict[str, Any]]:
    """Return one row for each alert, as the artifact and `alerts show` have it."""
    return [
        {
            "channel": alert.channel,
            "code": alert.topic,
            "team": alert.team,
            "level": alert.level,
            "open": alert.count,
            "new": alert.new,
            "at risk": alert.value,
            "outcome": problems.get(alert.channel, "sent"),
        }
        for alert in alerts
    ]


def _show(summary: AlertSummary, plan: AlertPlan, problems: dict[str, str]) -> None:
    text = (
        f"{summary.open_exceptions} open exceptions; alerts: {summary.sent} sent, {summary.not_sent} not sent, "
        f"{summary.held_back} held back, {summary.withdrawn} withdrawn. {summary.findings} health findings."
    )
    if plan.to_send:
        create_table_artifact(key="alerts", table=alert_rows(plan.to_send, problems), description=text)
    get_run_logger().info(text)
