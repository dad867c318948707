"""Random schedules: orders come in, runs start, something goes wrong, runs are killed. Everything from one seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

System = Literal["magento", "prima"]
LEDGERS = ("sqlite", "postgresql")
# Longer than the time-outs of the installation under test: the client gives up first.
TOO_LATE_SECONDS = 4.5
# Long enough for the test to see the call and kill the run in it.
HOLD_SECONDS = 0.5


@dataclass(frozen=True)
class Fault:
    """A fault to be planned on a stand-in, as `Faults.add` takes it."""

    system: System
    target: str
    kind: str
    times: int = 1
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def may_repeat_a_posting(self) -> bool:
        """Whether PRIMA may take an order although it said, or seemed to say, that it did not."""
        is_late = bool(self.detail.get("before_effect"))
        is_lie = self.kind == "status" and bool(self.detail.get("after_effect")) and self.detail.get("status") == 503
        return self.system == "prima" and self.target == "MultiNewOrder" and (is_late or is_lie)


@dataclass(frozen=True)
class Kill:
    """When a run is killed.

    `seen`: a system has the call, but it has had no effect. `answered`: it had its effect, the answer is on its way.
    `ledger`: a row with these words has just been committed there. `after`: so many seconds from the start.
    """

    moment: Literal["seen", "answered", "ledger", "after"]
    system: System = "prima"
    target: str = ""
    seconds: float = 0.0

    @property
    def words(self) -> str:
        """The boundary in a few words."""
        return f"{self.moment} {self.target}".strip() if self.moment != "after" else "at a random moment"


@dataclass(frozen=True)
class Step:
    """New orders and changes, then a run (or two at once) under faults, perhaps killed."""

    new_orders: int
    touched: int
    faults: tuple[Fault, ...]
    kill: Kill | None
    runs: int
    refuses: bool

    @property
    def words(self) -> str:
        """The step in one line, for whoever reads a failure."""
        parts = [f"{self.new_orders} new", f"{self.touched} touched", f"{self.runs} run"]
        parts += ["PRIMA refuses"] if self.refuses else []
        parts += [f"{each.system} {each.target} {each.kind}x{each.times} {dict(each.detail)}" for each in self.faults]
        parts += [f"killed: {self.kill}"] if self.kill else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Schedule:
    """Steps that one seed makes, on one of the two ledgers."""

    seed: int
    ledger: str
    steps: tuple[Step, ...]

    @property
    def may_repeat_a_posting(self) -> bool:
        """Whether PRIMA may rightly be asked twice for an order that it has."""
        late_kill = any(
            step.kill and step.kill.moment == "seen" and step.kill.target == "MultiNewOrder" for step in self.steps
        )
        return late_kill or any(fault.may_repeat_a_posting for step in self.steps for fault in step.faults)

    @property
    def words(self) -> str:
        """The whole schedule as text."""
        lines = [f"{number}. {step.words}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([f"seed {self.seed} on {self.ledger}", *lines])


def kind_of_ledger(seed: int) -> str:
    """Return on which of the two ledgers the schedule of a seed is played: they take turns."""
    return LEDGERS[seed % len(LEDGERS)]


def schedule(seed: int) -> Schedule:
    """Return the schedule of a seed: the same one each time."""
    dice = random.Random(f"orders exactly once {seed}")
    steps = tuple(_step(dice, is_first=number == 0) for number in range(dice.randint(2, 4)))
    return Schedule(seed, kind_of_ledger(seed), steps)


def _step(dice: random.Random, *, is_first: bool) -> Step:
    kill = _kill(dice) if dice.random() < 0.7 else None
    faults = [_fault(dice) for _ in range(dice.choice((0, 1, 1, 2)) if kill else dice.choice((1, 2, 3)))]
    return Step(
        new_orders=dice.randint(2, 5) if is_first else dice.randint(0, 3),
        touched=0 if is_first else dice.choice((0, 0, 1)),
        faults=tuple(faults),
        kill=kill,
        runs=2 if dice.random() < 0.15 else 1,
        refuses=dice.random() < 0.1,
    )


_CALLS: tuple[tuple[System, str], ...] = (
    ("prima", "MultiNewOrder"),
    ("prima", "MultiNewOrder"),
    ("prima", "MultiNewOrder"),
    ("prima", "OrderStatus"),
    ("prima", "wsdl"),
    ("magento", "GET /V1/orders"),
    ("magento", "POST /V1/orders"),
)
_LEDGER_ROWS = ("pending", "posted", "accepted", "batch", "exception", "note pending", "note posted", "watermark")


def _kill(dice: random.Random) -> Kill:
    moment = dice.choice(("seen", "answered", "answered", "ledger", "ledger", "ledger", "after"))
    if moment == "after":
        return Kill("after", seconds=round(dice.uniform(0.05, 1.8), 2))
    if moment == "ledger":
        return Kill("ledger", target=dice.choice(_LEDGER_ROWS))
    system, target = dice.choice(_CALLS)
    return Kill("seen" if moment == "seen" else "answered", system, target)


def _fault(dice: random.Random) -> Fault:
    system, target = dice.choice(_CALLS)
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("lose_answer", {}),
        ("reset", {}),
        ("status", {"status": 500, "after_effect": dice.random() < 0.5}),
        ("status", {"status": 503, "after_effect": dice.random() < 0.2}),
        ("truncate", {"close": dice.random() < 0.5}),
    ]
    if system == "prima":
        kinds.append(("delay", {"seconds": TOO_LATE_SECONDS, "before_effect": dice.random() < 0.3}))
    if system == "prima" and target != "wsdl":
        kinds.append(("soap_fault", {"text": "No agents available (8089)"}))
        kinds.append(("soap_fault", {"text": "The procedure ended with STOP", "after_effect": dice.random() < 0.5}))
        kinds.append(("cut_answer", {"share": dice.choice((0, 0.5))}))
    if target == "GET /V1/orders":
        kinds += [("duplicate_page", {}), ("duplicate_page", {})]
    kind, detail = dice.choice(kinds)
    return Fault(system, target, kind, dice.choice((1, 1, 2)), detail)
