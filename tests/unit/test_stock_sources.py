"""Stock by warehouse, buffers by rule and back-orders: what each source gets, and what is left alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.checks import shared_sources
from schemas.batches import CheckedBatch
from schemas.buffers import BufferRule, Buffers, Level
from schemas.documents import StockRow, StockSum, StockTuple
from schemas.items import ItemIndex
from schemas.rules import BackOrderRule, StockRules
from schemas.stock import StockEvidence, StockPlan, StockRows
from tasks.decide import stock as decide
from tasks.normalise import stock as normalise
from tasks.validate import split_batch

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MAP = {"LEEDS": "default", "BRISTOL": "default", "DUBLIN": "wh_dub", "SHOP": ""}
TEE, HAT = StockTuple("TEE", "NAVY", "M"), StockTuple("HAT")
INDEX = ItemIndex([("TEE-NAVY-M", TEE), ("HAT", HAT)])


def rules(**changes: Any) -> StockRules:
    values: dict[str, Any] = {"buffers": Buffers(), "warehouses": MAP}
    return StockRules("default", **{**values, **changes})


def row(item: StockTuple, warehouse: str, quantity: object, expected: str = "") -> StockRow:
    return StockRow(item, str(quantity), expected, warehouse)


def checked(*rows: StockRow, by: StockRules | None = None) -> CheckedBatch:
    return split_batch(StockRows, normalise.stock(rows, INDEX, by or rules()))


def planned(batch: CheckedBatch, by: StockRules | None = None, **evidence: Any) -> StockPlan:
    values: dict[str, Any] = {"open_units": {}, "in_magento": {}, "asked_at": NOW}
    return decide.stock(batch, StockEvidence(**{**values, **evidence}), by or rules())


def test_warehouses_of_one_source_are_added_up_and_open_units_count_where_they_ship() -> None:
    batch = checked(row(TEE, "LEEDS", 5), row(TEE, "BRISTOL", 3), row(TEE, "DUBLIN", 2), row(TEE, "SHOP", 90))
    plan = planned(
        batch,
        in_magento={("TEE-NAVY-M", "default"): 1, ("TEE-NAVY-M", "wh_dub"): 6},
        open_units={("TEE-NAVY-M", "default"): 4, ("TEE-NAVY-M", "wh_dub"): 1},
    )
    assert [(level.source_code, level.source_qty) for level in plan.to_push] == [("wh_dub", 3), ("default", 12)]
    assert plan.to_push[1].explanation == "BRISTOL 3, LEEDS 5"
    assert (plan.counted, plan.left_out, plan.levels_in_all, plan.exceptions) == (3, 1, 2, [])


def test_a_warehouse_that_no_setting_names_is_told_once_and_not_counted() -> None:
    plan = planned(
        checked(row(TEE, "CORK", 5), row(HAT, "CORK", 1), row(HAT, "LEEDS", 2)), in_magento={("HAT", "default"): 2}
    )
    (note,) = plan.exceptions
    assert (note.code, note.subject, note.detail) == (
        "STOCK_WAREHOUSE_UNMAPPED",
        "warehouse CORK",
        "2 rows of it are not counted",
    )
    assert (plan.unchanged, plan.left_out) == (1, 2)


def test_a_level_of_which_one_warehouse_was_rejected_stays_as_it_is() -> None:
    batch = checked(row(TEE, "LEEDS", 5), row(TEE, "BRISTOL", "-3"), row(TEE, "DUBLIN", 2))
    plan = planned(batch, in_magento={("TEE-NAVY-M", "default"): 8, ("TEE-NAVY-M", "wh_dub"): 8})
    assert [(level.source_code, level.source_qty) for level in plan.to_push] == [("wh_dub", 2)]
    assert (plan.incomplete, plan.exceptions) == (1, [])
    (note,) = decide.rejected(batch.rejected)
    assert note.subject == "item TEE/NAVY/M// in BRISTOL"


def test_one_warehouse_twice_is_rejected_and_two_warehouses_are_not() -> None:
    batch = checked(row(TEE, "LEEDS", 5), row(TEE, "LEEDS", 6), row(TEE, "DUBLIN", 2))
    assert list(batch.accepted["warehouse"]) == ["DUBLIN"]


def test_only_the_sources_that_prima_feeds_are_missed() -> None:
    held = {("HAT", "default"): 2, ("HAT", "wh_dub"): 3, ("TEE-NAVY-M", "default"): 5}
    plan = planned(checked(row(HAT, "LEEDS", 2)), in_magento=held)
    assert {note.subject for note in plan.exceptions} == {"sku HAT at wh_dub", "sku TEE-NAVY-M at default"}


def test_a_product_that_the_source_has_no_row_for_gets_one_when_there_is_stock() -> None:
    keys = frozenset({("TEE-NAVY-M", "wh_dub"), ("HAT", "wh_dub")})
    plan = planned(checked(row(TEE, "DUBLIN", 2), row(HAT, "DUBLIN", 0)), without_row=keys)
    assert [(level.sku, level.source_qty) for level in plan.to_push] == [("TEE-NAVY-M", 2)]
    assert (plan.unchanged, plan.not_in_magento) == (1, [])


def test_an_item_that_several_skus_claim_is_refused_and_told_once() -> None:
    index = ItemIndex([("TEE-NAVY-M", TEE), ("TEE-NAVY-MED", TEE), ("HAT", HAT)])
    frame = normalise.stock([row(TEE, "LEEDS", 5), row(TEE, "DUBLIN", 1), row(HAT, "LEEDS", 2)], index, rules())
    plan = planned(split_batch(StockRows, frame), in_magento={("TEE-NAVY-M", "default"): 9, ("HAT", "default"): 2})
    codes = {note.code: note for note in plan.exceptions if note.code == "STOCK_ITEM_AMBIGUOUS"}
    assert codes["STOCK_ITEM_AMBIGUOUS"].detail == "claimed by TEE-NAVY-M, TEE-NAVY-MED"
    assert (plan.to_push, plan.unmapped) == ([], 2)


def test_codes_that_differ_in_case_alone_are_the_same_item_unless_two_skus_have_them() -> None:
    assert INDEX.sku(StockTuple("tee", "Navy", "m")) == "TEE-NAVY-M"
    both = ItemIndex([("A", StockTuple("TEE", "None")), ("B", StockTuple("TEE", "none"))])
    assert both.sku(StockTuple("TEE", "NONE")) is None
    assert both.claims(StockTuple("TEE", "NONE")) == ["A", "B"]
    assert both.sku(StockTuple("TEE", "none")) == "B"


@pytest.mark.parametrize(
    ("sellable", "quantity"),
    [("available", 12), ("available_less_reserved", 9), ("physical_less_allocated", 11)],
)
def test_the_settings_say_which_figure_of_the_extract_is_sold(sellable: str, quantity: int) -> None:
    record = dict.fromkeys(("mtrx1", "mtrx2", "mtrx3", "mtrx4", "available_date"), "") | {
        "product": "HAT",
        "warehouse": "LEEDS",
        "available_quantity": "12",
        "physical_quantity": "16",
        "allocated_quantity": "5",
        "reserved_quantity": "3",
    }
    by = rules(sellable=sellable)
    assert list(normalise.stock([record], INDEX, by)["available_to_sell"]) == [quantity]
    assert list(
        normalise.stock([record | {"available_quantity": "1", "physical_quantity": "1"}], INDEX, by)[
            "available_to_sell"
        ]
    ) == [{"available": 1}.get(sellable, 0)]
    for wrong in ("-1", "1.5", "14/09/2030", ""):
        broken = dict.fromkeys(("available_quantity", "physical_quantity"), wrong)
        (rejected,) = split_batch(StockRows, normalise.stock([record | broken], INDEX, by)).rejected["detail"]
        assert "available_to_sell" in rejected


@pytest.mark.parametrize(
    ("level", "kept_back"),
    [
        (Level("HARBOUR", "default", 100), 7),
        (Level("GIFT-BOX", "default", 101), 11),
        (Level("GIFT-BOX", "default", 4), 2),
        (Level("BOOT", "wh_dub", 100), 4),
        (Level("BOOT", "default", 100), 5),
        (Level("CLOG", "wh_dub", 100), 6),
        (Level("gift-box", "default", 100), 1),
    ],
    ids=["own", "per cent, rounded up", "floor", "category and source", "category", "source", "any other"],
)
def test_the_first_buffer_rule_that_fits_counts_after_the_skus_own(level: Level, kept_back: int) -> None:
    buffers = Buffers(
        1,
        {"HARBOUR": 7},
        [
            BufferRule(percent=Decimal(10), floor=2, sku="GIFT-*"),
            BufferRule(units=4, category="SHOES", source_code="wh_dub"),
            BufferRule(units=5, category="SHOES"),
            BufferRule(units=6, source_code="wh_dub"),
        ],
    )
    ((units, words),) = buffers.of([level], {"BOOT": {"SALE", "SHOES"}, "HARBOUR": {"SHOES"}})
    assert units == kept_back
    assert bool(words) == (kept_back != 1)


@given(
    available=st.integers(0, 10**6),
    units=st.integers(0, 50),
    percent=st.decimals(0, 100, places=1),
    floor=st.integers(0, 50),
    open_units=st.integers(0, 500),
)
def test_whatever_the_buffer_nothing_is_sold_twice_and_no_accepted_unit_is_stuck(
    available: int, units: int, percent: Decimal, floor: int, open_units: int
) -> None:
    kept_back = BufferRule(units, percent, floor).kept_back(available)
    assert kept_back >= max(units, floor)
    assert kept_back * 100 >= available * percent
    source = decide.source_qty(available, kept_back, open_units)
    assert 0 <= source - open_units <= max(0, available - kept_back) <= available


BACK = BackOrderRule(5, timedelta(days=30))


@pytest.mark.parametrize(
    ("available", "expected", "open_units", "source"),
    [
        (0, "20/12/2026", 0, 5),
        (0, "20/12/2026", 2, 5),
        (0, "20/12/2026", 9, 9),
        (1, "20/12/2026", 0, 1),
        (0, "", 0, 0),
        (0, "24/12/2026", 0, 0),
        (0, "22/11/2026", 0, 0),
    ],
    ids=["expected soon", "two wait", "more wait than allowed", "there is one", "no date", "too late", "date is over"],
)
def test_back_orders_are_sold_only_while_some_are_expected_soon_and_never_more_than_set(
    available: int, expected: str, open_units: int, source: int
) -> None:
    batch = checked(row(HAT, "LEEDS", available, expected))
    evidence = {"in_magento": {("HAT", "default"): 99}, "open_units": {("HAT", "default"): open_units}}
    (level,) = planned(batch, rules(back_orders=BACK), **evidence).to_push
    assert level.source_qty == source
    assert level.back_order_units == source - open_units - available
    (plain,) = planned(batch, **evidence).to_push
    assert (plain.source_qty, plain.back_order_units) == (available + open_units, 0)


quantities = st.integers(0, 9)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.dictionaries(st.tuples(st.sampled_from([TEE, HAT]), st.sampled_from([*MAP, "CORK"])), quantities),
    held=st.dictionaries(
        st.tuples(st.sampled_from(["TEE-NAVY-M", "HAT"]), st.sampled_from(["default", "wh_dub"])), quantities
    ),
)
def test_each_row_is_counted_once_and_each_level_is_in_one_list(
    rows: dict[tuple[StockTuple, str], int], held: dict[tuple[str, str], int]
) -> None:
    frame = normalise.stock([row(item, place, units) for (item, place), units in rows.items()], INDEX, rules())
    plan = planned(CheckedBatch(frame, frame.head(0).assign(reason="", detail="")), in_magento=held)
    if plan.held:
        return
    assert plan.counted + plan.unmapped + plan.left_out + plan.incomplete == len(frame)
    assert len(plan.to_push) + plan.unchanged + len(plan.not_in_magento) == plan.levels_in_all
    for level in plan.to_push:
        parts = [
            units
            for (item, place), units in rows.items()
            if (INDEX.sku(item), MAP.get(place)) == (level.sku, level.source_code)
        ]
        assert level.source_qty == sum(parts) != held[level.sku, level.source_code]


def test_a_source_of_two_stocks_is_warned_of_because_both_would_sell_the_same_open_units() -> None:
    links = [{"stock_id": 1, "source_code": "default"}, {"stock_id": 2, "source_code": "wh_dub"}]
    assert shared_sources(links, ("default", "wh_dub")) == ""
    links += [{"stock_id": 2, "source_code": "default"}]
    assert "source default belongs to the stocks 1, 2" in shared_sources(links, ("default", "wh_dub"))
    assert shared_sources(links, ("wh_dub",)) == ""


def test_only_sums_that_changed_are_kept_anew() -> None:
    batch = checked(row(TEE, "LEEDS", 5), row(HAT, "LEEDS", 2))
    held = {("TEE-NAVY-M", "default"): 5, ("HAT", "default"): 2}
    known = {
        ("HAT", "default"): StockSum(2, 0, 0, 0, 2, "", ""),
        ("TEE-NAVY-M", "default"): StockSum(4, 0, 0, 1, 5, "", ""),
    }
    plan = planned(batch, in_magento=held, sums=known)
    assert [level.sku for level in plan.levels] == ["TEE-NAVY-M"]
    assert plan.to_push == []
