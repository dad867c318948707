"""What alerts would do now and did before, as plain rows for `magento-prima alerts show`."""

from datetime import datetime
from typing import Any

from tasks.decide import alerts as decide
from tasks.extract.alerts import matters_and_alerts
from tasks.settings import Settings
from tasks.settings.alert_rules import alert_rules


def alert_rows(settings: Settings, now: datetime) -> list[dict[str, Any]]:
    """Return a row for each alert that is due, held back with why, pending, or sent about what is still open."""
    found = matters_and_alerts(settings, now)
    plan = decide.alerts(found.matters, found.past, alert_rules(settings), now)
    rows = [_row("due", alert.channel, alert.topic, alert.level, alert.title) for alert in plan.to_send]
    rows += [_row(f"held back, {held.why}", held.channel, held.topic, held.level, "") for held in plan.held_back]
    for past in found.past:
        if past.state == "pending":
            tried = f"{past.attempts} attempts; {past.problem or 'the run was interrupted'}"
            rows.append(_row("not sent", past.channel, past.topic, past.level, tried))
        elif past.sent_at is not None:
            rows.append(_row(f"sent {past.sent_at:%Y-%m-%dT%H:%M:%SZ}", past.channel, past.topic, past.level, ""))
    return rows


def _row(state: str, channel: str, topic: str, level: int, text: str) -> dict[str, Any]:
    return {"alert": topic, "channel": channel, "level": level, "state": state, "text": text}
