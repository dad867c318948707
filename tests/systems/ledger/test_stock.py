"""Stock levels: the sum, what Magento is known to hold, and every push."""

from datetime import date, timedelta

import pytest

from schemas.drift import ReadBack
from tasks.systems.ledger import Ledger
from tests.systems.ledger.builders import PLACED, a_level
from tests.systems.ledger.conftest import TestClock

KEY = ("DRESS-RED-10", "default")
MINUTE = timedelta(minutes=1)


def test_the_sum_behind_a_level_can_be_shown(ledger: Ledger) -> None:
    assert ledger.stock_level("DRESS-RED-10") == []
    day = date(2026, 12, 1)
    levels = [a_level(available_date=day), a_level(source_code="leeds", available_to_sell=1, source_qty=3)]
    ledger.record_snapshot(levels)
    default, leeds = ledger.stock_level("DRESS-RED-10")
    assert (default.available_to_sell, default.buffer, default.open_units, default.source_qty) == (5, 0, 2, 7)
    assert (default.snapshot_at, default.available_date, default.confirmed_qty) == (PLACED, day, None)
    assert (leeds.source_code, leeds.source_qty) == ("leeds", 3)


def test_an_older_snapshot_does_not_replace_a_newer_one(ledger: Ledger) -> None:
    ledger.record_snapshot([a_level(source_qty=7)])
    ledger.record_snapshot([a_level(source_qty=9, snapshot_at=PLACED - MINUTE)])
    assert ledger.stock_level("DRESS-RED-10")[0].source_qty == 7
    ledger.record_snapshot([a_level(source_qty=8, snapshot_at=PLACED + MINUTE)])
    assert ledger.stock_level("DRESS-RED-10")[0].source_qty == 8


def test_a_sku_missing_from_a_snapshot_is_unchanged(ledger: Ledger) -> None:
    ledger.record_snapshot([a_level(), a_level("HAT")])
    ledger.record_snapshot([a_level("HAT", source_qty=0, snapshot_at=PLACED + MINUTE)])
    assert ledger.stock_level("DRESS-RED-10")[0].source_qty == 7


def test_what_magento_took_is_confirmed(ledger: Ledger, clock: TestClock) -> None:
    ledger.record_snapshot([a_level()])
    assert ledger.confirmed_levels() == {}
    ledger.record_push([a_level()], "pending", batch_id="b1")
    ledger.record_push([a_level()], "posted", batch_id="b1")
    assert ledger.confirmed_levels() == {KEY: 7}
    assert ledger.stock_level("DRESS-RED-10")[0].confirmed_at == clock()


@pytest.mark.parametrize("state", ["pending", "unknown"])
def test_while_the_outcome_is_open_nothing_is_confirmed(ledger: Ledger, clock: TestClock, state: str) -> None:
    ledger.confirm_levels([(*KEY, 4, PLACED)])
    ledger.record_push([a_level()], state)  # type: ignore[arg-type]
    assert ledger.confirmed_levels() == {}
    ledger.confirm_levels([(*KEY, 4, PLACED + MINUTE)])  # read before the push
    assert ledger.confirmed_levels() == {}
    ledger.confirm_levels([(*KEY, 7, clock.passes(seconds=1))])
    assert ledger.confirmed_levels() == {KEY: 7}


def test_a_refused_push_changes_nothing(ledger: Ledger) -> None:
    ledger.confirm_levels([(*KEY, 4, PLACED)])
    ledger.record_push([a_level()], "refused")
    assert ledger.confirmed_levels() == {KEY: 4}


def test_an_older_reading_does_not_replace_a_newer_one(ledger: Ledger) -> None:
    ledger.confirm_levels([(*KEY, 4, PLACED)])
    ledger.confirm_levels([(*KEY, 9, PLACED - MINUTE)])
    assert ledger.confirmed_levels() == {KEY: 4}


def test_a_level_can_be_forgotten_so_that_it_is_sent_again(ledger: Ledger) -> None:
    ledger.confirm_levels([(*KEY, 4, PLACED), ("HAT", "default", 1, PLACED)])
    ledger.forget_levels([KEY, ("NEVER-SEEN", "default")])
    assert ledger.confirmed_levels() == {("HAT", "default"): 1}


def test_every_push_is_kept_newest_first(ledger: Ledger, clock: TestClock) -> None:
    ledger.record_push([a_level(), a_level("HAT")], "pending", batch_id="b1")
    ledger.record_push([a_level()], "posted", batch_id="b1")
    pushed_at = clock.passes(minutes=15)
    ledger.record_push([a_level(source_qty=4)], "pending", batch_id="b2")
    pushes = ledger.stock_pushes("DRESS-RED-10")
    assert [(push.batch_id, push.state, push.source_qty) for push in pushes] == [
        ("b2", "pending", 4),
        ("b1", "posted", 7),
        ("b1", "pending", 7),
    ]
    assert pushes[0].pushed_at == pushed_at
    assert len(ledger.stock_pushes("DRESS-RED-10", limit=1)) == 1


def test_a_whole_catalogue_is_recorded_in_one_call(ledger: Ledger) -> None:
    levels = [a_level(f"SKU-{number}") for number in range(20_000)]
    ledger.record_snapshot(levels)
    ledger.record_push(levels, "posted")
    assert len(ledger.confirmed_levels()) == 20_000


def test_the_last_read_backs_of_a_sku_are_kept_newest_first_and_old_ones_are_forgotten(ledger: Ledger) -> None:
    ledger.record_read_backs("stock-1", [ReadBack(*KEY, PLACED, "7", 7), ReadBack("HAT", "default", PLACED, "", 4)])
    ledger.record_read_backs("check-1", [ReadBack(*KEY, PLACED + MINUTE, "7.5", 7, "fraction of a unit")])
    first, second = ledger.stock_read_backs(KEY[0])
    assert (first.read_at, first.quantity, first.expected, first.cause) == (
        PLACED + MINUTE,
        "7.5",
        7,
        "fraction of a unit",
    )
    assert (second.quantity, second.cause) == ("7", "")
    assert ledger.forget_read_backs(before=PLACED + MINUTE) == 2
    assert ledger.stock_read_backs(KEY[0]) == [first]
