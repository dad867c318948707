"""The headline of the daily report to the channels that are to have it, each once for a date."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from schemas.daily_message import ReportMessage
from tasks import connect
from tasks.post.alerts import Told, send_one
from tasks.settings import Settings


@task(cache_policy=NO_CACHE)
def send_report(messages: Sequence[ReportMessage]) -> list[Told]:
    """Send each message, pending before its call and sent after it; a channel that took this date's is left alone.

    A report that is made again is sent to those channels alone that did not take it.
    """
    settings = Settings.from_env()
    told = []
    with connect.open_ledger(settings) as ledger:
        for message in messages:
            if ledger.was_told(message.channel, message.topic):
                get_run_logger().info("channel %s has the %s already", message.channel, message.topic)
                continue
            told.append(send_one(ledger, settings, message, ledger.begin_alert(message)))
    return told
