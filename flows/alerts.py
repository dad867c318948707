"""Who must know of what is open: each once, grouped, and the next person when nobody acted."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prefect import flow

from flows.desk import desk_after_run
from flows.passing import whole
from schemas.alerts import AlertSummary
from tasks import connect
from tasks.decide import alerts as decide
from tasks.extract import alerts as extract
from tasks.post import alerts as post
from tasks.record import alerts as record
from tasks.settings import Settings
from tasks.settings.alert_rules import alert_rules

LANE, LANE_SECONDS = "alerts", 600


@flow(name="alerts", description="Tells people of open exceptions: grouped, each once, escalated when nobody acts.")
@desk_after_run("alerts")
def send_alerts(as_at: datetime | None = None) -> AlertSummary:
    """Send what is due now.

    Args:
        as_at: Another time than now, for rehearsals.

    An exception is told to the channels of its owner, and to the next person after each delay of its code. Nothing is
    told of what was closed meanwhile. Two runs at once would tell people twice: the second one leaves it to the first.
    """
    settings = Settings.from_env()
    now = as_at or datetime.now(UTC)
    with _lane(settings) as is_ours:
        if not is_ours:
            return AlertSummary(is_under_way_elsewhere=True)
        found = extract.fetch_matters(now)
        plan = decide.alerts(found.matters, found.past, alert_rules(settings), now)
        told = post.send_alerts(whole(plan.to_send), plan.to_withdraw)
        problems = {each.channel: each.problem for each in told if each.problem}
        return record.close_alerts(whole(plan), problems, len(found.matters), 0)


@contextmanager
def _lane(settings: Settings) -> Iterator[bool]:
    with connect.open_ledger(settings) as ledger:
        connect.free_lanes_of_the_dead(ledger)
        with ledger.lane(LANE, owner=connect.owner(), seconds=LANE_SECONDS) as is_ours:
            yield is_ours
