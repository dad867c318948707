"""The brakes of a stock snapshot: what cannot be true is held, a normal day is not, a release is for one deviation."""

import random
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.brakes import BrakeFigures, BrakeMemory, BrakeRules, HoldState, Snapshot, StockHold, Verdict
from schemas.buffers import Buffers
from schemas.items import ItemIndex
from schemas.rules import StockRules
from schemas.stock import StockRows
from tasks.decide import brakes as decide
from tasks.normalise import stock as normalise
from tasks.validate import split_batch

RULES = BrakeRules()
NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
SIZES = ("28", "30", "32", "34", "36", "XS", "S", "M", "L", "XL")


def shelf(seed: int = 1, skus: int = 500) -> dict[str, int]:
    """Return a fashion shop's stock: many SKUs with little, few with much, one in eight sold out."""
    dice = random.Random(f"shelf {seed}")
    return {
        f"STYLE{number // 10:03d}-{SIZES[number % 10]}": 0 if dice.random() < 0.125 else int(dice.paretovariate(1) * 4)
        for number in range(skus)
    }


def snapshot(units: dict[str, int]) -> Snapshot:
    return Snapshot(len(units), units)


def a_verdict(units: dict[str, int], before: dict[str, int], hold: StockHold | None = None) -> Verdict:
    return decide.verdict(snapshot(units), BrakeMemory(snapshot(before), hold), RULES)


def a_hold(units: dict[str, int], state: HoldState = "released") -> StockHold:
    figures = BrakeFigures(1, 1, 1, 1, 1, 1, 1, 1, 1)
    return StockHold("h1", "b1", state, (), figures, snapshot(units), (), 0, "GBP", NOW, NOW, 1)


def shifted_by_one_row(units: dict[str, int]) -> dict[str, int]:
    quantities = list(units.values())
    return dict(zip(units, [*quantities[1:], quantities[0]], strict=True))


