"""Stock decisions, for any snapshot: the sum of each level, the order of writing, and that no row is lost."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.batches import CheckedBatch
from schemas.buffers import Buffers
from schemas.documents import SourceKey, StockRow, StockTuple
from schemas.items import ItemIndex
from schemas.rules import StockRules
from schemas.stock import StockEvidence, StockRows
from tasks import connect
from tasks.decide import stock as decide
from tasks.normalise import stock as normalise
from tasks.settings import Settings
from tasks.validate import split_batch

SKUS = [f"SKU-{number}" for number in range(8)]
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
units = st.integers(min_value=0, max_value=200)
by_sku = st.dictionaries(st.sampled_from(SKUS), units)
snapshots = st.dictionaries(st.sampled_from([*SKUS, "", "", ""]), units, min_size=1)


def checked(available: dict[str, str] | dict[str, int], unmapped: frozenset[str] = frozenset()) -> CheckedBatch:
    """Return a validated batch with one row per SKU; PRIMA knows each by its SKU without the hyphen."""
    return split_batch(StockRows, frame(available, unmapped))


def sound(available: dict[str, int], unmapped: frozenset[str] = frozenset()) -> CheckedBatch:
    """Return the same for quantities that are known to fit the schema, without the time that looking takes."""
    rows = frame(available, unmapped)
    return CheckedBatch(rows, rows.head(0).assign(reason="", detail=""))


def frame(available: dict[str, str] | dict[str, int], unmapped: frozenset[str]) -> pd.DataFrame:
    items = {sku: StockTuple(sku.replace("-", "") or "NOWEB") for sku in available}
    index = ItemIndex((sku, item) for sku, item in items.items() if sku not in unmapped)
    rows = [StockRow(items[sku], str(quantity), "") for sku, quantity in available.items()]
    return normalise.stock(rows, index, rules())


def rules(buffer: int = 0, buffers: dict[str, int] | None = None) -> StockRules:
    return StockRules("default", Buffers(buffer, buffers or {}))


def evidence(in_magento: dict[str, int], open_units: dict[str, int] | None = None) -> StockEvidence:
    return StockEvidence(_at_default(open_units or {}), _at_default(in_magento), NOW)


def _at_default(units_by_sku: dict[str, int]) -> dict[SourceKey, int]:
    return {(sku, "default"): quantity for sku, quantity in units_by_sku.items()}


@given(available=units, buffer=units, open_units=units, unaccepted=units)
def test_the_shop_sells_what_is_free_less_the_buffer_and_never_more(
    available: int, buffer: int, open_units: int, unaccepted: int
) -> None:
    source = decide.source_qty(available, buffer, open_units)
    salable = max(0, source - open_units - unaccepted)  # what Magento makes of it
    assert salable == max(0, max(0, available - buffer) - unaccepted)
    assert source >= open_units, "the last accepted unit could not be shipped"


@given(snapshot=snapshots, in_magento=by_sku, open_units=by_sku, buffer=st.integers(0, 20), buffers=by_sku)
def test_every_accepted_row_is_in_exactly_one_list_with_its_sum(
    snapshot: dict[str, int],
    in_magento: dict[str, int],
    open_units: dict[str, int],
    buffer: int,
    buffers: dict[str, int],
) -> None:
    batch = sound(snapshot, unmapped=frozenset({""}))
    plan = decide.stock(batch, evidence(in_magento, open_units), rules(buffer, buffers))

    pushed = {level.sku for level in plan.to_push}
    known = {level.sku for level in plan.levels}
    mapped = set(snapshot) - {""}
    assert plan.counted + plan.unmapped == len(batch.accepted)
    assert len(plan.to_push) + plan.unchanged + len(plan.not_in_magento) == plan.levels_in_all == plan.counted
    assert plan.unmapped == len(snapshot) - len(mapped)
    assert known == mapped & set(in_magento)
    assert set(plan.not_in_magento) == mapped - set(in_magento)
    for level in plan.levels:
        kept_back = buffers.get(level.sku, buffer)
        assert level.source_qty == max(0, snapshot[level.sku] - kept_back) + open_units.get(level.sku, 0)
        assert (level.sku in pushed) == (level.source_qty != in_magento[level.sku])


@given(snapshot=snapshots, in_magento=by_sku)
@example(snapshot={"SKU-0": 9, "SKU-1": 3, "SKU-2": 0}, in_magento={"SKU-0": 5, "SKU-1": 5, "SKU-2": 5})
def test_sold_out_comes_first_then_what_falls_then_what_rises(
    snapshot: dict[str, int], in_magento: dict[str, int]
) -> None:
    plan = decide.stock(sound(snapshot, unmapped=frozenset({""})), evidence(in_magento), rules())
    changes = [(level.source_qty == 0, level.source_qty - in_magento[level.sku]) for level in plan.to_push]
    ranks = [0 if is_sold_out else 1 if change < 0 else 2 for is_sold_out, change in changes]
    assert all(earlier <= later for earlier, later in pairwise(ranks))
    assert 0 not in [change for _, change in changes]


@given(snapshot=snapshots, in_magento=by_sku)
def test_a_sku_that_the_snapshot_lacks_is_never_written_and_always_listed(
    snapshot: dict[str, int], in_magento: dict[str, int]
) -> None:
    plan = decide.stock(sound(snapshot, unmapped=frozenset({""})), evidence(in_magento), rules())
    absent = set(in_magento) - set(snapshot)
    assert {note.sku for note in plan.exceptions if note.code == "STOCK_NOT_IN_PRIMA"} == absent
    assert absent.isdisjoint(level.sku for level in plan.levels)


@pytest.mark.parametrize("quantity", ["-1", "2.5", "many", "", " ", "NaN", "Infinity", "1,000", "9" * 30, "1e30"])
def test_a_row_without_a_usable_quantity_is_rejected_alone_and_leaves_its_sku_alone(quantity: str) -> None:
    batch = checked({"SKU-1": "4", "SKU-2": quantity, "SKU-3": "0"})
    assert list(batch.accepted["sku"]) == ["SKU-1", "SKU-3"]
    (note,) = decide.rejected(batch.rejected)
    assert (note.code, note.subject, note.sku) == ("STOCK_ROW_REJECTED", "item SKU2////", "SKU-2")

    plan = decide.stock(batch, evidence({"SKU-1": 4, "SKU-2": 7, "SKU-3": 1}), rules())
    assert [(level.sku, level.source_qty) for level in plan.to_push] == [("SKU-3", 0)]
    assert plan.exceptions == []


def test_two_rows_of_one_item_are_both_rejected_because_nobody_knows_which_is_true() -> None:
    item = StockTuple("TEE", "NAVY", "M")
    rows = [StockRow(item, "4", ""), StockRow(item, "9", ""), StockRow(StockTuple("TEE", "NAVY", "L"), "1", "")]
    index = ItemIndex([("TEE-NAVY-M", item), ("TEE-NAVY-L", rows[2].item)])
    batch = split_batch(StockRows, normalise.stock(rows, index, rules()))
    assert list(batch.accepted["sku"]) == ["TEE-NAVY-L"]
    assert list(batch.rejected["sku"]) == ["TEE-NAVY-M", "TEE-NAVY-M"]


def test_an_expected_date_that_is_none_rejects_its_row_and_a_real_one_is_kept() -> None:
    rows = [StockRow(StockTuple("A"), "0", "31/02/2027"), StockRow(StockTuple("B"), "0", "28/02/2027")]
    index = ItemIndex([("A", rows[0].item), ("B", rows[1].item)])
    batch = split_batch(StockRows, normalise.stock(rows, index, rules()))
    plan = decide.stock(batch, evidence({"A": 1, "B": 1}), rules())
    assert [(level.sku, str(level.available_date)) for level in plan.to_push] == [("B", "2027-02-28")]


def test_dates_that_are_past_too_far_ahead_or_a_placeholder_are_not_believed() -> None:
    dates = {
        "PAST": "22/11/2026", "SOON": "22/01/2027", "FAR": "23/01/2027", "FILLER": "31/12/2026", "TODAY": "23/11/2026",
    }  # fmt: skip
    rows = [StockRow(StockTuple(code), "0", text) for code, text in dates.items()]
    index = ItemIndex([(row.item.product, row.item) for row in rows])
    wary = replace(rules(), date_horizon_days=60, placeholder_dates=frozenset({date(2026, 12, 31)}))

    batch = split_batch(StockRows, normalise.stock(rows, index, wary))
    plan = decide.stock(batch, evidence(dict.fromkeys(dates, 1)), wary)

    assert {level.sku: level.available_date for level in plan.to_push} == {
        "PAST": None, "SOON": date(2027, 1, 22), "FAR": None, "FILLER": None, "TODAY": date(2026, 11, 23),
    }  # fmt: skip


def test_a_missing_row_is_told_unless_the_settings_ignore_it_and_never_written() -> None:
    batch = checked({"SKU-1": "4"})
    silent = replace(rules(), reports_missing=False)

    told, ignored = (decide.stock(batch, evidence({"SKU-1": 4, "GONE": 9}), each) for each in (rules(), silent))

    assert [note.code for note in told.exceptions] == ["STOCK_NOT_IN_PRIMA"]
    assert ignored.exceptions == []
    assert not [level for plan in (told, ignored) for level in plan.to_push]


def test_the_settings_of_primas_stock_reach_the_decision() -> None:
    settings = Settings.from_file(Path(__file__).parents[2] / "docs" / "settings-example.toml")

    found = connect.stock_rules(settings)

    assert (found.date_horizon_days, found.placeholder_dates) == (60, frozenset({date(2027, 12, 31)}))
    assert found.reports_missing
