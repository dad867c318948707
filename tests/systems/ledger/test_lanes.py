"""One writer at a time, across threads and processes."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tasks.systems.ledger import Ledger
from tests.systems.ledger.conftest import TestClock


def test_a_lane_is_held_by_one_at_a_time(ledger: Ledger) -> None:
    with ledger.lane("order 1", owner="a", seconds=60) as is_mine:
        assert is_mine
        assert ledger.lane_owner("order 1") == "a"
        with ledger.lane("order 1", owner="b", seconds=60) as is_theirs:
            assert not is_theirs
        with ledger.lane("order 1", owner="a", seconds=60) as is_mine_again:
            assert not is_mine_again
        with ledger.lane("order 2", owner="b", seconds=60) as is_another:
            assert is_another
        assert ledger.lane_owner("order 1") == "a"
    assert ledger.lane_owner("order 1") is None


def test_a_lane_is_left_when_its_block_fails(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.lane("order 1", owner="a", seconds=60):
        raise ZeroDivisionError
    assert ledger.lane_owner("order 1") is None


def test_an_expired_lane_goes_to_the_next_and_its_first_owner_does_not_take_it_away(
    ledger: Ledger, clock: TestClock
) -> None:
    with ledger.lane("order 1", owner="a", seconds=60):
        clock.passes(seconds=60)
        second = ledger.lane("order 1", owner="b", seconds=60)
        assert second.__enter__()
        assert not ledger.extend_lane("order 1", owner="a", seconds=60)
    assert ledger.lane_owner("order 1") == "b"
    second.__exit__(None, None, None)
    assert ledger.lane_owner("order 1") is None


def test_a_lane_can_be_held_for_longer(ledger: Ledger, clock: TestClock) -> None:
    with ledger.lane("stock default", owner="a", seconds=60):
        clock.passes(seconds=50)
        assert ledger.extend_lane("stock default", owner="a", seconds=60)
        clock.passes(seconds=50)
        with ledger.lane("stock default", owner="b", seconds=60) as is_theirs:
            assert not is_theirs


def test_eight_threads_are_never_in_one_lane_together(ledger: Ledger) -> None:
    inside: list[int] = []
    overlaps: list[int] = []
    start = Barrier(8)

    def worker(name: int) -> int:
        entered = 0
        start.wait()
        for _ in range(25):
            with ledger.lane("order 1", owner=f"worker {name}", seconds=600) as is_mine:
                if is_mine:
                    inside.append(name)
                    overlaps.extend(inside[1:])
                    inside.remove(name)
                    entered += 1
        return entered

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(worker, range(8))) > 0
    assert overlaps == []


def test_another_process_stays_out_until_the_lane_is_left(ledger: Ledger, ledger_url: str) -> None:
    with ledger.lane("order 1", owner="a", seconds=60) as is_mine:
        assert is_mine
        assert _run("enter_lane", ledger_url).stdout == "False\n"
    assert _run("enter_lane", ledger_url).stdout == "True\n"
    assert ledger.lane_owner("order 1") is None


def test_a_crashed_process_blocks_its_lane_only_until_the_lease_ends(
    ledger: Ledger, ledger_url: str, clock: TestClock
) -> None:
    assert _run("crash_in_lane", ledger_url).returncode == 9
    with ledger.lane("order 1", owner="a", seconds=60) as is_mine:
        assert not is_mine
    clock.passes(seconds=59)
    with ledger.lane("order 1", owner="a", seconds=60) as is_mine:
        assert not is_mine
    clock.passes(seconds=1)
    with ledger.lane("order 1", owner="a", seconds=60) as is_mine:
        assert is_mine


def _run(name: str, url: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "tests.systems.ledger.processes", name, url]
    return subprocess.run(program, stdout=subprocess.PIPE, text=True, check=False)
