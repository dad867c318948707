"""Orders are begun and finished in one commit each: lane, evidence, attempt and state, all of them or none."""

import threading
from datetime import timedelta

import pytest

from tasks.systems.ledger import Begun, EndedOrder, Ledger, LedgerStateError, NotBegun, WantedOrder
from tasks.systems.ledger.records import EvidenceItem
from tasks.systems.ledger.repeatable import Ended, Wanted
from tests.systems.ledger.builders import PLACED, an_order
from tests.systems.ledger.conftest import TestClock

FIRST, SECOND = "000000101", "000000102"


def a_wanted(number: str = FIRST, request: str = "<Request/>") -> WantedOrder:
    evidence = EvidenceItem("prima order request", f"order {number}", request, "application/xml")
    return WantedOrder(number, f"prima/sales_order/{number}", "ab" * 32, evidence)


def ready_orders(ledger: Ledger, *numbers: str) -> None:
    ledger.see_orders([an_order(number) for number in numbers])
    ledger.set_order_states(numbers, "ready")


def begin(ledger: Ledger, *wanted: WantedOrder, owner: str = "us") -> list[Begun | NotBegun]:
    return ledger.begin_orders(wanted, system="prima", operation="create order", owner=owner, seconds=60)


def begun(ledger: Ledger, number: str = FIRST) -> Begun:
    (attempt,) = begin(ledger, a_wanted(number))
    assert isinstance(attempt, Begun)
    return attempt


def test_orders_that_are_begun_are_pending_with_their_request_kept_and_their_lanes_held(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST, SECOND)

    attempts = begin(ledger, a_wanted(SECOND, "<Two/>"), a_wanted(FIRST, "<One/>"))

    assert [attempt.order_number for attempt in attempts] == [SECOND, FIRST]
    for attempt, request in zip(attempts, (b"<Two/>", b"<One/>"), strict=True):
        assert isinstance(attempt, Begun)
        assert ledger.posting(attempt.posting.key) == attempt.posting
        assert attempt.posting.state == "pending"
        assert ledger.evidence(attempt.posting.request_evidence_id or 0) == request
        assert ledger.lane_owner(attempt.lane) == "us"
    assert ledger.order_states([FIRST, SECOND]) == {FIRST: "posting", SECOND: "posting"}
    assert ledger.verify_evidence() == []


def test_an_order_in_another_workers_lane_is_left_alone_and_the_others_are_begun(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST, SECOND)
    with ledger.lane(f"order {FIRST}", owner="them", seconds=60):
        taken, free = begin(ledger, a_wanted(FIRST), a_wanted(SECOND))

    assert isinstance(taken, NotBegun)
    assert "another worker" in taken.problem
    assert isinstance(free, Begun)
    assert ledger.attempts(f"prima/sales_order/{FIRST}") == []
    assert ledger.order_states([FIRST]) == {FIRST: "ready"}


@pytest.mark.parametrize("outcome", ["pending", "unknown", "posted"])
def test_an_order_with_a_live_attempt_is_not_begun_and_its_lane_is_free_again(ledger: Ledger, outcome: str) -> None:
    ready_orders(ledger, FIRST)
    first = begun(ledger)
    ledger.leave_lane(first.lane, first.token)
    if outcome != "pending":
        ledger.finish_posting(first.posting.id, outcome)  # type: ignore[arg-type]

    (again,) = begin(ledger, a_wanted())

    assert isinstance(again, NotBegun)
    assert again.posting is not None
    assert again.posting.state == outcome
    assert ledger.lane_owner(f"order {FIRST}") is None
    assert len(ledger.attempts(first.posting.key)) == 1


def test_an_order_that_is_not_ready_is_not_begun_and_leaves_nothing_behind(ledger: Ledger) -> None:
    ledger.see_orders([an_order(FIRST)])

    held, unknown = begin(ledger, a_wanted(FIRST), a_wanted("000000999"))

    assert isinstance(held, NotBegun)
    assert held.problem == "the order is seen, not ready to be posted"
    assert isinstance(unknown, NotBegun)
    assert "not known" in unknown.problem
    assert ledger.evidence_for(f"order {FIRST}") == []
    assert ledger.lane_owners() == set()


