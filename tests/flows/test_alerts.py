"""Alerts over real HTTP to a receiver on this machine: one a group, escalated, silent after closing, each once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apprise.plugins.slack import NotifySlack
from prefect.blocks.notifications import CustomWebhookNotificationBlock, MicrosoftTeamsWebhook, SlackWebhook
from prefect.settings import PREFECT_API_URL

from flows.alerts import send_alerts
from flows.orders import sync_orders
from schemas.documents import ExceptionNote
from tests import mail_receiver
from tests.certificates import certificate
from tests.flows.shopping import ADDRESS, CUSTOMER, PRICE, TEE, a_line, buy
from tests.installation import Installation
from tests.webhook_receiver import HOLD, LONGEST_SECONDS, Receiver, receiving

CODE = "CARRIER_UNKNOWN"  # operations, a problem, escalated after 8 and 24 hours
SETTINGS = """
[alerts]
pause_minutes = 60
{more}

[[alerts.channels]]
name = "operations"
url = "{operations}"
teams = ["operations"]

[[alerts.channels]]
name = "head"
{head}
severities = []

[alerts.next]
operations = ["head"]
"""
NAME = "Jane Doe, 1 Example Street"


@pytest.fixture
def operations() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def head() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def configure(installation: Installation, operations: Receiver, head: Receiver, more: str = "") -> None:
    text = SETTINGS.format(operations=operations.url, head=f'url = "{head.url}"', more=more)
    installation.add_settings(text)


def raise_on(installation: Installation, *numbers: int, code: str = CODE) -> None:
    notes = [
        ExceptionNote(code, f"order {n:09d}", f"from {NAME}", order_number=f"{n:09d}", value_at_risk_pence=1000 * n)
        for n in numbers
    ]
    with installation.ledger() as ledger:
        ledger.raise_exceptions("", notes)


def close_on(installation: Installation, *numbers: int) -> None:
    with installation.ledger() as ledger:
        ledger.close_exceptions(subjects=[f"order {n:09d}" for n in numbers], by="jane")


def test_a_group_is_told_once_escalated_after_its_delay_and_silent_after_closing(
    installation: Installation, operations: Receiver, head: Receiver
) -> None:
    configure(installation, operations, head)
    raise_on(installation, 1, 2, 3)
    raise_on(installation, 8, code="SHIPPED_BY_HAND")  # a warning: it waits on the desk
    raise_on(installation, 9, code="DISPATCH_TOO_MANY")
    raise_on(installation, 4, code="SKU_UNKNOWN")  # of ecommerce, for which there is no channel

    summary = send_alerts()
    again = send_alerts()

    message, other = operations.take()
    assert (summary.sent, again.sent, head.messages) == (2, 0, [])
    assert (other["code"], other["count"], other["subjects"]) == ("DISPATCH_TOO_MANY", 1, ["order 000000009"])
    assert (message["code"], message["team"], message["count"], message["value_pence"]) == (
        CODE,
        "operations",
        3,
        {"GBP": 6000},
    )
    assert message["subjects"] == ["order 000000003", "order 000000002", "order 000000001"]
    assert message["next_step"] in message["text"]
    assert f"exceptions list --code {CODE}" in message["link"]
    assert NAME not in json.dumps(message)

    close_on(installation, 1, 9)
    later = datetime.now(UTC) + timedelta(hours=8)
    send_alerts(as_at=later)
    send_alerts(as_at=later + timedelta(hours=2))
    (escalated,) = head.take()
    assert (escalated["level"], escalated["count"], escalated["subjects"]) == (
        1,
        2,
        ["order 000000003", "order 000000002"],
    )
    assert "nobody ended it within 8 h" in escalated["text"]
    assert operations.messages == []

    close_on(installation, 2, 3, 8)
    send_alerts(as_at=later + timedelta(hours=48))
    assert (operations.messages, head.messages) == ([], [])


def test_what_came_in_quiet_hours_is_told_when_they_end(
    installation: Installation, operations: Receiver, head: Receiver
) -> None:
    configure(installation, operations, head, "quiet_from = 22:00:00\nquiet_until = 07:00:00")
    raise_on(installation, 1, 2)
    night = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)  # before they were raised, so that no delay has passed

    assert send_alerts(as_at=night).held_back == 1
    assert operations.messages == []
    assert send_alerts(as_at=night + timedelta(hours=7, minutes=31)).sent == 1
    assert operations.take()[0]["count"] == 2


def test_a_receiver_that_is_down_is_tried_again_by_the_next_run_and_is_an_exception_until_it_works(
    installation: Installation, operations: Receiver, head: Receiver
) -> None:
    configure(installation, operations, head)
    raise_on(installation, 1)
    operations.answers = [503, 404]

    first, second = send_alerts(), send_alerts()
    assert (first.not_sent, second.not_sent) == (1, 1)
    assert installation.open_codes(["ALERT_NOT_SENT"]) == {"alert channel operations": "ALERT_NOT_SENT"}
    shown = json.loads(installation.command("alerts", "show", "--json").stdout)
    assert ("not sent", "2 attempts") in [(row["state"], row["text"][:10]) for row in shown]

    raise_on(installation, 2)
    send_alerts()
    (message,) = operations.take()
    assert message["count"] == 2
    assert installation.open_codes(["ALERT_NOT_SENT"]) == {}


def test_a_lost_answer_is_sent_again_under_the_same_key_and_so_is_a_message_of_a_killed_run(
    installation: Installation, operations: Receiver, head: Receiver
) -> None:
    configure(installation, operations, head)
    raise_on(installation, 1)
    operations.answers = [0]

    assert (send_alerts().not_sent, send_alerts().sent, send_alerts().sent) == (1, 1, 0)
    assert len(operations.take()) == 2
    assert len(set(operations.keys)) == 1

    raise_on(installation, 9, code="NOT_IN_PRIMA")
    operations.answers = [HOLD]
    with subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "alerts", "send"],
        env={**os.environ, "PREFECT_API_URL": PREFECT_API_URL.value() or "", **installation.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as killed:
        assert operations.is_held.wait(LONGEST_SECONDS)
        os.killpg(killed.pid, signal.SIGKILL)
    operations.let_go.set()
    assert len(operations.take()) == 1
    assert send_alerts().sent == 1
    assert [message["code"] for message in operations.take()] == ["NOT_IN_PRIMA"]
    assert operations.keys[-1] == operations.keys[-2]
    assert send_alerts().sent == 0


def test_channels_are_tried_by_a_command_and_a_notification_block_of_prefect_is_one(
    installation: Installation, operations: Receiver, head: Receiver
) -> None:
    block = CustomWebhookNotificationBlock(
        name="pager", url=head.url, json_data={"text": "{{subject}}: {{body}}"}, secrets={}
    )
    block.save("pager", overwrite=True)
    text = SETTINGS.format(operations=operations.url, head='block = "custom-webhook/pager"', more="")
    installation.add_settings(text)

    tried = installation.command("alerts", "test")
    assert (tried.returncode, tried.stdout.count("took it")) == (0, 2)
    assert [message["code"] for message in operations.take()] == ["TEST"]
    assert "This is a test of the channel" in head.take()[0]["text"]

    raise_on(installation, 1)
    send_alerts(as_at=datetime.now(UTC) + timedelta(hours=9))
    assert head.take()[0]["text"].startswith("Escalated: 1 x CARRIER_UNKNOWN, £10.00 at risk, oldest 9 h")

    head.answers = [500]
    failed = installation.command("alerts", "test", "--channel", "head")
    assert (failed.returncode, head.url in failed.stdout) == (1, False)
    unknown = installation.command("alerts", "test", "--channel", "nobody")
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "settings: no channel has the name nobody; there are operations, head.\n",
    )


CHANNELS = """
[alerts]
link = "https://desk.example/{{code}}"

