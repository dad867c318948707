"""Refunds and credit notes in the ledger: kept once, settled with what answers them, open again when they change."""

from dataclasses import replace
from datetime import UTC, date, datetime

from schemas.refunds import CreditNote, Refund, RefundLine, Settlement
from tasks.systems.ledger import Ledger
from tests.systems.ledger.builders import an_order
from tests.systems.ledger.conftest import TestClock

ORDER = "000000101"
REFUND = Refund(
    "000000004",
    4,
    ORDER,
    101,
    "GBP",
    datetime(2026, 11, 23, 23, 30, tzinfo=UTC),
    date(2026, 11, 23),
    1000,
    200,
    1200,
    lines=(RefundLine(1, "goods", 93, "TEE", 1, "20", 1000, 200, 1200),),
)
NOTE = CreditNote("CRN1", ORDER, "30000101", "INV1", date(2026, 11, 24), "GBP", 1000, 200, 1200)
PAIR = Settlement(ORDER, ("000000004",), ("CRN1",), "gross and VAT agree")


def accept(ledger: Ledger) -> None:
    """Let PRIMA accept the order."""
    ledger.see_orders([an_order(ORDER)])
    for state in ("ready", "posting"):
        ledger.set_order_state(ORDER, state)
    ledger.set_order_state(ORDER, "accepted", accepted_at=datetime(2026, 11, 23, 12, tzinfo=UTC))


def test_a_refund_waits_for_its_order_and_comes_back_as_it_was_kept(ledger: Ledger) -> None:
    assert (ledger.keep_refunds([REFUND, REFUND]), ledger.keep_refunds([REFUND])) == (1, 0)
    assert ledger.open_refunds() == [], "PRIMA does not have the order"

    accept(ledger)
    assert ledger.open_refunds() == [REFUND]
    kept = ledger.refund("000000004")
    assert kept is not None
    assert (kept.refund, kept.settled_at, kept.answers) == (REFUND, None, ())


def test_what_is_settled_names_what_answers_it_and_is_open_no_more(ledger: Ledger, clock: TestClock) -> None:
    accept(ledger)
    ledger.keep_refunds([REFUND])
    assert (ledger.keep_credit_notes([NOTE]), ledger.keep_credit_notes([NOTE])) == (1, 0)
    ledger.settle_refunds([PAIR], by="batch 1")
    ledger.settle_refunds([PAIR], by="batch 1")

    assert (ledger.open_refunds(), ledger.open_credit_notes()) == ([], [])
    (kept,) = ledger.refunds_of([ORDER])
    assert (kept.answers, kept.settled_why, kept.settled_by) == (("CRN1",), "gross and VAT agree", "batch 1")
    assert kept.settled_at == clock()
    assert ledger.keep_refunds([REFUND]) == 0
    assert ledger.open_refunds() == []


def test_a_document_whose_figures_changed_is_open_again_with_what_it_answered(ledger: Ledger) -> None:
    accept(ledger)
    ledger.keep_refunds([REFUND])
    ledger.keep_credit_notes([NOTE])
    ledger.note_creditmemo("CRN1", 4)
    ledger.settle_refunds([PAIR], by="batch 1")

    changed = replace(NOTE, vat_pence=201, net_pence=999)
    assert ledger.keep_credit_notes([changed]) == 0
    assert ledger.open_refunds() == [REFUND]
    assert ledger.open_credit_notes() == [replace(changed, creditmemo_id=4)], "what was made of it stays known"

    ledger.settle_refunds([PAIR], by="batch 2")
    other = replace(REFUND, gross_pence=1201, net_pence=1001, lines=())
    ledger.keep_refunds([other])
    assert ledger.open_refunds() == [other]
    assert ledger.open_credit_notes() == [replace(changed, creditmemo_id=4)]