def test_of_eight_workers_that_begin_one_order_exactly_one_may_send_it(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST)
    barrier = threading.Barrier(8)
    attempts: list[Begun | NotBegun] = []

    def work(number: int) -> None:
        barrier.wait()
        attempts.extend(begin(ledger, a_wanted(), owner=f"worker {number}"))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(isinstance(attempt, Begun) for attempt in attempts) == 1
    assert len(attempts) == 8


def test_an_acceptance_is_recorded_with_its_answer_and_frees_the_lane(ledger: Ledger, clock: TestClock) -> None:
    ready_orders(ledger, FIRST, SECOND)
    attempts = [begun(ledger, FIRST), begun(ledger, SECOND)]
    now = clock.passes(seconds=2)
    answer = EvidenceItem("prima order answer", f"order {FIRST}", "<Result/>", "application/xml")

    settled = ledger.finish_orders(
        [
            EndedOrder(attempts[0], "posted", "30000101", "0000912345", answer=answer),
            EndedOrder(attempts[1], "unknown", error_text="no answer"),
        ]
    )

    order = ledger.order(FIRST)
    assert order is not None
    assert (order.state, order.accepted_at, order.customer_code) == ("accepted", now, "0000912345")
    assert (settled[FIRST].state, settled[FIRST].reference, settled[FIRST].finished_at) == ("posted", "30000101", now)
    assert ledger.evidence(settled[FIRST].answer_evidence_id or 0) == b"<Result/>"
    assert (settled[SECOND].state, settled[SECOND].error_text) == ("unknown", "no answer")
    assert ledger.order_states([SECOND]) == {SECOND: "unknown"}
    assert ledger.lane_owners() == set()


def test_many_acceptances_are_recorded_together_each_with_its_own_customer(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST, SECOND)
    attempts = begin(ledger, a_wanted(FIRST), a_wanted(SECOND))

    ledger.finish_orders(
        [
            EndedOrder(attempt, "posted", f"30{attempt.order_number[-6:]}", f"customer {attempt.order_number[-1]}")
            for attempt in attempts
            if isinstance(attempt, Begun)
        ]
    )

    found = {order.order_number: (order.state, order.customer_code) for order in ledger.orders([FIRST, SECOND])}
    assert found == {FIRST: ("accepted", "customer 1"), SECOND: ("accepted", "customer 2")}


def test_a_call_that_never_left_lets_the_order_be_begun_again(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST)
    ledger.finish_orders([EndedOrder(begun(ledger), "not_sent", error_code="UNAVAILABLE")])

    assert ledger.order_states([FIRST]) == {FIRST: "ready"}
    again = begun(ledger)
    assert again.posting.attempt == 2


def test_a_refused_order_waits_as_refused(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST)
    settled = ledger.finish_orders([EndedOrder(begun(ledger), "refused", error_code="E:548", error_text="VAT")])

    assert (settled[FIRST].state, settled[FIRST].error_code) == ("refused", "E:548")
    assert ledger.order_states([FIRST]) == {FIRST: "refused"}


def test_an_attempt_that_somebody_else_settled_stays_and_the_others_are_recorded(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST, SECOND)
    stolen, ours = begun(ledger, FIRST), begun(ledger, SECOND)
    ledger.resolve_order(stolen.posting, FIRST, "not_there")

    settled = ledger.finish_orders([EndedOrder(stolen, "refused"), EndedOrder(ours, "posted", "30000102")])

    assert settled[FIRST].error_code == "NOT_THERE"
    assert ledger.order_states([FIRST, SECOND]) == {FIRST: "ready", SECOND: "accepted"}


def test_an_order_cancelled_while_its_call_was_out_stays_cancelled(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST)
    attempt = begun(ledger)
    ledger.set_order_state(FIRST, "cancelled")

    ledger.finish_orders([EndedOrder(attempt, "posted", "30000101")])

    assert ledger.order_states([FIRST]) == {FIRST: "cancelled"}
    posting = ledger.posting(attempt.posting.key)
    assert posting is not None
    assert posting.state == "posted"


