"""The totals of the Magento stand-in against 308 recorded baskets, and the identities that every order obeys."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.magento.carts import (
    Algorithm,
    Cart,
    CartLine,
    Coupon,
    CouponAction,
    Customer,
    Ids,
    PostalAddress,
    TaxSettings,
    order_document,
)
from sandbox.magento.discounts import free_units
from sandbox.magento.totals import Figures, LineFigures, collect_totals
from tests.unit.recorded_carts import cart_of_basket, moment_of_order, recorded_baskets

BASKETS = recorded_baskets()
SAME_NAMES = ("price", "price_incl_tax", "original_price", "tax_amount", "tax_percent", "discount_amount")
SAME_NAMES += ("discount_percent", "discount_tax_compensation_amount")


@pytest.mark.parametrize("basket", BASKETS, ids=[basket["id"] for basket in BASKETS])
def test_every_figure_of_a_recorded_basket_is_reproduced_to_the_penny(basket: dict[str, Any]) -> None:
    cart = cart_of_basket(basket)
    totals = collect_totals(cart)
    figures = totals.order
    assert totals.base == figures
    assert [shown_line(line) for line in figures.lines] == [recorded_line(line) for line in basket["lines"]]
    assert shown_header(figures) == {name: basket["header"][name] for name in shown_header(figures)}
    assert [(tax.rate.code, tax.rate.percent, tax.amount) for tax in figures.applied_taxes] == [
        (tax["code"], tax["percent"], tax["amount"]) for tax in basket["applied_taxes"]
    ]


@pytest.mark.parametrize("basket", BASKETS, ids=[basket["id"] for basket in BASKETS])
def test_the_tax_tables_of_a_recorded_basket_are_reproduced(basket: dict[str, Any]) -> None:
    document = tax_tables(basket)
    for name in ("applied_taxes", "item_applied_taxes", "taxes", "additional_itemized_taxes"):
        assert rows_of(document["extension_attributes"][name]) == rows_of(basket[name])
    for item, line in zip(document["items"], basket["lines"], strict=True):
        assert rows_of(item["extension_attributes"]["itemized_taxes"]) == rows_of(line["itemized_taxes"])


def test_all_308_recorded_baskets_are_there() -> None:
    assert len(BASKETS) == 308


def test_the_penny_by_which_the_three_algorithms_differ() -> None:
    lines = (CartLine("A", 7, Decimal("0.99")), CartLine("B", 7, Decimal("1.01")))
    vat = {}
    for algorithm in Algorithm:
        figures = collect_totals(a_cart(*lines, algorithm=algorithm)).order
        vat[algorithm] = [line.tax_amount for line in figures.lines]
    assert vat == {
        Algorithm.UNIT_BASE: [Decimal("1.19"), Decimal("1.19")],
        Algorithm.ROW_BASE: [Decimal("1.16"), Decimal("1.18")],
        Algorithm.TOTAL_BASE: [Decimal("1.16"), Decimal("1.17")],
    }


def test_a_shop_shown_in_euro_rounds_both_currencies_by_themselves() -> None:
    cart = a_cart(CartLine("A", 3, Decimal("6.67")), CartLine("B", 1, Decimal("33.33")), store_id=3)
    totals = collect_totals(cart)
    assert (totals.base.subtotal_incl_tax, totals.order.subtotal_incl_tax) == (Decimal("53.34"), Decimal("62.63"))
    assert totals.order.subtotal_incl_tax != round(totals.base.subtotal_incl_tax * cart.store.rate, 2)


def test_units_of_one_product_are_one_line() -> None:
    figures = collect_totals(a_cart(CartLine("A", 1, Decimal("0.01")), CartLine("A", 6, Decimal("0.01")))).order
    assert [line.row_total_incl_tax for line in figures.lines] == [Decimal("0.07")]


def test_a_discount_beyond_a_net_price_makes_the_total_smaller_than_the_lines_show() -> None:
    each = Coupon("EACH3", CouponAction.FIXED_EACH, Decimal(3))
    settings_ = TaxSettings(price_includes_tax=False, shipping_includes_tax=False)
    cart = a_cart(CartLine("A", 1, Decimal("0.99")), CartLine("B", 1, Decimal("9.99")), coupon=each, tax=settings_)
    figures = collect_totals(cart).order
    assert figures.lines[0].gross_after_discount == Decimal("-0.20")
    assert figures.lines[0].shown_row_total_incl_tax == 0
    shown = sum(line.shown_row_total_incl_tax for line in figures.lines)
    assert shown + delivery_gross(figures) == figures.grand_total + Decimal("0.20")


def test_a_full_discount_on_gross_never_exceeds_the_gross_line() -> None:
    full = Coupon("FULL", CouponAction.PERCENT, Decimal(100))
    net_prices = TaxSettings(price_includes_tax=False, shipping_includes_tax=False)
    (line,) = collect_totals(a_cart(CartLine("A", 3, Decimal("3.33")), coupon=full, tax=net_prices)).order.lines
    assert line.price_incl_tax * 3 == Decimal("12.00")
    assert line.discount_amount == line.row_total_incl_tax == Decimal("11.99")


@pytest.mark.parametrize(
    ("units", "step", "free", "expected"),
    [(2, 2, 1, 0), (3, 2, 1, 1), (5, 2, 1, 1), (6, 2, 1, 2), (3, 2, 2, 1), (7, 2, 2, 3), (9, 3, 5, 0)],
)
def test_free_units_follow_the_paid_ones(units: int, step: int, free: int, expected: int) -> None:
    assert free_units(units, step, free) == expected


def test_an_empty_cart_has_no_totals() -> None:
    with pytest.raises(ValueError, match="without lines"):
        collect_totals(a_cart())


PRICES = st.integers(min_value=0, max_value=500_000).map(lambda pence: Decimal(pence) / 100)
LINES = st.lists(
    st.builds(
        CartLine,
        sku=st.text("ABCDEFGH", min_size=1, max_size=2),
        quantity=st.integers(min_value=1, max_value=200),
        catalogue_price=PRICES,
        vat_class=st.sampled_from(["standard", "reduced", "zero", "none"]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda line: line.sku,
)
COUPONS = st.one_of(
    st.none(),
    st.builds(
        Coupon,
        code=st.just("ANY"),
        action=st.sampled_from(CouponAction),
        amount=st.integers(min_value=0, max_value=10_000).map(lambda pence: Decimal(pence) / 100),
        step=st.integers(min_value=1, max_value=3),
        applies_to_shipping=st.booleans(),
    ),
)
SETTINGS = st.builds(
    TaxSettings,
    algorithm=st.sampled_from(Algorithm),
    price_includes_tax=st.booleans(),
    shipping_includes_tax=st.booleans(),
    apply_after_discount=st.booleans(),
    discount_tax=st.booleans(),
    cross_border_trade_enabled=st.booleans(),
)


@settings(max_examples=400, deadline=None)
@given(
    lines=LINES,
    coupon=COUPONS,
    tax=SETTINGS,
    country=st.sampled_from(["GB", "IM", "IE", "DE", "FR", "US", "JE"]),
    delivery=PRICES,
    store_id=st.sampled_from([1, 3, 4]),
)
def test_the_identities_of_every_order_hold(
    lines: list[CartLine], coupon: Coupon | None, tax: TaxSettings, country: str, delivery: Decimal, store_id: int
) -> None:
    cart = a_cart(*lines, coupon=coupon, tax=tax, country=country, delivery=delivery, store_id=store_id)
    totals = collect_totals(cart)
    for figures in (totals.base, totals.order):
        in_lines = sum(line.tax_amount for line in figures.lines)
        assert figures.tax_amount == in_lines + figures.delivery.tax_amount
        assert sum(tax.amount for tax in figures.applied_taxes) == figures.tax_amount
        gross = sum(line.gross_after_discount for line in figures.lines)
        assert gross + delivery_gross(figures) == figures.grand_total
        for line in figures.lines:
            assert line.shown_row_total == max(line.row_total - line.discount_amount, 0)
            assert line.tax_amount >= 0
            if tax.price_includes_tax:
                assert line.row_total + line.tax_amount + line.discount_tax_compensation_amount == (
                    line.row_total_incl_tax
                )
            else:
                assert line.discount_tax_compensation_amount == 0
        if coupon is None:
            assert figures.discount_amount == 0
            assert figures.subtotal_incl_tax + figures.delivery.incl_tax == figures.grand_total


@settings(max_examples=200, deadline=None)
@given(lines=LINES, tax=SETTINGS, delivery=PRICES, country=st.sampled_from(["GB", "IM"]))
def test_total_base_charges_the_vat_of_the_whole_order_within_a_penny_a_rate(
    lines: list[CartLine], tax: TaxSettings, delivery: Decimal, country: str
) -> None:
    gross = TaxSettings(algorithm=Algorithm.TOTAL_BASE, cross_border_trade_enabled=tax.cross_border_trade_enabled)
    figures = collect_totals(a_cart(*lines, tax=gross, country=country, delivery=delivery)).order
    for applied in figures.applied_taxes:
        taxed = sum((line.row_total_incl_tax for line in figures.lines if line.rate == applied.rate), Decimal(0))
        if figures.delivery.rate == applied.rate:
            taxed += figures.delivery.incl_tax
        assert abs(taxed * applied.rate.percent / (100 + applied.rate.percent) - applied.amount) < Decimal("0.0051")


@settings(max_examples=200, deadline=None)
@given(lines=LINES, amount=st.integers(min_value=1, max_value=20_000))
def test_the_shares_of_a_fixed_cart_discount_add_up(lines: list[CartLine], amount: int) -> None:
    fixed = Coupon("FIX", CouponAction.FIXED_CART, Decimal(amount) / 100)
    figures = collect_totals(a_cart(*lines, coupon=fixed)).order
    assert -figures.discount_amount == min(fixed.amount, figures.subtotal_incl_tax)


def a_cart(
    *lines: CartLine,
    algorithm: Algorithm = Algorithm.TOTAL_BASE,
    tax: TaxSettings | None = None,
    coupon: Coupon | None = None,
    country: str = "GB",
    delivery: Decimal = Decimal("3.95"),
    store_id: int = 1,
) -> Cart:
    return Cart(
        lines=lines,
        customer=Customer("Test", "Buyer", "buyer@example.test"),
        address=PostalAddress("Test", "Buyer", ("1 High Street",), "Leicester", "LE1 5YA", country),
        settings=tax or TaxSettings(algorithm=algorithm),
        coupon=coupon,
        shipping_price=delivery,
        store_id=store_id,
    )


def delivery_gross(figures: Figures) -> Decimal:
    delivery = figures.delivery
    return delivery.amount + delivery.tax_amount - delivery.discount_amount + delivery.discount_tax_compensation_amount


def shown_line(line: LineFigures) -> dict[str, Decimal]:
    shown = {name: getattr(line, name) for name in SAME_NAMES}
    return shown | {
        "stored_row_total": line.row_total,
        "stored_row_total_incl_tax": line.row_total_incl_tax,
        "row_total": line.shown_row_total,
        "row_total_incl_tax": line.shown_row_total_incl_tax,
        "base_row_total": line.shown_row_total,
        "base_tax_amount": line.tax_amount,
        "base_discount_amount": line.discount_amount,
        "base_discount_tax_compensation_amount": line.discount_tax_compensation_amount,
    }


def recorded_line(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name in RECORDED_LINE}


def shown_header(figures: Figures) -> dict[str, Decimal]:
    delivery = figures.delivery
    return {
        "subtotal": figures.subtotal,
        "subtotal_incl_tax": figures.subtotal_incl_tax,
        "shipping_amount": delivery.amount,
        "shipping_tax_amount": delivery.tax_amount,
        "shipping_incl_tax": delivery.incl_tax,
        "shipping_discount_amount": delivery.discount_amount,
        "shipping_discount_tax_compensation_amount": delivery.discount_tax_compensation_amount,
        "discount_amount": figures.discount_amount,
        "discount_tax_compensation_amount": figures.discount_tax_compensation_amount,
        "tax_amount": figures.tax_amount,
        "grand_total": figures.grand_total,
        "total_due": figures.grand_total,
        "base_grand_total": figures.grand_total,
        "base_tax_amount": figures.tax_amount,
    }


RECORDED_LINE = {
    *SAME_NAMES,
    "stored_row_total",
    "stored_row_total_incl_tax",
    "row_total",
    "row_total_incl_tax",
    "base_row_total",
    "base_tax_amount",
    "base_discount_amount",
    "base_discount_tax_compensation_amount",
}


def tax_tables(basket: dict[str, Any]) -> dict[str, Any]:
    """Return the order document of a basket under the numbers that the recorded order had."""
    cart = cart_of_basket(basket)
    if basket["header"]["grand_total"] == 0:
        cart = replace(cart, payment_method="free")
    rows = [tax for line in basket["lines"] for tax in line["itemized_taxes"]] + basket["additional_itemized_taxes"]
    ids = Ids(
        entity_id=basket["taxes"][0]["order_id"] if basket["taxes"] else 1,
        increment_id="000000001",
        quote_id=1,
        first_address_id=1,
        first_item_id=basket["lines"][0]["item_id"],
        first_quote_item_id=1,
        first_tax_id=min((tax["tax_id"] for tax in basket["taxes"]), default=0),
        first_tax_item_id=min((tax["tax_item_id"] for tax in rows), default=0),
    )
    return order_document(cart, ids, moment_of_order({"created_at": "2026-11-23 02:52:35"}))


def rows_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with amounts as plain floats and without the row's own number.

    Some recorded baskets were placed at the same time, so that their row numbers have gaps.
    """
    read = json.loads(json.dumps(rows, default=float))
    return [{name: value for name, value in row.items() if name != "tax_item_id"} for row in read]
