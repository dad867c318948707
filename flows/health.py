"""Whether the machinery itself works, and runs that crashed: they come back by themselves, a few times."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prefect import flow

from flows.desk import desk_after_run
from flows.passing import whole
from schemas.health import HealthSummary
from tasks import connect
from tasks.decide import health as decide
from tasks.decide import recovery
from tasks.extract import health as extract
from tasks.extract.recovery import fetch_recent_runs
from tasks.post.recovery import end_stuck_runs, start_again
from tasks.record import health as record
from tasks.settings import Settings
from tasks.settings.alert_rules import health_rule

LANE, LANE_SECONDS = "health", 600


@flow(name="health", description="Finds runs that are late, stalled, crashed and streams that are silent; restarts.")
@desk_after_run("health")
def watch_health() -> HealthSummary:
    """Start crashed runs again, and note which flows are late, stalled, crashed or down and which streams silent.

    Looks at how things are, not at what was reported: it may be run at any time and as often as wanted.
    """
    settings, now = Settings.from_env(), datetime.now(UTC)
    rule = health_rule(settings)
    with _lane(settings) as is_ours:
        if not is_ours:
            return HealthSummary(is_under_way_elsewhere=True)
        seen = extract.fetch_flow_runs(now)
        recent = fetch_recent_runs(now)
        end_stuck_runs(recovery.stuck(recent, now, rule))
        restarted = start_again(whole(recovery.restarts(recent, now, rule)))
        streams = decide.stream_findings(extract.fetch_stream_times(now, rule), now, rule)
        if seen is None:
            return record.close_health(whole(streams), None, restarted, now, rule)
        history = extract.fetch_run_history(sorted(decide.suspects(seen.latest, now, rule)), now, rule)
        runs = decide.run_findings(seen.latest, history, now, rule, seen.forms)
        crashes = recovery.crash_findings(recent, seen.newly_crashed, decide.down(runs), rule)
        return record.close_health(whole([*runs, *crashes, *streams]), whole(seen), restarted, now, rule)


@contextmanager
def _lane(settings: Settings) -> Iterator[bool]:
    with connect.open_ledger(settings) as ledger:
        connect.free_lanes_of_the_dead(ledger)
        with ledger.lane(LANE, owner=connect.owner(), seconds=LANE_SECONDS) as is_ours:
            yield is_ours
