"""Held snapshots in the ledger: one open at a time, and each decision with a name and a reason."""

from datetime import timedelta

import pytest

from schemas.brakes import BrakeFigures, Risk, Snapshot, Verdict
from tasks.errors import NotFoundError
from tasks.systems.ledger import Ledger, LedgerStateError
from tests.systems.ledger.conftest import TestClock

FIGURES = BrakeFigures(100, 90, 100, 90, 80, 70, 4_000, 120, 3_880)
RISK = Risk(123_456, "GBP", 2, ("HAT: 50 -> 0 (£500.00)",))


def a_verdict(hold_id: str = "", units: dict[str, int] | None = None) -> Verdict:
    snapshot = Snapshot(90, {"HAT": 0, "COAT £ 5": 2} if units is None else units)
    return Verdict("held", snapshot, FIGURES, ("all sold out",), hold_id)


def test_a_held_snapshot_is_kept_as_it_was_and_counted_while_it_comes_again(ledger: Ledger, clock: TestClock) -> None:
    assert ledger.open_hold() is None
    hold_id = ledger.hold_snapshot("b1", a_verdict(), RISK)
    clock.passes(minutes=15)
    assert ledger.hold_snapshot("b2", a_verdict(hold_id), RISK) == hold_id
    found = ledger.open_hold()
    assert found is not None
    assert (found.hold_id, found.batch_id, found.state, found.times_held) == (hold_id, "b1", "held", 2)
    assert (found.figures, found.snapshot) == (FIGURES, Snapshot(90, {"HAT": 0, "COAT £ 5": 2}))
    assert (found.top, found.value_at_risk_pence) == (RISK.top, 123_456)
    assert found.last_held_at - found.held_at == timedelta(minutes=15)
    assert found == ledger.stock_hold(hold_id)


def test_who_decided_what_when_and_why_is_kept(ledger: Ledger, clock: TestClock) -> None:
    hold_id = ledger.hold_snapshot("b1", a_verdict(), RISK)
    ledger.decide_hold(hold_id, "refuse", by="ann", why="the export is broken")
    clock.passes(minutes=5)
    ledger.decide_hold(hold_id, "release", by="bob", why="the warehouse is closed")
    clock.passes(minutes=5)
    ledger.end_hold(hold_id, "passed", batch_id="b2")
    events = [(each.actor, each.event, each.text) for each in ledger.stock_hold_events(hold_id)]
    assert events == [
        ("batch b1", "held", "all sold out"),
        ("ann", "refused", "the export is broken"),
        ("bob", "released", "the warehouse is closed"),
        ("batch b2", "passed", ""),
    ]
    assert ledger.open_hold() is None


def test_another_deviation_replaces_the_open_hold_with_its_release(ledger: Ledger, clock: TestClock) -> None:
    first = ledger.hold_snapshot("b1", a_verdict(), RISK)
    ledger.decide_hold(first, "release", by="ann", why="right")
    clock.passes(seconds=1)
    second = ledger.hold_snapshot("b2", a_verdict(units={"HAT": 9}), RISK)
    assert first != second
    (open_hold, replaced) = ledger.open_hold(), ledger.stock_hold(first)
    assert open_hold is not None
    assert replaced is not None
    assert (open_hold.hold_id, open_hold.state, replaced.state) == (second, "held", "replaced")
    with pytest.raises(LedgerStateError, match="replaced"):
        ledger.decide_hold(first, "release", by="ann", why="right")


def test_what_cannot_be_decided_is_refused_and_changes_nothing(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError):
        ledger.decide_hold("nothing", "release", by="ann", why="right")
    empty = Verdict("held", Snapshot(0, {}), FIGURES, ("no row",))
    hold_id = ledger.hold_snapshot("b1", empty, RISK)
    with pytest.raises(LedgerStateError, match="no usable row"):
        ledger.decide_hold(hold_id, "release", by="ann", why="right")
    assert [each.event for each in ledger.stock_hold_events(hold_id)] == ["held"]


def test_the_last_snapshot_that_was_not_held_is_what_the_next_one_is_compared_with(ledger: Ledger) -> None:
    assert ledger.baseline() == Snapshot(0, {})
    ledger.keep_baseline(Snapshot(2, {"HAT": 1, "COAT £ 5": 0}), batch_id="b1")
    ledger.keep_baseline(Snapshot(3, {"COAT £ 5": 7}), batch_id="b2")
    assert ledger.baseline() == Snapshot(3, {"COAT £ 5": 7})
