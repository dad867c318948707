"""Refunds and credit notes: matched to the penny, told once, aged by London's days, and never lost between lists."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.refunds import UNITS_CANCELLED, CreditedOrder, CreditNote, Refund, RefundLine, RefundRules
from tasks.decide import refunds as decide
from tasks.decide.refund_matches import matches

DAY = date(2026, 11, 10)
RULES = RefundRules("exception", DAY)


def a_refund(
    number: str = "000000004", gross: int = 1200, vat: int = 200, days_ago: int = 0, units: int = 1, **fields: object
) -> Refund:
    """A refund of the units of one line at 20%, some days before DAY."""
    day = DAY - timedelta(days=days_ago)
    line = RefundLine(1, "goods", 93, "TEE", units, "20", gross - vat, vat, gross)
    given_back = Refund(
        number, int(number), "000000034", 34, "GBP", datetime(day.year, day.month, day.day, 12, tzinfo=UTC), day,
        gross - vat, vat, gross, lines=(line,),
    )  # fmt: skip
    return replace(given_back, **fields)  # type: ignore[arg-type]


def a_note(number: str = "CRN1", gross: int = 1200, vat: int = 200, days_ago: int = 0, **fields: object) -> CreditNote:
    note = CreditNote(
        number, "000000034", "30000034", "INV1", DAY - timedelta(days=days_ago), "GBP", gross - vat, vat, gross
    )
    return replace(note, **fields)  # type: ignore[arg-type]


def an_order(refunds: list[Refund], notes: list[CreditNote], **fields: object) -> CreditedOrder:
    order = CreditedOrder("000000034", "30000034", refunds, notes, line_numbers={93: 1})
    return replace(order, **fields)  # type: ignore[arg-type]


def codes(plan: object) -> dict[str, str]:
    return {note.subject: note.code for note in plan.exceptions}  # type: ignore[attr-defined]


def test_a_refund_is_settled_by_the_credit_note_of_its_gross_and_vat() -> None:
    plan = decide.refunds([an_order([a_refund()], [a_note()])], RULES)

    (settled,) = plan.settled
    assert (settled.refund_numbers, settled.credit_note_numbers) == (("000000004",), ("CRN1",))
    assert (plan.open_refunds, plan.open_notes, plan.exceptions, plan.differing) == ([], [], [], [])


def test_of_two_equal_refunds_one_credit_note_settles_only_the_older() -> None:
    plan = decide.refunds([an_order([a_refund("000000009"), a_refund("000000004", days_ago=2)], [a_note()])], RULES)

    assert [each.refund_numbers for each in plan.settled] == [("000000004",)]
    assert [refund.refund_number for refund, _ in plan.open_refunds] == ["000000009"]


def test_one_credit_note_may_stand_for_several_refunds_and_the_other_way_round() -> None:
    two = [a_refund("000000004", 1200, 200), a_refund("000000005", 600, 100), a_refund("000000006", 395, 66)]
    plan = decide.refunds([an_order(two, [a_note("CRN1", 1595, 266)])], RULES)
    assert [each.refund_numbers for each in plan.settled] == [("000000004", "000000006")]

    parts = [a_note("CRN1", 1200, 200), a_note("CRN2", 395, 66), a_note("CRN3", 50, 8)]
    plan = decide.refunds([an_order([a_refund("000000004", 1595, 266)], parts)], RULES)
    assert [each.credit_note_numbers for each in plan.settled] == [("CRN1", "CRN2")]
    assert [note.credit_note_number for note, _ in plan.open_notes] == ["CRN3"]


def test_a_credit_note_with_another_vat_settles_its_refund_and_finance_hears_of_the_difference() -> None:
    plan = decide.refunds([an_order([a_refund()], [a_note(vat=201)])], RULES)

    (note,) = plan.differing
    assert (note.code, note.value_at_risk_pence, plan.open_refunds) == ("REFUND_DIFFERS", 1, [])
    assert "VAT £2.00" in note.detail
    assert "VAT £2.01" in note.detail


def test_of_two_refunds_of_one_gross_a_credit_note_with_another_vat_settles_neither() -> None:
    two = [a_refund("000000004"), a_refund("000000005")]
    plan = decide.refunds([an_order(two, [a_note(vat=201)])], RULES)
    assert (plan.settled, len(plan.open_refunds), len(plan.open_notes)) == ([], 2, 1)

    plan = decide.refunds([an_order([a_refund()], [a_note(vat=201), a_note("CRN2", 500, 83)])], RULES)
    assert [each.credit_note_numbers for each in plan.settled] == [("CRN1",)]


def test_another_gross_or_currency_settles_nothing() -> None:
    for note in (a_note(gross=1201), a_note(currency="EUR")):
        plan = decide.refunds([an_order([a_refund()], [note])], RULES)
        assert plan.settled == []
        assert (len(plan.open_refunds), len(plan.open_notes)) == (1, 1)


@pytest.mark.parametrize(
    ("age", "code"),
    [(0, "REFUND_TO_CREDIT"), (9, "REFUND_TO_CREDIT"), (10, "REFUND_CREDIT_DUE"), (13, "REFUND_CREDIT_DUE"),
     (14, "REFUND_CREDIT_OVERDUE"), (90, "REFUND_CREDIT_OVERDUE")],
)  # fmt: skip
def test_the_clock_of_the_uk_warns_on_day_10_and_alerts_on_day_14(age: int, code: str) -> None:
    plan = decide.refunds([an_order([a_refund(days_ago=age)], [])], RULES)
    (note,) = plan.exceptions

    assert (note.code, note.value_at_risk_pence, note.order_number) == (code, 1200, "000000034")
    assert f"{age} days ago (20%: net £10.00, VAT £2.00); PRIMA shows no credit note" in note.detail

    plan = decide.refunds([an_order([], [a_note(days_ago=age)])], RULES)
    (note,) = plan.exceptions
    assert note.code == code.replace("REFUND_CREDIT", "CREDIT_NOTE_REFUND").replace(
        "REFUND_TO_CREDIT", "CREDIT_NOTE_TO_REFUND"
    )


def test_what_is_exported_is_told_once_and_is_no_exception_before_the_warning() -> None:
    rules = replace(RULES, route="export")
    order = an_order([a_refund()], [])
    plan = decide.refunds([order], rules)
    (told,) = plan.to_tell
    assert (told.order_number_prima, told.line_numbers, plan.exceptions) == ("30000034", {93: 1}, [])

    plan = decide.refunds([order], replace(rules, told={"000000004": "refund-000000004.csv"}))
    assert (plan.to_tell, plan.exceptions, len(plan.open_refunds)) == ([], [], 1)
    late = replace(rules, told={"000000004": "refund-000000004.csv"}, today=DAY + timedelta(days=10))
    (note,) = decide.refunds([order], late).exceptions
    assert note.code == "REFUND_CREDIT_DUE"
    assert "exported as refund-000000004.csv" in note.detail


def test_no_credit_note_is_due_for_what_prima_cancelled_or_for_nothing() -> None:
    whole = decide.refunds([an_order([a_refund()], [], is_cancelled=True)], RULES)
    nothing = decide.refunds([an_order([a_refund(gross=0, vat=0)], [])], RULES)
    assert (whole.exceptions, nothing.exceptions) == ([], [])

    three = [a_refund(number, units=1) for number in ("000000004", "000000005", "000000006")]
    plan = decide.refunds([an_order(three, [], cancelled_units={93: 2})], RULES)
    assert [(each.refund_numbers, each.why) for each in plan.settled] == [
        (("000000004",), UNITS_CANCELLED),
        (("000000005",), UNITS_CANCELLED),
    ]
    assert codes(plan) == {"refund 000000006": "REFUND_TO_CREDIT"}


def test_delivery_that_is_refunded_with_cancelled_units_still_needs_a_credit_note() -> None:
    refund = a_refund(gross=1595, vat=266)
    delivery = RefundLine(2, "delivery", 0, "", 0, "20", 329, 66, 395)
    refund = replace(
        refund, lines=(replace(refund.lines[0], net_pence=1000, vat_pence=200, gross_pence=1200), delivery)
    )
    plan = decide.refunds([an_order([refund], [], cancelled_units={93: 1})], RULES)

    assert codes(plan) == {"refund 000000004": "REFUND_TO_CREDIT"}


def test_a_refund_that_was_made_from_a_credit_note_is_that_one_whatever_their_figures() -> None:
    made = a_refund(gross=1199, vat=200, credit_note_number="CRN2")
    plan = decide.refunds([an_order([made], [a_note("CRN1", 1199, 200), a_note("CRN2")])], RULES)

    assert [each.credit_note_numbers for each in plan.settled] == [("CRN2",)]
    assert [note.code for note in plan.differing] == ["REFUND_DIFFERS"]
    by_id = decide.refunds([an_order([a_refund(vat=100)], [a_note(creditmemo_id=4)])], RULES)
    assert [each.credit_note_numbers for each in by_id.settled] == [("CRN1",)]


def test_an_amount_without_vat_split_is_said_as_one() -> None:
    refund = replace(a_refund(gross=500, vat=0), lines=(RefundLine(1, "adjustment", 0, "", 0, "", 500, 0, 500),))
    (note,) = decide.refunds([an_order([refund], [])], RULES).exceptions

    assert "(without VAT split: £5.00)" in note.detail


amounts = st.tuples(st.integers(1, 9), st.integers(0, 3)).map(lambda pair: (pair[0] * 100, min(pair[0] * 100, pair[1])))


@given(st.lists(amounts, max_size=7), st.lists(amounts, max_size=7))
def test_every_document_is_matched_or_left_exactly_once_and_equal_sides_hold_the_same_money(
    refunded: list[tuple[int, int]], credited: list[tuple[int, int]]
) -> None:
    refunds = [a_refund(f"{n:09}", gross, vat, n % 3) for n, (gross, vat) in enumerate(refunded, start=1)]
    notes = [a_note(f"CRN{n}", gross, vat, n % 2) for n, (gross, vat) in enumerate(credited, start=1)]
    found = matches(refunds, notes)

    told = Counter(each for match in found.found for each in (*match.refunds, *match.notes))
    told += Counter([*found.refunds, *found.notes])
    assert told == Counter([*refunds, *notes])
    for match in found.found:
        gross = [sum(each.gross_pence for each in side) for side in (match.refunds, match.notes)]
        vat = [sum(each.vat_pence for each in side) for side in (match.refunds, match.notes)]
        assert gross[0] == gross[1]
        assert match.is_differing == (vat[0] != vat[1])
        assert match.refunds
        assert match.notes
    left = {(each.gross_pence, each.vat_pence) for each in found.refunds}
    assert not left & {(each.gross_pence, each.vat_pence) for each in found.notes}
