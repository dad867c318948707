"""Runs of a flow, each in a process of its own that can be killed at any moment.

The processes are forked from one that has everything imported (`zygote.py`), so that a run costs no start of Python;
they are real processes with connections of their own, and `kill` is a real SIGKILL.
"""

import multiprocessing
import os
import signal
import traceback
from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name

import certifi
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)

LONGEST_SECONDS = 120
END_OF_CERTIFICATE = "-----END CERTIFICATE-----\n"


def _run(flow: str, environment: Mapping[str, str], api_url: str, home: str, log: str) -> None:
    """What the child does: the flow, as a worker would run it, with everything it prints in a file."""
    with open(log, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(environment)
    settings = {
        PREFECT_API_URL: api_url,
        PREFECT_HOME: Path(home),
        PREFECT_LOCAL_STORAGE_PATH: Path(home) / "storage",
        PREFECT_LOGGING_TO_API_ENABLED: False,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
    }
    code = 0
    with temporary_settings(settings):
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

    def __init__(self, flow: str, environment: Mapping[str, str], api_url: str, home: Path, log: Path) -> None:
        # Nothing here speaks TLS, and each client of a run would load every authority of the machine.
        authority = home / "authority.pem"
        if not authority.exists():
            whole = Path(certifi.where()).read_text(encoding="utf-8")
            authority.write_text(whole[: whole.index(END_OF_CERTIFICATE)] + END_OF_CERTIFICATE, encoding="utf-8")
        self._arguments = (flow, {**environment, "SSL_CERT_FILE": str(authority)}, api_url, str(home), str(log))
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.stateful.zygote"])

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
