"""The census, the gaps and the silence: what is decided, without any system."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.census import CensusEvidence, CensusRule, KnownOrder, ListedOrder, SilenceRule
from tasks.decide import census as decide
from tests.builders import order_rules

NOW = datetime(2026, 11, 25, 3, 30, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
RULE = CensusRule(not_in_prima=DAY)


def listed(number: str = "000000101", **facts: Any) -> ListedOrder:
    """An order in Magento's list, placed two days ago."""
    values: dict[str, Any] = {
        "entity_id": 101,
        "order_number": number,
        "store_id": 1,
        "state_magento": "processing",
        "status_magento": "processing",
        "placed_at": NOW - 2 * DAY,
        "updated_at": NOW - 2 * DAY,
        "currency": "GBP",
        "gross_pence": 5997,
    }
    return ListedOrder(**{**values, **facts})


def known(number: str = "000000101", **facts: Any) -> KnownOrder:
    """The same order in the ledger, accepted two days ago."""
    values: dict[str, Any] = {
        "order_number": number,
        "store_id": 1,
        "state": "accepted",
        "state_since": NOW - 2 * DAY,
        "state_magento": "processing",
        "status_magento": "processing",
        "placed_at": NOW - 2 * DAY,
        "updated_at": NOW - 2 * DAY,
        "accepted_at": NOW - 2 * DAY,
        "order_number_prima": f"30{number[-6:]}",
        "currency": "GBP",
        "gross_pence": 5997,
    }
    return KnownOrder(**{**values, **facts})


def evidence(*orders: KnownOrder, **facts: Any) -> CensusEvidence:
    """What ledger and PRIMA say; PRIMA shows nothing unless told otherwise."""
    values: dict[str, Any] = {
        "since": NOW - WEEK,
        "taken_at": NOW,
        "recorded_until": NOW - timedelta(minutes=5),
        "known": {order.order_number: order for order in orders},
        "noted": {},
        "shown": frozenset(),
        "shown_as_at": NOW,
    }
    return CensusEvidence(**{**values, **facts})


def status(order: KnownOrder | None = None, **facts: Any) -> tuple[str, list[str]]:
    """The status of the one listed order, and the codes of what a person must see."""
    found = decide.census([listed()], evidence(*([order] if order else []), **facts), RULE, order_rules())
    return found.statuses["000000101"], [note.code for note in found.exceptions]


WAITING = {"accepted_at": None, "order_number_prima": ""}


@pytest.mark.parametrize(
    ("order", "facts", "expected"),
    [
        (known(), {"shown": frozenset({"30000101"})}, ("in PRIMA", [])),
        (known(), {}, ("accepted, but not in PRIMA", ["NOT_IN_PRIMA"])),
        (known(), {"noted": {"000000101": frozenset({"NOT_VISIBLE_IN_PRIMA"})}}, ("accepted, but not in PRIMA", [])),
        (known(accepted_at=NOW - DAY), {}, ("accepted, not shown by PRIMA yet", [])),
        (known(), {"shown_as_at": NOW - 2 * DAY}, ("accepted, not shown by PRIMA yet", [])),
        (known(), {"shown": None, "shown_as_at": None}, ("accepted, nothing to check with", [])),
        (known(state="cancelled"), {}, ("accepted, but not in PRIMA", ["NOT_IN_PRIMA"])),
        (known(state="cancelled", **WAITING), {}, ("cancelled before PRIMA", [])),
        (known(state="excluded", **WAITING), {}, ("left out", [])),
        (known(state="ready", state_since=NOW - HOUR, **WAITING), {}, ("on its way", [])),
        (known(state="ready", **WAITING), {}, ("stuck", ["ORDER_STUCK"])),
        (known(state="held", **WAITING), {}, ("stuck", ["ORDER_STUCK"])),
        (
            known(state="held", **WAITING),
            {"noted": {"000000101": frozenset({"SKU_UNKNOWN"})}},
            ("held", []),
        ),
        (
            known(state="held", **WAITING),
            {"noted": {"000000101": frozenset({"ORDER_STUCK"})}},
            ("stuck", ["ORDER_STUCK"]),
        ),
        (None, {"noted": {"000000101": frozenset({"TOTALS_DISAGREE"})}}, ("rejected", [])),
        (None, {}, ("not in the ledger", [])),
    ],
)  # fmt: skip
def test_every_listed_order_has_one_status(
    order: KnownOrder | None, facts: dict[str, Any], expected: tuple[str, list[str]]
) -> None:
    assert status(order, **facts) == expected


