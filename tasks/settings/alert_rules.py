"""What `[alerts]` and `[health]` say, as the rules that are decided by."""

from datetime import timedelta

from schemas.alerts import AlertRules, ChannelRule
from schemas.census import SilenceRule
from schemas.health import HealthRule
from schemas.money import to_pence
from tasks.settings.alerts import ChannelSettings
from tasks.settings.file import Settings


def alert_rules(settings: Settings) -> AlertRules:
    """Return who is told of what, when and through which channel."""
    alerts = settings.alerts
    return AlertRules(
        channels=[
            ChannelRule(channel.name, frozenset(channel.teams), frozenset(channel.severities))
            for channel in alerts.channels
        ],
        next=alerts.next,
        group_by=alerts.group_by,
        floor_pence=to_pence(alerts.floor_value),
        floor_count=alerts.floor_count,
        pause=timedelta(minutes=alerts.pause_minutes),
        quiet_from=alerts.quiet_from,
        quiet_until=alerts.quiet_until,
        wakes=frozenset(alerts.wakes),
        link=alerts.link,
    )


def health_rule(settings: Settings) -> HealthRule:
    """Return when runs and streams are taken for ill."""
    health = settings.health
    return HealthRule(
        weeks=health.history_weeks,
        factor=health.factor,
        late=timedelta(minutes=health.late_minutes),
        stalled=timedelta(minutes=health.stalled_minutes),
        without_history=timedelta(minutes=health.without_history_minutes),
        failures=health.failures,
        restarts=health.restarts,
        dispatches=SilenceRule(health.dispatches_expected, timedelta(hours=1), max(2, health.history_weeks)),
        streams=SilenceRule(health.batches_expected, timedelta(minutes=30), health.stream_weeks),
    )


def channels(settings: Settings) -> dict[str, ChannelSettings]:
    """Return the channels by name."""
    return {channel.name: channel for channel in settings.alerts.channels}