@pytest.mark.parametrize(
    ("found", "posting_state", "code", "order_state"),
    [
        ("posted", "posted", "", "accepted"),
        ("not_there", "refused", "NOT_THERE", "ready"),
        ("another", "refused", "E:21", "refused"),
        ("unknown", "unknown", "", "unknown"),
    ],
)
def test_a_look_settles_attempt_and_order_together(
    ledger: Ledger, found: str, posting_state: str, code: str, order_state: str
) -> None:
    ready_orders(ledger, FIRST)
    attempt = begun(ledger)

    ledger.resolve_order(attempt.posting, FIRST, found, reference="30000101", text="it said so")  # type: ignore[arg-type]

    posting = ledger.posting(attempt.posting.key)
    assert posting is not None
    assert (posting.state, posting.error_code) == (posting_state, code)
    assert ledger.order_states([FIRST]) == {FIRST: order_state}


def test_what_is_settled_is_not_settled_by_a_second_look(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST)
    attempt = begun(ledger)
    ledger.resolve_order(attempt.posting, FIRST, "posted", reference="30000101")

    with pytest.raises(LedgerStateError, match="is posted"):
        ledger.resolve_order(attempt.posting, FIRST, "not_there")
    assert ledger.order_states([FIRST]) == {FIRST: "accepted"}


def note(number: str) -> Wanted:
    return Wanted(f"magento/order_note/{number}", number, "cd" * 32)


def begin_notes(ledger: Ledger, *numbers: str) -> list[Begun]:
    wanted = [note(number) for number in numbers]
    return ledger.begin_repeatable(wanted, system="magento", operation="note", owner="us", seconds=60)


def test_a_write_that_may_be_repeated_is_begun_again_where_a_run_stopped_and_never_once_posted(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST, SECOND)
    first, second = begin_notes(ledger, FIRST, SECOND)
    ledger.finish_repeatable([Ended(first, "posted", reference="30000101")])
    ledger.leave_lane(second.lane, second.token)

    (again,) = begin_notes(ledger, FIRST, SECOND)

    assert (again.order_number, again.posting.attempt) == (SECOND, 2)
    assert [attempt.error_code for attempt in ledger.attempts(again.posting.key)] == ["REPEATED", ""]
    assert ledger.lane_owner(f"order {FIRST}") is None


def test_a_repeatable_write_leaves_out_orders_in_another_workers_lane(ledger: Ledger) -> None:
    ready_orders(ledger, FIRST, SECOND)
    with ledger.lane(f"order {FIRST}", owner="them", seconds=60):
        assert [each.order_number for each in begin_notes(ledger, FIRST, SECOND)] == [SECOND]


def test_orders_without_a_posting_are_those_not_posted_and_not_refused_too_often(ledger: Ledger) -> None:
    numbers = [f"{number:09d}" for number in range(101, 106)]
    ready_orders(ledger, *numbers)
    for number in numbers[:4]:
        ledger.accept_order(number)

    def missing(**limits: object) -> list[str]:
        asked = {"accepted_since": PLACED, "attempts": 2, "limit": 10, **limits}
        return [each.order_number for each in ledger.orders_without("magento/order_note/", **asked)]  # type: ignore[arg-type]

    posted, not_sent = begin_notes(ledger, numbers[0], numbers[1])
    ledger.finish_repeatable([Ended(posted, "posted"), Ended(not_sent, "refused", error_code="UNAVAILABLE")])
    assert missing() == numbers[1:4]
    for _ in range(2):
        (again,) = begin_notes(ledger, numbers[1])
        ledger.finish_repeatable([Ended(again, "refused", error_code="CallRefusedError")])
    assert missing() == numbers[2:4]
    assert missing(leave_out={numbers[2]}, limit=1) == [numbers[3]]
    assert missing(accepted_since=PLACED + timedelta(days=30)) == []
