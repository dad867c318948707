"""Late, stalled, crashed, silent: each against its own history by hour of the week. Pure, with the clock handed in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from schemas.health import FlowRun, HealthRule, StreamTimes
from tasks.decide import health as decide

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)  # a Wednesday
RULE = HealthRule()
AT_ONCE = timedelta(0)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def a_run(
    state: str,
    *,
    due: timedelta,
    delay: timedelta | None = AT_ONCE,
    lasts: timedelta | None = None,
    count: int = 1,
    name: str = "orders",
) -> FlowRun:
    """A run that was due so long ago; with `lasts` it has ended."""
    expected = NOW - due
    started = None if delay is None else expected + delay
    ended = None if lasts is None or started is None else started + lasts
    return FlowRun(f"{name}-{expected.isoformat()}-{state}", name, state, expected, started, ended, count)


def history(delay: float = 0, lasts: float = 2, weeks: int = 4) -> list[FlowRun]:
    """A run each quarter of an hour; on Wednesdays around noon as slow as said, at any other hour slower still."""
    runs = []
    for number in range(1, weeks * 7 * 96 + 1):
        due = minutes(15 * number)
        is_hour = decide.hour_of_week(NOW - due) == decide.hour_of_week(NOW)
        slower = 1 if is_hour else 10
        runs.append(a_run("COMPLETED", due=due, delay=minutes(delay * slower), lasts=minutes(lasts * slower)))
    return runs


def codes(runs: Sequence[FlowRun], past: Sequence[FlowRun] = ()) -> list[str]:
    return [note.code for note in decide.run_findings(runs, {"orders": past}, NOW, RULE)]


@pytest.mark.parametrize(
    ("usual", "late_by", "is_late"), [(0, 14, False), (0, 16, True), (8, 23, False), (8, 25, True)]
)
def test_a_run_is_late_beyond_three_times_the_longest_delay_of_this_hour_of_the_week(
    usual: float, late_by: float, is_late: bool
) -> None:
    waiting = a_run("SCHEDULED", due=minutes(late_by), delay=None)

    assert codes([waiting], history(delay=usual)) == (["FLOW_LATE"] if is_late else [])


def test_a_run_that_waited_for_a_later_one_is_not_late() -> None:
    waiting = a_run("PENDING", due=minutes(60), delay=None)

    assert codes([waiting, a_run("RUNNING", due=minutes(5))], history()) == []


@pytest.mark.parametrize(
    ("usual", "lasts", "is_stalled"), [(2, 14, False), (2, 16, True), (10, 29, False), (10, 31, True)]
)
def test_a_run_is_stalled_beyond_three_times_the_longest_of_this_hour_of_the_week(
    usual: float, lasts: float, is_stalled: bool
) -> None:
    assert codes([a_run("RUNNING", due=minutes(lasts))], history(lasts=usual)) == (
        ["FLOW_STALLED"] if is_stalled else []
    )


def test_a_new_deployment_has_an_hour() -> None:
    assert codes([a_run("RUNNING", due=minutes(59))]) == []
    (note,) = decide.run_findings([a_run("RUNNING", due=minutes(61))], {}, NOW, RULE)
    assert (note.code, note.subject) == ("FLOW_STALLED", "flow orders")
    assert note.detail == "a run is under way for 1 h 1 min; 1 h 0 min are usual at most"


def test_only_a_deployment_with_a_long_wait_or_run_needs_its_history() -> None:
    runs = [
        a_run("RUNNING", due=minutes(16)),
        a_run("RUNNING", due=minutes(14), name="inventory"),
        a_run("SCHEDULED", due=minutes(16), delay=None, name="refunds"),
        a_run("COMPLETED", due=minutes(90), lasts=minutes(80), name="census"),
    ]

    assert decide.suspects(runs, NOW, RULE) == {"orders", "refunds"}


@pytest.mark.parametrize(
    ("latest_first", "found"),
    [
        (["FAILED", "CRASHED", "COMPLETED"], []),
        (["FAILED", "CRASHED", "FAILED", "COMPLETED"], ["FLOW_DOWN"]),
        (["FAILED", "CANCELLED", "FAILED", "CANCELLED", "FAILED"], ["FLOW_DOWN"]),
        (["COMPLETED", "FAILED", "FAILED", "FAILED"], []),
    ],
)
def test_a_flow_is_down_after_failures_in_a_row(latest_first: list[str], found: list[str]) -> None:
    runs = [a_run(state, due=minutes(5 * n), lasts=minutes(1)) for n, state in enumerate(latest_first, 1)]

    assert codes(runs) == found


def test_a_stream_that_stood_still_for_half_an_hour_of_a_busy_one_is_found_and_a_slow_one_has_its_time() -> None:
    def every(interval: timedelta, until: timedelta) -> list[datetime]:
        first = NOW - timedelta(weeks=5)
        count = int((NOW - until - first) / interval) + 1
        return [first + n * interval for n in range(count)]

    quick, slow = every(minutes(5), minutes(35)), every(minutes(30), minutes(90))
    times = StreamTimes({"orders": quick, "refunds": slow, "stock": quick}, every(minutes(5), minutes(70)))

    notes = decide.stream_findings(times, NOW, RULE)

    assert [(note.code, note.subject) for note in notes] == [
        ("DISPATCHES_SILENT", "stream dispatches"),
        ("STREAM_STANDS_STILL", "stream orders"),
        ("SNAPSHOT_OLD", "stream stock"),
    ]
    assert "25 November at 11:55 London time" in notes[1].detail
    young = StreamTimes({"orders": quick[-200:]})
    assert decide.stream_findings(young, NOW, RULE) == []
