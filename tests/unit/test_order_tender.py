"""Gift cards, store credit and reward points pay for an order; they are no discount and change no VAT."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.money import to_pounds
from schemas.rules import OrderRules, PaymentRule, TenderRule
from tasks.normalise import creditmemos, invoices
from tasks.normalise import orders as normalise
from tasks.normalise.tender import ATTRIBUTES
from tests.builders import an_order, an_order_line, frames_of, order_rules, paid_by, plan_of, rejections

KINDS = tuple(ATTRIBUTES)
CODES = {
    "gift_card": TenderRule("VCH", "GIFT", "NONE"),
    "store_credit": TenderRule("ACC", "CREDIT", "NONE"),
    "reward_points": TenderRule("ACC", "POINTS", "NONE"),
}


def paying_rules(**changes: Any) -> OrderRules:
    """Return rules with codes for every tender, for a PRIMA that takes several payments."""
    return order_rules(**{"tenders": CODES, "takes_several_payments": True, **changes})


@pytest.mark.parametrize("at_top_level", [False, True])
def test_what_a_gift_card_paid_is_part_of_the_sale_and_not_of_the_charge(at_top_level: bool) -> None:
    plain = plan_of(an_order()).to_post[0]

    (order,) = plan_of(paid_by(an_order(), gift_card="20.00", at_top_level=at_top_level), rules=paying_rules()).to_post

    assert (order.net_pence, order.vat_pence, order.gross_pence) == (
        plain.net_pence,
        plain.vat_pence,
        plain.gross_pence,
    )
    assert order.lines == plain.lines
    assert order.charged_pence == 6392 - 2000
    assert [(tender.kind, tender.amount_pence, tender.sub_pay_method) for tender in order.tenders] == [
        ("gift_card", 2000, "GIFT")
    ]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 90_000), st.integers(0, 20)), min_size=1, max_size=4),
    st.tuples(*[st.integers(0, 40_000)] * 3),
    st.booleans(),
    st.sampled_from(["order", "base"]),
)
def test_sale_is_charge_and_tenders_to_the_penny_whatever_paid(lines: Any, paid: Any, top: bool, amounts: Any) -> None:
    items = [
        an_order_line(
            f"SKU{place}", quantity=units, gross=f"{to_pounds(gross)}", vat=f"{to_pounds(gross * vat // 120)}"
        )
        for place, (units, gross, vat) in enumerate(lines)
    ]
    total = sum(gross for _, gross, _ in lines) + 395
    assume(sum(paid) <= total)
    order = paid_by(
        an_order(lines=items),
        at_top_level=top,
        **{kind: f"{to_pounds(pence)}" for kind, pence in zip(KINDS, paid, strict=True)},
    )

    frames = normalise.orders([order], amounts)

    assert rejections(frames) == {}
    (row,) = frames.orders.to_dict("records")
    assert (row["gross_pence"], row["charged_pence"]) == (total, total - sum(paid))
    assert tuple(row[f"{kind}_pence"] for kind in KINDS) == paid
    assert row["goods_gross_pence"] + row["delivery_gross_pence"] == row["gross_pence"] == row["header_gross_pence"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda order: order["extension_attributes"].update(gift_cards_amount=Decimal("19.99")),
        lambda order: order["extension_attributes"].pop("gift_cards_amount"),
        lambda order: order.update(discount_amount=Decimal("-20.00")),
    ],
    ids=["a penny less", "not told", "also a discount"],
)
def test_an_order_that_its_tender_does_not_explain_is_held(spoil: Any) -> None:
    order = paid_by(an_order(), gift_card="20.00")
    spoil(order)

    assert rejections(frames_of(order))["000000101"][0] == "TOTALS_DISAGREE"


@pytest.mark.parametrize("amount", ["x", Decimal("0.005"), True, [], Decimal("-20.00")])
def test_a_tender_that_is_no_amount_is_rejected_by_name(amount: Any) -> None:
    order = an_order()
    order["extension_attributes"]["customer_balance_amount"] = amount

    reason, detail = rejections(frames_of(order))["000000101"]

    assert reason == "ROW_REJECTED"
    assert "store_credit_pence" in detail


def test_a_tender_told_twice_and_not_alike_is_rejected() -> None:
    order = paid_by(an_order(), reward_points="5.00")
    order["reward_currency_amount"] = Decimal("6.00")

    assert rejections(frames_of(order))["000000101"][0] == "ROW_REJECTED"


def test_a_tender_without_codes_is_held_and_names_the_table_to_add() -> None:
    plan = plan_of(paid_by(an_order(), store_credit="63.92"))

    (note,) = plan.exceptions
    assert (note.code, note.detail) == ("TENDER_UNMAPPED", "£63.92 paid by store credit: add [tender.store_credit]")
    assert note.value_at_risk_pence == 6392


def test_two_payments_are_held_until_prima_is_known_to_take_them() -> None:
    order = paid_by(an_order(), gift_card="20.00")

    (note,) = plan_of(order, rules=paying_rules(takes_several_payments=False)).exceptions

    assert note.detail.startswith("paid £20.00 by gift card and £43.92 by checkmo: set prima.orders.several_payments")


def test_an_order_paid_by_one_tender_alone_is_one_payment_and_counts_as_paid() -> None:
    payments = {"free": PaymentRule("CSH", "FREE", "NONE", "FREE", "paid")}
    order = paid_by(an_order(payment={"method": "free"}), gift_card="63.92")

    (posted,) = plan_of(order, rules=paying_rules(payments=payments, takes_several_payments=False)).to_post

    assert posted.charged_pence == 0
    assert [tender.amount_pence for tender in posted.tenders] == [6392]


def test_invoices_and_credit_memos_are_worth_what_was_sold_whoever_paid() -> None:
    document = {
        "increment_id": "1",
        "order_id": 7,
        "order_currency_code": "GBP",
        "created_at": "2026-11-23 09:00:00",
        "grand_total": Decimal("43.92"),
        "tax_amount": Decimal("10.65"),
        "items": [],
        "extension_attributes": {"gift_cards_amount": Decimal(20)},
    }

    for normalised in (invoices.invoices([document]), creditmemos.creditmemos([document])):
        (row,) = normalised.documents.to_dict("records")
        assert (row["net_pence"], row["vat_pence"], row["gross_pence"]) == (5327, 1065, 6392)