BEFORE = shelf()
WRONG = {
    "empty": {},
    "half of the rows": dict(list(BEFORE.items())[::2]),
    "half of every quantity": {sku: units // 2 for sku, units in BEFORE.items()},
    "every quantity is the size beside it": {
        sku: int(sku.split("-")[1]) for sku in BEFORE if sku.split("-")[1].isdigit()
    },
    "every quantity stands one row too low": shifted_by_one_row(BEFORE),
    "times ten": {sku: units * 10 for sku, units in BEFORE.items()},
    "all zero": dict.fromkeys(BEFORE, 0),
    "a third sold out": {sku: 0 if number % 3 == 0 else units for number, (sku, units) in enumerate(BEFORE.items())},
    "other SKUs": {f"X{sku}": units for sku, units in BEFORE.items()},
}


@pytest.mark.parametrize("units", WRONG.values(), ids=WRONG)
def test_a_snapshot_that_cannot_be_true_is_held(units: dict[str, int]) -> None:
    found = a_verdict(units, BEFORE)
    assert found.outcome == "held"
    assert all(found.reasons)


def test_each_brake_that_grips_is_named() -> None:
    totals = sum(BEFORE.values())
    assert a_verdict(WRONG["times ten"], BEFORE).reasons == (
        f"the same SKUs had {totals} units and have {totals * 10} now: more than 100% more",
    )
    assert ["zeroed" if "sold out" in each else "fall" for each in a_verdict(WRONG["all zero"], BEFORE).reasons] == [
        "zeroed",
        "fall",
    ]


def test_on_the_day_of_a_sale_no_snapshot_is_held() -> None:
    """96 snapshots of a day on which a seventh of the stock goes, and the whole day at once, as after an outage."""
    dice, morning = random.Random("sale"), shelf(2, 2_000)
    stock, last = dict(morning), dict(morning)
    for cycle in range(96):
        is_open = 32 <= cycle < 92
        for sku in [
            *dice.choices(list(stock), weights=list(stock.values()), k=180 if is_open else 10),
            *dice.sample(list(stock), 20 if is_open else 2),
        ]:
            stock[sku] = max(0, stock[sku] - dice.choice((1, 1, 1, 2)))
        for sku in dice.sample(list(stock), 30) if cycle == 40 else []:
            stock[sku] += dice.choice((12, 24, 36))
        assert a_verdict(dict(stock), last).outcome == "sane", f"cycle {cycle}"
        last = dict(stock)
    assert 0.8 < sum(stock.values()) / sum(morning.values()) < 0.9
    assert a_verdict(stock, morning).outcome == "sane"


def test_a_share_says_nothing_about_a_handful_of_skus() -> None:
    assert a_verdict({"A": 0, "B": 0}, {"A": 5, "B": 1}).outcome == "sane"


def test_the_first_snapshot_has_nothing_to_be_compared_with_but_must_have_rows() -> None:
    assert a_verdict(BEFORE, {}).outcome == "sane"
    assert a_verdict({}, {}).outcome == "held"
    few = decide.verdict(snapshot({"A": 1}), BrakeMemory(snapshot({})), BrakeRules(lowest_rows=2))
    assert few.reasons == ("the snapshot has 1 rows, fewer than prima.lowest_stock_rows = 2",)


def test_a_sku_that_is_missing_is_no_zero_and_one_that_is_new_no_rise() -> None:
    fewer = dict(list(BEFORE.items())[: len(BEFORE) * 9 // 10])
    found = a_verdict(fewer | {"NEW": 1_000_000}, BEFORE)
    assert found.outcome == "sane"
    assert (found.figures.zeroed, found.figures.moved) == (0, 0)


@pytest.mark.parametrize("name", [name for name in WRONG if name != "empty"])
def test_a_release_lets_the_next_reading_of_the_same_deviation_pass(name: str) -> None:
    wrong = WRONG[name]
    later = {sku: max(0, units - (number % 50 == 0)) for number, (sku, units) in enumerate(wrong.items())}
    assert a_verdict(later, BEFORE, a_hold(wrong)).outcome == "released"
    assert a_verdict(later, BEFORE, a_hold(wrong, "held")).outcome == "held"
    assert a_verdict(later, BEFORE, a_hold(wrong, "refused")).outcome == "held"
    assert a_verdict(later, BEFORE, a_hold(wrong, "held")).hold_id == "h1", "another time of the same hold"


@pytest.mark.parametrize("released", [name for name in WRONG if name != "empty"])
@pytest.mark.parametrize("name", WRONG)
def test_a_release_covers_no_other_deviation(released: str, name: str) -> None:
    if released == name:
        return
    found = a_verdict(WRONG[name], BEFORE, a_hold(WRONG[released]))
    assert (found.outcome, found.hold_id) == ("held", "")


def test_an_empty_snapshot_never_passes_even_when_it_was_released() -> None:
    assert a_verdict({}, BEFORE, a_hold({})).outcome == "held"


def test_a_sane_snapshot_ends_the_hold_that_was_open() -> None:
    found = a_verdict(BEFORE, BEFORE, a_hold(WRONG["all zero"]))
    assert (found.outcome, found.hold_id) == ("sane", "h1")


quantities = st.integers(0, 500)
catalogues = st.dictionaries(st.integers(0, 200).map(lambda n: f"S{n}"), quantities, min_size=25, max_size=60)


@given(before=catalogues)
def test_a_snapshot_is_always_sane_beside_itself(before: dict[str, int]) -> None:
    assert a_verdict(dict(before), before).outcome == "sane"


@given(before=catalogues, data=st.data())
def test_the_figures_add_up_and_value_counts_each_unit_in_question_once(
    before: dict[str, int], data: st.DataObject
) -> None:
    units = data.draw(st.dictionaries(st.sampled_from(sorted(before)), quantities))
    prices = {sku: 100 for sku in before if int(sku[1:]) % 2}
    found = a_verdict(units, before)
    figures = found.figures
    assert figures.units - figures.units_before <= figures.moved
    assert figures.zeroed <= figures.sellable <= figures.present <= figures.known
    at_risk = decide.risk(
        Verdict("held", found.snapshot, figures, ("x",), "", tuple(_all(units, before))), prices, "GBP"
    )
    by_hand = sum(
        100 * (abs(units[sku] - units_before) if sku in units else units_before)
        for sku, units_before in before.items()
        if sku in prices
    )
    assert at_risk.value_at_risk_pence == by_hand
    assert len(at_risk.top) <= 10


def test_the_exception_names_figures_value_largest_changes_and_the_hold() -> None:
    found = a_verdict(dict.fromkeys(BEFORE, 0), BEFORE)
    prices = dict.fromkeys(list(BEFORE)[:-1], 1999)
    at_risk = decide.risk(found, prices, "GBP")
    note = decide.hold_note(found, "20261127-093000-ab12cd34", at_risk)
    sellable, total = found.figures.sellable, sum(BEFORE.values())
    assert note.code == "STOCK_SNAPSHOT_HELD"
    assert f"{sellable} of {sellable} sellable SKUs would be sold out: more than 20%" in note.detail
    assert f"the same SKUs had {total} units and have 0 now: more than 40% less" in note.detail
    assert at_risk.top[0] in note.detail
    assert "Hold 20261127-093000-ab12cd34." in note.detail
    assert note.value_at_risk_pence == 1999 * (total - BEFORE[list(BEFORE)[-1]])
    plan = decide.held(found, note)
    assert (list(plan.to_push), plan.exceptions) == ([], [note])


def test_units_of_a_sku_in_several_rows_are_added_and_rows_without_a_sku_only_counted() -> None:
    frame = pd.DataFrame({"sku": ["A", "A", ""], "available_to_sell": pd.array([1, 2, 9], dtype="Int64")})
    assert decide.snapshot_of(frame) == Snapshot(3, {"A": 3})


@given(now=st.integers(0, 30), before=st.integers(0, 60), shrink=st.integers(0, 100), lowest=st.integers(0, 30))
def test_the_rows_alone_hold_a_snapshot_exactly_when_they_shrank_too_far(
    now: int, before: int, shrink: int, lowest: int
) -> None:
    rules = BrakeRules(lowest_rows=lowest, shrink_percent=shrink)
    found = decide.verdict(Snapshot(now, {}), BrakeMemory(Snapshot(before, {})), rules)
    is_wrong = now == 0 or now < lowest or now < before * (1 - shrink / 100) - 1e-9
    assert (found.outcome == "held") == is_wrong


def test_an_empty_answer_has_all_columns_and_is_held() -> None:
    frame = normalise.stock([], ItemIndex([]), StockRules("default", Buffers()))
    assert isinstance(frame["available_to_sell"].dtype, pd.Int64Dtype)
    accepted = split_batch(StockRows, frame).accepted
    assert decide.verdict(decide.snapshot_of(accepted), BrakeMemory(snapshot({})), RULES).outcome == "held"


def _all(units: dict[str, int], before: dict[str, int]) -> list[decide.Change]:
    return decide.changes(snapshot(units), snapshot(before))
