"""Input that is wrong: it is named, its part is marked as not reconciled, and everything else goes on."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from tasks.reconcile import report
from tasks.reconcile.findings import PARTS, problem_notes, read_again
from tasks.reconcile.inputs import LedgerOrder
from tasks.reconcile.staging import Problem
from tests.unit.reconcile_cases import NOON, Case
from tests.unit.test_reconcile_publish import an_exception


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Three orders that agree, and one with an invoice that PRIMA holds differently."""
    case = Case(tmp_path / "warehouse")
    for number in (101, 102, 103, 104):
        order_number = case.magento(number)
        case.prima(number)
        case.ledger.append(LedgerOrder(order_number, state="accepted", posted_at=NOON + timedelta(minutes=5)))
    case.magento_invoice("M1", 104)
    case.prima_invoice("I1", 104, ("20", 5997, 500))
    return case


def rows_by_level(case: Case) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for row in case.rows("select level, status, cause from order_variances"):
        found.setdefault(row["level"], set()).add((row["status"], row["cause"]))
    return found


def test_an_extract_that_cannot_be_read_takes_its_level_out_and_no_other(case: Case) -> None:
    case.unread = [Problem("PRIMA invoice_lines", "invoice_lines has no column vat_amount.", "invoices")]
    case.magento(105)
    found = case.result()
    assert rows_by_level(case) == {"orders": {("MATCHED", ""), ("MISSING_IN_PRIMA", "UNEXPLAINED")}}
    assert [(row["subject"], row["level"]) for row in found.not_reconciled] == [("PRIMA invoice_lines", "invoices")]
    assert not found.is_agreed
    assert "invoice_lines has no column vat_amount." in report.page(found)
    assert "1 record or part was not reconciled" in report.headline(found)


def test_without_prima_orders_nobody_says_that_an_invoice_is_missing(case: Case) -> None:
    case.unread = [Problem("PRIMA sales_orders", "sales_orders, row 3: gross_amount is no amount.", "orders")]
    case._rows["sales_orders"] = case._rows["sales_order_lines"] = []
    case.magento_invoice("M2", 101)
    found = case.result()
    assert rows_by_level(case) == {
        "invoices": {("VAT_VARIANCE", "UNEXPLAINED"), ("EXCLUDED", "NOT_RECONCILED")},
    }
    (totals,) = found.control_totals
    assert totals["is_adding_up"]
    assert totals["unexplained_variance_pence"] == totals["variance_pence"] == -6392


@pytest.mark.parametrize("given", [("invoices_prima", "invoice_lines"), ("credit_notes",), ("sales_orders",)])
def test_a_night_that_holds_only_one_kind_of_prima_documents_is_staged(case: Case, given: tuple[str, ...]) -> None:
    case.prima_refund("C1", 104, 1999, 333)
    for name in {"sales_orders", "sales_order_lines", "invoices_prima", "invoice_lines", "credit_notes"} - {*given}:
        case._rows[name] = []
    documents = case.staged()["prima_documents"]
    assert set(documents["level"]) == {
        {"invoices_prima": "invoices", "credit_notes": "refunds", "sales_orders": "orders"}[given[0]]
    }
    assert documents["delivery_gross_pence"].tolist() == [395 if given[0] != "credit_notes" else pd.NA] * len(documents)


def test_a_key_that_stands_twice_names_its_order_and_leaves_the_others(case: Case) -> None:
    case._rows["sales_orders"].append(
        {**case._rows["sales_orders"][1], "gross_pence": 1, "vat_pence": 0, "net_pence": 1}
    )
    found = case.result()
    rows = case.rows("select order_key, status, cause, reason from order_variances where level = 'orders'")
    assert {row["order_key"]: (row["status"], row["cause"]) for row in rows} == {
        "000000101": ("MATCHED", ""),
        "000000102": ("EXCLUDED", "NOT_RECONCILED"),
        "000000103": ("MATCHED", ""),
        "000000104": ("MATCHED", ""),
    }
    (problem,) = found.not_reconciled
    assert problem["subject"] == "PRIMA sales_orders of order 30000102"
    assert "order_number_prima more than once" in problem["detail"]


