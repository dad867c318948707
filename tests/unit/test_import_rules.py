"""Which orders the settings import at all: by state, status, store, date, age, payment; each answer has its code."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from schemas.documents import ExceptionNote, SalesOrder
from schemas.orders import OrderPlan
from schemas.reasons import REASONS
from schemas.rules import PaymentRule, StoreRule
from tests.builders import an_order, an_order_line, order_rules, plan_of

PLACED = datetime(2026, 11, 23, 2, 52, 35, tzinfo=UTC)


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


def paying(import_when: Any, **payment: Any) -> dict[str, Any]:
    """Return arguments of `plan_of` for one order whose payment method is imported at a certain time."""
    method = PaymentRule("CSH", "CARD", "NONE", "CARD", import_when)
    order = an_order(payment={"method": "card", **payment})
    return {"order": order, "rules": order_rules(payments={"card": method})}


Case = tuple[dict[str, Any], dict[str, Any], str, str]

IMPORT_RULES: dict[str, Case] = {
    "cancelled": ({"state": "canceled", "status": "canceled"}, {}, "ORDER_CANCELLED", "state canceled"),
    "refunded": ({"state": "closed"}, {}, "ORDER_CLOSED", "state closed"),
    "held": ({"state": "holded"}, {}, "ORDER_ON_HOLD", "state holded"),
    "in review": ({"state": "payment_review"}, {}, "ORDER_STATE_NOT_IMPORTED", "state payment_review"),
    "state left out": ({}, {"import_states": frozenset({"complete"})}, "ORDER_STATE_NOT_IMPORTED", "state new"),
    "other store": ({"store_id": 2}, {}, "STORE_NOT_IMPORTED", "store view outlet"),
    "before go-live": (
        {"created_at": "2026-11-22 23:59:59"},
        {"start_date": date(2026, 11, 23)},
        "BEFORE_START_DATE",
        "placed on 2026-11-22, start date 2026-11-23",
    ),
    "unknown store": ({"store_id": 77}, {}, "STORE_UNMAPPED", "id = 77"),
    "unknown payment": ({"payment": {"method": "klarna"}}, {}, "PAYMENT_UNMAPPED", "[payment_methods.klarna]"),
    "unknown delivery": ({}, {"deliveries": {}}, "DELIVERY_UNMAPPED", "[delivery_methods.flatrate_flatrate]"),
    "number too long": ({"entity_id": 1234567}, {}, "ORDER_NUMBER_UNFIT", "8 digits after '30'"),
}


@pytest.mark.parametrize("what", IMPORT_RULES)
def test_an_order_that_the_settings_leave_out_says_why(what: str) -> None:
    fields, changes, code, detail = IMPORT_RULES[what]

    note = the_exception(plan_of(an_order(**fields), rules=order_rules(**changes)))

    assert (note.code, note.subject, note.order_number) == (code, "order 000000101", "000000101")
    assert detail in note.detail
    assert (note.value_at_risk_pence, note.currency) == (6392, "GBP")
    assert note.code in REASONS


def test_an_order_of_the_start_date_in_london_is_imported() -> None:
    order = an_order(created_at="2026-06-30 23:30:00")  # the first of July in London

    assert the_order(plan_of(order, rules=order_rules(start_date=date(2026, 7, 1))))


@pytest.mark.parametrize(
    ("import_when", "payment", "paid", "code"),
    [
        ("always", {}, None, None),
        ("never", {"amount_authorized": Decimal("63.92")}, "63.92", "PAYMENT_METHOD_NOT_IMPORTED"),
        ("paid", {}, None, "ORDER_UNPAID"),
        ("paid", {}, "63.91", "ORDER_UNPAID"),
        ("paid", {"amount_authorized": Decimal("63.92")}, None, "ORDER_UNPAID"),
        ("paid", {}, "63.92", None),
        ("authorised", {}, None, "ORDER_UNPAID"),
        ("authorised", {"amount_authorized": Decimal("63.91")}, None, "ORDER_UNPAID"),
        ("authorised", {"amount_authorized": Decimal("63.92")}, None, None),
        ("authorised", {}, "63.92", None),
    ],
)
def test_a_payment_method_is_imported_when_its_rule_says(
    import_when: str, payment: dict[str, Any], paid: str | None, code: str | None
) -> None:
    arguments = paying(import_when, **payment)
    order = arguments["order"] | ({"total_paid": Decimal(paid)} if paid else {})

    plan = plan_of(order, rules=arguments["rules"])

    assert [note.code for note in plan.exceptions] == ([code] if code else [])
    assert len(plan.to_post) == (0 if code else 1)


def test_an_order_of_nothing_needs_no_payment() -> None:
    order = an_order(lines=[an_order_line(gross="0.00", vat="0.00")], delivery=("0.00", "0.00"))
    order["payment"] = {"method": "card"}

    assert the_order(plan_of(order, rules=paying("paid")["rules"])).gross_pence == 0


def test_an_order_that_is_too_young_waits_without_an_exception() -> None:
    order = an_order()
    half_an_hour = timedelta(minutes=30)

    before = plan_of(
        order, rules=order_rules(minimum_age=half_an_hour, as_at=PLACED + half_an_hour - timedelta(seconds=1))
    )
    after = plan_of(order, rules=order_rules(minimum_age=half_an_hour, as_at=PLACED + half_an_hour))

    assert before == OrderPlan(too_young=["000000101"])
    assert after.too_young == []
    assert the_order(after)


def test_an_order_that_prima_has_is_never_too_young() -> None:
    rules = order_rules(minimum_age=timedelta(days=1), as_at=PLACED)

    assert plan_of(an_order(), posted={"000000101"}, rules=rules) == OrderPlan(already_posted=["000000101"])


@pytest.mark.parametrize(("days", "code"), [(13, "ORDER_UNPAID"), (15, "ORDER_EXPIRED")])
@pytest.mark.parametrize("import_when", ["paid", "authorised"])
def test_an_unpaid_order_expires(import_when: str, days: int, code: str) -> None:
    method = PaymentRule("CSH", "CARD", "NONE", "CARD", import_when)  # type: ignore[arg-type]
    rules = order_rules(
        payments={"checkmo": method}, expire_unpaid=timedelta(days=14), as_at=PLACED + timedelta(days=days)
    )

    assert the_exception(plan_of(an_order(), rules=rules)).code == code
    assert the_order(plan_of(an_order(total_paid=Decimal("63.92")), rules=rules))


def test_statuses_narrow_the_states() -> None:
    rules = order_rules(import_statuses=frozenset({"checked"}))

    note = the_exception(plan_of(an_order(), rules=rules))

    assert (note.code, note.detail) == ("ORDER_STATE_NOT_IMPORTED", "status pending, state new")
    assert the_order(plan_of(an_order(status="checked"), rules=rules))


@pytest.mark.parametrize(
    ("own", "code"),
    [
        ({"import_states": frozenset({"complete"})}, "ORDER_STATE_NOT_IMPORTED"),
        ({"import_statuses": frozenset({"checked"})}, "ORDER_STATE_NOT_IMPORTED"),
        ({"start_date": date(2027, 1, 1)}, "BEFORE_START_DATE"),
    ],
)
def test_a_store_view_has_rules_of_its_own(own: dict[str, Any], code: str) -> None:
    stores = {1: StoreRule("default", True, "MailOrder", "", **own), 5: StoreRule("other", True, "MailOrder", "")}

    plan = plan_of(an_order("000000101"), an_order("000000102", store_id=5), rules=order_rules(stores=stores))

    assert [(note.order_number, note.code) for note in plan.exceptions] == [("000000101", code)]
    assert [order.order_number for order in plan.to_post] == ["000000102"]


def test_a_store_may_import_a_payment_method_at_another_time_than_the_others() -> None:
    case = paying("paid")
    own = StoreRule("default", True, "MailOrder", "", import_when={"card": "always"})

    assert the_exception(plan_of(case["order"], rules=case["rules"])).code == "ORDER_UNPAID"
    assert the_order(plan_of(case["order"], rules=replace(case["rules"], stores={1: own})))
