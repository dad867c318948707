"""A whole stock cycle is worked out unless everything that it goes by is as the last finished one left it."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.stock_marks import FinishedCycle, LevelState, StockMarks
from tasks.decide.unchanged import counts, reasons_to_work_out

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MARKS = StockMarks(**{field.name: f"the {field.name}" for field in fields(StockMarks)})
COUNTS = {"levels": 10, "to push": 3, "posted": 3, "unchanged": 5, "not in Magento": 2, "rejected": 1}
BEFORE = FinishedCycle("stock-1", AT, MARKS, COUNTS)
SETTLED = LevelState("as they were", 0)


def test_nothing_is_worked_out_while_all_is_as_it_was() -> None:
    assert reasons_to_work_out(BEFORE, MARKS, SETTLED, AT + HOUR / 2, HOUR) == []


def test_without_a_finished_cycle_there_is_nothing_to_go_by() -> None:
    assert reasons_to_work_out(None, MARKS, SETTLED, AT, HOUR) == ["no cycle was finished before"]


@pytest.mark.parametrize("name", [field.name for field in fields(StockMarks)])
def test_each_thing_that_changed_is_a_reason_of_its_own(name: str) -> None:
    now = replace(MARKS, **{name: "another"})
    assert reasons_to_work_out(BEFORE, now, SETTLED, AT, HOUR) == [f"{name.replace('_', ' ')} changed"]


def test_a_level_that_holds_another_quantity_than_its_sum_is_a_reason() -> None:
    assert reasons_to_work_out(BEFORE, MARKS, LevelState("as they were", 1), AT, HOUR) != []


@pytest.mark.parametrize("since", [HOUR, -timedelta(seconds=1)])
def test_after_the_set_time_all_is_worked_out_again_and_so_it_is_when_a_clock_went_back(since: timedelta) -> None:
    assert reasons_to_work_out(BEFORE, MARKS, SETTLED, AT + since, HOUR) == [
        "the last time was at 2026-03-02 09:00 UTC"
    ]


def test_a_mark_that_an_earlier_version_did_not_keep_counts_as_changed() -> None:
    kept = {name: mark for name, mark in MARKS.kept().items() if name != "day"}
    assert MARKS.changed(StockMarks.of(kept)) == ["day"]


def test_what_the_finished_cycle_wrote_is_unchanged_in_the_next_one() -> None:
    now = counts(COUNTS)
    assert (now["to push"], now["posted"], now["unchanged"]) == (0, 0, 8)
    assert now["levels"] == now["to push"] + now["unchanged"] + now["not in Magento"]
