"""Ten thousand orders with 33 kinds of planted defects: all found with their cause, nothing else, and all sums foot."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.causes import CAUSES
from tasks.reconcile.run import Reconciliation
from tests.unit.reconcile_cases import Case
from tests.unit.reconcile_defects import KINDS
from tests.unit.reconcile_world import World

ORDERS, EACH = 10_000, 6


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"), seed=20)
    made.plant(KINDS, ORDERS - EACH * len(KINDS), EACH)
    made.found = made.result()  # type: ignore[attr-defined]
    return made


def test_every_planted_defect_is_found_with_its_status_and_cause_and_nothing_else_is(world: World) -> None:
    rows = world.rows("select level, order_key, currency, status, cause from order_variances where status <> 'MATCHED'")
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault((row["level"], row["order_key"]), set()).add((row["status"], row["cause"]))
    expected = {key: {what} for key, what in world.expected.items()}
    wrong = {
        key: (expected.get(key), found.get(key)) for key in {*expected, *found} if expected.get(key) != found.get(key)
    }
    assert wrong == {}
    assert len(world.expected) == EACH * len(KINDS)
    assert len(KINDS) >= 25


def test_every_cause_of_the_list_is_planted_but_the_one_for_unreadable_input(world: World) -> None:
    assert {cause for _, cause in world.expected.values()} == set(CAUSES) - {"NOT_RECONCILED"}


def test_several_breaks_of_one_cause_stand_as_one_with_count_and_value(world: World) -> None:
    rows = world.rows(
        "select cause, sum(order_count) as orders from differences where status <> 'MATCHED' group by cause"
    )
    planted = Counter(cause for _, cause in world.expected.values())
    planted["CURRENCY"] *= 2  # both currencies of an order are rows
    assert {row["cause"]: row["orders"] for row in rows} == planted


def test_no_line_of_an_agreeing_order_differs(world: World) -> None:
    rows = world.rows("select distinct level, order_key from line_variances")
    assert {(row["level"], row["order_key"]) for row in rows} <= set(world.expected)


def test_the_lines_behind_a_break_are_named(world: World) -> None:
    rows = world.rows("select cause, cause_detail from breaks where cause in ('WRONG_RATE', 'MISSING_OR_EXTRA_LINE')")
    assert all(row["cause_detail"].startswith("line ") for row in rows)
    assert any("0.0 % in Magento, 20.0 % in PRIMA" in row["cause_detail"] for row in rows)
    assert any(row["cause_detail"].endswith("only in Magento") for row in rows)


def test_control_totals_of_the_world_foot_to_the_penny(world: World) -> None:
    assert_all_sums_foot(world, world.found)  # type: ignore[attr-defined]


def assert_all_sums_foot(case: Case, found: Reconciliation) -> None:
    """Compare every total with sums over what was put in, made without the SQL under test."""
    for totals in found.control_totals:
        assert totals["is_adding_up"]
        assert totals["explained_variance_pence"] + totals["unexplained_variance_pence"] == totals["variance_pence"]
        assert (
            totals["explained_vat_variance_pence"] + totals["unexplained_vat_variance_pence"]
            == (totals["vat_variance_pence"])
        )
        assert totals["prima_gross_pence"] - totals["magento_gross_pence"] == totals["variance_pence"]
        for table in ("day_totals", "tie_out"):
            rows = [
                row
                for row in getattr(found, table)
                if (row["level"], row["currency"]) == (totals["level"], totals["currency"])
            ]
            assert all(bridge_of(row) == 0 for row in rows)
            for side in ("magento", "prima"):
                for amount in ("net", "vat", "gross"):
                    name = f"{side}_{amount}_pence"
                    assert sum(row[name] for row in rows) == totals[name]
    for side, table in (("magento", "orders"), ("prima", "sales_orders")):
        rows = [row for row in case._rows.get(table, []) if not is_cancelled(row)]
        given_pence = Counter[str]()
        for row in rows:
            given_pence[row["currency"]] += row["gross_pence"]
        shown = {
            row["currency"]: row[f"{side}_gross_pence"]
            for row in found.control_totals
            if row["level"] == "orders" and row[f"{side}_count"]
        }
        assert {currency: pence for currency, pence in shown.items() if pence} == {
            currency: pence for currency, pence in given_pence.items() if pence
        }


def bridge_of(row: dict[str, Any]) -> int:
    return sum(
        abs(
            row[f"magento_{each}_pence"]
            + row[f"unexplained_{each}_pence"]
            + row[f"explained_{each}_pence"]
            - row[f"prima_{each}_pence"]
        )
        for each in ("net", "vat", "gross")
    )


def is_cancelled(row: dict[str, Any]) -> bool:
    return row.get("state_magento") == "canceled" or row.get("status") == "Cancelled"


pence = st.integers(min_value=0, max_value=200_000)
lines = st.lists(
    st.tuples(st.sampled_from(["20", "5", "0"]), pence, st.integers(0, 20_000), st.integers(1, 5)),
    min_size=1,
    max_size=3,
)
documents = st.sets(st.sampled_from(["magento invoice", "PRIMA invoice", "magento refund", "PRIMA refund"]))
orders = st.lists(
    st.tuples(
        st.one_of(st.none(), lines),
        st.one_of(st.none(), lines),
        st.sampled_from(["GBP", "EUR"]),
        st.booleans(),
        documents,
    ),
    min_size=1,
    max_size=25,
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
    ],
)
@given(orders=orders)
def test_whatever_either_side_holds_explained_and_unexplained_make_the_difference(tmp_path: Path, orders: Any) -> None:
    case = Case(tmp_path / "random")
    for number, (magento, prima, currency, is_same, documents) in enumerate(orders, start=1):
        if magento is not None:
            case.magento(number, *magento, currency=currency)
        if prima is not None or is_same:
            case.prima(number, *(magento if is_same and magento else prima or [("20", 1, 0, 1)]), currency=currency)
        some = magento or prima or [("20", 1, 0, 1)]
        if "magento invoice" in documents:
            case.magento_invoice(f"M{number}", number, *some)
        if "PRIMA invoice" in documents:
            case.prima_invoice(f"I{number}", number, *(prima or some))
        if "magento refund" in documents:
            case.magento_refund(f"R{number}", number, some[0])
        if "PRIMA refund" in documents:
            case.prima_refund(f"C{number}", number, *(prima or some)[0][1:3])
    assert_all_sums_foot(case, case.result())


# a smaller seed is no simpler world
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32 - 1))
def test_in_any_large_world_explained_and_unexplained_make_the_difference_of_each_day_rate_and_kind(
    tmp_path: Path, seed: int
) -> None:
    world = World(tmp_path / "large", seed)
    for _ in range(400):
        world.anything()
    found = world.result()
    assert_all_sums_foot(world, found)
    variances = world.rows(
        "select level, currency, sum(variance_pence)::bigint as gross, sum(vat_variance_pence)::bigint as vat"
        " from order_variances group by all"
    )
    assert {(row["level"], row["currency"]): (row["gross"], row["vat"]) for row in variances} == {
        (row["level"], row["currency"]): (row["variance_pence"], row["vat_variance_pence"])
        for row in found.control_totals
    }
