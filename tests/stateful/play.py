"""Plays a schedule against a whole installation: faults, runs of a flow, and kills at the moments it names.

What a flow is about stands in a subclass: `orders.py` for the orders flow.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import create_engine, text

from sandbox.faults import Faults
from sandbox.installation import write_installation
from tests.installation import Installation
from tests.stateful.runs import Run, Runner
from tests.stateful.schedules import HOLD_SECONDS, Kill, Schedule, Step

MOST_RUNS_TO_SETTLE = 8
POLL_SECONDS = 0.002
LOG_LINES = 150
# Long enough for an effect that has begun; the answer is held far longer.
EFFECT_SECONDS = 0.15


class Play(ABC):
    """One installation in which one schedule is played.

    `flow` names the flow as `Runner` takes it. `rows` gives a query for each moment of the ledger at which a schedule
    may kill a run: the moment has come when its answer changes. `replacements` are lines of the settings file.
    """

    flow: ClassVar[str]
    rows: ClassVar[Mapping[str, str]]

    def __init__(self, schedule: Schedule, folder: Path, ledger_url: str) -> None:
        self.schedule = schedule
        self.installation = Installation(folder)
        self.runs = 0
        self.kills: list[str] = []
        self._ledger_url = ledger_url
        self.log = folder / "runs.log"

    @property
    def replacements(self) -> Mapping[str, str]:
        """Lines of the settings file that this schedule needs otherwise, by key; short time-outs above all."""
        return {}

    def before_run(self, step: Step | None) -> None:  # noqa: B027 - most flows need nothing
        """Make ready for the runs of a step, or for one after all of them (None), before anything goes wrong."""

    @abstractmethod
    def prepare(self, step: Step) -> None:
        """Let happen what happens before a run: orders come in, people change them."""

    def tidy(self) -> None:  # noqa: B027 - most flows leave nothing behind
        """Take back what a step set up in the systems beside its faults."""

    @abstractmethod
    def unsettled(self) -> list[str]:
        """Return what is still to be done, one sentence each; empty when another run would have nothing to do."""

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Serve both systems and set everything up; the ledger must be migrated."""
        installation = self.installation
        installation.start()
        write_installation(installation.folder, {"ledger_url": self._ledger_url})
        installation.configure(**self.replacements)
        self._runner = Runner(self.flow, installation.environment, self.log)
        self._watch = create_engine(self._ledger_url, isolation_level="AUTOCOMMIT")
        try:
            yield
        finally:
            self._watch.dispose()
            installation.stop()

    def play(self) -> None:
        """Play every step; afterwards nothing goes wrong any more, and runs follow until there is nothing to do."""
        for step in self.schedule.steps:
            self._play(step)
        for _ in range(MOST_RUNS_TO_SETTLE):
            self.before_run(None)
            is_completed = self._start().wait()
            if is_completed and not self.unsettled():
                return
        raise AssertionError(f"still not settled after {MOST_RUNS_TO_SETTLE} runs: {self.unsettled()}")

    def last_lines(self) -> str:
        """Return the end of what the runs printed, for a failure: the folder may be gone when somebody looks."""
        if not self.log.exists():
            return "nothing"
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])

    def _play(self, step: Step) -> None:
        self.prepare(step)
        self.before_run(step)
        for fault in step.faults:
            self._faults(fault.system).add(fault.target, fault.kind, times=fault.times, **fault.detail)  # type: ignore[arg-type]
        try:
            self._run(step)
        finally:
            self.installation.magento.faults.clear()
            self.installation.prima.faults.clear()
            self.tidy()

    def _run(self, step: Step) -> None:
        reached = self._moment(step.kill)
        runs = [self._start() for _ in range(step.runs)]
        if step.kill is not None:
            while not reached() and not all(run.is_over for run in runs):
                time.sleep(POLL_SECONDS)
            if runs[0].kill():
                self.kills.append(step.kill.words)
        for run in runs:
            if not run.is_over:
                run.wait()

    def _start(self) -> Run:
        self.runs += 1
        return self._runner.start()

    def _moment(self, kill: Kill | None) -> Callable[[], bool]:
        """Return a question that is answered with yes as soon as the moment of the kill has come."""
        if kill is None:
            return lambda: False
        if kill.moment == "after":
            end = time.monotonic() + kill.seconds
            return lambda: time.monotonic() >= end
        if kill.moment == "ledger":
            before = self._row(kill.target)
            return lambda: self._row(kill.target) != before
        faults = self._faults(kill.system)
        is_seen = kill.moment == "seen"
        hold = faults.add(kill.target, "delay", seconds=HOLD_SECONDS, before_effect=is_seen)
        has_call = lambda: all(each["id"] != hold for each in faults.pending())  # noqa: E731
        if is_seen:
            return has_call
        return _then_wait(has_call, EFFECT_SECONDS)

    def _row(self, name: str) -> Any:
        with self._watch.connect() as connection:
            return connection.execute(text(self.rows[name])).scalar_one()

    def _faults(self, system: str) -> Faults:
        return self.installation.magento.faults if system == "magento" else self.installation.prima.faults


def _then_wait(has_come: Callable[[], bool], seconds: float) -> Callable[[], bool]:
    """Return a question that is answered with yes so many seconds after another one was."""
    since: list[float] = []

    def asked() -> bool:
        if not since and has_come():
            since.append(time.monotonic())
        return bool(since) and time.monotonic() - since[0] >= seconds

    return asked
