"""Exactly once: every write is recorded before it leaves, and a key has one live attempt."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import create_engine, insert
from sqlalchemy.exc import IntegrityError

from tasks.systems.ledger import Ledger, LedgerStateError, Posting, PostingExistsError
from tasks.systems.ledger.models import postings
from tests.systems.ledger.builders import a_posting
from tests.systems.ledger.conftest import TestClock

KEY = "prima/sales_order/000000101"


def test_an_attempt_is_pending_and_committed_before_the_call_leaves(ledger: Ledger, clock: TestClock) -> None:
    begun = a_posting(ledger, evidence_id=5)
    assert begun == Posting(
        id=begun.id,
        key=KEY,
        attempt=1,
        system="prima",
        operation="MultiNewOrder",
        subject="order 000000101",
        request_hash="ab" * 32,
        state="pending",
        begun_at=clock(),
        request_evidence_id=5,
    )
    assert ledger.posting(KEY) == begun
    assert ledger.posting_by_id(begun.id) == begun


@pytest.mark.parametrize("outcome", ["pending", "unknown", "posted"])
def test_a_live_attempt_forbids_a_second_one(ledger: Ledger, outcome: str) -> None:
    begun = a_posting(ledger)
    if outcome != "pending":
        ledger.finish_posting(begun.id, outcome)  # type: ignore[arg-type]
    with pytest.raises(PostingExistsError, match=f"{KEY}: attempt 1 is {outcome}") as exists:
        a_posting(ledger)
    assert exists.value.state == outcome
    assert exists.value.posting.id == begun.id


def test_the_database_itself_forbids_a_second_live_attempt(ledger: Ledger, ledger_url: str) -> None:
    begun = a_posting(ledger)
    row = {column.name: getattr(begun, column.name) for column in postings.c if column.name != "id"}
    engine = create_engine(ledger_url)
    for state in ("pending", "unknown", "posted"):
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(insert(postings).values({**row, "attempt": 2, "state": state}))
    with engine.begin() as connection:
        connection.execute(insert(postings).values({**row, "attempt": 2, "state": "refused"}))
    engine.dispose()


def test_a_refused_attempt_stays_and_lets_the_next_begin(ledger: Ledger, clock: TestClock) -> None:
    first = a_posting(ledger)
    finished_at = clock.passes(seconds=3)
    refused = ledger.finish_posting(
        first.id, "refused", error_code="E:548", error_text="VatInclusive\x00", evidence_id=8
    )
    second = a_posting(ledger)
    assert [(attempt.attempt, attempt.state) for attempt in ledger.attempts(KEY)] == [(1, "refused"), (2, "pending")]
    assert (refused.error_code, refused.error_text, refused.finished_at) == ("E:548", "VatInclusive", finished_at)
    assert refused.answer_evidence_id == 8
    assert ledger.posting(KEY) == second


def test_a_settled_attempt_is_not_settled_again(ledger: Ledger) -> None:
    begun = a_posting(ledger)
    ledger.finish_posting(begun.id, "posted", reference="00000101")
    with pytest.raises(LedgerStateError, match=r"is posted; only pending can become refused"):
        ledger.finish_posting(begun.id, "refused")
    with pytest.raises(LedgerStateError, match="is posted"):
        ledger.resolve_posting(begun.id, "not_there")
    with pytest.raises(LedgerStateError, match="does not exist"):
        ledger.finish_posting(begun.id + 1, "posted")
    found = ledger.posting(KEY)
    assert found is not None
    assert (found.state, found.reference) == ("posted", "00000101")


@pytest.mark.parametrize("is_unknown", [True, False])
def test_looking_finds_that_it_arrived(ledger: Ledger, is_unknown: bool) -> None:
    begun = a_posting(ledger)
    if is_unknown:
        ledger.finish_posting(begun.id, "unknown", error_text="time-out")
    found = ledger.resolve_posting(begun.id, "posted", reference="00000101", by="OrderStatus")
    assert (found.state, found.reference, found.resolution) == ("posted", "00000101", "posted (OrderStatus)")
    assert found.error_text == ("time-out" if is_unknown else "")


@pytest.mark.parametrize("is_unknown", [True, False])
def test_looking_finds_that_it_is_not_there_and_frees_the_key(ledger: Ledger, is_unknown: bool) -> None:
    begun = a_posting(ledger)
    if is_unknown:
        ledger.finish_posting(begun.id, "unknown")
    closed = ledger.resolve_posting(begun.id, "not_there")
    assert (closed.state, closed.error_code) == ("refused", "NOT_THERE")
    assert a_posting(ledger).attempt == 2


def test_what_must_be_looked_at_is_found_by_system_and_state(ledger: Ledger) -> None:
    first = a_posting(ledger, "prima/sales_order/1")
    second = a_posting(ledger, "prima/sales_order/2")
    ledger.finish_posting(second.id, "unknown")
    ledger.finish_posting(a_posting(ledger, "prima/sales_order/3").id, "posted")
    a_posting(ledger, "magento/shipment/D100", system="magento")
    assert [found.id for found in ledger.postings_in("prima", {"pending", "unknown"})] == [first.id, second.id]
    assert len(ledger.postings_of("order 000000101")) == 4


def test_of_eight_threads_that_begin_one_key_one_wins(ledger: Ledger) -> None:
    for key in (f"prima/sales_order/{number}" for number in range(10)):
        start = Barrier(8)

        def begin(_: int, key: str = key, start: Barrier = start) -> bool:
            start.wait()
            try:
                a_posting(ledger, key)
            except PostingExistsError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(begin, range(8))) == 1
        assert len(ledger.attempts(key)) == 1


def test_of_three_processes_that_begin_one_key_one_wins(ledger: Ledger, ledger_url: str) -> None:
    racers = [_start("begin_one_posting", ledger_url) for _ in range(3)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = sorted(racer.communicate()[0].strip() for racer in racers)
    assert said == ["pending", "pending", "won"]
    assert len(ledger.attempts(KEY)) == 1


def test_a_process_that_crashed_after_it_began_leaves_a_pending_attempt(ledger: Ledger, ledger_url: str) -> None:
    process = _start("crash_while_posting", ledger_url)
    process.communicate()
    assert process.returncode == 9
    assert [found.state for found in ledger.postings_in("prima", {"pending"})] == ["pending"]
    with pytest.raises(PostingExistsError):
        a_posting(ledger)


def _start(name: str, url: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "tests.systems.ledger.processes", name, url]
    return subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
