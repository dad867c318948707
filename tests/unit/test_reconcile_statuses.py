"""How the two sides of one order compare: a status for every row, and nothing hidden."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.breaks import TolerancePolicy
from tasks.reconcile.inputs import LedgerOrder
from tests.unit.reconcile_cases import NOON, READ_AT, Case

MakeCase = Callable[..., Case]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "warehouse")


def test_an_order_that_agrees_to_the_penny_is_matched(case: Case) -> None:
    case.magento(101)
    case.prima(101)
    row = case.row()
    assert (row["status"], row["cause"], row["variance_pence"]) == ("MATCHED", "", 0)
    assert row["order_number_prima"] == "30000101"
    assert case.result().is_agreed


def test_a_penny_of_vat_is_one_vat_variance_of_plus_one(case: Case) -> None:
    case.magento(101, ("20", 5997, 999))
    case.prima(101, ("20", 5997, 1000))
    row = case.row()
    assert row["status"] == "VAT_VARIANCE"
    assert (row["vat_variance_pence"], row["net_variance_pence"], row["variance_pence"]) == (1, -1, 0)


def test_a_penny_within_the_tolerance_still_counts(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.policy = TolerancePolicy(order_pence=1)
    case.magento(101, ("20", 5997, 999))
    case.prima(101, ("20", 5997, 1000))
    row = case.row()
    assert (row["status"], row["vat_variance_pence"]) == ("WITHIN_TOLERANCE", 1)
    result = case.result()
    assert result.breaks == []
    assert result.control_totals[0]["vat_variance_pence"] == 1


def test_two_pence_beyond_a_tolerance_of_one_are_a_break(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.policy = TolerancePolicy(order_pence=1)
    case.magento(101, ("20", 5997, 998))
    case.prima(101, ("20", 5997, 1000))
    assert case.row()["status"] == "VAT_VARIANCE"


def test_another_total_is_a_total_variance_with_the_sign_of_prima_minus_magento(case: Case) -> None:
    case.magento(101, ("20", 5997, 999))
    case.prima(101, ("20", 5900, 983))
    row = case.row()
    assert (row["status"], row["variance_pence"], row["vat_variance_pence"]) == ("TOTAL_VARIANCE", -97, -16)


def test_an_order_that_only_magento_has_is_missing_in_prima_with_its_whole_value(case: Case) -> None:
    case.magento(101)
    row = case.row()
    assert (row["status"], row["variance_pence"]) == ("MISSING_IN_PRIMA", -6392)
    assert (row["magento_count"], row["prima_count"], row["prima_gross_pence"]) == (1, 0, None)


def test_an_order_that_only_prima_has_is_missing_in_magento(case: Case) -> None:
    case.prima(777)
    row = case.row()
    assert (row["status"], row["variance_pence"], row["destination"]) == ("MISSING_IN_MAGENTO", 6392, "unknown")
    assert (row["order_key"], row["order_number"], row["order_number_prima"]) == ("PRIMA 30000777", None, "30000777")


def test_the_ledgers_number_finds_an_order_that_the_rule_would_not(case: Case) -> None:
    number = case.magento(101)
    case.prima("99000001")
    case.ledger.append(LedgerOrder(number, "99000001"))
    assert case.row()["status"] == "MATCHED"


def test_an_order_under_two_numbers_in_prima_is_a_duplicate(case: Case) -> None:
    number = case.magento(101)
    case.prima(101)
    case.prima("99000001")
    case.ledger.append(LedgerOrder(number, "99000001"))
    row = case.row()
    assert (row["status"], row["cause"], row["variance_pence"]) == ("DUPLICATE_IN_PRIMA", "POSTED_TWICE", 6392)
    assert row["order_number_prima"] == "30000101,99000001"


def test_a_duplicate_that_prima_cancelled_is_none(case: Case) -> None:
    number = case.magento(101)
    case.prima(101)
    case.prima("99000001", status="Cancelled")
    case.ledger.append(LedgerOrder(number, "99000001"))
    assert case.row()["status"] == "MATCHED"


def test_a_missing_order_inside_the_lag_is_timing_and_outside_it_missing(tmp_path: Path) -> None:
    lag = READ_AT - timedelta(hours=24)
    for name, placed_at, expected in (
        ("late", lag + timedelta(seconds=1), ("TIMING", "LATE_POSTING")),
        ("gone", lag, ("MISSING_IN_PRIMA", "UNEXPLAINED")),
    ):
        case = Case(tmp_path / name, from_date=lag.date(), to_date=lag.date())
        case.magento(101, placed_at=placed_at)
        row = case.row()
        assert (row["status"], row["cause"]) == expected


def test_an_order_that_was_posted_after_primas_figures_ended_is_timing(case: Case) -> None:
    number = case.magento(101)
    case.ledger.append(LedgerOrder(number, "30000101", state="accepted", posted_at=READ_AT))
    assert case.row()["status"] == "TIMING"


def test_a_held_order_shows_its_exception_and_still_counts(case: Case) -> None:
    number = case.magento(101)
    case.ledger.append(LedgerOrder(number, state="held", exception_code="SKU_UNKNOWN"))
    row = case.row()
    assert (row["status"], row["cause"], row["reason"]) == ("EXCLUDED", "NOT_YET_POSTED", "SKU_UNKNOWN")
    totals = case.result().control_totals[0]
    assert (totals["magento_gross_pence"], totals["variance_pence"], totals["prima_gross_pence"]) == (6392, -6392, 0)
    assert totals["unexplained_variance_pence"] == 0


def test_an_order_that_a_rule_keeps_out_says_which_rule(case: Case) -> None:
    number = case.magento(101)
    case.ledger.append(LedgerOrder(number, state="held", exception_code="STORE_NOT_IMPORTED"))
    row = case.row()
    assert (row["status"], row["cause"], row["reason"]) == ("EXCLUDED", "EXCLUDED_BY_RULE", "STORE_NOT_IMPORTED")


def test_an_exception_does_not_excuse_an_order_that_prima_took_and_lost(case: Case) -> None:
    number = case.magento(101)
    case.ledger.append(LedgerOrder(number, "30000101", state="accepted", exception_code="TEXT_CUT", posted_at=NOON))
    row = case.row()
    assert (row["status"], row["cause"], row["reason"]) == ("MISSING_IN_PRIMA", "UNEXPLAINED", "TEXT_CUT")


def test_an_exception_does_not_hide_a_difference_of_an_order_that_prima_has(case: Case) -> None:
    number = case.magento(101)
    case.prima(101, ("20", 5900, 983))
    case.ledger.append(LedgerOrder(number, state="accepted", exception_code="TEXT_CUT"))
    row = case.row()
    assert (row["status"], row["reason"]) == ("TOTAL_VARIANCE", "TEXT_CUT")


def test_an_order_cancelled_on_both_sides_counts_as_nothing(case: Case) -> None:
    case.magento(101, state_magento="canceled")
    case.prima(101, status="Cancelled")
    assert case.row()["status"] == "MATCHED"
    totals = case.result().control_totals[0]
    assert (totals["magento_gross_pence"], totals["prima_gross_pence"]) == (0, 0)


@pytest.mark.parametrize(
    ("magento", "prima", "cause", "variance"),
    [
        ({}, {"status": "Cancelled"}, "CANCELLED_IN_PRIMA", -6392),
        ({"state_magento": "canceled"}, {}, "CANCELLED_IN_MAGENTO", 6392),
    ],
)
def test_an_order_cancelled_on_one_side_is_a_break_that_says_where(
    case: Case, magento: dict[str, Any], prima: dict[str, Any], cause: str, variance: int
) -> None:
    case.magento(101, **magento)
    case.prima(101, **prima)
    row = case.row()
    assert (row["status"], row["cause"], row["variance_pence"]) == ("TOTAL_VARIANCE", cause, variance)


def test_an_order_belongs_to_magentos_day_also_when_prima_took_it_on_the_next(case: Case) -> None:
    case.magento(101, placed_at=datetime(2026, 11, 22, 23, 58, tzinfo=UTC))
    case.prima(101, ordered_at=datetime(2026, 11, 23, 0, 3, tzinfo=UTC))
    case.magento(102, placed_at=datetime(2026, 11, 21, 23, 58, tzinfo=UTC))
    case.prima(102, ordered_at=datetime(2026, 11, 22, 0, 3, tzinfo=UTC))
    row = case.row()
    assert (row["order_number"], row["status"]) == ("000000101", "MATCHED")


def test_an_order_that_the_ledger_dates_on_another_day_is_not_missing_in_magento(case: Case) -> None:
    case.prima(102, ordered_at=NOON)
    yesterday = (NOON - timedelta(days=1)).date()
    case.ledger.append(LedgerOrder("000000102", "30000102", business_date=yesterday))
    case.result()
    assert case.rows("select * from order_variances") == []


def test_an_order_in_another_currency_is_two_rows_so_that_no_sum_mixes_currencies(case: Case) -> None:
    case.magento(101)
    case.prima(101, currency="EUR")
    case.result()
    rows = case.rows("select currency, status, cause, variance_pence from order_variances order by currency")
    assert [tuple(row.values()) for row in rows] == [
        ("EUR", "TOTAL_VARIANCE", "CURRENCY", 6392),
        ("GBP", "TOTAL_VARIANCE", "CURRENCY", -6392),
    ]


def test_an_invoice_waits_for_the_dispatch_before_it_is_missing(tmp_path: Path) -> None:
    for status, expected in (
        ("Part Despatched", ("TIMING", "AWAITING_DISPATCH")),
        ("A word nobody mapped", ("TIMING", "AWAITING_DISPATCH")),
        ("Despatched", ("MISSING_IN_PRIMA", "UNEXPLAINED")),
    ):
        case = Case(tmp_path / status)
        case.magento(101)
        case.prima(101, status=status)
        case.magento_invoice("000000001", 101)
        row = case.row("invoices")
        assert (row["status"], row["cause"]) == expected


def test_several_invoices_of_prima_are_compared_as_one_sum(case: Case) -> None:
    case.magento(101, ("20", 6000, 1000), ("5", 2100, 100))
    case.magento_invoice("000000001", 101, ("20", 6000, 1000), ("5", 2100, 100))
    case.prima(101, ("20", 6000, 1000), ("5", 2100, 100))
    case.prima_invoice("INV1", 101, ("20", 6000, 1000))
    case.prima_invoice("INV2", 101, ("5", 2100, 100), delivery=(0, 0), at=NOON + timedelta(days=2))
    row = case.row("invoices")
    assert (row["status"], row["magento_count"], row["prima_count"]) == ("MATCHED", 1, 2)


def test_an_invoice_posted_twice_is_a_duplicate(case: Case) -> None:
    case.magento(101)
    case.magento_invoice("000000001", 101)
    case.prima(101)
    case.prima_invoice("INV1", 101)
    case.prima_invoice("INV2", 101)
    row = case.row("invoices")
    assert (row["status"], row["cause"]) == ("DUPLICATE_IN_PRIMA", "POSTED_TWICE")


def test_a_refund_is_compared_with_primas_credit_note_on_the_day_of_either(case: Case) -> None:
    long_ago = NOON - timedelta(days=30)
    case.magento(101, placed_at=long_ago)
    case.prima(101, ordered_at=long_ago)
    case.magento_refund("000000004", 101, ("20", 1999, 333), at=NOON)
    case.prima_refund("CRN1", 101, 1999, 333, at=NOON + timedelta(days=1))
    row = case.row("refunds")
    assert (row["status"], row["magento_gross_pence"], row["order_number"]) == ("MATCHED", 1999, "000000101")


def test_a_credit_note_without_a_refund_to_the_customer_is_missing_in_magento(case: Case) -> None:
    case.magento(101)
    case.prima(101)
    case.prima_refund("CRN1", 101, 1999, 333)
    row = case.row("refunds")
    assert (row["status"], row["variance_pence"]) == ("MISSING_IN_MAGENTO", 1999)
