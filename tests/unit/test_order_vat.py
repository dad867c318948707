"""VAT of an order is checked, never changed: rates by destination and date, sizes of a style, rounding."""

from datetime import date, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents import StockTuple
from schemas.items import ItemIndex
from schemas.money import to_pence, to_pounds
from schemas.orders import OrderPlan
from schemas.rules import SizeRule, VatPeriod
from schemas.vat_rounding import Charge, is_rounded_down
from tests.builders import an_order, an_order_line, order_rules, plan_of
from tests.recorded import tax_baskets

# HMRC's standard rate, with the first and the last day of each.
STANDARD = [
    (date(1991, 4, 1), date(2008, 11, 30), "17.5"),
    (date(2008, 12, 1), date(2009, 12, 31), "15"),
    (date(2010, 1, 1), date(2011, 1, 3), "17.5"),
    (date(2011, 1, 4), None, "20"),
]
UK = [VatPeriod(frozenset({Decimal(rate), Decimal(0)}), first, last) for first, last, rate in STANDARD]


def codes(plan: OrderPlan) -> list[str]:
    """Return the codes of what holds the orders of a plan."""
    return [note.code for note in plan.exceptions]


@given(st.dates(date(1991, 4, 1), date(2030, 1, 1)))
def test_each_day_has_the_rates_of_its_own_period(day: date) -> None:
    (standard,) = [Decimal(rate) for first, last, rate in STANDARD if first <= day and (last is None or day <= last)]

    assert order_rules(vat_rates={"GB": UK}).rates_of("GB", day) == {standard, Decimal(0)}


def test_a_day_without_a_period_has_no_rates_and_an_unknown_destination_only_none() -> None:
    rules = order_rules(vat_rates={"GB": UK})

    assert rules.rates_of("GB", date(1991, 3, 31)) == frozenset()
    assert rules.rates_of("JE", date(1991, 3, 31)) == {Decimal(0)}


