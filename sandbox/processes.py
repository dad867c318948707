"""Child processes of the demo: each in a process group of its own with its output in a file, and none left behind."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import httpx

POLL_SECONDS = 0.1
STOP_SECONDS = 10.0
TAIL_LINES = 25


class DemoError(Exception):
    """The demo cannot go on; the text says why, to the person who started it."""


class ProcessFailedError(DemoError):
    """A process ended, or did not get ready, when it was needed; the text ends with the tail of its log."""


class Child:
    """One started process and the file that holds what it prints."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=folder,
                start_new_session=True,  # Ctrl-C reaches the demo alone, which then stops its children in order
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def output(self) -> str:
        """Return everything that was printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def tail(self) -> str:
        """Return the last lines printed, for a message about a failure."""
        lines = self.output().splitlines()[-TAIL_LINES:]
        return "\n".join([f"--- the end of {self.log}", *(f"    {line}" for line in lines)])

    def require_running(self) -> None:
        """Raise ProcessFailedError when the process has ended."""
        code = self._process.poll()
        if code is not None:
            raise ProcessFailedError(f"{self.name} ended with code {code}.\n{self.tail()}")

    def wait_until(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Wait until it is ready; raises ProcessFailedError when it ends first or takes longer than that."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            self.require_running()
            if time.monotonic() > deadline:
                raise ProcessFailedError(f"{self.name} was not ready after {seconds:.0f} s.\n{self.tail()}")
            time.sleep(POLL_SECONDS)

    def wait(self, seconds: float) -> None:
        """Wait for its end with code 0; raises ProcessFailedError otherwise."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ProcessFailedError(f"{self.name} was not done after {seconds:.0f} s.\n{self.tail()}") from None
        if code:
            raise ProcessFailedError(f"{self.name} ended with code {code}.\n{self.tail()}")

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End the process and everything it started: politely first, by force after that many seconds."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while self._is_group_alive():
            if time.monotonic() > deadline:
                self._signal(signal.SIGKILL)
                break
            time.sleep(POLL_SECONDS)
        self._process.wait()

    def _is_group_alive(self) -> bool:
        self._process.poll()  # collects the process, else its own remains would count as alive
        return self._signal(0)

    def _signal(self, number: int) -> bool:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of which only remains are left
            return False
        return True


class Children:
    """The processes of one demo; leaving the context stops them, the last started first."""

    def __init__(self, logs: Path, folder: Path) -> None:
        self._logs = logs
        self._folder = folder
        self._running: list[Child] = []

    def __enter__(self) -> "Children":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> Child:
        """Start a process whose output goes to `NAME.log`."""
        log = self._logs / f"{name.replace(' ', '-')}.log"
        child = Child(name, command, log=log, env=env, folder=self._folder)
        self._running.append(child)
        return child

    def require_running(self) -> None:
        """Raise ProcessFailedError when one of them has ended."""
        for child in self._running:
            child.require_running()

    def finish(self, child: Child, seconds: float) -> None:
        """Wait for the end of a started process; raises ProcessFailedError when it fails or takes longer."""
        child.wait(seconds)
        self._running.remove(child)

    def stop_all(self) -> None:
        """Stop all of them; a second Ctrl-C meanwhile is ignored, because the wait is bounded."""
        handlers = {number: signal.signal(number, signal.SIG_IGN) for number in STOPPING_SIGNALS}
        try:
            while self._running:
                self._running.pop().stop()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_on_signals() -> None:
    """Make SIGTERM and a closed terminal do what Ctrl-C does; and Ctrl-C too where a shell has it ignored."""
    for number in STOPPING_SIGNALS:
        signal.signal(number, signal.default_int_handler)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Return whether an address answers a GET with 200."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
