"""What is decided about each accepted order: posted, already posted, or an exception that says what hinders it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.documents import ExceptionNote, SalesOrder, StockTuple
from schemas.items import ItemIndex
from schemas.order_checks import Circumstances
from schemas.orders import OrderPlan
from schemas.reasons import REASONS
from schemas.rules import DeliveryRule, NumberRule, OrderRules, PaymentRule, StoreRule
from tasks import validate
from tasks.decide import orders as decide
from tests.builders import SKU, an_item_index, an_order, an_order_line, frames_of, order_rules, plan_of, with_address


def the_exception(plan: OrderPlan) -> ExceptionNote:
    """Return the only exception of a plan that posts nothing."""
    assert plan.to_post == []
    assert plan.already_posted == []
    (note,) = plan.exceptions
    return note


def the_order(plan: OrderPlan) -> SalesOrder:
    """Return the only order of a plan that posts everything."""
    assert plan.exceptions == []
    (order,) = plan.to_post
    return order


def test_a_plain_order_is_posted_with_magentos_figures() -> None:
    order = the_order(plan_of(an_order()))

    (line,) = order.lines
    assert (line.net_pence, line.vat_pence, line.gross_pence, line.quantity) == (4998, 999, 5997, 3)
    assert (order.delivery_net_pence, order.delivery_vat_pence, order.delivery_gross_pence) == (329, 66, 395)
    assert (order.net_pence, order.vat_pence, order.gross_pence) == (5327, 1065, 6392)
    assert (order.order_number, order.order_number_prima) == ("000000101", "30001101")
    assert (order.channel, order.delivery_charge_code, order.is_held) == ("MailOrder", "STD48", False)
    assert (order.payment.pay_method, order.payment.sub_pay_method) == ("CSH", "CHEQUE")
    assert order.delivery_address.surname == "Wright"


def test_orders_are_planned_in_the_order_in_which_they_were_placed() -> None:
    plan = plan_of(
        an_order("000000103", created_at="2026-11-23 10:00:00"),
        an_order("000000102", created_at="2026-11-23 11:00:00"),
        an_order("000000101", created_at="2026-11-23 10:00:00"),
    )

    assert [order.order_number for order in plan.to_post] == ["000000101", "000000103", "000000102"]


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"lastname": " "}, "surname"),
        ({"street": []}, "street"),
        ({"street": ["", " "]}, "street"),
        ({"city": None}, "town"),
        ({"postcode": ""}, "postcode"),
        ({"lastname": "", "city": ""}, "surname, town"),
    ],
)
def test_an_incomplete_address_names_what_is_missing_and_nothing_personal(fields: dict[str, Any], missing: str) -> None:
    note = the_exception(plan_of(with_address(an_order(), **fields)))

    assert (note.code, note.detail) == ("ADDRESS_INCOMPLETE", f"delivery address without {missing}")


def test_an_incomplete_invoice_address_is_told_from_the_delivery_address() -> None:
    order = an_order()
    order["billing_address"]["city"] = ""

    assert the_exception(plan_of(order)).detail == "invoice address without town"


def test_a_country_without_postcodes_needs_none() -> None:
    line = an_order_line(vat="11.21", tax_percent=23)
    order = with_address(an_order(lines=[line], country="IE"), postcode=None)

    assert the_order(plan_of(order)).delivery_address.postcode == ""


def test_a_vat_rate_that_the_destination_does_not_have_is_an_exception() -> None:
    note = the_exception(plan_of(an_order(country="IE")))

    assert note.code == "VAT_RATE_UNEXPECTED"
    assert note.detail == "line 1 carries 20% to IE on 2026-11-23, £9.99 VAT"


def test_a_vat_rate_is_a_number_and_not_a_text() -> None:
    line = an_order_line(vat="7.13", tax_percent=Decimal("13.50"))

    assert the_order(plan_of(an_order(lines=[line], country="IE")))


def test_no_vat_is_right_everywhere() -> None:
    line = an_order_line(gross="49.98", vat="0.00")

    assert the_order(plan_of(an_order(lines=[line], delivery=("3.29", "0.00"), country="JE"))).vat_pence == 0


@pytest.mark.parametrize(
    ("sku", "code", "suggestion"),
    [
        ("ob-1234-blk-8", "SKU_CASE", SKU),
        ("OB-1234-BLK-9", "SKU_UNKNOWN", SKU),
        ("SOMETHING-ELSE", "SKU_UNKNOWN", None),
    ],
)
def test_a_sku_that_prima_lacks_names_line_sku_and_what_may_be_meant(
    sku: str, code: str, suggestion: str | None
) -> None:
    lines = [an_order_line(SKU), an_order_line(sku)]

    note = the_exception(plan_of(an_order(lines=lines)))

    assert (note.code, note.sku) == (code, sku)
    assert note.detail.startswith("line 2: ")
    assert note.suggestions == ((suggestion,) if suggestion else ())


def test_whether_an_order_is_wanted_comes_before_what_it_lacks() -> None:
    order = with_address(an_order(state="canceled", lines=[an_order_line("UNKNOWN")]), lastname="")

    assert the_exception(plan_of(order)).code == "ORDER_CANCELLED"


def test_an_order_that_prima_has_is_left_alone_whatever_it_lacks_now() -> None:
    plan = plan_of(an_order(lines=[an_order_line("UNKNOWN")]), posted={"000000101"})

    assert plan == OrderPlan(already_posted=["000000101"])


def test_an_order_cancelled_after_posting_is_a_warning_and_stays_posted() -> None:
    plan = plan_of(an_order(state="canceled"), posted={"000000101"})

    assert plan.already_posted == ["000000101"]
    (note,) = plan.warnings
    assert (note.code, note.value_at_risk_pence) == ("CANCELLED_AFTER_POSTING", 6392)


@pytest.mark.parametrize("where", ["firstname", "street", "city", "company", "note", "billing"])
def test_text_that_magento_lost_is_posted_with_a_warning_that_does_not_repeat_it(where: str) -> None:
    order = an_order(customer_note="Ring ????") if where == "note" else an_order()
    if where == "billing":
        order["billing_address"]["lastname"] = "????"
    elif where != "note":
        with_address(order, **{where: ["12 ???? Street"] if where == "street" else "???? Street"})

    plan = plan_of(order)

    assert len(plan.to_post) == 1
    (note,) = plan.warnings
    assert note.code == "TEXT_LOST"
    assert "Street" not in note.detail
    assert "Ring" not in note.detail


def test_a_question_in_a_note_is_no_lost_text() -> None:
    assert plan_of(an_order(customer_note="Why???")).warnings == []


@pytest.mark.parametrize(
    ("rule", "is_held", "codes"),
    [("post_on_hold", True, ["POSTED_ON_HOLD"]), ("post", False, [])],
)
def test_an_order_shipped_before_posting_goes_as_the_settings_say(rule: Any, is_held: bool, codes: list[str]) -> None:
    order = an_order(lines=[an_order_line(qty_shipped=2)])

    plan = plan_of(order, rules=order_rules(shipped_before_posting=rule))

    assert the_order(plan).is_held is is_held
    assert [note.code for note in plan.warnings] == codes
    assert [note.detail for note in plan.warnings] == ["2 of 3 units were shipped in Magento"] * len(codes)


def test_an_order_shipped_before_posting_is_held_by_default() -> None:
    note = the_exception(plan_of(an_order(lines=[an_order_line(qty_shipped=2)])))

    assert (note.code, note.detail) == ("SHIPPED_BEFORE_PRIMA", "2 of 3 units are shipped in Magento")


def test_every_order_is_held_in_prima_when_the_settings_say_so_and_that_is_no_warning() -> None:
    plan = plan_of(an_order(), rules=order_rules(is_held_in_prima=True))

    assert the_order(plan).is_held
    assert plan.warnings == []


def test_a_virtual_order_needs_no_delivery_method() -> None:
    order = an_order(delivery=("0.00", "0.00"), is_virtual=1)
    order["extension_attributes"]["shipping_assignments"] = [{"shipping": {"total": {}}}]

    posted = the_order(plan_of(order))

    assert (posted.delivery_charge_code, posted.delivery_gross_pence) == ("", 0)


@pytest.mark.parametrize(
    ("rule", "entity_id", "order_number", "expected"),
    [
        (NumberRule("30", "entity_id", 8), 42, "000000020", "30000042"),
        (NumberRule("", "entity_id", 8), 42, "000000020", "00000042"),
        (NumberRule("3", "entity_id", 8), 9_999_999, "000000020", "39999999"),
        (NumberRule("3", "entity_id", 8), 10_000_000, "000000020", None),
        (NumberRule("30", "increment_id", 8), 42, "000000020", "30000020"),
        (NumberRule("30", "increment_id", 8), 42, "2000000020", None),
        (NumberRule("30", "increment_id", 12), 42, "2000000020", "302000000020"),
        (NumberRule("30", "increment_id", 8), 42, "000000020-1", None),
        (NumberRule("30", "entity_id", 8), 42, "000000020-1", "30000042"),
        (NumberRule("30", "increment_id", 8), 42, "UK000020", None),
        (NumberRule("30", "increment_id", 8), 42, "٣", None),
        (NumberRule("30", "increment_id", 8), 42, "", None),
    ],
)
def test_primas_number_is_prefix_and_own_number_filled_to_length_or_none(
    rule: NumberRule, entity_id: int, order_number: str, expected: str | None
) -> None:
    assert rule.number(entity_id, order_number) == expected


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.sampled_from(["", "3", "30", "301"]))
def test_two_orders_never_get_the_same_number(one: int, other: int, prefix: str) -> None:
    rule = NumberRule(prefix, "entity_id", 8)
    first, second = rule.number(one, ""), rule.number(other, "")

    assert all(number is None or (len(number) == 8 and number.startswith(prefix)) for number in (first, second))
    assert one == other or first is None or first != second


def test_an_edited_order_whose_number_prima_cannot_hold_is_held() -> None:
    rules = order_rules(number=NumberRule("30", "increment_id", 8))

    plan = plan_of(an_order("000000020-1"), an_order("000000020"), rules=rules)

    assert [note.code for note in plan.exceptions] == ["ORDER_NUMBER_UNFIT"]
    assert [order.order_number_prima for order in plan.to_post] == ["30000020"]


PLACED = datetime(2026, 11, 23, 2, 52, 35, tzinfo=UTC)
Spoil = Callable[[dict[str, Any]], Mapping[str, Any] | None]
SPOILS: tuple[Spoil, ...] = (
    lambda order: None,
    lambda order: order.update(state="canceled"),
    lambda order: order.update(state="holded"),
    lambda order: order.update(store_id=2),
    lambda order: order.update(store_id=9),
    lambda order: order.update(payment={"method": "unknown"}),
    lambda order: order["items"][0].update(sku="UNKNOWN"),
    lambda order: order["items"][0].update(sku=SKU.lower()),
    lambda order: order["items"][0].update(tax_percent=17),
    lambda order: order["items"][0].update(qty_shipped=1),
    lambda order: with_address(order, lastname=""),
    lambda order: order.update(customer_note="????"),
    lambda order: order.update(entity_id=order["entity_id"] * 10**6),
    lambda order: order.update(created_at="2020-01-01 00:00:00"),
)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.lists(st.sampled_from(SPOILS), max_size=2), st.booleans()), max_size=6),
    st.sampled_from(["hold", "post_on_hold", "post"]),
    st.sampled_from([None, PLACED, PLACED + timedelta(hours=1)]),
)
def test_each_accepted_order_stands_in_exactly_one_list(batch: Any, shipped: Any, as_at: Any) -> None:
    records = []
    for number, (spoils, _) in enumerate(batch, start=1):
        record = an_order(f"{number:09d}")
        for spoil in spoils:
            spoil(record)
        records.append(record)
    posted = {f"{number:09d}" for number, (_, is_posted) in enumerate(batch, start=1) if is_posted}
    frames = frames_of(*records)
    accepted = validate.check_orders.fn(frames).accepted
    rules = order_rules(
        shipped_before_posting=shipped, start_date=date(2026, 1, 1), minimum_age=timedelta(minutes=30), as_at=as_at
    )

    plan = decide.orders(accepted, frames, an_item_index(), dict.fromkeys(posted, "accepted"), rules)

    to_post = [order.order_number for order in plan.to_post]
    held = [note.order_number for note in plan.exceptions]
    assert sorted([*to_post, *plan.already_posted, *held, *plan.too_young]) == sorted(accepted["order_number"])
    assert set(plan.already_posted) == posted
    assert {note.code for note in [*plan.exceptions, *plan.warnings]} <= set(REASONS)
    for order in plan.to_post:
        assert order.net_pence + order.vat_pence == order.gross_pence
        assert sum(line.gross_pence for line in order.lines) + order.delivery_gross_pence == order.gross_pence
        assert sum(line.vat_pence for line in order.lines) + order.delivery_vat_pence == order.vat_pence
    untouched = {f"{n:09d}" for n, (spoils, is_posted) in enumerate(batch, start=1) if not spoils and not is_posted}
    assert untouched <= set(plan.too_young if as_at == PLACED else to_post)


def test_deciding_changes_nothing_that_it_was_given() -> None:
    frames = frames_of(an_order())
    accepted = validate.check_orders.fn(frames).accepted
    before = accepted.copy(deep=True), frames.lines.copy(deep=True)

    first = decide.orders(accepted, frames, an_item_index(), {}, order_rules())
    second = decide.orders(accepted, frames, an_item_index(), {}, order_rules())

    assert first == second
    assert accepted.equals(before[0])
    assert frames.lines.equals(before[1])


def test_a_rejected_row_is_an_exception_with_its_reason_and_its_value() -> None:
    frames = frames_of(an_order("000000101", grand_total=Decimal("63.93")), an_order("000000102", grand_total="x"))

    notes = {note.order_number: note for note in decide.rejected(validate.check_orders.fn(frames).rejected)}

    assert (notes["000000101"].code, notes["000000101"].value_at_risk_pence) == ("TOTALS_DISAGREE", 6393)
    assert (notes["000000102"].code, notes["000000102"].value_at_risk_pence) == ("ROW_REJECTED", 0)


def test_orders_without_a_number_are_told_apart_by_their_entity_id() -> None:
    frames = frames_of(an_order("", entity_id=7), an_order("", entity_id=8))

    notes = decide.rejected(validate.check_orders.fn(frames).rejected)

    assert sorted(note.subject for note in notes) == ["order with entity id 7", "order with entity id 8"]


def test_store_payment_and_delivery_bring_primas_codes() -> None:
    rules: OrderRules = replace(
        order_rules(),
        stores={1: StoreRule("default", True, "Web", "HARB")},
        payments={"checkmo": PaymentRule("ACC", "PO", "SAGE", "ACCOUNT", "always")},
        deliveries={"flatrate_flatrate": DeliveryRule("NEXT", "DPD", "24H")},
    )
    order = an_order(payment={"method": "checkmo", "last_trans_id": "TX-1"})

    posted = the_order(plan_of(order, rules=rules))

    assert (posted.channel, posted.brand) == ("Web", "HARB")
    assert (posted.payment.pay_provider, posted.payment.order_category, posted.payment.transaction_id) == (
        "SAGE",
        "ACCOUNT",
        "TX-1",
    )
    assert (posted.delivery_charge_code, posted.carrier, posted.service) == ("NEXT", "DPD", "24H")


def test_each_line_carries_its_own_stock_tuple() -> None:
    items = ItemIndex([("A", StockTuple("X", "1")), ("B", StockTuple("X", "2"))])

    posted = the_order(plan_of(an_order(lines=[an_order_line("B"), an_order_line("A")]), items=items))

    assert [(line.line_number, line.item) for line in posted.lines] == [
        (1, StockTuple("X", "2")),
        (2, StockTuple("X", "1")),
    ]


def test_an_order_that_we_cancelled_ourselves_is_no_news() -> None:
    frames = frames_of(an_order(state="canceled"))

    plan = decide.orders(frames.orders, frames, an_item_index(), {"000000101": "cancelled"}, order_rules())

    assert plan == OrderPlan(already_posted=["000000101"])


def test_a_number_that_another_order_has_holds_one_order_and_no_other() -> None:
    taken = Circumstances(numbers={"30001101": "000000044", "30001102": "000000102"})

    plan = plan_of(an_order("000000101"), an_order("000000102"), circumstances=taken)

    assert [(note.code, note.detail) for note in plan.exceptions] == [
        ("ORDER_NUMBER_UNFIT", "30001101 is already the number of order 000000044")
    ]
    assert [order.order_number_prima for order in plan.to_post] == ["30001102"]


def test_two_orders_of_a_batch_never_get_one_number() -> None:
    plan = plan_of(an_order("000000101"), an_order("000000102", entity_id=1101))

    assert [order.order_number for order in plan.to_post] == ["000000101"]
    assert [note.detail for note in plan.exceptions] == ["30001101 is already the number of order 000000101"]
