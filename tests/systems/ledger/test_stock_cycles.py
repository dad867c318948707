"""The last finished stock cycle, and whether what it left is still as it was."""

from collections.abc import Callable
from dataclasses import fields

import pytest

from schemas.documents import ExceptionNote
from schemas.stock_marks import StockMarks
from tasks.systems.ledger import Ledger
from tests.systems.ledger.builders import a_level
from tests.systems.ledger.conftest import TestClock

MARKS = StockMarks(**{field.name: field.name for field in fields(StockMarks)})
KEY, OTHER = ("DRESS-RED-10", "default"), ("HAT", "default")
Change = Callable[[Ledger, TestClock], object]


def settled(ledger: Ledger) -> None:
    ledger.record_snapshot([a_level(), a_level("HAT")])
    ledger.record_push([a_level(), a_level("HAT")], "posted")


def test_a_finished_cycle_is_kept_until_the_next_one_begins(ledger: Ledger) -> None:
    assert ledger.finished_cycle() is None
    ledger.keep_finished_cycle("stock-1", MARKS, {"to push": 2})
    ledger.keep_finished_cycle("stock-2", MARKS, {"to push": 0})
    found = ledger.finished_cycle()
    assert found is not None
    assert (found.batch_id, found.marks, found.counts) == ("stock-2", MARKS, {"to push": 0})
    ledger.forget_finished_cycle()
    assert ledger.finished_cycle() is None


CHANGES: dict[str, Change] = {
    "a push": lambda ledger, _: ledger.record_push([a_level(source_qty=8)], "posted"),
    "a push whose end is open": lambda ledger, _: ledger.record_push([a_level()], "pending"),
    "a level forgotten": lambda ledger, _: ledger.forget_levels([KEY]),
    "a level to be written anew": lambda ledger, _: ledger.write_anew([KEY]),
    "another quantity read": lambda ledger, clock: ledger.confirm_levels([(*KEY, 3, clock())]),
    "two quantities read that make up for one another": lambda ledger, clock: ledger.confirm_levels(
        [(*KEY, 6, clock()), (*OTHER, 8, clock())]
    ),
    "another sum": lambda ledger, _: ledger.record_snapshot([a_level(source_qty=9)]),
    "a new level": lambda ledger, _: ledger.record_snapshot([a_level("SCARF")]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_whatever_happens_to_a_level_shows_in_the_state_of_all(
    ledger: Ledger, clock: TestClock, change: Change
) -> None:
    settled(ledger)
    before = ledger.level_state()
    assert (before, before.astray) == (ledger.level_state(), 0)
    clock.passes(minutes=1)
    change(ledger, clock)
    assert ledger.level_state() != before


def test_levels_that_hold_another_quantity_than_their_sum_are_counted(ledger: Ledger, clock: TestClock) -> None:
    settled(ledger)
    clock.passes(minutes=1)
    ledger.write_anew([KEY])
    assert ledger.level_state().astray == 1
    ledger.record_push([a_level()], "pending")
    assert ledger.level_state().astray == 0, "what is not known is asked for, it is not astray"


def test_products_and_exceptions_of_a_cycle_show_too(ledger: Ledger) -> None:
    codes = ("STOCK_NOT_IN_PRIMA",)
    products, open_now = ledger.product_state(), ledger.exception_state(codes)
    ledger.see_products([("DRESS-RED-10", "simple")])
    stocked = ledger.product_state()
    ledger.see_products([("DRESS-RED-10", "configurable")])
    assert len({products, stocked, ledger.product_state()}) == 3

    ledger.raise_exceptions("", [ExceptionNote("STOCK_DRIFT", "sku HAT", "not of these codes")])
    assert ledger.exception_state(codes) == open_now
    ledger.raise_exceptions("", [ExceptionNote("STOCK_NOT_IN_PRIMA", "sku HAT", "stays at 3")])
    raised = ledger.exception_state(codes)
    ledger.close_exceptions(subjects=["sku HAT"], by="somebody")
    assert len({open_now, raised, ledger.exception_state(codes)}) == 2, "one closed by hand is one that is gone"
