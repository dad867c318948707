"""Batches: rows leave a frame as Python's own values, and batches of orders grow as PRIMA gets more to do."""

import gc
import sys
from itertools import pairwise

import pandas as pd
import pytest

from flows.turns import TURN_SECONDS, short_turns
from schemas.batches import rows_of
from tasks.extract.orders import FIRST_BATCH, GROWTH, RECORDS_A_BATCH, enough
from tasks.normalise.orders import orders
from tests.recorded import sample_orders


def test_a_frame_leaves_as_the_rows_that_pandas_makes_of_it() -> None:
    frames = orders(sample_orders())
    for frame in (frames.orders, frames.lines, frames.orders.head(0)):
        rows = rows_of(frame)
        assert rows == frame.to_dict("records")
        assert [[type(value) for value in row.values()] for row in rows] == [
            [type(value) for value in row.values()] for row in frame.to_dict("records")
        ]


def test_an_empty_amount_stays_empty_in_its_row() -> None:
    frame = pd.DataFrame({"vat_pence": pd.array([999, None], dtype="Int64"), "sku": ["A", "B"]})
    first, second = rows_of(frame)
    assert (first["vat_pence"], type(first["vat_pence"])) == (999, int)
    assert pd.isna(second["vat_pence"])


def test_batches_grow_until_they_are_full_and_none_is_larger_than_what_the_one_before_gives_time_for() -> None:
    sizes = [enough(0)]
    while sizes[-1] < RECORDS_A_BATCH:
        sizes.append(enough(sizes[-1]))
    assert sizes == [FIRST_BATCH, 200, 400, RECORDS_A_BATCH]
    assert all(following <= GROWTH * before for before, following in pairwise(sizes))
    assert enough(3) == FIRST_BATCH  # a batch that was small because little was new


def _fail_while_turns_are_short() -> None:
    with short_turns():
        assert sys.getswitchinterval() == pytest.approx(TURN_SECONDS)
        assert gc.get_freeze_count() > 0
        raise RuntimeError


def test_turns_are_as_long_as_before_once_the_planning_is_over_or_failed() -> None:
    before = sys.getswitchinterval()
    with pytest.raises(RuntimeError):
        _fail_while_turns_are_short()
    assert sys.getswitchinterval() == pytest.approx(before)
    assert gc.get_freeze_count() == 0, "garbage is looked for everywhere again"
