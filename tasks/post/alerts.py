"""Alerts to the people: written down before they leave, through a webhook, mail, or a block of Prefect.

A message whose answer was lost, or whose run was killed, is sent again under its old number. That is the other way
round than with an order: people are better told twice than never.
"""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import isawaitable
from typing import Any, cast

import httpx
from prefect import task
from prefect.blocks.abstract import NotificationBlock, NotificationError
from prefect.blocks.core import Block
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.utilities.asyncutils import run_coro_as_sync

from schemas.alerts import TEST_CODE, Alert, Message
from tasks import connect
from tasks.errors import CallRefusedError, ConfigurationError, IntegrationError, OutcomeUnknownError
from tasks.settings import Settings
from tasks.settings.alert_rules import channels
from tasks.settings.alerts import ChannelSettings
from tasks.systems.ledger import Ledger
from tasks.systems.mail import send_mail
from tasks.systems.webhook import OPERATION, send_json


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one alert; `problem` is empty when its channel took it and everybody behind it has it."""

    channel: str
    number: int
    problem: str = ""
    was_taken: bool = True


@task(cache_policy=NO_CACHE)
def send_alerts(alerts: Sequence[Alert], withdrawn: Sequence[int]) -> list[Told]:
    """Send each alert, pending before its call and sent after it; a channel that fails once is left alone in this run.

    What was not sent stays pending, or was not begun, and is due again in the next run.
    """
    settings = Settings.from_env()
    told: list[Told] = []
    failed: dict[str, str] = {}
    with connect.open_ledger(settings) as ledger:
        ledger.withdraw_alerts(withdrawn)
        for alert in alerts:
            if alert.channel in failed:
                told.append(Told(alert.channel, alert.number, failed[alert.channel], was_taken=False))
                continue
            number = ledger.begin_alert(alert)
            told.append(send_one(ledger, settings, alert, number))
            if not told[-1].was_taken:
                failed[alert.channel] = told[-1].problem
    return told


def send_one(ledger: Ledger, settings: Settings, message: Message, number: int) -> Told:
    """Send a message that is pending under this number, and note what became of it."""
    try:
        problem = tell(settings, message, number)
    except IntegrationError as error:
        ledger.fail_alert(number, str(error))
        get_run_logger().warning(str(error))
        return Told(message.channel, number, str(error), was_taken=False)
    ledger.end_alert(number)
    return Told(message.channel, number, problem)


def send_test(settings: Settings, names: Sequence[str] = ()) -> list[Told]:
    """Send a message that says it is a test through these channels, or through all; nothing is written down."""
    known = channels(settings)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ConfigurationError(
            f"no channel has the name {', '.join(unknown)}; there are {', '.join(known) or 'none'}.", system="settings"
        )
    return [_tested(settings, name) for name in names or known]


def tell(settings: Settings, message: Message, number: int) -> str:
    """Hand one message to its channel; return what is wrong although it was taken, empty when nothing is.

    Raises the errors of `send_json` and `send_mail`, and ConfigurationError for a block that is missing or a password
    that is not set.
    """
    channel = channels(settings)[message.channel]
    key = f"magento-prima-alert-{number}"
    seconds = channel.timeout_seconds
    if channel.url:
        content = {**message.as_json(), "alert": number}
        send_json(channel.name, channel.url, content, key=key, timeout_seconds=seconds)
        return ""
    server = settings.alerts.mail
    if not channel.to or server is None:
        _notify(channel, message)
        return ""
    password = connect.secrets().require("MAIL_PASSWORD")[0] if server.user else ""
    title, text = message.title, message.text
    refused = send_mail(
        channel.name, server, channel.to, title, text, password=password, key=key, timeout_seconds=seconds
    )
    return f"the mail server refused {refused} of the {len(channel.to)} recipients." if refused else ""


def _notify(channel: ChannelSettings, alert: Message) -> None:
    system = f"alert channel {channel.name}"
    try:
        block = Block.load(channel.block)
    except (ValueError, RuntimeError, httpx.HTTPError) as error:
        raise ConfigurationError(
            f"the Prefect server has no block {channel.block} that can be read ({type(error).__name__}).",
            system=system,
            operation=OPERATION,
            next_step="Make it in the Prefect UI under Blocks, or correct alerts.channels.",
        ) from error
    if not isinstance(block, NotificationBlock):
        raise ConfigurationError(
            f"the block {channel.block} cannot notify anybody.", system=system, operation=OPERATION
        )
    # What a block says of a failure may hold its address, which is the key of such a webhook: only its kind is told.
    try:
        with block.raise_on_failure():
            sent: Any = block.notify(body=alert.text, subject=alert.title)
            if isawaitable(sent):
                run_coro_as_sync(cast(Coroutine[Any, Any, None], sent))
    except NotificationError as error:
        raise CallRefusedError(
            f"the block {channel.block} could not deliver.", system=system, operation=OPERATION
        ) from error
    except (httpx.HTTPError, OSError, ValueError) as error:
        raise OutcomeUnknownError(
            f"the block {channel.block} failed ({type(error).__name__}).", system=system, operation=OPERATION
        ) from error


def _tested(settings: Settings, name: str) -> Told:
    now = datetime.now(UTC)
    alert = Alert(
        number=0,
        channel=name,
        topic=TEST_CODE,
        level=0,
        code=TEST_CODE,
        team="integration",
        severity="info",
        sentence="This is a test of the channel; nothing is wrong.",
        next_step="Nothing.",
        members=frozenset(),
        new=0,
        value_pence={},
        oldest_at=now,
        subjects=["nothing"],
        as_at=now,
        link="magento-prima alerts show",
    )
    try:
        return Told(name, 0, tell(settings, alert, 0))
    except IntegrationError as error:
        return Told(name, 0, str(error), was_taken=False)
