"""Many exceptions decided at once: each suggestion and each release fits by itself, or is refused with why."""

import pytest

from schemas.desk import Meant
from schemas.suggestions import nearest
from tasks.decide import many
from tests.unit.test_decide_acts import a_case

PAYMENTS = ({"stripe_payments", "checkmo"}, {"stripe_payments", "checkmo"})
STRIPE = Meant("payment", "stripe", "stripe_payments")


def test_each_suggestion_is_accepted_once_for_everything_that_waits_for_the_name() -> None:
    meant = a_case("PAYMENT_UNMAPPED", number=1, suggestions=("stripe_payments",))
    waits = a_case("PAYMENT_UNMAPPED", number=2, suggestions=("stripe_payments",), order_number="000000102")
    other = a_case("PAYMENT_UNMAPPED", number=3, keys={"payment": "paypal"})

    assert many.suggested([meant, waits]) == [STRIPE]
    plan, mappings = many.accept([meant], {STRIPE: PAYMENTS}, [meant, waits, other])

    assert (plan.act, plan.numbers, plan.refused) == ("accept", [1, 2], ())
    assert {each: mapped.numbers for each, mapped in mappings.items()} == {STRIPE: [1, 2]}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"code": "TOTALS_DISAGREE"}, "nothing is mapped for TOTALS_DISAGREE"),
        ({"suggestions": ()}, "nothing is suggested for it; decide it by itself: magento-prima exceptions map 7"),
        ({"suggestions": ("stripe_payments", "checkmo")}, "not sure (stripe_payments, checkmo)"),
        ({"suggestions": ("gone",)}, "gone does not stand in the settings"),
        ({"is_open": False}, "it is closed already"),
        ({"code": "SKU_UNKNOWN", "suggestions": ("TEE-NAVY-L (spelt alike)",)}, "not sure"),
        ({"keys": {}}, "nothing is suggested for it"),
    ],
)
def test_what_is_not_sure_or_leads_nowhere_is_refused_with_why(changes: dict[str, object], why: str) -> None:
    case = a_case(**{"code": "PAYMENT_UNMAPPED", "suggestions": ("stripe_payments",), **changes})
    known = dict.fromkeys(many.suggested([case]), PAYMENTS)

    plan, mappings = many.accept([case], known, [case])

    assert (plan.to_do, mappings) == ((), {})
    assert why in plan.refused[0][1]


def test_two_exceptions_that_suggest_different_names_for_one_are_both_refused() -> None:
    cases = [
        a_case("PAYMENT_UNMAPPED", number=1, suggestions=("stripe_payments",)),
        a_case("PAYMENT_UNMAPPED", number=2, suggestions=("checkmo",)),
    ]

    plan, _ = many.accept(cases, dict.fromkeys(many.suggested(cases), PAYMENTS), cases)

    assert plan.numbers == []
    assert all("not sure" in why for _, why in plan.refused)


@pytest.mark.parametrize(
    ("code", "state", "why"),
    [
        ("SUSPECTED_DUPLICATE", "held", ""),
        ("ADDRESS_INCOMPLETE", "refused", ""),
        ("TEXT_CUT", "accepted", "order 000000101 is accepted: no check holds it"),
        ("STOCK_SNAPSHOT_HELD", "", "released by its number"),
        ("SKU_UNKNOWN", "held", "release does not fit SKU_UNKNOWN"),
    ],
)
def test_only_what_a_check_holds_is_released(code: str, state: str, why: str) -> None:
    plan = many.release([a_case(code, order_state=state)])

    assert (plan.numbers == [7]) is not bool(why)
    assert why in "".join(text for _, text in plan.refused)


@pytest.mark.parametrize(
    ("code", "state", "why"),
    [
        ("SUSPECTED_DUPLICATE", "held", ""),
        ("REFUSED_BY_HAND", "held", "it is refused already"),
        ("TEXT_CUT", "accepted", "order 000000101 is accepted: no check holds it"),
        ("STOCK_SNAPSHOT_HELD", "", "refused by its number"),
        ("SKU_UNKNOWN", "held", "refuse does not fit SKU_UNKNOWN"),
    ],
)
def test_only_what_a_check_holds_is_refused(code: str, state: str, why: str) -> None:
    plan = many.refuse([a_case(code, order_state=state)])

    assert (plan.numbers == [7]) is not bool(why)
    assert why in "".join(text for _, text in plan.refused)


def test_names_of_the_settings_are_suggested_when_they_are_spelt_alike() -> None:
    known = {"stripe_payments": "", "checkmo": "", "RM24": "Royal Mail Tracked 24"}

    assert nearest("stripe_payment_intents", known)[0] == "stripe_payments"
    assert nearest("ROYAL MAIL 24", known)[0] == "RM24"
    assert nearest("zzz", known) == ()