[[alerts.channels]]
name = "slack"
block = "slack-webhook/every-kind"

[[alerts.channels]]
name = "teams"
block = "ms-teams-webhook/every-kind"

[[alerts.channels]]
name = "mail"
to = ["ecommerce@shop.example"]

[[alerts.channels]]
name = "webhook"
url = "{webhook}"

[alerts.mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "prima@shop.example"
"""


def test_each_kind_of_channel_names_value_count_age_next_step_and_link_and_nothing_of_the_customer(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.magento.add_product(TEE, price=PRICE, quantity=5)
    order = buy(installation, a_line(TEE, 2))
    sync_orders()
    signed = certificate(tmp_path, "teams")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(signed[0]))
    with receiving() as slack, receiving(signed) as teams, receiving() as webhook, mail_receiver.receiving() as mail:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"{slack.url}services")
        SlackWebhook(url="https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ").save(
            "every-kind", overwrite=True
        )
        MicrosoftTeamsWebhook(
            url=f"{teams.url}workflows/WF/triggers/manual/paths/invoke?api-version=2016-06-01&sp=run&sv=1.0&sig=SIG"
        ).save("every-kind", overwrite=True)
        installation.add_settings(CHANNELS.format(webhook=webhook.url, port=mail.port))

        summary = send_alerts(as_at=datetime.now(UTC) + timedelta(hours=3))

        assert (summary.sent, summary.not_sent) == (4, 0)
        (letter,) = mail.messages
        told = [*slack.messages, *teams.messages, *webhook.messages, {"text": letter.get_content()}]
    assert len(told) == 4
    assert (letter["Subject"], mail.to) == (
        "1 x SKU_UNKNOWN, £27.95 at risk, oldest 3 h",
        [["ecommerce@shop.example"]],
    )
    for message in told:
        text = json.dumps(message, ensure_ascii=False)
        for said in (
            "Open: 1, of which 1 new; at risk: £27.95; oldest: 3 h",
            f"order {order['increment_id']}",
            "What to do: ",
            "https://desk.example/SKU_UNKNOWN",
        ):
            assert said in text
        for personal in (CUSTOMER.surname, CUSTOMER.email, ADDRESS.street[0], ADDRESS.postcode, ADDRESS.town):
            assert personal not in text.replace("desk.example", "").replace("shop.example", "")
