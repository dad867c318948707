"""Posting an order: refused ones rest and are parked, stopped runs are caught up with, notes never hold orders up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from threading import Event

import pytest
from sqlalchemy import Connection, create_engine, text

from flows.orders import sync_orders
from tasks.post import notes
from tasks.post.attempts import Patience, standing
from tasks.post.orders import retry_orders
from tasks.systems.ledger.records import Posting
from tests.installation import Installation
from tests.recorded import sample_order, sample_orders

ORDER, OTHER = "000000020", "000000019"
PRIMA_NUMBER = "30000020"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PATIENCE = Patience(5, tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 1440)))
PATIENT_FOR_LONG = Patience(99, PATIENCE.pauses)


def an_attempt(number: int = 1, at: datetime = NOON, **facts: object) -> Posting:
    values: dict[str, object] = {
        "id": number,
        "key": "prima/sales_order/000000020",
        "attempt": number,
        "system": "prima",
        "operation": "create order",
        "subject": "order 000000020",
        "request_hash": "one",
        "state": "refused",
        "begun_at": at,
        "finished_at": at,
        "error_code": "E:548",
        "error_text": "VAT",
    }
    return Posting(**{**values, **facts})  # type: ignore[arg-type]


# When a refused order may be sent again: a pure function.


def test_an_order_that_was_never_refused_may_be_sent() -> None:
    assert standing([], "one", PATIENCE, NOON).may_be_sent


@pytest.mark.parametrize(
    ("refusals", "minutes"), [(1, 5), (2, 15), (3, 60), (4, 240), (5, 1440), (6, 1440), (12, 1440)]
)
def test_each_refusal_makes_the_pause_longer_up_to_a_day(refusals: int, minutes: int) -> None:
    attempts = [an_attempt(number, NOON - timedelta(days=refusals - number)) for number in range(1, refusals + 1)]
    due = NOON + timedelta(minutes=minutes)

    early = standing(attempts, "one", PATIENT_FOR_LONG, due - timedelta(seconds=1))
    assert (early.may_be_sent, early.again_at, early.refusals) == (False, due, refusals)
    assert standing(attempts, "one", PATIENT_FOR_LONG, due).may_be_sent


def test_an_order_refused_in_the_same_words_too_often_is_parked_for_good() -> None:
    attempts = [an_attempt(number) for number in range(1, 6)]

    parked = standing(attempts, "one", PATIENCE, NOON + timedelta(days=400))

    assert (parked.may_be_sent, parked.again_at) == (False, None)
    assert "Parked after 5 attempts" in parked.words


def test_other_words_begin_the_count_of_attempts_anew_but_not_the_pauses() -> None:
    attempts = [*(an_attempt(number) for number in range(1, 5)), an_attempt(5, error_text="unknown product")]

    rests = standing(attempts, "one", PATIENCE, NOON)

    assert rests.again_at == NOON + timedelta(days=1)


def test_a_changed_request_may_be_sent_at_once() -> None:
    attempts = [an_attempt(number) for number in range(1, 6)]
    assert standing(attempts, "another", PATIENCE, NOON).may_be_sent
    assert standing([*attempts, an_attempt(6, request_hash="another")], "one", PATIENCE, NOON).may_be_sent


def test_a_request_that_prima_could_not_read_is_never_sent_again_unchanged() -> None:
    assert not standing([an_attempt(error_code="14586")], "one", PATIENCE, NOON + timedelta(days=400)).may_be_sent


def test_an_error_that_the_settings_park_is_never_sent_again_unchanged() -> None:
    late = NOON + timedelta(days=400)
    parks = replace(PATIENCE, parks=(("E:194", "Product does not exist"),))
    ghost = an_attempt(error_code="E:194", error_text="PRIMA: (E:194) Product does not exist with Product equal to X")

    assert not standing([ghost], "one", parks, late).may_be_sent
    assert standing([ghost], "one", PATIENCE, late).may_be_sent
    assert standing([an_attempt(error_code="E:194", error_text="Charge unknown")], "one", parks, late).may_be_sent


def test_calls_that_never_left_and_orders_that_were_not_there_are_no_refusals() -> None:
    attempts = [an_attempt(number, error_code=code) for number, code in enumerate(("UNAVAILABLE", "NOT_THERE"), 1)]
    assert standing(attempts, "one", PATIENCE, NOON).may_be_sent
    rests = standing([an_attempt(1), *attempts], "one", PATIENCE, NOON)
    assert (rests.may_be_sent, rests.refusals) == (False, 1)


def test_a_persons_retry_forgets_the_refusals_before_it() -> None:
    attempts = [an_attempt(number) for number in range(1, 6)]
    later = NOON + timedelta(minutes=1)
    assert standing(attempts, "one", PATIENCE, later, retried_at=later).may_be_sent
    again = standing([*attempts, an_attempt(6, later)], "one", PATIENCE, later, retried_at=later)
    assert (again.may_be_sent, again.refusals) == (False, 1)


# The same through the flow.


def test_a_refused_order_rests_and_its_exception_stays_open(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    installation.prima.settings.vat_inclusive = False

    for _ in range(3):
        sync_orders()

    assert posts(installation) == 1
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code="PRIMA_REFUSED")
        assert ledger.order_states([ORDER]) == {ORDER: "refused"}
    assert "Price Book" in note.detail
    assert "Refused 1 attempt; it is sent again after" in note.detail


def test_an_order_refused_in_the_same_words_is_parked_until_a_person_retries_it(installation: Installation) -> None:
    installation.configure(concurrency="2\nattempt_limit = 2\nretry_minutes = [0]")
    installation.holds(sample_order(ORDER))
    installation.prima.settings.vat_inclusive = False
    for _ in range(3):
        sync_orders()
    assert posts(installation) == 2
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code="PRIMA_REFUSED")
    assert "Parked after 2 attempts" in note.detail

    installation.prima.settings.vat_inclusive = True
    sync_orders()
    assert posts(installation) == 2, "what is parked stays parked, whatever PRIMA would say now"
    retry_orders([ORDER], "somebody")
    sync_orders()

    assert installation.prima.order_numbers() == [PRIMA_NUMBER]
    assert installation.open_codes() == {}


def test_a_parked_order_is_tried_again_when_a_mapping_changes(installation: Installation) -> None:
    installation.configure(concurrency="2\nattempt_limit = 1")
    installation.holds(sample_order(ORDER))
    installation.prima.settings.vat_inclusive = False
    sync_orders()
    sync_orders()
    assert posts(installation) == 1

    installation.prima.settings.vat_inclusive = True
    installation.configure(sub_pay_method='"OTHER"')
    sync_orders()

    assert installation.prima.order_numbers() == [PRIMA_NUMBER]
    assert installation.open_codes() == {}


def test_xml_that_prima_cannot_read_is_sent_once_and_then_parked(installation: Installation) -> None:
    installation.configure(concurrency='2\nretry_minutes = [0]\ncharacter_policy = "charref"')
    installation.prima.settings.outside_latin1 = "refuse"
    order = sample_order(ORDER)
    order["billing_address"]["city"] = "Łódź"
    installation.holds(order)

    for _ in range(3):
        sync_orders()

    assert posts(installation) == 1
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code="PRIMA_REFUSED")
    assert "Parked after 1 attempt:" in note.detail


def test_chunks_that_get_ready_beside_one_another_share_the_calls_that_prima_takes(
    installation: Installation,
) -> None:
    installation.holds(*sample_orders()[:24])
    installation.add_to_section("orders", "chunk_size = 3")
    installation.prima.faults.add("MultiNewOrder", "delay", times=None, seconds=0.2)

    sync_orders()

    assert len(installation.prima.order_numbers()) > 9
    assert installation.prima.faults.most_at_once["MultiNewOrder"] == installation.settings.prima.concurrency


def test_a_lost_answer_is_looked_up_in_the_reporting_source_where_prima_cannot_say_not_there(
    installation: Installation,
) -> None:
    installation.configure(status_not_found_text='""')
    installation.holds(sample_order(ORDER))
    installation.prima.faults.add("MultiNewOrder", "lose_answer")
    installation.prima.faults.add("OrderStatus", "soap_fault", times=None, text="The procedure ended with STOP")
    installation.prima.faults.add("OrderStatus", "cut_answer", times=None, share=0)

    sync_orders()
    installation.prima.faults.clear()
    installation.prima.faults.add("OrderStatus", "cut_answer", times=None, share=0)
    sync_orders()

    assert posts(installation) == 1
    assert installation.open_codes() == {}
    with installation.ledger() as ledger:
        assert ledger.order_states([ORDER]) == {ORDER: "accepted"}


def test_somebody_elses_order_is_not_claimed_although_our_answer_was_lost(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    with in_prima(installation) as connection:
        connection.execute(text("update stand_in_orders set ordered_at = '2020-01-01 00:00:00.000000'"))
    (installation.folder / "ledger.db").unlink()
    installation.prima.faults.add("MultiNewOrder", "lose_answer")

    for _ in range(3):
        sync_orders()

    assert installation.open_codes() == {f"order {ORDER}": "PRIMA_NUMBER_TAKEN"}
    with installation.ledger() as ledger:
        assert ledger.order_states([ORDER]) == {ORDER: "refused"}


def test_an_order_taken_behind_a_503_is_recognised_by_its_total_when_it_is_sent_again(
    installation: Installation,
) -> None:
    installation.holds(sample_order(ORDER))
    installation.prima.faults.add("MultiNewOrder", "status", status=503, after_effect=True)
    with pytest.raises(Exception, match="503"):
        sync_orders()

    sync_orders()

    assert installation.prima.order_numbers() == [PRIMA_NUMBER]
    assert installation.open_codes() == {}


@pytest.mark.parametrize("state", ["posting", "unknown"])
@pytest.mark.parametrize("outcome", ["posted", "refused"])
def test_an_order_that_a_stopped_run_left_behind_its_posting_is_caught_up_with(
    installation: Installation, state: str, outcome: str
) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    with in_ledger(installation) as connection:
        if outcome == "refused":
            connection.execute(text("update postings set state = 'refused', error_code = 'NOT_THERE'"))
            with in_prima(installation) as prima:
                prima.execute(text("delete from stand_in_order_lines"))
                prima.execute(text("delete from stand_in_orders"))
        connection.execute(text("update orders set state = :state, accepted_at = null"), {"state": state})

    sync_orders()

    assert installation.prima.order_numbers() == [PRIMA_NUMBER]
    with installation.ledger() as ledger:
        assert ledger.order_states([ORDER]) == {ORDER: "accepted"}


def test_a_pending_order_with_a_dead_owner_is_looked_up_and_one_in_a_living_workers_lane_is_not(
    installation: Installation,
) -> None:
    installation.holds(sample_order(ORDER))
    installation.prima.faults.add("MultiNewOrder", "reset")
    sync_orders()
    with installation.ledger() as ledger, ledger.lane(f"order {ORDER}", owner="elsewhere:1:1", seconds=60):
        sync_orders()
        assert installation.prima.order_numbers() == []
    sync_orders()
    assert installation.prima.order_numbers() == [PRIMA_NUMBER]


# Notes in Magento.


def test_a_note_that_an_earlier_run_did_not_come_to_is_written_by_the_next(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    installation.magento.faults.add("POST /V1/orders", "status", status=503)
    sync_orders()
    assert installation.magento.order(ORDER).get("ext_order_id") != PRIMA_NUMBER
    assert installation.open_codes() == {}, "Magento's maintenance is nothing that a person must see"

    sync_orders()

    assert installation.magento.order(ORDER)["ext_order_id"] == PRIMA_NUMBER


def test_when_nothing_is_posted_any_more_a_run_writes_notes_up_to_its_measure_and_the_next_run_writes_on(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "AT_ONCE", 2)
    monkeypatch.setattr(notes, "IN_ALL", 4)
    installation.holds(*(order for order in sample_orders() if order["state"] == "processing"))
    installation.magento.faults.add("POST /V1/orders", "status", status=503, times=2)
    sync_orders()
    with installation.ledger() as ledger:
        accepted = {order.order_number for order in ledger.orders_in_state("accepted")}
    is_over = Event()
    is_over.set()

    runs = [[note.subject for note in notes.post_order_notes(is_over)] for _ in range(len(accepted) // 4 + 2)]

    assert [len(run) for run in runs[:2]] == [4, 4]
    assert runs[-1] == []
    assert sorted(chain(*runs)) == sorted(accepted), "each once"


def test_a_note_that_magento_refuses_harms_no_order_and_is_given_up_after_some_runs(
    installation: Installation,
) -> None:
    installation.configure(concurrency="2\nattempt_limit = 2")
    installation.holds(sample_order(ORDER), sample_order(OTHER))
    installation.magento.faults.add("POST /V1/orders", "status", times=None, status=500)

    for _ in range(4):
        sync_orders()

    assert len(installation.prima.order_numbers()) == 2
    assert set(installation.open_codes(["MAGENTO_NOTE_FAILED"])) == {f"order {ORDER}", f"order {OTHER}"}
    assert saves(installation) == 4


def posts(installation: Installation) -> int:
    return sum(1 for request in installation.prima.requests() if request["request_type"] == "MultiNewOrder")


def saves(installation: Installation) -> int:
    return sum(1 for call in installation.magento.calls() if (call["method"], call["path"]) == ("POST", "/V1/orders"))


@contextmanager
def in_prima(installation: Installation) -> Iterator[Connection]:
    """Change PRIMA's own tables, as somebody at its database would."""
    engine = create_engine(installation.prima.reporting_url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@contextmanager
def in_ledger(installation: Installation) -> Iterator[Connection]:
    """Change the ledger past its rules, to where an earlier version could leave it."""
    engine = create_engine(f"sqlite:///{installation.folder / 'ledger.db'}")
    with engine.begin() as connection:
        yield connection
    engine.dispose()
