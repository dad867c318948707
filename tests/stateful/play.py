"""Plays a schedule against a whole installation: orders, faults, runs and kills."""

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from sandbox.faults import Faults
from sandbox.installation import write_installation
from tasks import connect
from tasks.systems.ledger import Ledger
from tests.installation import Installation
from tests.recorded import sample_orders
from tests.stateful.runs import Run, Runner
from tests.stateful.schedules import HOLD_SECONDS, Kill, Schedule, Step

FIRST_ENTITY = 10_000
MOST_RUNS_TO_SETTLE = 8
POLL_SECONDS = 0.002
# Long enough for an effect that has begun; the answer is held far longer.
EFFECT_SECONDS = 0.15
PRIMA = """\
3
order_timeout_seconds = 1.2
status_timeout_seconds = 1.2
retry_minutes = [0]
attempt_limit = 3"""
ROWS = {
    "pending": "select count(*) from postings where system = 'prima' and state = 'pending'",
    "posted": "select count(*) from postings where system = 'prima' and state = 'posted'",
    "accepted": "select count(*) from orders where state = 'accepted'",
    "batch": "select count(*) from batches",
    "exception": "select count(*) from exceptions",
    "note pending": "select count(*) from postings where system = 'magento' and state = 'pending'",
    "note posted": "select count(*) from postings where system = 'magento' and state = 'posted'",
    "watermark": "select max(recorded_at) from watermarks",
}


class Play:
    """One installation in which one schedule is played. `documents` are the orders that customers placed."""

    def __init__(self, schedule: Schedule, folder: Path, ledger_url: str, api_url: str, prefect_home: Path) -> None:
        self.schedule = schedule
        self.installation = Installation(folder)
        self.documents: list[dict[str, Any]] = []
        self.runs = 0
        self.kills: list[str] = []
        self._ledger_url = ledger_url
        self._api_url = api_url
        self._home = prefect_home
        self.log = folder / "runs.log"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Serve both systems, make the ledger and set everything up for short time-outs."""
        installation = self.installation
        installation.start()
        write_installation(installation.folder, {"ledger_url": self._ledger_url})
        has_overlap = self.schedule.seed % 4 < 2
        installation.configure(
            concurrency=PRIMA,
            calls_per_second="15\nread_attempts = 2",
            overlap_minutes="10" if has_overlap else "0",
        )
        with Ledger(self._ledger_url) as ledger:
            ledger.migrate()
        self._runner = Runner(installation.environment, self._api_url, self._home, self.log)
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
            is_completed = self._start().wait()
            if is_completed and not self.unsettled():
                return
        raise AssertionError(f"still not settled after {MOST_RUNS_TO_SETTLE} runs: {self.unsettled()}")

    def unsettled(self) -> list[str]:
        """Return the orders and postings on which something is still to be done."""
        with self.installation.ledger() as ledger:
            orders = ledger.orders_in_state("seen", "ready", "posting", "unknown")
            open_postings = [
                posting
                for system in ("prima", "magento")
                for posting in ledger.postings_in(system, ("pending", "unknown"))
            ]
            noted = {posting.key for posting in ledger.postings_in("magento", {"posted"})}
            failed = {note.order_number for note in ledger.exceptions(code="MAGENTO_NOTE_FAILED")}
            unnoted = [
                f"{order.order_number} has no note"
                for order in ledger.orders_in_state("accepted")
                if f"magento/order_note/{order.order_number}" not in noted and order.order_number not in failed
            ]
        return [
            *(f"order {order.order_number} {order.state}" for order in orders),
            *(f"{posting.key} {posting.state}" for posting in open_postings),
            *unnoted,
        ]

    def _play(self, step: Step) -> None:
        self._place(step.new_orders)
        self._touch(step.touched)
        self.installation.prima.settings.vat_inclusive = not step.refuses
        for fault in step.faults:
            self._faults(fault.system).add(fault.target, fault.kind, times=fault.times, **fault.detail)  # type: ignore[arg-type]
        try:
            self._run(step)
        finally:
            self.installation.magento.faults.clear()
            self.installation.prima.faults.clear()
            self.installation.prima.settings.vat_inclusive = True

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

    def _row(self, name: str) -> object:
        with self._watch.connect() as connection:
            return connection.execute(text(ROWS[name])).scalar_one()

    def _faults(self, system: str) -> Faults:
        return self.installation.magento.faults if system == "magento" else self.installation.prima.faults

    def _place(self, count: int) -> None:
        """Let customers place orders: recorded documents under numbers and times of their own."""
        pool = sample_orders()
        placed = []
        for _ in range(count):
            number = FIRST_ENTITY + len(self.documents)
            place = (self.schedule.seed * 31 + len(self.documents) * 7) % len(pool)
            placed.append(renumbered(pool[place], number))
            self.documents.append(placed[-1])
        self.installation.holds(*placed)

    def _touch(self, count: int) -> None:
        """Let somebody at Magento's admin change the status of orders."""
        with connect.open_magento(self.installation.settings) as magento:
            for document in self.documents[:count]:
                status = f"processing_{len(magento.order(document['entity_id'])['status'])}"
                magento.save_order(document["entity_id"], status=status)


def renumbered(document: dict[str, Any], entity_id: int) -> dict[str, Any]:
    """Return a copy of an order document as an order of its own, placed just now."""
    order = copy.deepcopy(document)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    order |= {"entity_id": entity_id, "increment_id": f"{entity_id:09d}", "created_at": now, "updated_at": now}
    for line in order["items"]:
        line["order_id"] = entity_id
        line["item_id"] += entity_id * 1000
        if line.get("parent_item_id"):
            line["parent_item_id"] += entity_id * 1000
    return order


def _then_wait(has_come: Callable[[], bool], seconds: float) -> Callable[[], bool]:
    """Return a question that is answered with yes so many seconds after another one was."""
    since: list[float] = []

    def asked() -> bool:
        if not since and has_come():
            since.append(time.monotonic())
        return bool(since) and time.monotonic() - since[0] >= seconds

    return asked