def test_an_order_that_changed_within_the_hour_is_left_to_the_next_run() -> None:
    fresh = listed(updated_at=NOW - HOUR)
    assert decide.orders_to_read([fresh], evidence(), RULE) == []
    assert decide.census([fresh], evidence(), RULE, order_rules()).statuses["000000101"] == "just placed"
    older = replace(fresh, updated_at=NOW - HOUR - timedelta(seconds=1))
    assert decide.orders_to_read([older], evidence(), RULE) == ["000000101"]


def test_an_order_that_waits_for_its_age_is_not_stuck() -> None:
    rules = order_rules(as_at=NOW, minimum_age=3 * DAY)
    young = known(state="seen", **WAITING)
    assert decide.census([listed()], evidence(young), RULE, rules).statuses["000000101"] == "on its way"


def test_an_order_that_changed_unseen_is_read_again_and_one_that_was_rejected_is_not() -> None:
    cancelled = listed(state_magento="canceled", status_magento="canceled")
    assert decide.orders_to_read([cancelled], evidence(known()), RULE) == ["000000101"]
    assert decide.orders_to_read([listed()], evidence(known()), RULE) == []
    rejected = {"000000101": frozenset({"ROW_REJECTED"})}
    assert decide.orders_to_read([listed()], evidence(noted=rejected), RULE) == []


def test_only_an_order_that_the_stream_had_passed_is_late() -> None:
    order = listed()
    (note,) = decide.found_late([order], ["000000101"], evidence())
    assert (note.code, note.subject, note.value_at_risk_pence) == ("ORDER_FOUND_LATE", "order 000000101", 5997)
    behind = evidence(recorded_until=order.updated_at - HOUR)
    assert decide.found_late([order], ["000000101"], behind) == []
    assert decide.found_late([order], ["000000101"], evidence(recorded_until=None)) == []


def labels(*numbers: str | tuple[str, timedelta], step: int = 1) -> list[str]:
    """The gaps between these numbers; a number alone was placed two days ago."""
    timed = [(each, NOW - 2 * DAY) if isinstance(each, str) else (each[0], NOW - each[1]) for each in numbers]
    return [gap.label for gap in decide.gaps(timed, NOW, step=step)]


def test_each_store_view_has_a_sequence_of_its_own() -> None:
    assert labels("000000007", "000000010", "4000000001", "4000000003", "2000000008") == [
        "000000008 to 000000009",
        "4000000002",
    ]


def test_an_order_edited_in_the_admin_stands_under_its_first_number() -> None:
    assert labels("000000007", "000000008-1", "000000009-12") == []


def test_numbers_of_another_shape_are_a_sequence_too() -> None:
    assert labels("UK-9", "UK-12", "WEB", "UK-X") == ["UK-10 to UK-11"]


def test_a_gap_is_left_alone_for_an_hour_after_the_order_behind_it() -> None:
    assert labels("000000001", ("000000003", HOUR - timedelta(seconds=1))) == []
    assert labels("000000001", ("000000003", HOUR)) == ["000000002"]
    assert labels("000000001", ("000000003", 2 * HOUR), ("000000005", timedelta(0))) == ["000000002"]


def test_numbers_that_grow_by_three_have_gaps_of_three() -> None:
    assert labels("000000001", "000000004", "000000010", step=3) == ["000000007"]


