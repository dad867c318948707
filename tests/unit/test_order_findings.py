"""What a check finds holds the order here, puts it on hold in PRIMA, or warns: by setting, never in silence."""

from typing import Any, get_args

import pytest

from schemas.order_checks import DEFAULT_ACTIONS, Action, Circumstances
from schemas.reasons import REASONS
from tests.builders import an_order, an_order_line, order_rules, plan_of, with_address

LOST = {"city": "???? Town"}


def acting(**actions: Action) -> Any:
    """Return rules with other actions for these codes."""
    return order_rules(actions={**DEFAULT_ACTIONS, **actions})


def without_phone() -> dict[str, Any]:
    """Return an order whose invoice address has no telephone."""
    order = an_order()
    del order["billing_address"]["telephone"]
    return order


def test_every_code_whose_action_can_be_chosen_is_a_reason() -> None:
    assert set(DEFAULT_ACTIONS) <= set(REASONS)
    assert set(DEFAULT_ACTIONS.values()) <= set(get_args(Action))


def test_a_missing_telephone_is_a_warning_unless_the_settings_hold_for_it() -> None:
    plan = plan_of(without_phone())
    assert len(plan.to_post) == 1
    assert [note.code for note in plan.warnings] == ["PHONE_MISSING"]

    plan = plan_of(without_phone(), rules=acting(PHONE_MISSING="hold"))
    assert plan.to_post == []
    assert [note.code for note in plan.exceptions] == ["PHONE_MISSING"]


def test_an_order_goes_to_prima_on_hold_with_every_reason_in_its_narrative_where_the_settings_say_so() -> None:
    order = with_address(without_phone(), **LOST)
    rules = acting(PHONE_MISSING="hold_in_prima", TEXT_LOST="hold_in_prima")

    plan = plan_of(order, rules=rules)

    (posted,) = plan.to_post
    assert posted.is_held
    assert posted.hold_reason.startswith("PHONE_MISSING: the invoice address")
    assert "TEXT_LOST: a name, address or note holds ????" in posted.hold_reason
    (note,) = plan.warnings
    assert (note.code, note.detail) == ("POSTED_ON_HOLD", posted.hold_reason)
    assert "Town" not in note.detail


def test_an_incomplete_address_can_arrive_on_hold_instead_of_staying_here() -> None:
    plan = plan_of(with_address(an_order(), lastname=""), rules=acting(ADDRESS_INCOMPLETE="hold_in_prima"))

    assert [order.hold_reason for order in plan.to_post] == ["ADDRESS_INCOMPLETE: delivery address without surname"]


def test_what_holds_comes_before_what_would_only_be_on_hold_in_prima() -> None:
    order = with_address(without_phone(), lastname="")

    plan = plan_of(order, rules=acting(PHONE_MISSING="hold_in_prima"))

    assert [note.code for note in plan.exceptions] == ["ADDRESS_INCOMPLETE"]
    assert (plan.to_post, plan.warnings) == ([], [])


def test_a_person_releases_single_codes_of_a_single_order() -> None:
    orders = [
        an_order(number, lines=[an_order_line(gross="39.99", vat="6.66", quantity=1)], delivery=("0.00", "0.00"))
        for number in ("000101", "000102")
    ]
    released = Circumstances(released={"000101": frozenset({"VAT_ROUNDED_DOWN"})})

    plan = plan_of(*orders, circumstances=released)

    assert [order.order_number for order in plan.to_post] == ["000101"]
    assert [(note.order_number, note.code) for note in plan.exceptions] == [("000102", "VAT_ROUNDED_DOWN")]


def test_a_release_passes_over_no_other_finding_and_over_no_obstacle() -> None:
    released = Circumstances(released={"000000101": frozenset({*DEFAULT_ACTIONS} - {"ADDRESS_INCOMPLETE"})})

    plan = plan_of(with_address(an_order(), lastname=""), circumstances=released)
    assert [note.code for note in plan.exceptions] == ["ADDRESS_INCOMPLETE"]

    plan = plan_of(an_order(lines=[an_order_line("UNKNOWN")]), circumstances=released)
    assert [note.code for note in plan.exceptions] == ["SKU_UNKNOWN"]


@pytest.mark.parametrize(("action", "released", "if_cut"), [("hold", False, "hold"), ("hold", True, "warn")])
def test_the_order_carries_what_happens_when_a_text_must_be_cut(action: Action, released: bool, if_cut: str) -> None:
    circumstances = Circumstances(released={"000000101": frozenset({"TEXT_CUT"} if released else ())})

    (order,) = plan_of(an_order(), rules=acting(TEXT_CUT=action), circumstances=circumstances).to_post

    assert order.if_cut == if_cut


def test_a_country_that_the_settings_do_not_list_names_the_key_to_add() -> None:
    (note,) = plan_of(an_order(), rules=order_rules(countries=frozenset({"IE"}))).exceptions

    assert (note.code, note.detail) == ("COUNTRY_UNMAPPED", "delivery address: add 'GB' to orders.countries")
    assert plan_of(an_order(), rules=order_rules(countries=frozenset({"GB"}))).exceptions == []
