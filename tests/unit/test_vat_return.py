"""The VAT return of a period: what goes into boxes 1 and 6 on both sides, errors and their limit, sizes, delivery."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.periods import Change, Figures
from schemas.rules import SizeRule
from schemas.vat_return import net_error_limit_pence, past_error_pence
from tasks.reconcile.product_sizes import product_sizes
from tasks.reconcile.run import sql_files
from tests.unit.reconcile_cases import NOON, Case

ADULT, CHILD = ("20", 2400, 400, 1), ("0", 1000, 0, 1)
RULE = SizeRule("mtrx2", frozenset({"7-8Y"}))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "warehouse")


def invoiced(case: Case, number: int, *lines: Any, prima: Any = None, at: datetime = NOON, **order: Any) -> None:
    """An order that both sides invoice on one day; PRIMA with other lines where they are given."""
    case.magento(number, *lines, placed_at=at, **order)
    case.prima(number, *lines, ordered_at=at)
    case.magento_invoice(f"M{number}", number, *lines, at=at)
    case.prima_invoice(f"P{number}", number, *(prima or lines), at=at)


def boxes(case: Case) -> dict[str, Any]:
    case.result()
    (row,) = case.rows("select * from vat_boxes where currency = 'GBP'")
    return row


def test_box_1_is_the_vat_of_the_united_kingdom_and_box_6_the_net_with_exports(case: Case) -> None:
    invoiced(case, 101, ADULT)
    invoiced(case, 102, ADULT, postcode_area="BT")
    invoiced(case, 103, CHILD, country="US")
    invoiced(case, 104, ADULT, country="FR")
    case.magento_refund("R1", 101, ADULT)
    case.prima_refund("C1", 101, 2400, 400)
    row = boxes(case)
    delivery_net, delivery_vat = 395 - 66, 66
    for side in ("magento", "prima"):
        assert row[f"{side}_box_1_pence"] == 400 + 2 * delivery_vat
        assert row[f"{side}_box_6_pence"] == 2000 + 1000 + 3 * delivery_net
        assert row[f"{side}_box_6_pounds"] == (3000 + 3 * delivery_net) // 100
        assert row[f"{side}_other_vat_pence"] == 400 + 2 * delivery_vat
    assert (row["net_error_pence"], row["is_above_limit"]) == (0, False)
    by_place = case.rows(
        "select destination, sum(magento_vat_pence) as vat from vat_return group by destination order by destination"
    )
    assert [(each["destination"], int(each["vat"])) for each in by_place] == [
        ("EU", 466),
        ("GB", 66),
        ("NI", 466),
        ("export", 66),
    ]


def test_the_net_error_is_what_prima_holds_beside_what_was_charged(case: Case) -> None:
    invoiced(case, 101, ("20", 12_000_000, 2_000_000, 1), prima=[("20", 12_000_000, 900_000, 1)])
    row = boxes(case)
    assert (row["overstated_pence"], row["understated_pence"], row["net_error_pence"]) == (0, -1_100_000, -1_100_000)
    assert (row["error_limit_pence"], row["is_above_limit"]) == (1_000_000, True)


def test_a_credit_note_without_a_rate_is_in_the_return_without_one(case: Case) -> None:
    invoiced(case, 101, ADULT, CHILD, country="FR")
    case.prima_refund("C1", 101, 2400, 400)
    assert boxes(case)["prima_other_vat_pence"] == 400 + 66 - 400
    (row,) = case.rows("select destination, is_box_6, prima_net_pence from vat_return where vat_rate_percent is null")
    assert row == {"destination": "EU", "is_box_6": False, "prima_net_pence": -2000}


def test_a_refund_of_tomorrow_is_not_in_the_return_of_today_that_has_one_of_the_same_order(case: Case) -> None:
    invoiced(case, 101, ADULT, ADULT)
    for number, day in enumerate((NOON, NOON + timedelta(days=1))):
        case.magento_refund(f"R{number}", 101, ADULT, at=day)
        case.prima_refund(f"C{number}", 101, 2400, 400, at=day)
    assert boxes(case)["magento_box_1_pence"] == 2 * 400 + 66 - 400


def test_a_document_counts_on_its_own_day_only(case: Case) -> None:
    invoiced(case, 101, ADULT)
    case.magento_refund("R-LATE", 101, ADULT, at=NOON + timedelta(days=1))
    case.prima_refund("C-LATE", 101, 2400, 400, at=NOON + timedelta(days=1))
    assert boxes(case)["magento_box_1_pence"] == 466
    later = date(2026, 11, 23)
    case.run = replace(case.run, from_date=later, to_date=later)
    assert boxes(case)["magento_box_1_pence"] == -400


def test_without_invoices_of_prima_the_orders_stand_for_them(case: Case) -> None:
    case.run = replace(case.run, prima_evidence="ledger")
    case.magento(101, ADULT)
    case.prima(101, ADULT)
    row = boxes(case)
    assert (row["basis"], row["magento_box_1_pence"], row["prima_box_1_pence"]) == ("orders", 466, 466)


def test_zero_rated_adult_sizes_and_childrens_sizes_with_vat_are_listed_on_both_sides(case: Case) -> None:
    case.size_rule = RULE
    wrong = [("0", 2400, 0, 1), ("20", 1200, 200, 1)]
    for number, country in ((101, "GB"), (102, "US")):
        case.magento(number, *wrong, country=country)
        case.prima(number, *wrong)
    for row in case._rows["sales_order_lines"]:
        row |= {"mtrx1": "RED", "mtrx2": "12" if row["product"] == "P1" else "7-8Y", "mtrx3": "", "mtrx4": ""}
    case.result()
    found = case.rows("select side, order_key, product, size, finding, gross_pence from vat_by_size")
    assert [tuple(row.values()) for row in found] == [
        (side, "000000101", product, size, finding, pence)
        for side in ("magento", "prima")
        for product, size, finding, pence in (
            ("P1/RED/12", "12", "VAT_ZERO_ON_ADULT_SIZE", 2400),
            ("P2/RED/7-8Y", "7-8Y", "VAT_CHARGED_ON_CHILD_SIZE", 1200),
        )
    ]
    assert product_sizes([], None).empty


def test_the_vat_of_delivery_is_set_beside_that_of_its_goods(case: Case) -> None:
    invoiced(case, 101, ADULT)
    invoiced(case, 102, CHILD)
    invoiced(case, 103, ADULT, CHILD)
    case.result()
    found = case.rows(
        "select goods, policy, document_count, vat_pence, zero_rated_share_pence from delivery_vat"
        " where side = 'magento' and level = 'invoices' order by goods"
    )
    assert [tuple(row.values()) for row in found] == [
        ("one rate", "follows the goods", 1, 66, 0),
        ("several rates", "goods at several rates", 1, 66, 329 * 1000 // 3000),
        ("zero-rated only", "differs from the goods", 1, 66, 329),
    ]


@given(st.integers(min_value=0, max_value=10**12))
def test_the_limit_is_ten_thousand_pounds_or_one_per_cent_up_to_fifty_thousand(box_6: int) -> None:
    limit = net_error_limit_pence(box_6)
    assert 1_000_000 <= limit <= 5_000_000
    assert limit == box_6 // 100 or limit in (1_000_000, 5_000_000)


def test_the_tables_use_the_same_limits_as_the_program() -> None:
    (sql,) = [text for name, text in sql_files() if name == "092_vat_boxes.sql"]
    assert "greatest(1000000, least(prima_box_6_pence // 100, 5000000))" in sql


def test_only_what_prima_changed_in_the_united_kingdom_is_an_error_of_an_earlier_return() -> None:
    def change(side: str, level: str, destination: str, vat: int) -> Change:
        figures = Figures(5 * vat, vat, destination, date(2026, 11, 2))
        return Change(side, level, "D", "20.00", "1", "GBP", None, figures)

    changes = [
        change("prima", "invoices", "GB", 500),
        change("prima", "refunds", "NI", 30),
        change("prima", "orders", "GB", 7),
        change("magento", "invoices", "GB", 11),
        change("prima", "invoices", "EU", 13),
    ]
    assert past_error_pence(changes) == 470
