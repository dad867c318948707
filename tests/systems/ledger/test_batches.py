"""Batches with their control totals, and watermarks that only move forward."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest

from schemas.documents import ControlTotals, Watermark
from tasks.systems.ledger import Ledger, LedgerStateError
from tests.systems.ledger.builders import PLACED
from tests.systems.ledger.conftest import TestClock

SECOND = timedelta(seconds=1)


def test_a_watermark_moves_forward_by_time_and_then_by_key(ledger: Ledger) -> None:
    assert ledger.watermark("orders") is None
    assert ledger.set_watermark(Watermark("orders", PLACED, 7), "b1")
    assert ledger.set_watermark(Watermark("orders", PLACED, 8), "b2")
    assert ledger.set_watermark(Watermark("orders", PLACED + SECOND, 1), "b3")
    assert ledger.watermark("orders") == Watermark("orders", PLACED + SECOND, 1)
    assert ledger.watermark("invoices") is None


@pytest.mark.parametrize("behind", [Watermark("orders", PLACED, 7), Watermark("orders", PLACED, 6)])
@pytest.mark.parametrize("key", [7, 100])
def test_a_watermark_never_goes_back(ledger: Ledger, behind: Watermark, key: int) -> None:
    ledger.set_watermark(Watermark("orders", PLACED, 7), "b1")
    assert not ledger.set_watermark(behind, "b2")
    assert not ledger.set_watermark(Watermark("orders", PLACED - SECOND, key), "b3")
    assert ledger.watermark("orders") == Watermark("orders", PLACED, 7)


def test_of_many_workers_the_furthest_watermark_stays(ledger: Ledger) -> None:
    marks = [Watermark("orders", PLACED + SECOND * (number * 37 % 50), number) for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda mark: ledger.set_watermark(mark, "b"), marks))
    assert ledger.watermark("orders") == max(marks, key=lambda mark: mark.at)


def test_a_batch_keeps_its_window_state_and_control_totals(ledger: Ledger, clock: TestClock) -> None:
    batch_id = ledger.open_batch("orders", PLACED, PLACED + SECOND)
    opened = ledger.batch(batch_id)
    assert opened is not None
    assert (opened.stream, opened.state, opened.closed_at) == ("orders", "open", None)
    assert (opened.window_start, opened.window_end) == (PLACED, PLACED + SECOND)
    closed_at = clock.passes(seconds=9)
    totals = {"fetched": ControlTotals(2, 4998, 999, 5997), "rate": Decimal("17.5"), "by state": {"posted": 2}}
    ledger.close_batch(batch_id, "closed", totals)
    closed = ledger.batch(batch_id)
    assert closed is not None
    assert (closed.state, closed.closed_at) == ("closed", closed_at)
    assert closed.control_totals == {
        "fetched": {"count": 2, "net_pence": 4998, "vat_pence": 999, "gross_pence": 5997},
        "rate": "17.5",
        "by state": {"posted": 2},
    }


def test_a_batch_is_closed_once_and_repeating_it_does_nothing(ledger: Ledger) -> None:
    batch_id = ledger.open_batch("orders", PLACED, PLACED + SECOND)
    ledger.close_batch(batch_id, "closed", {"fetched": 2})
    ledger.close_batch(batch_id, "closed", {"fetched": 2})
    with pytest.raises(LedgerStateError, match="already closed with other figures"):
        ledger.close_batch(batch_id, "closed", {"fetched": 3})
    with pytest.raises(LedgerStateError, match="not known"):
        ledger.close_batch("orders-nowhere", "closed", {})
    with pytest.raises(ValueError, match="open"):
        ledger.close_batch(batch_id, "open", {})


def test_batches_are_listed_newest_first(ledger: Ledger, clock: TestClock) -> None:
    first = ledger.open_batch("orders", PLACED, PLACED)
    clock.passes(minutes=1)
    second = ledger.open_batch("orders", PLACED, PLACED)
    clock.passes(minutes=1)
    other = ledger.open_batch("inventory", PLACED, PLACED)
    assert [batch.batch_id for batch in ledger.batches("orders")] == [second, first]
    assert [batch.batch_id for batch in ledger.batches(limit=2)] == [other, second]
