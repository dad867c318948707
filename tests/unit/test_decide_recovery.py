"""Which crashed runs start again: however often one looks, and in whatever order things are reported."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.health import HealthRule, RecentRun
from tasks.decide import recovery

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
RULE = HealthRule()
ENDS = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def a_run(state: str, ago: float, name: str = "", purpose: str = "", *, comes_back: bool = True) -> RecentRun:
    at = NOW - timedelta(minutes=ago)
    return RecentRun(name or f"{ago:g}", name or f"{ago:g}", "orders", purpose, state, at, at, comes_back)


def started(*runs: RecentRun) -> list[str]:
    return [restart.run_id for restart in recovery.restarts(runs, NOW, RULE)]


def told(*runs: RecentRun, new: frozenset[str] = frozenset(), down: frozenset[str] = frozenset()) -> list[str]:
    return [note.code for note in recovery.crash_findings(runs, new, down, RULE)]


def test_a_crash_comes_back_unless_a_later_run_did_its_work_or_is_about_to() -> None:
    crash = a_run("CRASHED", 10)

    assert started(crash) == ["10"]
    assert [
        started(crash, a_run(state, 5)) for state in ("COMPLETED", "FAILED", "RUNNING", "PENDING", "SCHEDULED")
    ] == [[]] * 5
    assert started(crash, a_run("SCHEDULED", -5)) == ["10"]  # not due yet
    assert started(crash, a_run("COMPLETED", 15), a_run("CANCELLED", 5)) == ["10"]
    assert started(crash, a_run("COMPLETED", 5, purpose="another date")) == ["10"]
    assert started(a_run("CRASHED", 10, comes_back=False)) == []


def test_a_crash_is_told_until_its_work_is_done_and_one_that_was_done_at_once_is_told_all_the_same() -> None:
    crash, done = a_run("CRASHED", 10), a_run("COMPLETED", 5)

    assert told(crash) == ["FLOW_CRASHED"]
    assert told(crash, a_run("RUNNING", 5)) == ["FLOW_CRASHED"]
    assert told(crash, done) == []
    assert told(crash, done, new=frozenset({"10"})) == ["FLOW_CRASHED"]
    assert told(a_run("CRASHED", 12), a_run("CRASHED", 11), crash) == ["FLOW_DOWN"]
    assert told(a_run("CRASHED", 12), a_run("CRASHED", 11), crash, down=frozenset({"flow orders"})) == []
    assert told(a_run("CRASHED", 10, comes_back=False)) == ["FLOW_INTERRUPTED"]


def test_a_run_waits_for_its_process_for_as_long_as_one_may_be_late() -> None:
    runs = [a_run("PENDING", 16), a_run("PENDING", 14), a_run("RUNNING", 20), a_run("SCHEDULED", 30)]

    assert recovery.stuck(runs, NOW, RULE) == ["16"]


@given(st.lists(st.sampled_from(("crash", "look", "complete", "schedule", "cancel")), max_size=40))
def test_in_any_order_of_events_each_crash_is_followed_by_one_run_at_most_and_never_by_more_than_allowed(
    events: list[str],
) -> None:
    runs = [a_run("RUNNING", 1000, "0")]
    successors: dict[str, str] = {}
    in_a_row = longest = 0
    for number, event in enumerate(events, 1):
        alive = next((n for n, run in enumerate(runs) if run.state == "RUNNING"), None)
        if event in ("crash", "complete", "cancel") and alive is not None:
            state = {"crash": "CRASHED", "complete": "COMPLETED", "cancel": "CANCELLED"}[event]
            runs[alive] = a_run(state, 1000 - alive, runs[alive].run_id)
            in_a_row = {"crash": in_a_row + 1, "complete": 0, "cancel": in_a_row}[event]
        elif event == "schedule" and alive is None:
            runs.append(a_run("RUNNING", 1000 - len(runs), f"scheduled {number}"))
        elif event == "look":
            for restart in recovery.restarts(runs, NOW, RULE):
                if restart.run_id in successors:  # the server gives back the run it made under this key
                    continue
                successors[restart.run_id] = f"again {number}"
                assert alive is None
                assert restart.crashes <= RULE.restarts
                longest = max(longest, in_a_row)
                runs.append(a_run("RUNNING", 1000 - len(runs), successors[restart.run_id]))
            assert not set(started(*runs)) - set(successors)  # a second look finds nothing new
    assert longest <= RULE.restarts
