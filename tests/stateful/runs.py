"""Runs of a flow, each in a process of its own that can be killed at any moment.

The processes are forked from one that has everything imported (`zygote.py`), so that a run costs no start of Python;
they are real processes with connections of their own, and `kill` is a real SIGKILL.
"""

import json
import multiprocessing
import os
import signal
import traceback
from collections.abc import Mapping
from multiprocessing import forkserver
from pathlib import Path
from pkgutil import resolve_name

LONGEST_SECONDS = 120
# Where the process that runs are forked from finds what it plays once, as JSON.
WARM_UP = "STATEFUL_WARM_UP"
ZYGOTE = "tests.stateful.zygote"


def start_zygote(environment: Mapping[str, str], folder: Path, api_url: str, home: Path) -> None:
    """Start the process that all runs are forked from, and let it play each flow once in this installation."""
    plan = {"environment": dict(environment), "folder": str(folder), "api_url": api_url, "home": str(home)}
    os.environ[WARM_UP] = json.dumps(plan)
    try:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([ZYGOTE])
        forkserver.ensure_running()
        process = context.Process(target=os._exit, args=(0,))
        process.start()
        process.join()
    finally:
        del os.environ[WARM_UP]
    assert process.exitcode == 0, "the process that runs are forked from did not start"


def _run(flow: str, environment: Mapping[str, str], log: str) -> None:
    """What the child does: the flow, as a worker would run it, with everything it prints in a file."""
    with open(log, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(environment)
    code = 0
    try:
        resolve_name(flow)()
    except BaseException:
        traceback.print_exc()
        code = 1
    os._exit(code)


class Runner:
    """Starts runs of one flow, named as in `flows.orders:sync_orders`, against one installation.

    What they print is in `log`.
    """

    def __init__(self, flow: str, environment: Mapping[str, str], log: Path) -> None:
        self._arguments = (flow, dict(environment), str(log))
        self._context = multiprocessing.get_context("forkserver")

    def start(self) -> "Run":
        """Start a run and return at once."""
        process = self._context.Process(target=_run, args=self._arguments)
        process.start()
        return Run(process)


class Run:
    """A run under way, or over."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process = process

    @property
    def is_over(self) -> bool:
        """Whether the process has ended, by itself or killed."""
        return self._process.exitcode is not None

    def kill(self) -> bool:
        """Kill it with SIGKILL and return whether it was still running."""
        was_running = not self.is_over
        if was_running and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()
        return was_running

    def wait(self) -> bool:
        """Wait for its end and return whether the flow completed; one that hangs fails the test."""
        self._process.join(LONGEST_SECONDS)
        if not self.is_over:
            self.kill()
            raise AssertionError(f"a run did not end in {LONGEST_SECONDS} seconds")
        return self._process.exitcode == 0