def test_what_magento_has_divides_a_gap() -> None:
    (gap,) = decide.gaps([("000000001", NOW - DAY), ("000000010", NOW - DAY)], NOW)
    there = ["000000002", "000000005", "000000006", "000000009", "4000000007"]
    assert [left.label for left in decide.absent(gap, there)] == ["000000003 to 000000004", "000000007 to 000000008"]
    assert decide.absent(gap, gap.numbers()) == []
    assert decide.absent(gap, []) == [gap]
    assert decide.gap_note(gap).subject == "order numbers 000000002 to 000000009"


def test_old_orders_and_exceptions_do_not_open_a_gap_down_to_their_numbers() -> None:
    old = known("000000001", placed_at=NOW - 30 * DAY)
    found = decide.gaps_of(
        [listed("000000500"), listed("000000503")],
        evidence(old, noted={"000000002": frozenset({"SKU_UNKNOWN"}), "000000502": frozenset({"ROW_REJECTED"})}),
    )
    assert [gap.label for gap in found] == ["000000501"]


WATCH = SilenceRule(orders=12, shortest=timedelta(minutes=30), weeks=4)
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def busy(rate: int, *, until: datetime = MONDAY, weeks: int = 6) -> list[datetime]:
    """Orders at a steady rate an hour from 9 to 21 o'clock, none at night, up to an instant."""
    start = until - weeks * WEEK
    times = [start + n * HOUR / rate for n in range(int((until - start) / HOUR * rate))]
    return [at for at in times if 9 <= at.hour < 21] + [until]


@pytest.mark.parametrize(
    ("quiet", "is_reported"), [(timedelta(minutes=59), False), (timedelta(minutes=61), True), (5 * HOUR, True)]
)
def test_silence_is_reported_when_as_many_orders_were_to_be_expected_as_the_setting_says(
    quiet: timedelta, is_reported: bool
) -> None:
    note = decide.silence(busy(12), MONDAY + quiet, WATCH)
    assert (note is not None) is is_reported


def test_a_quiet_night_is_no_silence_but_the_morning_after_is() -> None:
    evening = MONDAY.replace(hour=20, minute=59)
    times = busy(12, until=evening)
    assert decide.silence(times, evening + 12 * HOUR, WATCH) is None
    note = decide.silence(times, evening + 13.5 * HOUR, WATCH)
    assert note is not None
    assert (note.code, note.subject) == ("ORDERS_SILENT", "stream orders")
    assert "23 November at 20:59" in note.detail


def test_a_busy_shop_is_not_reported_before_the_shortest_silence() -> None:
    times = busy(600)
    assert decide.silence(times, MONDAY + timedelta(minutes=29), WATCH) is None
    assert decide.silence(times, MONDAY + timedelta(minutes=30), WATCH) is not None


def test_without_enough_weeks_of_history_nothing_is_said() -> None:
    assert decide.silence(busy(12, weeks=3), MONDAY + DAY, WATCH) is None
    assert decide.silence([], MONDAY, WATCH) is None
    assert decide.silence(busy(12, weeks=4), MONDAY + DAY, WATCH) is not None


def test_one_promotion_does_not_make_later_evenings_suspect() -> None:
    quiet = [MONDAY - n * DAY for n in range(43)][::-1]
    sale = [MONDAY - WEEK + HOUR + n * timedelta(seconds=10) for n in range(300)]
    assert decide.silence(sorted([*quiet, *sale]), MONDAY + 4 * HOUR, WATCH) is None


def test_the_hour_of_the_week_is_londons_across_the_change_of_the_clocks() -> None:
    tuesday = datetime(2026, 10, 27, 8, 0, tzinfo=UTC)  # the clocks went back on the 25th: shop hours move in UTC
    summer = [tuesday - HOUR - DAY * n + timedelta(minutes=5 * m) for n in range(42, 1, -1) for m in range(12)]
    times = [*summer, tuesday - 21 * HOUR]
    assert decide.silence(times, tuesday, WATCH) is None
    assert decide.silence(times, tuesday + 2 * HOUR, WATCH) is not None
