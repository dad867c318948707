"""What a day carried, on both databases: counts and pence by currency, what ran, and what was not carried."""

from datetime import UTC, date, datetime, time, timedelta

from schemas.daily_facts import (
    CREDITED,
    PLACED,
    POSTED,
    REFUNDED,
    SEEN,
    STOCKED,
    TOLD,
    DayTotal,
    LastReconciliation,
    StockState,
    StreamRuns,
    UntoldDispatches,
    report_day,
)
from tasks.systems.ledger import Ledger
from tests.systems.ledger.builders import a_level, a_posting, an_accepted_order, an_order
from tests.systems.ledger.conftest import TestClock
from tests.systems.ledger.test_refunds import NOTE, REFUND

# London's 25 October 2026 has 25 hours: from 23:00 UTC of the day before to midnight UTC.
DAY = report_day(date(2026, 10, 25), datetime(2026, 10, 26, 8, tzinfo=UTC), time(7))
FIRST, LAST = DAY.start, DAY.end - timedelta(microseconds=1)
SECOND = timedelta(seconds=1)


def test_what_lies_within_londons_day_is_counted_to_the_penny_and_nothing_else(
    ledger: Ledger, clock: TestClock
) -> None:
    euros = {"currency": "EUR", "net_pence": 1000, "vat_pence": 200, "gross_pence": 1200}
    for number, at, facts in (
        ("000000101", FIRST - SECOND, {}),
        ("000000102", FIRST, {}),
        ("000000103", LAST, {}),
        ("000000104", LAST, euros),
        ("000000105", DAY.end, {}),
    ):
        clock.time = at
        an_accepted_order(ledger, number, placed_at=at, **facts)
        key = f"magento/shipment/{number}"
        shipped = a_posting(ledger, key, system="magento", operation="ship", subject=f"dispatch {number}")
        ledger.finish_posting(shipped.id, "posted", reference="7")
        ledger.record_push([a_level(f"SKU-{number}", snapshot_at=at)], "posted")
    ledger.keep_refunds([REFUND])
    ledger.keep_credit_notes([NOTE])

    found = ledger.day_totals(DAY.start, DAY.end, DAY.business_date)

    assert found == [
        DayTotal(what, count, currency, net, vat, gross)
        for what in (PLACED, SEEN, POSTED)
        for count, currency, net, vat, gross in ((1, "EUR", 1000, 200, 1200), (2, "GBP", 9996, 1998, 11994))
    ] + [DayTotal(TOLD, 3), DayTotal(REFUNDED, 0), DayTotal(CREDITED, 0), DayTotal(STOCKED, 3)]
    later = report_day(NOTE.credit_note_date, clock.time + timedelta(days=90), time(7))
    totals = {each.what: each for each in ledger.day_totals(later.start, later.end, later.business_date)}
    assert totals[CREDITED] == DayTotal(CREDITED, 1, "GBP", 1000, 200, 1200)
    assert totals[REFUNDED].count == 0
    assert ledger.day_totals(later.start - timedelta(days=1), later.start, REFUND.refund_date)[4].gross_pence == 1200


def test_an_order_is_not_posted_until_prima_has_it_and_counts_as_such_before(ledger: Ledger, clock: TestClock) -> None:
    clock.time = DAY.until - timedelta(hours=1)
    ledger.see_orders([an_order("000000101"), an_order("000000102"), an_order("000000103")])
    ledger.set_order_state("000000103", "excluded")
    clock.time = DAY.until + SECOND
    an_accepted_order(ledger, "000000102")
    ledger.see_orders([an_order("000000104")])

    assert [order.order_number for order in ledger.orders_not_posted(DAY.until)] == ["000000101", "000000102"]
    after = ledger.orders_not_posted(DAY.until + 2 * SECOND)
    assert [order.order_number for order in after] == ["000000101", "000000104"]


