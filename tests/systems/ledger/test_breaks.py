"""Breaks through the nights, and the tolerance policy: what the ledger keeps, on both databases."""

from dataclasses import replace
from datetime import date

import pytest

from schemas.breaks import FoundBreak, TolerancePolicy
from tasks.errors import NotFoundError
from tasks.systems.ledger import Ledger, LedgerStateError
from tests.systems.ledger.conftest import TestClock

A_BREAK = FoundBreak(
    level="orders",
    order_key="000000101",
    currency="GBP",
    business_date=date(2026, 11, 22),
    order_number="000000101",
    order_number_prima="30000101",
    status="VAT_VARIANCE",
    cause="ROUNDING_METHOD",
    owner="finance",
    value_pence=1,
    vat_variance_pence=1,
    variance_pence=0,
)
LOOKED_AT = {("orders", "000000101"), ("invoices", "000000101")}


def test_a_break_keeps_its_first_night_and_what_people_said_until_mended(ledger: Ledger, clock: TestClock) -> None:
    first = clock()
    ledger.see_breaks("b1", [A_BREAK], LOOKED_AT)
    (seen,) = ledger.known_breaks()
    ledger.assign_break(seen.break_id, owner="Sam", by="sam")
    ledger.comment_on_break(seen.break_id, text="asked the warehouse", by="sam", reason_code="WAREHOUSE")
    second = clock.passes(days=1)
    ledger.see_breaks("b2", [replace(A_BREAK, vat_variance_pence=2, value_pence=2)], LOOKED_AT)
    (again,) = ledger.known_breaks()
    assert (again.first_seen_at, again.last_seen_at, again.nights) == (first, second, 2)
    assert (again.owner, again.comment, again.reason_code, again.value_pence) == (
        "Sam",
        "asked the warehouse",
        "WAREHOUSE",
        2,
    )
    clock.passes(days=1)
    assert ledger.see_breaks("b3", [], LOOKED_AT) == 1
    assert ledger.known_breaks() == []
    (over,) = ledger.breaks("settled")
    assert (over.settled_by, over.settled_who) == ("correction", "batch b3")
    events = [event.event for event in ledger.break_events(seen.break_id)]
    assert events == ["found", "assigned", "comment", "changed", "correction"]


def test_a_night_that_did_not_look_at_a_document_leaves_its_break_open(ledger: Ledger) -> None:
    ledger.see_breaks("b1", [A_BREAK], LOOKED_AT)
    assert ledger.see_breaks("b2", [], {("orders", "000000999"), ("invoices", "000000101")}) == 0
    assert len(ledger.breaks()) == 1


@pytest.mark.parametrize("how", ["acceptance", "journal"])
def test_a_settled_break_is_known_with_its_figures_and_begins_anew_when_it_is_found_again(
    ledger: Ledger, clock: TestClock, how: str
) -> None:
    ledger.see_breaks("b1", [A_BREAK], LOOKED_AT)
    (seen,) = ledger.known_breaks()
    ledger.settle_break(seen.break_id, how, reference="JNL-77", by="kim")  # type: ignore[arg-type]
    (settled,) = ledger.known_breaks()
    assert (settled.settled_by, settled.settlement_reference, settled.settled_who) == (how, "JNL-77", "kim")
    assert ledger.breaks() == []
    with pytest.raises(LedgerStateError, match=f"closed by {how}"):
        ledger.comment_on_break(seen.break_id, text="late", by="sam")
    clock.passes(days=3)
    ledger.see_breaks("b2", [replace(A_BREAK, variance_pence=-500)], LOOKED_AT)
    (anew,) = ledger.known_breaks()
    assert (anew.settled_by, anew.first_seen_at, anew.break_id != seen.break_id) == ("", clock(), True)


def test_a_settlement_needs_a_reference_and_a_break_that_exists(ledger: Ledger) -> None:
    ledger.see_breaks("b1", [A_BREAK], LOOKED_AT)
    with pytest.raises(ValueError, match="names who"):
        ledger.settle_break(ledger.breaks()[0].break_id, "journal", reference=" ", by="kim")
    with pytest.raises(NotFoundError):
        ledger.settle_break(4711, "journal", reference="JNL-1", by="kim")


def test_the_tolerance_policy_keeps_every_version_with_who_when_and_why(ledger: Ledger, clock: TestClock) -> None:
    assert ledger.tolerance_policy() is None
    first = ledger.set_tolerance_policy(
        TolerancePolicy(order_pence=1, methods=("ROUNDING_METHOD",), set_by="kim", set_because="board minute 12")
    )
    clock.passes(days=1)
    second = ledger.set_tolerance_policy(
        TolerancePolicy(order_pence=2, line_pence=1, day_pence=500, set_by="lee", set_because="board minute 14")
    )
    assert (first.version, second.version, second.set_at) == (1, 2, clock())
    assert ledger.tolerance_policy() == second
    assert ledger.tolerance_policies() == [first, second]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (TolerancePolicy(order_pence=-1, set_by="kim", set_because="x"), "below 0"),
        (TolerancePolicy(methods=("ROUNDING",), set_by="kim", set_because="x"), "ROUNDING: no such cause"),
        (TolerancePolicy(order_pence=1, set_by="kim"), "who sets it, and why"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(ledger: Ledger, policy: TolerancePolicy, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ledger.set_tolerance_policy(policy)
    assert ledger.tolerance_policies() == []
