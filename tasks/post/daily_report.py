"""The headline of the daily report to the channels that are to have it, each once for a date."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from schemas.daily_message import ReportMessage
from tasks import connect
from tasks.errors import IntegrationError
from tasks.post.alerts import Told, tell
from tasks.settings import Settings
from tasks.settings.alert_rules import channels


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
            number = ledger.begin_alert(message)
            problem = ""
            try:
                tell(channels(settings)[message.channel], message, number)
            except IntegrationError as error:
                problem = f"{message.topic}: {error}"
                ledger.fail_alert(number, problem)
                get_run_logger().warning(problem)
            else:
                ledger.end_alert(number)
            told.append(Told(message.channel, number, problem))
    return told
