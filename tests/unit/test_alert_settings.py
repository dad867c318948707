"""`[alerts]`: every mistake is named, and what is right becomes the rules that alerts are decided by."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from sandbox.installation import write_installation
from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tasks.settings.alert_rules import alert_rules

GOOD = """
[alerts]
floor_value = "5.00"
pause_minutes = 30
quiet_from = 22:00:00
quiet_until = 07:00:00

[[alerts.channels]]
name = "operations"
url = "https://hooks.example/operations"
teams = ["operations"]

[alerts.next]
operations = ["operations"]
"""


def read(folder: Path, text: str) -> Settings:
    write_installation(folder, {"magento_url": "http://127.0.0.1:9"})
    path = folder / "config.toml"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    return Settings.from_file(path)


def test_without_the_table_nobody_is_told(tmp_path: Path) -> None:
    assert alert_rules(read(tmp_path, "")).channels == []


def test_the_table_becomes_rules(tmp_path: Path) -> None:
    rules = alert_rules(read(tmp_path, GOOD))

    assert [(each.name, each.teams, each.severities) for each in rules.channels] == [
        ("operations", {"operations"}, {"problem", "critical"})
    ]
    assert (rules.floor_pence, rules.floor_count, rules.pause) == (500, 0, timedelta(minutes=30))
    assert (rules.quiet_from, rules.quiet_until, rules.wakes) == (time(22), time(7), {"critical"})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('url = "https://hooks.example/operations"', "", "alerts.channels.0: needs url, block or to"),
        ("https://", "ftp://", "alerts.channels.0.url: must begin with https://"),
        ("https://", "https://me:secret@", "must hold no user and no password"),
        ('teams = ["operations"]', 'block = "slack-webhook/ops"', "url and block exclude one another"),
        ('teams = ["operations"]', 'to = ["ops@shop.example"]', "alerts.channels.0.to: to excludes url and block"),
        ('url = "https://hooks.example/operations"', 'to = ["ops"]', "alerts.channels.0.to.0"),
        (
            'url = "https://hooks.example/operations"',
            'to = ["ops@shop.example"]',
            "alerts.channels: operations sends mail, which needs [alerts.mail]",
        ),
        (
            "[alerts.next]",
            '[alerts.mail]\nhost = "mail"\nsender = "a@b.example"\nsecurity = "none"\nuser = "me"\n[alerts.next]',
            "alerts.mail.user: a password would travel in the open",
        ),
        ('teams = ["operations"]', 'teams = ["sales"]', "alerts.channels.0.teams.0"),
        ("quiet_until = 07:00:00", "", "alerts: quiet_from and quiet_until go together"),
        ('operations = ["operations"]', 'operations = ["boss"]', "alerts.next: no channel has the name boss"),
        ('operations = ["operations"]', 'sales = ["operations"]', "alerts.next"),
        ('"5.00"', "5.5", "must be written as text in quotes"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, GOOD.replace(old, new, 1))

    assert said in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_report_is_sent_to_channels_that_there_are(tmp_path: Path) -> None:
    read(tmp_path, GOOD)
    path = tmp_path / "config.toml"
    text = path.read_text(encoding="utf-8")
    for channels in ('["operations"]', '["operations", "boss"]'):
        path.write_text(text.replace("[daily_report]", f"[daily_report]\nchannels = {channels}"), encoding="utf-8")
        if "boss" not in channels:
            assert Settings.from_file(path).daily_report.channels == ["operations"]
            continue
        with pytest.raises(ConfigurationError, match="daily_report: channels: no alert channel has the name boss"):
            Settings.from_file(path)
