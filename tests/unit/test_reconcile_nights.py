"""A break through the nights, and what is tolerated."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.breaks import KnownBreak, TolerancePolicy
from tests.unit.reconcile_cases import NOON, READ_AT, Case


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "warehouse")


def known(order_key: str, *, days: int = 0, vat: int = 1, **changes: Any) -> KnownBreak:
    """A break of an order that differed by `vat` pence of VAT, first seen so many days before the run."""
    seen = READ_AT - timedelta(days=days)
    values: dict[str, Any] = {
        "break_id": 1,
        "level": "orders",
        "order_key": order_key,
        "currency": "GBP",
        "business_date": NOON.date(),
        "order_number": order_key,
        "order_number_prima": "",
        "status": "VAT_VARIANCE",
        "cause": "UNEXPLAINED",
        "owner": "",
        "comment": "",
        "reason_code": "",
        "value_pence": abs(vat),
        "vat_variance_pence": vat,
        "variance_pence": 0,
        "nights": 1,
        "first_seen_at": seen,
        "last_seen_at": seen,
        "settled_by": "",
        "settlement_reference": "",
        "settled_at": None,
        "settled_who": "",
    }
    return KnownBreak(**{**values, **changes})


def a_difference(case: Case, number: int, vat: int, placed_at: datetime = NOON) -> str:
    order_number = case.magento(number, ("20", 5997, 999), placed_at=placed_at)
    case.prima(number, ("20", 5997, 999 + vat))
    return order_number


def test_a_break_is_as_old_as_the_night_that_first_saw_it(case: Case) -> None:
    bands = {0: "0-1", 1: "0-1", 2: "2-7", 7: "2-7", 8: "8-30", 30: "8-30", 31: "31+"}
    numbers = {days: a_difference(case, 101 + days, 12) for days in bands}
    case.breaks = [
        known(number, days=days, vat=12, owner="Kim", comment="asked", reason_code="TILL")
        for days, number in numbers.items()
    ]
    rows = {row["order_key"]: row for row in case.result().breaks}
    for days, band in bands.items():
        row = rows[numbers[days]]
        assert (row["age_days"], row["age_band"]) == (days, band)
        assert (row["owner"], row["comment"], row["reason_code"]) == ("Kim", "asked", "TILL")


def test_a_break_of_another_day_is_looked_at_again_and_stands_in_no_total_of_the_period(case: Case) -> None:
    a_difference(case, 101, 12)
    carried = a_difference(case, 90, 7, placed_at=NOON - timedelta(days=9))
    mended = a_difference(case, 91, 0, placed_at=NOON - timedelta(days=9))
    case.breaks = [known(carried, days=8, vat=7), known(mended, days=8, break_id=2)]
    found = case.result()
    assert {row["order_key"]: row["is_carried"] for row in found.breaks} == {"000000101": False, carried: True}
    (totals,) = found.control_totals
    assert (totals["magento_count"], totals["vat_variance_pence"]) == (1, 12)
    assert found.compared == [("orders", carried), ("orders", mended)]
    assert [(row["age_band"], row["break_count"]) for row in found.ageing] == [("0-1", 1), ("8-30", 1)]


def test_a_break_that_was_not_read_again_is_carried_as_it_was_last_seen(case: Case) -> None:
    a_difference(case, 101, 12)
    case.breaks = [known("000000555", days=40, vat=-300)]
    case.read_keys = set()
    found = case.result()
    assert [row["order_key"] for row in found.breaks] == ["000000101"]
    assert {row["order_key"]: (row["is_of_this_run"], row["age_band"]) for row in found.open_breaks} == {
        "000000101": (True, "0-1"),
        "000000555": (False, "31+"),
    }
    assert found.compared == []


@pytest.mark.parametrize("how", ["acceptance", "journal"])
def test_a_settled_break_stays_out_for_as_long_as_its_figures_stay(case: Case, how: str) -> None:
    number = a_difference(case, 101, 12)
    case.breaks = [known(number, days=5, vat=12, settled_by=how, settlement_reference="JNL-7")]
    found = case.result()
    assert (found.breaks, found.open_breaks) == ([], [])
    assert [(row["settled_by"], row["settlement_reference"]) for row in found.settled_breaks] == [(how, "JNL-7")]
    assert found.control_totals[0]["vat_variance_pence"] == 12
    case.breaks = [known(number, days=5, vat=11, settled_by=how, settlement_reference="JNL-7")]
    (row,) = case.result().breaks
    assert (row["age_days"], row["age_band"]) == (0, "0-1")


@pytest.mark.parametrize(
    ("policy", "tolerated"),
    [
        (TolerancePolicy(order_pence=2), {"000000101", "000000102"}),
        (TolerancePolicy(order_pence=2, line_pence=1), {"000000101"}),
        (TolerancePolicy(order_pence=2, day_pence=2), set()),
        (TolerancePolicy(order_pence=2, day_pence=3), {"000000101", "000000102"}),
        (TolerancePolicy(order_pence=2, methods=("VAT_RECALCULATED_ON_ORDER_TOTAL",)), {"000000101"}),
        (TolerancePolicy(order_pence=2, methods=("SIGN",)), set()),
        (TolerancePolicy(), set()),
    ],
)
def test_the_policy_tolerates_by_document_line_day_and_method_and_every_penny_counts(
    case: Case, policy: TolerancePolicy, tolerated: set[str]
) -> None:
    case.policy = policy
    # 3 x 19.99 by unit: 9.99; 10.00 on the total. And two pence that nothing explains.
    for number, vat in ((101, 1), (102, -2)):
        case.magento(number, ("20", 5997, 999), delivery=(0, 0))
        case.prima(number, ("20", 5997, 999 + vat), delivery=(0, 0))
    found = case.result()
    rows = case.rows("select order_key from order_variances where status = 'WITHIN_TOLERANCE'")
    assert {row["order_key"] for row in rows} == tolerated
    assert {row["order_key"] for row in found.breaks} == {"000000101", "000000102"} - tolerated
    (totals,) = found.control_totals
    assert totals["vat_variance_pence"] == -1
    assert (found.policy["order_pence"], found.policy["methods"]) == (policy.order_pence, ",".join(policy.methods))


def test_materiality_marks_and_tolerates_nothing(case: Case) -> None:
    case.policy = TolerancePolicy(materiality_pence=100)
    a_difference(case, 101, 99)
    a_difference(case, 102, 100)
    assert {row["order_key"]: row["is_material"] for row in case.result().breaks} == {
        "000000101": False,
        "000000102": True,
    }