def test_a_stream_that_ran_before_and_not_that_day_is_named_and_the_last_reconciliation_is_told(
    ledger: Ledger, clock: TestClock
) -> None:
    assert ledger.last_reconciliation(DAY.until) is None
    assert ledger.stream_runs(DAY.start, DAY.end) == []
    clock.time = DAY.start - timedelta(days=2)
    for stream in ("refunds", "orders"):
        ledger.close_batch(ledger.open_batch(stream, clock.time, clock.time), "closed", {})
    clock.time = DAY.start - timedelta(days=8)
    ledger.close_batch(ledger.open_batch("forgotten", clock.time, clock.time), "closed", {})
    clock.time = DAY.start + timedelta(hours=2)
    ledger.open_batch("orders", clock.time, clock.time)
    ledger.close_batch(ledger.open_batch("orders", clock.time, clock.time), "closed", {})
    run_id = ledger.open_batch("reconciliation", DAY.start, DAY.end)
    clock.time = DAY.until - timedelta(hours=4)
    sums = {"magento_gross_pence": 1200, "variance_pence": -1, "prima_gross_pence": 1199}
    totals = {f"orders GBP {name}": pence for name, pence in (sums | {"unexplained_variance_pence": 0}).items()}
    ledger.close_batch(run_id, "closed", {"breaks": 1, "rejected": 0, "input_hash": "ab", **totals})

    assert ledger.stream_runs(DAY.start, DAY.end) == [
        StreamRuns("orders", 2, 1, DAY.start + timedelta(hours=2)),
        StreamRuns("reconciliation", 1, 1, DAY.until - timedelta(hours=4)),
        StreamRuns("refunds", 0, 0, None),
    ]
    assert ledger.last_reconciliation(DAY.until) == LastReconciliation(
        run_id, DAY.business_date, DAY.business_date, clock.time, 1, 0, [("orders", "GBP", 1200, -1, 1199, 0)]
    )
    assert ledger.last_reconciliation(DAY.until - timedelta(hours=5)) is None


def test_dispatches_that_the_last_run_left_for_the_next_one_are_counted_and_its_batch_is_none_that_ended_well(
    ledger: Ledger, clock: TestClock
) -> None:
    assert ledger.untold_dispatches(DAY.until) == UntoldDispatches()
    clock.time = DAY.start + timedelta(hours=1)
    for state, waits in (("closed", 0), ("waiting", 3)):
        clock.time += timedelta(hours=1)
        batch_id = ledger.open_batch("dispatches", clock.time, clock.time)
        ledger.close_batch(batch_id, state, {"waiting": {"count": waits}})
    ended = clock.time
    clock.time += timedelta(hours=1)
    ledger.close_batch(ledger.open_batch("dispatches", clock.time, clock.time), "failed", {"waiting": {"count": 0}})

    assert ledger.untold_dispatches(DAY.until) == UntoldDispatches(3, ended)
    assert ledger.untold_dispatches(ended - SECOND).count == 0
    assert ledger.stream_runs(DAY.start, DAY.end) == [
        StreamRuns("dispatches", 3, 1, ended - timedelta(hours=1)),
    ]
    assert ledger.batch_times("dispatches", since=DAY.start) == [ended - timedelta(hours=1)]


def test_levels_that_magento_is_not_known_to_hold_are_counted(ledger: Ledger) -> None:
    assert ledger.stock_state() == StockState()
    ledger.record_snapshot([a_level("A"), a_level("B"), a_level("C")])
    ledger.record_push([a_level("A")], "posted")
    ledger.record_push([a_level("B", source_qty=1)], "posted")

    assert ledger.stock_state() == StockState(levels=3, unsynced=2)


def test_a_channel_is_told_of_a_topic_once_it_took_it(ledger: Ledger) -> None:
    class Message:
        channel, topic, level, members, title, text = "finance", "daily report", 0, frozenset[int](), "", ""

        def as_json(self) -> dict[str, object]:
            return {}

    number = ledger.begin_alert(Message())
    assert ledger.begin_alert(Message()) == number
    assert not ledger.was_told("finance", "daily report")
    ledger.end_alert(number)
    assert ledger.was_told("finance", "daily report")
    assert not ledger.was_told("operations", "daily report")
