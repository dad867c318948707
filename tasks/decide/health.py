"""Which runs are late, stalled or down and which streams are silent, each against its own history. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from schemas.documents import ExceptionNote
from schemas.health import ENDED, WAITING, FlowRun, HealthRule, StreamTimes
from tasks.decide.silence import hour_of_week, silence_in

SNAPSHOT = "stock"


def suspects(runs: Iterable[FlowRun], now: datetime, rule: HealthRule) -> set[str]:
    """Return the deployments whose history is needed: a run waits or runs for longer than the floor."""
    return {
        run.deployment
        for run in runs
        if (run.state in WAITING and now - run.expected_at > rule.late)
        or (run.state == "RUNNING" and run.started_at is not None and now - run.started_at > rule.stalled)
    }


def run_findings(
    runs: Sequence[FlowRun],
    history: Mapping[str, Sequence[FlowRun]],
    now: datetime,
    rule: HealthRule,
    forms: Collection[str] = (),
) -> list[ExceptionNote]:
    """Return what is wrong with each deployment; `runs` are its open runs and its latest ended ones.

    One of `forms` is never down: whoever filled it in reads why it failed, and may fill it in again.
    """
    of_deployment: dict[str, list[FlowRun]] = {}
    for run in runs:
        of_deployment.setdefault(run.deployment, []).append(run)
    notes: list[ExceptionNote] = []
    for name, own in sorted(of_deployment.items()):
        past = history.get(name, ())
        is_down = None if name in forms else _down(own, rule)
        found = (_late(own, past, now, rule), _stalled(own, past, now, rule), is_down)
        notes += [ExceptionNote(code, f"flow {name}", text) for code, text in filter(None, found)]
    return notes


def down(notes: Iterable[ExceptionNote]) -> set[str]:
    """Return the subjects of which these notes say that they are down."""
    return {note.subject for note in notes if note.code == "FLOW_DOWN"}


def stream_findings(times: StreamTimes, now: datetime, rule: HealthRule) -> list[ExceptionNote]:
    """Return the streams in which nothing came for longer than their own weeks make likely."""
    notes = []
    found = silence_in(times.dispatches, now, rule.dispatches)
    if found is not None:
        text = f"the last dispatch was seen on {found.since}; since then about {int(found.expected)} were expected"
        notes.append(ExceptionNote("DISPATCHES_SILENT", "stream dispatches", text))
    for stream, at in sorted(times.batches.items()):
        found = silence_in(at, now, rule.streams)
        if found is None:
            continue
        code = "SNAPSHOT_OLD" if stream == SNAPSHOT else "STREAM_STANDS_STILL"
        text = f"the last batch was recorded on {found.since}; since then about {int(found.expected)} were expected"
        notes.append(ExceptionNote(code, f"stream {stream}", text))
    return notes


def _late(own: Sequence[FlowRun], past: Sequence[FlowRun], now: datetime, rule: HealthRule) -> tuple[str, str] | None:
    waiting = [run.expected_at for run in own if run.state in WAITING and run.expected_at <= now]
    started = [run.started_at for run in own if run.started_at is not None]
    if not waiting or (started and max(started) > min(waiting)):
        return None  # one that began later: the earlier ones waited for their turn
    delay = now - min(waiting)
    limit = max(rule.late, _usual(past, now, rule, lambda run: run.delay))
    if delay <= limit:
        return None
    return "FLOW_LATE", f"a run is due for {_minutes(delay)} and has not begun; {_minutes(limit)} are usual at most"


def _stalled(
    own: Sequence[FlowRun], past: Sequence[FlowRun], now: datetime, rule: HealthRule
) -> tuple[str, str] | None:
    running = [now - run.started_at for run in own if run.state == "RUNNING" and run.started_at is not None]
    limit = max(rule.stalled, _usual(past, now, rule, lambda run: run.duration))
    if not running or max(running) <= limit:
        return None
    return "FLOW_STALLED", f"a run is under way for {_minutes(max(running))}; {_minutes(limit)} are usual at most"


def _down(own: Sequence[FlowRun], rule: HealthRule) -> tuple[str, str] | None:
    """Runs that failed or crashed, one after the other, with none between them that ended well."""
    ended = sorted(
        (run for run in own if run.state in ENDED and run.state != "CANCELLED"),
        key=lambda run: run.ended_at or run.expected_at,
        reverse=True,
    )
    in_a_row = len(list(takewhile(lambda run: run.state != "COMPLETED", ended)))
    return None if in_a_row < rule.failures else ("FLOW_DOWN", f"the last {in_a_row} runs failed or crashed")


def _usual(
    past: Sequence[FlowRun], now: datetime, rule: HealthRule, measure: Callable[[FlowRun], timedelta | None]
) -> timedelta:
    """Return `factor` times the longest at this hour of the week, or at any hour where this one has too few runs."""
    completed = [run for run in past if run.state == "COMPLETED" and measure(run) is not None]
    of_hour = [run for run in completed if hour_of_week(run.expected_at) == hour_of_week(now)]
    for runs in (of_hour, completed):
        if len(runs) >= rule.fewest:
            return rule.factor * max(length for run in runs if (length := measure(run)) is not None)
    return rule.without_history


def _minutes(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
