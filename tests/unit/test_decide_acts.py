"""Which act fits which exception, and what would be done: a bulk of acts is decided one by one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.desk import ActPlan, Case, Meant, Which
from schemas.fixes import fix_of
from schemas.mapped import carrier_named, own_names, unknown_carrier, with_mapped
from schemas.reasons import REASONS
from tasks.decide import acts
from tasks.decide import carriers as decide_carriers
from tasks.errors import ConfigurationError

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def a_case(code: str = "SKU_UNKNOWN", **changes: Any) -> Case:
    case = Case(
        number=7,
        code=code,
        subject="order 000000101",
        is_open=True,
        detail="line 1: PRIMA has no item with this SKU",
        order_number="000000101",
        sku="TEE-NAVY-M",
        value_at_risk_pence=5997,
        currency="GBP",
        suggestions=(),
        occurrences=1,
        first_seen_at=NOW - timedelta(hours=3),
        assigned_to="",
        snoozed_until=None,
        ignored_at=None,
        store="default",
        order_state="held",
        keys={"sku": "TEE-NAVY-M", "payment": "stripe", "charge": "dpd_nextday", "carrier": "DPDUK"},
    )
    return replace(case, **changes)


def why(plan: ActPlan) -> str:
    assert plan.to_do == ()
    ((_, text),) = plan.refused
    return text


def what(plan: ActPlan) -> str:
    assert plan.refused == ()
    ((_, text),) = plan.to_do
    return text


EVERY_ACT: tuple[Callable[[list[Case]], ActPlan], ...] = (
    lambda cases: acts.assign(cases, "jane"),
    lambda cases: acts.comment(cases, "asked the shop"),
    lambda cases: acts.snooze(cases, NOW + timedelta(hours=1), NOW),
    acts.retry,
    acts.ignore,
    acts.close,
)


@given(code=st.sampled_from(sorted(REASONS)), act=st.sampled_from(EVERY_ACT), is_open=st.booleans())
def test_an_act_is_planned_only_where_the_table_says_that_it_fits_and_a_refusal_says_why(
    code: str, act: Callable[[list[Case]], ActPlan], is_open: bool
) -> None:
    plan = act([a_case(code, is_open=is_open)])

    assert len(plan.to_do) + len(plan.refused) == 1
    if plan.to_do:
        assert is_open
        assert plan.act in REASONS[code].acts
    assert all(text for _, text in (*plan.to_do, *plan.refused))


def test_of_a_bulk_each_exception_is_decided_by_itself() -> None:
    cases = [a_case(number=1), a_case("PRIMA_OUTCOME_UNKNOWN", number=2), a_case(number=3, is_open=False)]

    plan = acts.ignore(cases)

    assert plan.numbers == [1]
    assert [(case.number, text.split(";")[0]) for case, text in plan.refused] == [
        (2, "PRIMA_OUTCOME_UNKNOWN is never ignored"),
        (3, "it is closed already"),
    ]


def test_what_somebody_has_already_is_not_assigned_again_and_can_be_given_back() -> None:
    assert "already" in why(acts.assign([a_case(assigned_to="jane")], "jane"))
    assert what(acts.assign([a_case(assigned_to="jane")], "")) == "back to ecommerce"


@pytest.mark.parametrize(
    ("code", "hours", "fits"),
    [
        ("SKU_UNKNOWN", 24 * 90, True),
        ("SKU_UNKNOWN", 24 * 90 + 1, False),
        ("PRIMA_OUTCOME_UNKNOWN", 24, True),
        ("PRIMA_OUTCOME_UNKNOWN", 25, False),
        ("SKU_UNKNOWN", 0, False),
    ],
)
def test_an_exception_rests_as_long_as_its_severity_allows(code: str, hours: int, fits: bool) -> None:
    plan = acts.snooze([a_case(code)], NOW + timedelta(hours=hours), NOW)

    assert bool(plan.to_do) == fits


def test_a_break_is_settled_where_breaks_are_kept() -> None:
    assert "magento-prima breaks" in why(acts.ignore([a_case("RECON_VAT_VARIANCE")]))


def test_only_what_no_run_can_see_the_end_of_is_closed_by_hand() -> None:
    assert what(acts.close([a_case("SHIPMENT_DIFFERS")])) == "closed"
    assert "closes itself" in why(acts.close([a_case("SKU_UNKNOWN")]))


@pytest.mark.parametrize("state", sorted(acts.IN_PRIMA))
def test_an_order_that_prima_has_is_never_carried_again(state: str) -> None:
    assert "not sent again" in why(acts.retry([a_case(order_state=state)]))


def test_an_order_whose_outcome_is_open_is_looked_up_by_the_run_of_orders() -> None:
    plan = acts.retry([a_case("ROW_REJECTED", order_state="unknown")])

    assert "looks in PRIMA" in what(plan)
    assert acts.rerun(plan).flows == ("orders",)
    assert acts.rerun(plan).orders == ()


def test_a_bulk_runs_each_order_sku_and_flow_once() -> None:
    cases = [
        a_case(number=1),
        a_case("PRIMA_REFUSED", number=2),
        a_case("STOCK_PUSH_FAILED", number=3, subject="sku A", sku="A", order_number=""),
        a_case("STOCK_DRIFT", number=4, subject="sku A", sku="A", order_number=""),
        a_case("CARRIER_UNKNOWN", number=5, subject="dispatch D1"),
        a_case("ROW_REJECTED", number=6, subject="dispatch D2", order_number=""),
        a_case("ROW_REJECTED", number=7, subject="credit note C1", order_number=""),
    ]

    wanted = acts.rerun(acts.retry(cases))

    assert wanted.orders == ("000000101",)
    assert wanted.skus == ("A",)
    assert wanted.flows == ("dispatches", "refunds", "stock check")


def test_a_whole_snapshot_makes_reading_single_skus_needless() -> None:
    cases = [
        a_case("STOCK_PUSH_FAILED", sku="A", order_number=""),
        a_case("STOCK_SOURCE_UNKNOWN", number=8, sku="", order_number=""),
    ]

    assert (acts.rerun(acts.retry(cases)).skus, acts.rerun(acts.retry(cases)).flows) == ((), ("stock",))


@pytest.mark.parametrize(
    ("code", "stands_for", "known", "decided", "meant"),
    [
        ("SKU_UNKNOWN", "TEE-NAVY-MEDIUM", {"TEE-NAVY-MEDIUM"}, (), Meant("sku", "TEE-NAVY-M", "TEE-NAVY-MEDIUM")),
        ("CARRIER_UNKNOWN", "DPD", {"DPD", "RM"}, {"DPD", "RM"}, Meant("carrier", "DPDUK", "DPD")),
        ("PAYMENT_UNMAPPED", "checkmo", {"checkmo"}, {"checkmo"}, Meant("payment", "stripe", "checkmo")),
        ("DELIVERY_UNMAPPED", "flatrate", {"flatrate"}, {"flatrate"}, Meant("charge", "dpd_nextday", "flatrate")),
    ],
)
def test_an_exception_tells_which_name_is_to_be_mapped(
    code: str, stands_for: str, known: set[str], decided: set[str], meant: Meant
) -> None:
    assert acts.meant(a_case(code), stands_for, known, decided) == meant


@pytest.mark.parametrize(
    ("case", "stands_for", "decided", "refusal"),
    [
        (a_case("TOTALS_DISAGREE"), "DPD", (), "nothing is mapped for TOTALS_DISAGREE"),
        (a_case("CARRIER_UNKNOWN", is_open=False), "DPD", (), "closed already"),
        (a_case("CARRIER_UNKNOWN", keys={"carrier": ""}), "DPD", (), "does not tell which carrier"),
        (a_case("CARRIER_UNKNOWN"), "YODEL", (), "YODEL does not stand in the settings. Known: DPD, RM."),
        (a_case("CARRIER_UNKNOWN"), "DPD", ("DPDUK",), "stands in the settings by now"),
        (a_case("SKU_UNKNOWN"), "TEE-NAVY-M", (), "cannot stand for itself"),
        (a_case("SKU_UNKNOWN"), "TEE", (), "TEE is no SKU that PRIMA has exactly one item for"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_with_why(
    case: Case, stands_for: str, decided: tuple[str, ...], refusal: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        acts.meant(case, stands_for, {"DPD", "RM"}, decided)

    assert refusal in str(refused.value)


def test_a_mapping_is_meant_for_everything_that_waits_for_the_same_name() -> None:
    cases = [
        a_case("CARRIER_UNKNOWN", number=1),
        a_case("CARRIER_UNKNOWN", number=2, keys={"carrier": "UPS"}),
        a_case("CARRIER_UNKNOWN", number=3),
    ]

    assert acts.mapped(Meant("carrier", "DPDUK", "DPD"), cases).numbers == [1, 3]


def test_the_settings_win_over_a_mapping_and_one_that_leads_nowhere_counts_for_nothing() -> None:
    mapped = {"DPDUK": {"meant": "DPD"}, "RM": {"meant": "DPD"}, "UPS": {"meant": "GONE"}}

    rules = with_mapped({"DPD": 1, "RM": 2}, mapped)
    assert rules == {"DPD": 1, "RM": 2, "DPDUK": 1}
    assert own_names(rules) == ["DPD", "RM"]  # what was mapped itself is suggested for nothing


@given(code=st.text(min_size=1).filter(lambda text: text != "(empty)" and "\n" not in text and "\r" not in text))
def test_the_carrier_of_an_exception_is_read_back_from_its_sentence(code: str) -> None:
    if " stands in no [carriers] entry" not in code:
        assert carrier_named(decide_carriers.unknown(code, ("DPD", "RM"))) == code
    assert carrier_named(unknown_carrier("")) == ""


@pytest.mark.parametrize("given_words", [{"by": " "}, {"because": ""}, {"which": Which()}])
def test_nobody_no_reason_or_no_exception_named_is_told_at_once(given_words: dict[str, Any]) -> None:
    words = {"which": Which(numbers=[1]), "by": "ada", "because": "asked", **given_words}

    with pytest.raises(ConfigurationError) as refused:
        acts.checked(words["which"], "ignore", words["by"], words["because"], needs_reason=True)

    assert len(refused.value.problems) == 1


@pytest.mark.parametrize(
    ("which", "fits"),
    [
        (Which(code="SKU_UNKNOWN"), True),
        (Which(code="SKU_CASE"), False),
        (Which(owner="ecommerce", older_than_hours=2), True),
        (Which(owner="ecommerce", older_than_hours=3), False),
        (Which(owner="finance"), False),
        (Which(store="default", sku="TEE-*"), True),
        (Which(store="outlet"), False),
        (Which(sku="TEE"), False),
        (Which(numbers=[8]), False),
        (Which(order_number="000000101"), True),
        (Which(assigned_to="jane"), False),
    ],
)
def test_every_filter_that_is_given_must_fit(which: Which, fits: bool) -> None:
    assert which.fits(a_case(), NOW) == fits


def test_a_filter_that_names_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="no code"):
        Which(code="SKU_UNKNWN")
    with pytest.raises(ValidationError, match="no team"):
        Which(owner="marketing")


@pytest.mark.parametrize(
    ("suggestions", "confidence"),
    [
        (("TEE-Navy-M (only upper and lower case differ)",), "high"),
        (("A (only blanks differ)", "B (only blanks differ)"), "medium"),
        (("TEE-NAVY-N (one character differs)",), "medium"),
        (("TEE-NAVY-L (another size of the same style: only if the goods are the same)",), "low"),
    ],
)
def test_a_suggested_fix_says_how_sure_it_is(suggestions: tuple[str, ...], confidence: str) -> None:
    fix = fix_of(7, "SKU_UNKNOWN", "TEE-NAVY-M", suggestions)

    assert fix is not None
    assert fix.confidence == confidence
    assert fix.command.startswith("magento-prima exceptions accept TEE-NAVY-M --as ")


def test_where_nothing_was_worked_out_nothing_is_suggested() -> None:
    assert fix_of(7, "TOTALS_DISAGREE", "", ("anything",)) is None
    assert fix_of(7, "SKU_UNKNOWN", "TEE", ()) is None
    carrier = fix_of(7, "CARRIER_UNKNOWN", "", ("DPD",))
    assert carrier is not None
    assert carrier.command == "magento-prima exceptions map 7 --as DPD --by NAME"
