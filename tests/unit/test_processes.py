"""The demo's child processes: none is left behind, whatever it does, and a failure shows what it printed."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.processes import Child, Children, ProcessFailedError

LONG = 60.0
STARTS_ANOTHER = """
import subprocess, sys
other = subprocess.Popen([sys.executable, "-c", "import time; print(0, flush=True); time.sleep(600)"])
print("other", other.pid, flush=True)
other.wait()
"""
IGNORES_SIGTERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    with Children(tmp_path / "logs", tmp_path) as running:
        yield running


def python(children: Children, text: str) -> Child:
    return children.start("a process", [sys.executable, "-c", text], os.environ)


def is_gone(pid: int) -> bool:
    """Whether a process ended; one that only waits to be collected by its parent has ended too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_stopping_a_process_stops_what_it_started(children: Children) -> None:
    child = python(children, STARTS_ANOTHER)
    child.wait_until(lambda: "other" in child.output(), LONG)
    other = int(child.output().partition("other ")[2].split()[0])

    children.stop_all()

    assert is_gone(child.pid)
    assert is_gone(other)


def test_a_process_that_will_not_stop_is_ended_by_force(children: Children) -> None:
    child = python(children, IGNORES_SIGTERM)
    child.wait_until(lambda: "deaf" in child.output(), LONG)

    child.stop(seconds=0)

    assert is_gone(child.pid)


def test_an_interrupt_while_processes_run_leaves_none_of_them(tmp_path: Path) -> None:
    # A shell starts what it puts in the background with interrupts ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = Children(tmp_path / "logs", tmp_path)
    child = python(running, "import time; time.sleep(600)")

    with pytest.raises(KeyboardInterrupt), running:
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGINT, before)
    assert is_gone(child.pid)


def test_a_process_that_ends_before_it_is_ready_is_reported_with_what_it_printed(children: Children) -> None:
    child = python(children, "import sys; sys.exit('the port is taken')")

    with pytest.raises(ProcessFailedError, match=r"(?s)a process ended with code 1.*the port is taken"):
        child.wait_until(lambda: False, LONG)


def test_a_process_that_is_not_ready_in_time_is_reported(children: Children) -> None:
    child = python(children, "import time; time.sleep(600)")

    with pytest.raises(ProcessFailedError, match="was not ready after 0 s"):
        child.wait_until(lambda: False, 0)


def test_a_command_that_fails_is_reported_and_one_that_works_is_not(children: Children) -> None:
    children.finish(python(children, "print('fine')"), LONG)

    with pytest.raises(ProcessFailedError, match=r"(?s)a process ended with code 3.*not fine"):
        children.finish(python(children, "print('not fine'); exit(3)"), LONG)


def test_a_process_that_died_meanwhile_is_noticed(children: Children) -> None:
    child = python(children, "import time; time.sleep(600)")
    children.require_running()

    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ProcessFailedError, match="ended with code -9"):
        child.wait(LONG)
    with pytest.raises(ProcessFailedError, match="a process ended"):
        children.require_running()
