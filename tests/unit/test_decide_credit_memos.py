"""A credit note becomes a credit memo only for exactly what it credits, and never for more than is left."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.credit_memos import CarryPlan, CreditNoteLine, LeftOfLine, LeftOfOrder, NotesToCarry
from schemas.refunds import CreditNote
from tasks.decide.credit_memos import credit_memos
from tasks.normalise.refundable import left_of_order
from tests.recorded import sample_orders

TEE = CreditNoteLine("goods", 1, 1, "20", 1000, 200, 1200)
DELIVERY = CreditNoteLine("delivery", 0, 0, "20", 329, 66, 395)
GOODWILL = CreditNoteLine("adjustment", 0, 0, "0", 250, 0, 250)
ORDER = LeftOfOrder(
    "000000034",
    34,
    "GBP",
    "2026-11-23 03:04:01",
    [LeftOfLine(93, 1, 3, "20", 600, 3600), LeftOfLine(94, 2, 1, "0", 0, 800)],
    "20",
    329,
    66,
)


def plan_of(*lines: CreditNoteLine, order: LeftOfOrder = ORDER, **note: object) -> CarryPlan:
    net, vat, gross = (sum(getattr(line, f"{name}_pence") for line in lines) for name in ("net", "vat", "gross"))
    told = CreditNote("CRN1", "000000034", "30000034", "", date(2026, 11, 25), "GBP", net, vat, gross)
    told = replace(told, **note)  # type: ignore[arg-type]
    return credit_memos(NotesToCarry([told], {"CRN1": lines}, {order.order_number: order}), "net")


def why(plan: CarryPlan) -> str:
    assert plan.to_make == []
    (note,) = plan.exceptions
    assert note.code == "CREDIT_NOTE_NOT_CARRIED"
    return note.detail


def test_every_line_is_named_and_delivery_is_stated_in_the_meaning_of_the_shop() -> None:
    (request,) = plan_of(TEE, DELIVERY).to_make
    assert [(line.item_id_magento, line.quantity) for line in request.lines] == [(93, 1), (94, 0)]
    assert (request.delivery_pence, request.goodwill_pence) == (329, 0)

    note = CreditNote("CRN1", "000000034", "30000034", "", date(2026, 11, 25), "GBP", 329, 66, 395)
    found = NotesToCarry([note], {"CRN1": [DELIVERY]}, {"000000034": ORDER})
    (gross,) = credit_memos(found, "gross").to_make
    assert (gross.delivery_pence, [line.quantity for line in gross.lines]) == (395, [0, 0])


def test_a_credit_note_without_delivery_says_no_delivery_so_that_magento_does_not_take_all_of_it() -> None:
    (request,) = plan_of(TEE).to_make
    assert request.delivery_pence == 0
    (request,) = plan_of(GOODWILL).to_make
    assert (request.goodwill_pence, request.delivery_pence) == (250, 0)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "PRIMA shows no lines of it"),
        ([replace(TEE, order_line_number=9)], "Magento's order has no line 9"),
        ([replace(TEE, quantity=4, net_pence=4000, vat_pence=800, gross_pence=4800)], "3 are invoiced"),
        ([replace(TEE, net_pence=500, vat_pence=100, gross_pence=600)], "£12.00 with VAT £2.00 in Magento"),
        ([replace(TEE, vat_pence=198, net_pence=1002)], "it credits £12.00 with VAT £1.98"),
        ([TEE, DELIVERY, DELIVERY], "of delivery only £3.95 are left"),
        ([replace(GOODWILL, net_pence=200, vat_pence=50)], "Magento's free amounts carry none"),
        ([replace(TEE, vat_rate="5")], "at 5% it credits £12.00 with VAT £2.00; £0.00 with VAT £0.00 are left"),
    ],
)
def test_what_cannot_be_refunded_exactly_stays_with_finance(lines: list[CreditNoteLine], said: str) -> None:
    assert said in why(plan_of(*lines))


def test_nothing_is_guessed_about_other_currencies_unread_orders_or_lines_that_do_not_add_up() -> None:
    assert "the order is in GBP" in why(plan_of(TEE, currency="EUR"))
    assert "its delivery is discounted" in why(plan_of(TEE, order=replace(ORDER, problem="its delivery is discounted")))
    assert "its lines do not make its total" in why(plan_of(TEE, gross_pence=1199, net_pence=999))
    assert "Magento does not show the order" in why(plan_of(TEE, order=replace(ORDER, order_number="other")))


def test_one_credit_note_of_an_order_is_carried_at_a_time() -> None:
    notes = [
        CreditNote(f"CRN{n}", "000000034", "30000034", "", date(2026, 11, 25), "GBP", 1000, 200, 1200) for n in (2, 1)
    ]
    plan = credit_memos(NotesToCarry(notes, {"CRN1": [TEE], "CRN2": [TEE]}, {"000000034": ORDER}), "net")

    assert [request.note.credit_note_number for request in plan.to_make] == ["CRN1"]
    assert plan.exceptions == []


@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, 10_000), st.integers(0, 1), st.integers(-3, 3))
def test_no_request_is_for_more_units_or_delivery_than_are_left(
    left: int, credited: int, gross: int, deliveries: int, more: int
) -> None:
    vat = gross // 6
    order = replace(ORDER, lines=[LeftOfLine(93, 1, left, "20", vat, gross)])
    share = gross * credited // left + more
    line = CreditNoteLine("goods", 1, credited, "20", share - share // 6, share // 6, share)
    plan = plan_of(line, *[DELIVERY] * deliveries, order=order)

    assert len(plan.to_make) + len(plan.exceptions) == 1
    for request in plan.to_make:
        assert 0 <= request.lines[0].quantity <= left
        assert request.delivery_pence <= order.delivery_net_pence
        assert abs(share - round(gross * credited / left)) <= 2


def test_what_is_left_of_each_recorded_order_is_what_was_invoiced_less_what_was_refunded() -> None:
    checked = 0
    for record in sample_orders():
        numbers = {
            item["item_id"]: position
            for position, item in enumerate(
                (item for item in record["items"] if not item.get("parent_item_id")), start=1
            )
        }
        left = left_of_order(record, numbers)
        if left.problem or not record.get("total_invoiced"):
            continue
        goods = sum(line.gross_pence for line in left.lines)
        adjusted = record.get("adjustment_positive") or record.get("adjustment_negative") or 0
        total = 100 * (record["total_invoiced"] - record.get("total_refunded", 0))
        if not adjusted:
            assert goods + left.delivery_net_pence + left.delivery_vat_pence == total, record["increment_id"]
            checked += 1
    assert checked >= 5
