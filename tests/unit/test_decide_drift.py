"""Drift of Magento's stock: each difference has one cause, found by calculation, and what is right is never told."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.drift import Drift, Holding, KnownLevel, KnownStock, OpenUnits, StockReading
from tasks.decide import drift as decide
from tasks.normalise.open_units import with_open_units

NOW = datetime(2026, 11, 25, 4, 15, tzinfo=UTC)
TEE = ("TEE", "default")


def a_reading(*holdings: Holding, **changes: Any) -> StockReading:
    """Everything that Magento shows: sound unless a change says otherwise."""
    reading = StockReading(
        NOW,
        None,
        is_complete=True,
        holdings=holdings,
        products=frozenset(each.sku.casefold() for each in holdings),
        sources_of_stocks={1: ("default", "shop")},
    )
    return replace(reading, **changes)


def held(quantity: object, sku: str = "TEE", source: str = "default", is_in_stock: bool = True) -> Holding:
    return Holding(sku, source, Decimal(str(quantity)), is_in_stock)


def known(quantity: int = 10, *, before: int | None = 4, is_from_push: bool = True, **changes: Any) -> KnownStock:
    stock = KnownStock({TEE: KnownLevel(quantity, NOW, before, is_from_push)}, frozenset({"default"}))
    return replace(stock, **changes)


def the_only(found: list[Drift]) -> Drift:
    (drift,) = found
    return drift


@pytest.mark.parametrize(
    ("holding", "stock", "cause", "severity"),
    [
        (held(4), known(), "missed push", "warning"),
        (held(14), known(before=14), "missed push", "critical"),
        (held(7), known(), "changed in Magento", "warning"),
        (held(4), known(is_from_push=False), "changed in Magento", "warning"),
        (held(4), known(before=None), "changed in Magento", "warning"),
        (held(12), known(), "changed in Magento", "critical"),
        (held(-3), known(), "negative quantity", "warning"),
        (held("10.5"), known(), "fraction of a unit", "critical"),
        (held(10, is_in_stock=False), known(), "switched off", "warning"),
    ],
)
def test_a_source_item_that_is_not_as_written_has_one_cause(
    holding: Holding, stock: KnownStock, cause: str, severity: str
) -> None:
    drift = the_only(decide.drifts(a_reading(holding), stock))
    assert (drift.cause, drift.severity, drift.sku, drift.subject) == (cause, severity, "TEE", "sku TEE")
    assert (drift.expected, drift.found) == (10, Decimal(0) if cause == "switched off" else holding.quantity)


def test_what_is_as_written_and_what_was_never_written_is_no_drift() -> None:
    fine = a_reading(held(10), held(0, "HAT", is_in_stock=False), held(3, "CAP"))
    assert decide.drifts(fine, known()) == []


def test_a_source_item_that_is_gone_is_told_unless_it_was_not_asked_for() -> None:
    assert the_only(decide.drifts(a_reading(), known())).cause == "source item gone"
    assert decide.drifts(a_reading(skus=frozenset({"HAT"})), known()) == []


def test_an_orphan_is_told_once_and_compared_with_nothing() -> None:
    orphan = a_reading(held(3), products=frozenset())
    found = decide.drifts(orphan, known(levels={}))
    assert (the_only(found).cause, the_only(found).severity) == ("orphan", "info")
    assert decide.orphans_of(found) == [TEE]
    in_another_case = a_reading(held(10), products=frozenset({"tee"}))
    assert decide.drifts(in_another_case, known()) == []


@pytest.mark.parametrize(
    ("holding", "severity"),
    [(held(5, source="shop"), "problem"), (held(5, source="attic"), "info"), (held(0, source="shop"), None)],
)
def test_stock_at_a_source_that_no_setting_names_matters_when_it_is_sold(
    holding: Holding, severity: str | None
) -> None:
    found = decide.drifts(a_reading(holding), known(levels={}))
    assert [each.severity for each in found] == ([severity] if severity else [])


@pytest.mark.parametrize(("salable", "off", "severity"), [(7, 0, ""), (9, 2, "critical"), (5, -2, "problem")])
def test_reservations_are_checked_with_our_own_arithmetic(salable: int, off: int, severity: str) -> None:
    lines = [OpenUnits("1", 11, "TEE", 1, 2), OpenUnits("2", 21, "TEE", 1, 1), OpenUnits("3", 31, "TEE", 2, 5)]
    reading = a_reading(held(10), salable={("TEE", 1): salable}, open_units=lines)
    found = decide.drifts(reading, known())
    if not off:
        assert found == []
        return
    drift = the_only(found)
    assert (drift.cause, drift.severity, drift.code) == ("reservations", severity, "STOCK_RESERVATIONS_OFF")
    assert drift.words == (
        f"10 at default, less 3 reserved by open orders, make 7; Magento sells {salable}: "
        f"its reservations are off by {off:+d}"
    )
    assert decide.levels_of(found) == [], "a source quantity is never bent for it"


def test_a_sample_tells_only_that_more_is_sold_than_accepted_orders_leave() -> None:
    def sample(salable: int) -> list[Drift]:
        reading = a_reading(
            held(10), skus=frozenset({"TEE"}), is_complete=False, products=frozenset(), salable={("TEE", 1): salable}
        )
        return decide.drifts(reading, known(open_units={TEE: 3}))

    assert [the_only(sample(8)).cause, sample(7), sample(2)] == ["reservations", [], []]


def test_the_ledgers_open_units_are_compared_with_magentos_orders_line_by_line() -> None:
    lines = [OpenUnits("1", 11, "TEE", 1, 2), OpenUnits("1", 12, "HAT", 1, 1), OpenUnits("9", 91, "CAP", 1, 1)]
    stock = known(
        open_lines={("1", 11): ("TEE", 2), ("1", 12): ("HAT", 4), ("2", 21): ("TEE", 1)}, accepted=frozenset({"1"})
    )
    found = decide.drifts(a_reading(held(10), open_units=lines), stock)
    assert [(each.subject, each.sku, each.expected, each.found, each.severity) for each in found] == [
        ("order 1 line 12", "HAT", 1, 4, "critical"),
        ("order 2 line 21", "TEE", 0, 1, "critical"),
    ]
    assert {each.order_number for each in found} == {"1", "2"}


def test_each_level_that_was_looked_at_is_kept_as_it_was_read_with_what_was_expected() -> None:
    known = KnownStock(
        {TEE: KnownLevel(5, NOW, None, is_from_push=True), ("HAT", "default"): KnownLevel(4, NOW, None, False)},
        frozenset({"default"}),
    )
    reading = a_reading(
        Holding("TEE", "default", Decimal("7.5000"), True),
        Holding("NEW", "default", Decimal(30), True),
        Holding("TEE", "elsewhere", Decimal(1), True),
    )
    found = decide.drifts(reading, known)
    kept = [(each.sku, each.quantity, each.expected, each.cause) for each in decide.read_backs(reading, known, found)]
    assert kept == [
        ("HAT", "", 4, "source item gone"),
        ("NEW", "30", None, ""),
        ("TEE", "7.5", 5, "changed in Magento"),
    ]
    off = [(each.sku, each.quantity, each.expected) for each in decide.read_backs_of(found, reading)]
    assert sorted(off) == [("HAT", "", 4), ("TEE", "7.5", 5)], "of a reading of everything only these are kept"


def test_only_what_is_seen_twice_is_told() -> None:
    first = decide.drifts(a_reading(held(7), held(1, "HAT", "shop")), known())
    second = decide.drifts(a_reading(held(10), held(1, "HAT", "shop")), known())
    assert [each.cause for each in decide.seen_twice(first, second)] == ["unmapped source"]


def test_value_is_units_times_price_and_a_missing_price_is_said() -> None:
    found = decide.valued(decide.drifts(a_reading(held(7), held(5, "HAT", "shop")), known()), {"TEE": 1999})
    told = {note.sku: note for note in decide.notes(found, {"TEE": 1999}, "GBP")}
    assert (told["TEE"].code, told["TEE"].value_at_risk_pence) == ("STOCK_DRIFT", 3 * 1999)
    assert "changed in Magento (warning)" in told["TEE"].detail
    assert "worth £59.97" in told["TEE"].detail
    assert "no price known" in told["HAT"].detail


@given(writes=st.lists(st.integers(1, 12), max_size=8), others=st.integers(0, 20), dropped=st.data())
def test_every_call_that_had_no_effect_is_found_as_a_whole(
    writes: list[int], others: int, dropped: st.DataObject
) -> None:
    calls = [[(f"S{call}-{place}", "default") for place in range(size)] for call, size in enumerate(writes)]
    rest = [(f"R{place}", "default") for place in range(others)]
    lost = dropped.draw(st.sets(st.sampled_from(range(len(calls))) if calls else st.nothing()))
    keys = decide.sample(calls, rest, per_write=1, more=5, seed="b1")
    assert len(keys) == len(set(keys)) == len(calls) + min(5, others)
    found = [
        Drift("missed push", "warning", f"sku {sku}", sku, source, 5, Decimal(1), "")
        for sku, source in keys
        if any((sku, source) in calls[call] for call in lost)
    ]
    assert decide.writes_in_doubt(calls, found) == [key for call in sorted(lost) for key in calls[call]]


quantities = st.integers(0, 9)


@given(
    lines=st.lists(st.tuples(st.sampled_from(["TEE", "HAT"]), st.integers(1, 9), quantities, quantities), max_size=6),
    shelf=st.integers(40, 99),
)
def test_a_magento_that_adds_up_has_no_drift(lines: list[tuple[str, int, int, int]], shelf: int) -> None:
    """Whatever is ordered, cancelled and shipped: sources less what the orders still reserve is what is sold."""
    order = {
        "increment_id": "1",
        "store_id": 1,
        "items": [
            {
                "item_id": number,
                "sku": sku,
                "product_type": "simple",
                "qty_ordered": ordered,
                "qty_canceled": min(cancelled, ordered),
                "qty_shipped": min(shipped, ordered - min(cancelled, ordered)),
            }
            for number, (sku, ordered, cancelled, shipped) in enumerate(lines, 1)
        ],
    }
    reading = with_open_units(a_reading(orders=[order], stock_of_store={1: 1}))
    reserved = {sku: sum(line.units for line in reading.open_units if line.sku == sku) for sku in ("TEE", "HAT")}
    by_hand = {
        sku: sum(
            ordered - min(cancelled, ordered) - min(shipped, ordered - min(cancelled, ordered))
            for name, ordered, cancelled, shipped in lines
            if name == sku
        )
        for sku in ("TEE", "HAT")
    }
    assert reserved == by_hand
    sound = replace(
        reading,
        holdings=[held(shelf), held(shelf, "HAT")],
        products=frozenset({"tee", "hat"}),
        salable={(sku, 1): shelf - units for sku, units in reserved.items()},
    )
    stock = known(
        shelf, open_lines={("1", line.item_id_magento): (line.sku, line.units) for line in reading.open_units}
    )
    assert decide.drifts(sound, replace(stock, accepted=frozenset({"1"}))) == []


def test_a_configurables_units_stand_on_its_parent_and_virtual_lines_ship_when_invoiced() -> None:
    order = {
        "increment_id": "7",
        "store_id": 1,
        "items": [
            {"item_id": 1, "sku": "TEE-M", "product_type": "configurable", "qty_ordered": 5, "qty_shipped": 2},
            {"item_id": 2, "parent_item_id": 1, "sku": "TEE-M", "product_type": "simple", "qty_ordered": 5},
            {"item_id": 3, "sku": "VOUCHER", "product_type": "virtual", "qty_ordered": 2, "qty_invoiced": 1},
            {"item_id": 4, "sku": "SET", "product_type": "bundle", "qty_ordered": 1},
            {"item_id": 5, "parent_item_id": 4, "sku": "PART", "product_type": "simple", "qty_ordered": 1},
        ],
    }
    reading = with_open_units(a_reading(orders=[order, order | {"store_id": 9}], stock_of_store={1: 1}))
    assert list(reading.open_units) == [
        OpenUnits("7", 1, "TEE-M", 1, 3),
        OpenUnits("7", 3, "VOUCHER", 1, 1),
        OpenUnits("7", 0, "PART", 1, 1),
    ]
