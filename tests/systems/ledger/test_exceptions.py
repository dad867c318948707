"""Exceptions: one open row per code and subject, counted, closed and opened anew, with a history."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import create_engine, update

from schemas.documents import ExceptionNote
from schemas.reasons import REASONS
from tasks.errors import NotFoundError
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.models import exceptions
from tests.systems.ledger.builders import a_note
from tests.systems.ledger.conftest import TestClock


def _history(ledger: Ledger, exception_id: int) -> list[tuple[str, str, str]]:
    return [(event.event, event.actor, event.text) for event in ledger.exception_events(exception_id)]


def test_an_exception_carries_what_the_table_of_reasons_says(ledger: Ledger, clock: TestClock) -> None:
    note = a_note(value_at_risk_pence=5997, suggestions=("DRESS-RED-010",), sku="DRESS-RED-10")
    assert ledger.raise_exceptions("b1", [note]) == 1
    (found,) = ledger.exceptions()
    reason = REASONS["SKU_UNKNOWN"]
    assert (found.sentence, found.owner, found.severity) == (reason.sentence, reason.owner, reason.severity)
    assert (found.next_step, found.anchor) == (reason.next_step, reason.anchor)
    assert (found.value_at_risk_pence, found.suggestions, found.sku) == (5997, ("DRESS-RED-010",), "DRESS-RED-10")
    assert (found.first_seen_at, found.last_seen_at, found.occurrences) == (clock(), clock(), 1)
    assert _history(ledger, found.id) == [("raised", "batch b1", note.detail)]


def test_the_same_exception_again_is_counted_on_one_row(ledger: Ledger, clock: TestClock) -> None:
    first_seen = clock()
    ledger.raise_exceptions("b1", [a_note(value_at_risk_pence=100)])
    clock.passes(minutes=5)
    ledger.raise_exceptions("b2", [a_note(value_at_risk_pence=100)])
    last_seen = clock.passes(minutes=5)
    ledger.raise_exceptions("b3", [a_note(value_at_risk_pence=250, detail="Two lines are not known.")])
    (found,) = ledger.exceptions(state="all")
    assert (found.occurrences, found.first_seen_at, found.last_seen_at) == (3, first_seen, last_seen)
    assert (found.value_at_risk_pence, found.detail, found.batch_id) == (250, "Two lines are not known.", "b3")
    assert found.age(clock()) == timedelta(minutes=10)
    assert [event for event, _, _ in _history(ledger, found.id)] == ["raised", "changed"]
    assert '"value_at_risk_pence": 100' in _history(ledger, found.id)[1][2]


def test_one_subject_has_one_exception_for_each_code(ledger: Ledger) -> None:
    notes = [a_note(), a_note("ADDRESS_INCOMPLETE"), a_note(subject="order 000000102"), a_note()]
    assert ledger.raise_exceptions("b1", notes) == 3
    assert [found.occurrences for found in ledger.exceptions()] == [1, 1, 1]


def test_a_code_that_is_not_in_the_table_is_refused_and_nothing_is_written(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="NO_SUCH_CODE"):
        ledger.raise_exceptions("b1", [a_note(), a_note("NO_SUCH_CODE")])
    assert ledger.exceptions(state="all") == []


def test_closing_keeps_the_row_with_who_and_when(ledger: Ledger, clock: TestClock) -> None:
    ledger.raise_exceptions("b1", [a_note()])
    closed_at = clock.passes(hours=2)
    assert ledger.close_exceptions(subjects=["order 000000101"], by="jane", note="mapped by hand") == 1
    assert ledger.exceptions() == []
    (found,) = ledger.exceptions(state="closed")
    assert (found.closed_at, found.closed_by) == (closed_at, "jane")
    assert _history(ledger, found.id)[-1] == ("closed", "jane", "mapped by hand")
    assert found.age(clock.passes(days=9)) == timedelta(hours=2)
    assert ledger.close_exceptions(subjects=["order 000000101"], by="jane") == 0


def test_one_that_comes_back_is_opened_anew_and_points_to_the_one_before(ledger: Ledger, clock: TestClock) -> None:
    ledger.raise_exceptions("b1", [a_note()])
    ledger.close_exceptions(subjects=["order 000000101"], by="batch b2")
    back_at = clock.passes(days=1)
    ledger.raise_exceptions("b3", [a_note()])
    (before,) = ledger.exceptions(state="closed")
    (found,) = ledger.exceptions()
    assert (found.reopens_id, found.first_seen_at, found.occurrences) == (before.id, back_at, 1)
    assert [event for event, _, _ in _history(ledger, found.id)] == ["reopened"]
    ledger.raise_exceptions("b4", [a_note()])
    (found,) = ledger.exceptions()
    assert (found.reopens_id, found.occurrences) == (before.id, 2)


def test_closing_can_be_limited_to_codes_and_can_leave_codes_open(ledger: Ledger) -> None:
    codes = ["SKU_UNKNOWN", "ADDRESS_INCOMPLETE", "TEXT_CUT", "PRIMA_REFUSED"]
    ledger.raise_exceptions("b1", [a_note(code) for code in codes])
    ledger.raise_exceptions("b1", [a_note(subject="order 000000102")])
    subjects = ["order 000000101"]
    assert ledger.close_exceptions(subjects=subjects, codes=["SKU_UNKNOWN"], by="orders") == 1
    assert ledger.close_exceptions(subjects=subjects, by="orders", except_codes=["TEXT_CUT"]) == 2
    assert ledger.close_exceptions(subjects=subjects, codes=[], by="orders") == 0
    assert ledger.close_exceptions(subjects=[], by="orders") == 0
    assert {(found.code, found.subject) for found in ledger.exceptions()} == {
        ("TEXT_CUT", "order 000000101"),
        ("SKU_UNKNOWN", "order 000000102"),
    }


def test_a_person_closes_one_and_leaves_a_remark(ledger: Ledger) -> None:
    ledger.raise_exceptions("b1", [a_note()])
    (found,) = ledger.exceptions()
    ledger.note_on_exception(found.id, by="jane", text="asked the warehouse")
    assert ledger.close_exception(found.id, by="jane", note="done") is True
    assert ledger.close_exception(found.id, by="jane") is False
    assert _history(ledger, found.id)[1:] == [("noted", "jane", "asked the warehouse"), ("closed", "jane", "done")]
    with pytest.raises(NotFoundError):
        ledger.note_on_exception(found.id + 1, by="jane", text="?")


def test_exceptions_are_found_by_code_owner_order_and_subject(ledger: Ledger, clock: TestClock) -> None:
    ledger.raise_exceptions("b1", [a_note()])
    clock.passes(minutes=1)
    ledger.raise_exceptions("b1", [ExceptionNote("STOCK_DRIFT", "sku HAT", "3 instead of 5", sku="HAT")])
    assert [found.code for found in ledger.exceptions()] == ["SKU_UNKNOWN", "STOCK_DRIFT"]
    assert [found.code for found in ledger.exceptions(code="STOCK_DRIFT")] == ["STOCK_DRIFT"]
    assert [found.code for found in ledger.exceptions(order_number="000000101")] == ["SKU_UNKNOWN"]
    assert [found.code for found in ledger.exceptions(subject="sku HAT")] == ["STOCK_DRIFT"]
    for owner in ("operations", "finance", "ecommerce", "customer service", "integration"):
        expected = [code for code in ("SKU_UNKNOWN", "STOCK_DRIFT") if REASONS[code].owner == owner]
        assert [found.code for found in ledger.exceptions(owner=owner)] == expected


def test_a_code_that_a_later_version_dropped_is_still_shown(ledger: Ledger, ledger_url: str) -> None:
    ledger.raise_exceptions("b1", [a_note()])
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(update(exceptions).values(code="OF_OLD"))
    engine.dispose()
    (found,) = ledger.exceptions()
    assert (found.code, found.owner) == ("OF_OLD", "integration")


def test_eight_workers_that_raise_the_same_make_one_row_that_counts_all(ledger: Ledger) -> None:
    start = Barrier(8)
    notes = [a_note(), a_note("ADDRESS_INCOMPLETE")]

    def worker(name: int) -> None:
        start.wait()
        ledger.raise_exceptions(f"b{name}", notes if name % 2 else notes[::-1])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(worker, range(8)))
    assert [found.occurrences for found in ledger.exceptions(state="all")] == [8, 8]
    assert [event for event, _, _ in _history(ledger, ledger.exceptions()[0].id)] == ["raised"]


def test_thousands_are_raised_and_closed_in_one_call(ledger: Ledger) -> None:
    notes = [a_note(subject=f"order {number:09}") for number in range(5000)]
    assert ledger.raise_exceptions("b1", notes) == 5000
    assert ledger.raise_exceptions("b2", notes) == 5000
    assert {found.occurrences for found in ledger.exceptions()} == {2}
    assert ledger.close_exceptions(subjects=[note.subject for note in notes], by="batch b3") == 5000


def test_text_that_a_database_would_refuse_is_kept_as_far_as_it_goes(ledger: Ledger) -> None:
    ledger.raise_exceptions("b1", [a_note(detail="cut\x00 here \ud83d")])
    assert [found.detail for found in ledger.exceptions()] == ["cut here ?"]
