"""What `[alerts]` says, as the rules that alerts are decided by."""

from datetime import timedelta

from schemas.alerts import AlertRules, ChannelRule
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


def channels(settings: Settings) -> dict[str, ChannelSettings]:
    """Return the channels by name."""
    return {channel.name: channel for channel in settings.alerts.channels}
