"""What people decide about exceptions is kept beside them, with a history; runs go on counting and closing."""

from datetime import timedelta

from tasks.systems.ledger import ExceptionRecord, Ledger
from tests.systems.ledger.builders import a_level, a_line, a_note, an_order
from tests.systems.ledger.conftest import TestClock


def the_exception(ledger: Ledger) -> ExceptionRecord:
    (found,) = ledger.exceptions(state="all")
    return found


def history(ledger: Ledger, number: int) -> list[tuple[str, str, str]]:
    return [(event.event, event.actor, event.text) for event in ledger.exception_events(number)]


def test_who_has_an_exception_and_how_long_it_rests_is_kept_with_who_said_so(ledger: Ledger, clock: TestClock) -> None:
    ledger.raise_exceptions("b1", [a_note()])
    number = the_exception(ledger).id
    until = clock() + timedelta(hours=2)

    assert ledger.assign_exceptions([number, 999], "jane", by="ada") == [number]
    assert ledger.snooze_exceptions([number], until, by="jane", text="the item comes tomorrow") == [number]
    assert ledger.note_acts([number], "noted", by="jane", text="asked PRIMA's desk") == [number]

    found = the_exception(ledger)
    assert (found.assigned_to, found.snoozed_until, found.ignored_at) == ("jane", until, None)
    assert found.is_resting(clock())
    assert not found.is_resting(until)
    assert history(ledger, number)[1:] == [
        ("assigned", "ada", "to jane"),
        ("snoozed", "jane", f"until {until:%Y-%m-%d %H:%M} UTC: the item comes tomorrow"),
        ("noted", "jane", "asked PRIMA's desk"),
    ]
    assert ledger.assign_exceptions([number], "", by="ada", text="on leave") == [number]
    assert the_exception(ledger).assigned_to == ""
    assert the_exception(ledger).snoozed_until == until
    assert history(ledger, number)[-1] == ("assigned", "ada", "back to the team: on leave")


def test_an_ignored_exception_counts_on_and_comes_back_when_more_is_at_risk(ledger: Ledger) -> None:
    ledger.raise_exceptions("b1", [a_note(value_at_risk_pence=500)])
    number = the_exception(ledger).id
    ledger.ignore_exceptions([number], by="jane", text="a test order")

    ledger.raise_exceptions("b2", [a_note(value_at_risk_pence=500, detail="in other words")])
    ledger.raise_exceptions("b3", [a_note(value_at_risk_pence=499)])
    assert (the_exception(ledger).ignored_at is not None, the_exception(ledger).occurrences) == (True, 3)
    ledger.raise_exceptions("b4", [a_note(value_at_risk_pence=501)])

    assert the_exception(ledger).ignored_at is None
    assert ("returned", "batch b4", "more is at risk than when it was ignored") in history(ledger, number)
    ledger.ignore_exceptions([number], by="jane", text="still")
    ledger.raise_exceptions("b5", [a_note(value_at_risk_pence=501)])
    assert the_exception(ledger).ignored_at is not None


def test_nothing_is_done_to_an_exception_that_a_run_closed_meanwhile(ledger: Ledger) -> None:
    ledger.raise_exceptions("b1", [a_note()])
    number = the_exception(ledger).id
    ledger.ignore_exceptions([number], by="jane", text="a test order")
    assert ledger.close_exceptions(subjects=["order 000000101"], by="orders") == 1

    assert ledger.assign_exceptions([number], "jane", by="ada") == []
    assert ledger.note_acts([number], "noted", by="ada", text="late") == []
    assert history(ledger, number)[-1][0] == "closed"

    ledger.raise_exceptions("b2", [a_note()])
    back = ledger.exceptions()[0]
    assert (back.reopens_id, back.ignored_at, back.assigned_to) == (number, None, "")


def test_a_value_that_no_step_stated_follows_the_rule_of_the_code(ledger: Ledger) -> None:
    dear = a_line(12, sku="COAT", quantity=2, gross_pence=10001)
    ledger.see_orders([an_order(lines=(a_line(), dear)), an_order("000000102", currency="EUR", gross_pence=700)])
    ledger.record_snapshot([a_level("COAT", available_to_sell=3), a_level("NEVER-SOLD", available_to_sell=9)])
    ledger.raise_exceptions(
        "b1",
        [
            a_note("SHIPMENT_REFUSED", "dispatch D1"),
            a_note("PRIMA_OUTCOME_UNKNOWN", "order 000000102", order_number="000000102"),
            a_note("SKU_UNKNOWN", value_at_risk_pence=77),
            a_note("STOCK_PUSH_FAILED", "sku COAT", order_number="", sku="COAT"),
            a_note("STOCK_PUSH_FAILED", "sku NEVER-SOLD", order_number="", sku="NEVER-SOLD"),
            a_note("MAGENTO_NOTE_FAILED", "order 000000101"),
        ],
    )

    found = {(each.code, each.subject): (each.value_at_risk_pence, each.currency) for each in ledger.exceptions()}

    assert found == {
        ("SHIPMENT_REFUSED", "dispatch D1"): (5997, "GBP"),
        ("PRIMA_OUTCOME_UNKNOWN", "order 000000102"): (700, "EUR"),
        ("SKU_UNKNOWN", "order 000000101"): (77, "GBP"),
        ("STOCK_PUSH_FAILED", "sku COAT"): (15002, "GBP"),  # 3 x £50.005, to the nearest penny
        ("STOCK_PUSH_FAILED", "sku NEVER-SOLD"): (0, "GBP"),
        ("MAGENTO_NOTE_FAILED", "order 000000101"): (0, "GBP"),
    }