@pytest.mark.parametrize(
    ("placed", "rate", "held"),
    [
        ("2011-01-03 23:59:59", 20, ["VAT_RATE_UNEXPECTED"]),
        ("2011-01-04 00:00:00", 20, []),
        ("2009-12-31 12:00:00", Decimal("17.5"), ["VAT_RATE_UNEXPECTED"]),
        ("2010-01-01 12:00:00", Decimal("17.5"), []),
        ("2009-12-31 12:00:00", 15, []),
    ],
)
def test_a_rate_counts_on_the_london_day_of_the_order(placed: str, rate: Any, held: list[str]) -> None:
    gross = Decimal("60.00")
    vat = (gross * rate / (100 + rate)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    line = an_order_line(gross="60.00", vat=str(vat), tax_percent=rate)
    order = an_order(lines=[line], delivery=("0.00", "0.00"), created_at=placed)

    assert codes(plan_of(order, rules=order_rules(vat_rates={"GB": UK}))) == held


def test_the_rate_of_delivery_is_looked_at_too() -> None:
    order = an_order()
    order["extension_attributes"]["item_applied_taxes"][0]["applied_taxes"][0]["percent"] = 19

    (note,) = plan_of(order).exceptions

    assert note.detail == "delivery carries 19% to GB on 2026-11-23, £0.66 VAT"


def test_no_vat_is_unexpected_where_the_table_has_only_rates_above_it() -> None:
    line = an_order_line(gross="49.98", vat="0.00")

    assert codes(plan_of(an_order(lines=[line], delivery=("3.29", "0.00"), country="IE"))) == ["VAT_RATE_UNEXPECTED"]


CHILD, ADULT, OTHER = StockTuple("TEE", "RED", "5-6Y"), StockTuple("TEE", "RED", "M"), StockTuple("COAT", "RED", "M")
SIZES = SizeRule("mtrx2", frozenset({"5-6Y"}), pattern=r"\d+-\d+M")


def of_size(sku: str, vat: str, *, zero_rated: bool = True, country: str = "GB") -> OrderPlan:
    """Return the plan of an order of one SKU with this VAT, while PRIMA's children's tees are zero-rated or not."""
    rates = {CHILD: Decimal(0 if zero_rated else 20), ADULT: Decimal(20), OTHER: Decimal(0)}
    items = ItemIndex([("CHILD", CHILD), ("ADULT", ADULT), ("OTHER", OTHER)], vat_rates=rates)
    line = an_order_line(sku, gross="12.00", vat=vat)
    order = an_order(lines=[line], delivery=("0.00", "0.00"), country=country)
    return plan_of(order, items=items, rules=order_rules(sizes=SIZES))


@pytest.mark.parametrize(
    ("sku", "vat", "code"),
    [
        ("ADULT", "0.00", "VAT_ZERO_ON_ADULT_SIZE"),
        ("CHILD", "2.00", "VAT_CHARGED_ON_CHILD_SIZE"),
        ("ADULT", "2.00", None),
        ("CHILD", "0.00", None),
        ("OTHER", "0.00", None),
    ],
)
def test_a_size_carries_the_vat_of_its_age(sku: str, vat: str, code: str | None) -> None:
    assert codes(of_size(sku, vat)) == ([code] if code else [])


def test_a_size_is_only_looked_at_where_its_style_is_zero_rated_for_children_and_where_that_holds() -> None:
    assert codes(of_size("ADULT", "0.00", zero_rated=False)) == []
    assert codes(of_size("ADULT", "0.00", country="JE")) == []


def test_the_exception_names_line_style_and_size() -> None:
    (note,) = of_size("CHILD", "2.00").exceptions
    assert note.detail == "line 1 (CHILD): children's size 5-6Y of TEE carries 20%, £2.00 VAT"


def test_childrens_sizes_are_told_by_list_or_by_the_whole_pattern() -> None:
    assert SIZES.is_childs(StockTuple("TEE", "RED", "12-18M"))
    assert not SIZES.is_childs(StockTuple("TEE", "RED", "12-18MONTHS"))


RATES = st.sampled_from([Decimal(20), Decimal(5), Decimal("17.5"), Decimal("13.5")])
LINES = st.lists(st.tuples(st.integers(1, 200), st.integers(1, 20_000)), min_size=1, max_size=6)


def charged(lines: Any, rate: Decimal, method: str, rounding: str) -> list[Charge]:
    """Return lines of (units, pence each) with VAT by one of Magento's methods, prices with VAT."""
    share = rate / (100 + rate)

    def whole(amount: Decimal) -> int:
        return int(amount.quantize(Decimal(1), rounding=rounding))

    carried, charges = Decimal(0), []
    for units, each in lines:
        gross = units * each
        vat = units * whole(each * share) if method == "unit" else whole(gross * share)
        if method == "total":
            vat = whole(gross * share + carried)
            carried += gross * share - vat
        charges.append(Charge(units, gross - vat, vat, gross))
    return charges


@given(LINES, RATES, st.sampled_from(["unit", "row", "total"]))
def test_no_way_of_rounding_to_the_nearest_penny_is_called_rounded_down(lines: Any, rate: Any, method: str) -> None:
    assert not is_rounded_down(charged(lines, rate, method, ROUND_HALF_UP), rate)


@given(LINES, RATES, st.sampled_from(["unit", "row"]))
def test_vat_cut_off_is_found_unless_rounding_to_nearest_gives_the_same(lines: Any, rate: Any, method: str) -> None:
    cut = charged(lines, rate, method, ROUND_FLOOR)
    vat = sum(charge.vat_pence for charge in cut)
    fair = [sum(c.vat_pence for c in charged(lines, rate, each, ROUND_HALF_UP)) for each in ("unit", "row", "total")]
    on_net = [sum(int((c.net_pence * rate / 100).quantize(Decimal(1), ROUND_HALF_UP)) for c in cut)]

    if all(abs(vat - other) > sum(units for units, _ in lines) for other in [*fair, *on_net]):
        assert is_rounded_down(cut, rate)
    if is_rounded_down(cut, rate):
        assert vat < max(fair)


@pytest.mark.parametrize(("gross", "vat", "held"), [("39.99", "6.66", True), ("39.99", "6.67", False)])
def test_an_order_whose_vat_was_cut_off_is_held(gross: str, vat: str, held: bool) -> None:
    line = an_order_line(quantity=1, gross=gross, vat=vat)

    plan = plan_of(an_order(lines=[line], delivery=("0.00", "0.00")))

    assert codes(plan) == ["VAT_ROUNDED_DOWN"] * held
    assert [note.detail for note in plan.exceptions] == ["£6.66 at 20% in £39.99 is cut off to whole pence"] * held


def test_none_of_the_recorded_baskets_is_called_rounded_down() -> None:
    for basket in tax_baskets():
        header = basket["header"]
        by_rate: dict[Decimal, list[Charge]] = {}
        for line in basket["lines"]:
            gross, vat = to_pence(line["row_total_incl_tax"]), to_pence(line["tax_amount"])
            charge = Charge(int(line["qty_ordered"]), gross - vat, vat, gross)
            by_rate.setdefault(Decimal(line["tax_percent"]), []).append(charge)
        delivery_vat = to_pence(header["shipping_tax_amount"])
        if delivery_vat:
            compensation = to_pence(header["shipping_discount_tax_compensation_amount"])
            delivery = to_pence(header["shipping_amount"]) - to_pence(header["shipping_discount_amount"]) + compensation
            standard = max(by_rate)
            by_rate[standard].append(Charge(1, delivery, delivery_vat, delivery + delivery_vat))
        for rate, charges in by_rate.items():
            assert not is_rounded_down(charges, rate), (basket["id"], rate, charges)


def test_an_order_is_dated_by_london_and_not_by_utc() -> None:
    rules = order_rules(
        vat_rates={
            "GB": [
                VatPeriod(frozenset({Decimal(20)}), None, date(2026, 6, 30)),
                VatPeriod(frozenset({Decimal(21)}), date(2026, 6, 30) + timedelta(days=1), None),
            ]
        }
    )

    line = an_order_line(quantity=1, gross="12.10", vat="2.10", tax_percent=21)
    order = an_order(lines=[line], delivery=("0.00", "0.00"), created_at="2026-06-30 23:30:00")

    assert codes(plan_of(order, rules=rules)) == []
    assert to_pounds(1210) == Decimal("12.10")
