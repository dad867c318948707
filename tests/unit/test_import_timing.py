"""How old an order must be, how old it may be unpaid, and what a store view decides for itself."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from schemas.rules import OrderRules, PaymentRule
from tests.builders import an_order, order_rules, plan_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WHEN_PAID = {"checkmo": PaymentRule("CSH", "CHEQUE", "NONE", "CHEQUE", "paid")}


def rules(**changes: Any) -> OrderRules:
    """Rules at noon of 25 November."""
    return order_rules(**{"as_at": NOW, **changes})


def placed(before: timedelta, **fields: Any) -> dict[str, Any]:
    """An order placed this long before now."""
    return an_order(created_at=f"{NOW - before:%Y-%m-%d %H:%M:%S}", **fields)


def of_store(**changes: Any) -> dict[int, Any]:
    """Store views of which the first has rules of its own."""
    stores = dict(order_rules().stores)
    stores[1] = replace(stores[1], **changes)
    return stores


@pytest.mark.parametrize(("age", "is_posted"), [(14, False), (15, True), (16, True)])
def test_an_order_is_decided_on_when_it_is_as_old_as_the_setting_says(age: int, is_posted: bool) -> None:
    plan = plan_of(placed(timedelta(minutes=age)), rules=rules(minimum_age=timedelta(minutes=15)))
    assert ([bool(plan.to_post), plan.too_young]) == ([True, []] if is_posted else [False, ["000000101"]])
    assert plan.exceptions == []


def test_without_a_minimum_age_an_order_from_a_clock_that_is_ahead_is_still_posted() -> None:
    assert plan_of(placed(timedelta(minutes=-3)), rules=rules()).to_post


def test_an_order_that_prima_has_is_never_too_young() -> None:
    plan = plan_of(placed(timedelta(0)), posted={"000000101"}, rules=rules(minimum_age=DAY))
    assert (plan.already_posted, plan.too_young) == (["000000101"], [])


@pytest.mark.parametrize(("age", "code"), [(9 * DAY, "ORDER_UNPAID"), (11 * DAY, "ORDER_EXPIRED")])
def test_an_unpaid_order_expires(age: timedelta, code: str) -> None:
    plan = plan_of(placed(age), rules=rules(payments=WHEN_PAID, expire_unpaid=10 * DAY))
    assert [note.code for note in plan.exceptions] == [code]


def test_a_paid_order_does_not_expire_and_without_the_setting_none_does() -> None:
    order = placed(400 * DAY)
    paid = {**order, "total_paid": order["grand_total"]}
    assert plan_of(paid, rules=rules(payments=WHEN_PAID, expire_unpaid=10 * DAY)).to_post
    assert [note.code for note in plan_of(order, rules=rules(payments=WHEN_PAID)).exceptions] == ["ORDER_UNPAID"]


def test_a_store_view_may_have_rules_of_its_own() -> None:
    order = placed(DAY)
    code = {
        "minimum_age": (2 * DAY, None),
        "start_date": (date(2026, 11, 25), "BEFORE_START_DATE"),
        "import_states": (frozenset({"complete"}), "ORDER_STATE_NOT_IMPORTED"),
        "import_statuses": (frozenset({"ready_to_send"}), "ORDER_STATE_NOT_IMPORTED"),
    }
    for name, (value, expected) in code.items():
        plan = plan_of(order, rules=rules(stores=of_store(**{name: value})))
        assert [note.code for note in plan.exceptions] == ([expected] if expected else []), name
        assert plan.to_post == []
    expiring = rules(payments=WHEN_PAID, expire_unpaid=30 * DAY, stores=of_store(expire_unpaid=timedelta(hours=1)))
    assert [note.code for note in plan_of(order, rules=expiring).exceptions] == ["ORDER_EXPIRED"]


def test_statuses_narrow_the_states() -> None:
    order = placed(DAY)
    assert plan_of(order, rules=rules(import_statuses=frozenset({order["status"]}))).to_post
    (note,) = plan_of(order, rules=rules(import_statuses=frozenset({"processing"}))).exceptions
    assert note.code == "ORDER_STATE_NOT_IMPORTED"
    assert f"status {order['status']}" in note.detail
