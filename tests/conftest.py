"""Fixtures that every folder of tests may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.installation import Installation

# How long an example takes says something about the machine and its load, nothing about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say how many random schedules `tests/stateful` plays, or which one."""
    parser.addoption("--schedules", type=int, default=50, help="random schedules of kills and faults (default: 50)")
    parser.addoption("--world-orders", type=int, default=200, help="orders of the world over HTTP (default: 200)")
    parser.addoption("--stock-walks", type=int, default=2, help="random walks of `tests/simulation` (default: 2)")
    parser.addoption("--stock-days", type=int, default=1, help="days of its trading world (default: 1)")
    parser.addoption("--server-away", type=float, default=0, help="seconds in `tests/recovery`, besides its start")
    parser.addoption("--schedule", type=int, default=None, help="only the schedule of this seed")


def pytest_xdist_auto_num_workers() -> int:
    """Two processes a core for `-n auto`: half of a flow test is waiting for a stand-in or a server."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Both stand-ins, empty, with the product pointed at them."""
    installed = Installation(tmp_path / "installation")
    installed.start()
    for name, value in installed.environment.items():
        monkeypatch.setenv(name, value)
    yield installed
    installed.stop()
