"""Alerts to the people: written down before they leave, through a webhook or a notification block of Prefect.

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
from tasks.systems.webhook import OPERATION, send_json


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one alert; `problem` is empty when its channel took it."""

    channel: str
    number: int
    problem: str = ""


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
                told.append(Told(alert.channel, alert.number, failed[alert.channel]))
                continue
            number = ledger.begin_alert(alert)
            try:
                tell(channels(settings)[alert.channel], alert, number)
            except IntegrationError as error:
                failed[alert.channel] = str(error)
                ledger.fail_alert(number, str(error))
                get_run_logger().warning(str(error))
            else:
                ledger.end_alert(number)
            told.append(Told(alert.channel, number, failed.get(alert.channel, "")))
    return told


def send_test(settings: Settings, names: Sequence[str] = ()) -> list[Told]:
    """Send a message that says it is a test through these channels, or through all; nothing is written down."""
    known = channels(settings)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ConfigurationError(
            f"no channel has the name {', '.join(unknown)}; there are {', '.join(known) or 'none'}.", system="settings"
        )
    return [_tested(known[name]) for name in names or known]


def tell(channel: ChannelSettings, alert: Message, number: int) -> None:
    """Hand one message to one channel. Raises the errors of `send_json`, and ConfigurationError for a missing block."""
    if channel.url:
        content = {**alert.as_json(), "alert": number}
        key = f"magento-prima-alert-{number}"
        send_json(channel.name, channel.url, content, key=key, timeout_seconds=channel.timeout_seconds)
        return
    _notify(channel, alert)


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


def _tested(channel: ChannelSettings) -> Told:
    now = datetime.now(UTC)
    alert = Alert(
        number=0,
        channel=channel.name,
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
        tell(channel, alert, 0)
    except IntegrationError as error:
        return Told(channel.name, 0, str(error))
    return Told(channel.name, 0)
