"""The size of the next batch of stock levels, and the hours in which none is written."""

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.post.stock_pace import GOOD_BEFORE_GROWING, STEPS_OF_GROWTH, BatchSize, quiet_until

NIGHT = [(time(2), time(2, 30)), (time(23, 30), time(0, 15))]


def test_trouble_halves_at_once_and_good_batches_grow_slowly_back() -> None:
    size = BatchSize(200)
    size.was_too_much(200)
    size.was_too_much(100)
    assert size.size == 50
    for _ in range(GOOD_BEFORE_GROWING - 1):
        size.went_well()
    assert size.size == 50
    size.went_well()
    assert size.size == 50 + 200 // STEPS_OF_GROWTH
    for _ in range(GOOD_BEFORE_GROWING * STEPS_OF_GROWTH):
        size.went_well()
    assert size.size == 200


def test_a_limit_of_the_shop_is_kept_for_good() -> None:
    size = BatchSize(250)
    size.is_limited_to(20)
    for _ in range(100):
        size.went_well()
    assert size.size == 20


@given(most=st.integers(1, 2000), events=st.lists(st.sampled_from(["good", "bad", "limit"])))
def test_a_batch_is_never_empty_and_never_above_the_limit(most: int, events: list[str]) -> None:
    size = BatchSize(most)
    for event in events:
        before = size.size
        {"good": size.went_well, "bad": lambda: size.was_too_much(size.size), "limit": lambda: size.is_limited_to(7)}[
            event
        ]()
        assert 1 <= size.size <= most
        if event == "bad":
            assert size.size == max(1, before // 2)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-23 02:00", time(2, 30)),
        ("2026-11-23 02:30", None),
        ("2026-11-23 23:45", time(0, 15)),
        ("2026-11-23 00:10", time(0, 15)),
        ("2026-07-01 01:10", time(2, 30)),
        ("2026-07-01 02:10", None),
    ],
)
def test_quiet_times_are_londons_and_may_pass_midnight(at: str, until: time | None) -> None:
    assert quiet_until(datetime.fromisoformat(at).replace(tzinfo=UTC), NIGHT) == until