def test_an_order_that_is_held_in_two_currencies_is_named_so_and_sums_mix_nothing(case: Case) -> None:
    case.magento(105, currency="GBP")
    case.prima(105, currency="EUR")
    found = case.result()
    assert {row["currency"]: row["cause"] for row in found.breaks if row["order_key"] == "000000105"} == {
        "GBP": "CURRENCY",
        "EUR": "CURRENCY",
    }
    assert all(row["is_adding_up"] for row in found.control_totals)


@pytest.mark.parametrize("side", ["PRIMA", "Magento"])
def test_a_day_of_which_one_side_shows_nothing_is_one_problem_and_not_a_flood_of_breaks(
    tmp_path: Path, side: str
) -> None:
    case = Case(tmp_path)
    for number in range(101, 107):
        order_number = f"{number:09d}"
        if side == "PRIMA":
            case.magento(number)
        else:
            case.prima(number)
        case.ledger.append(LedgerOrder(order_number, f"30000{number}", NOON.date(), "accepted", NOON))
    found = case.result()
    assert [row["subject"] for row in found.not_reconciled] == [f"{side} orders of 2026-11-22"]
    assert found.breaks == []
    assert rows_by_level(case) == {"orders": {("EXCLUDED", "NOT_RECONCILED")}}
    (totals,) = found.control_totals
    assert totals["unexplained_variance_pence"] == totals["variance_pence"] != 0


def test_few_missing_orders_are_breaks_and_no_day_without_data(tmp_path: Path) -> None:
    case = Case(tmp_path)
    for number in range(101, 105):
        case.ledger.append(LedgerOrder(case.magento(number), state="accepted", posted_at=NOON))
    assert len(case.result().breaks) == 4


@pytest.mark.parametrize(("hours", "words"), [(3, "3.0 hours ahead of"), (-3, "3.0 hours behind"), (0, "")])
def test_a_clock_that_is_three_hours_off_is_named(case: Case, hours: int, words: str) -> None:
    for row in case._rows["sales_orders"]:
        row["ordered_at"] += timedelta(hours=hours)
    found = case.result()
    assert [row["subject"] for row in found.not_reconciled] == (["clock of PRIMA"] if words else [])
    assert all(words in row["detail"] for row in found.not_reconciled)
    assert rows_by_level(case)["orders"] == {("MATCHED", "")}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows.update(gross_pence=pd.NA),
        lambda rows: rows.update(business_date=None),
    ],
)
def test_a_document_without_an_amount_or_a_date_takes_only_its_order_out(
    case: Case, spoil: Callable[[dict[str, object]], None]
) -> None:
    spoil(case._rows["orders"][0])
    found = case.result()
    assert [row["subject"] for row in found.not_reconciled] == ["Magento orders 000000101"]
    rows = case.rows("select order_key, cause from order_variances where status = 'EXCLUDED'")
    assert [tuple(row.values()) for row in rows] == [("000000101", "NOT_RECONCILED")]
    assert [row["level"] for row in found.breaks] == ["invoices"]


def test_a_part_that_can_be_read_again_closes_its_exception() -> None:
    before = [
        an_exception("RECON_INPUT_REJECTED", "reconciliation: PRIMA invoices"),
        an_exception("RECON_INPUT_REJECTED", "reconciliation: clock of PRIMA"),
        an_exception("RECON_INPUT_REJECTED", "reconciliation: Magento orders 000000101"),
    ]
    notes = problem_notes([Problem("clock of PRIMA", "still off")])
    assert read_again(before, notes) == [("RECON_INPUT_REJECTED", "reconciliation: PRIMA invoices")]
    assert {"PRIMA sales_orders", "PRIMA credit_notes"} <= set(PARTS)
