"""What was sent of an order against what would be sent now: the pure step, and what may be shown of it."""

from datetime import UTC, datetime

import pytest

from schemas.documents import ExceptionNote
from schemas.replay import Attempt, PreparedOrder, ReplayedAttribute, SentOrder, is_personal
from tasks.decide.replay import compared, from_evidence, from_magento, posted
from tasks.extract.replay import attributes_of

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DOCUMENT = (
    '<?xml version="1.0" encoding="ISO-8859-1"?><Request RequestType="MultiNewOrder">'
    '<Data UniqueId="48210975" OrderNumber="30000101" CustomerSurname="Quill">'
    '<OrderLineData OrderLine="1" Product="HARBRN" Price="59.97"/>'
    '<OrderLineData OrderLine="2" Product="DELIVERY" Price="3.95"/>'
    '<OrderPaymentData TranAmount="63.92"/></Data></Request>'
)
SENT = attributes_of(DOCUMENT)


def test_a_request_is_read_by_element_line_and_attribute() -> None:
    assert SENT["OrderLineData 2/@Price"] == "3.95"
    assert SENT["Data/@CustomerSurname"] == "Quill"
    assert SENT["OrderPaymentData/@TranAmount"] == "63.92"


def test_only_what_differs_is_a_difference_and_the_correlation_id_is_none() -> None:
    now = {**SENT, "Data/@UniqueId": "11111111", "OrderLineData 1/@Price": "49.97", "Data/@HoldOrderNarrative": ""}

    differing = [row for row in compared(SENT, now) if row.is_other]

    assert differing == [ReplayedAttribute("OrderLineData 1/@Price", "59.97", "49.97")]


def test_a_line_that_only_one_side_has_is_a_difference_of_each_of_its_attributes() -> None:
    now = {name: value for name, value in SENT.items() if not name.startswith("OrderLineData 2")}

    assert {row.name for row in compared(SENT, now) if row.is_other} == {
        "OrderLineData 2/@OrderLine",
        "OrderLineData 2/@Product",
        "OrderLineData 2/@Price",
    }


@pytest.mark.parametrize(
    "name",
    [
        "Data/@CustomerSurname",
        "Data/@AddrLine1",
        "Data/@PostCode",
        "OrderHeaderData/@SpecialInstructions",
        "OrderInvoiceData/@InvoiceEmail",
        "OrderPaymentData/@TransactionID",
        "SomethingNew/@Whatever",
    ],
)
def test_what_may_tell_something_about_a_person_is_shown_as_its_length(name: str) -> None:
    assert is_personal(name)
    assert ReplayedAttribute(name, "Quill", "").shown(with_customer=False) == ("(5 characters)", "")
    assert ReplayedAttribute(name, "Quill", "").shown(with_customer=True) == ("Quill", "")
    assert "Quill" not in repr(ReplayedAttribute(name, "Quill", ""))


@pytest.mark.parametrize("name", ["OrderLineData 12/@Price", "Data/@OrderNumber", "OrderPaymentData/@TranAmount"])
def test_figures_and_codes_are_shown_as_they_are(name: str) -> None:
    assert not is_personal(name)


@pytest.mark.parametrize(
    ("attempt", "verdict"),
    [
        (Attempt("posted", AT, "30000101"), "in PRIMA"),
        (Attempt("pending", AT), "outcome unknown"),
        (Attempt("unknown", AT), "outcome unknown"),
    ],
)
def test_what_prima_has_or_may_have_counts_before_anything_that_a_fresh_read_says(
    attempt: Attempt, verdict: str
) -> None:
    sent = SentOrder("000000101", "30000101", "accepted", [attempt])

    assert from_magento(sent, [], PreparedOrder(SENT)).verdict == verdict
    assert from_evidence(sent).verdict == verdict


def test_an_order_that_prima_shows_is_not_posted_although_the_ledger_never_heard_of_it() -> None:
    replay = from_magento(SentOrder("000000101", "30000101"), [], PreparedOrder(SENT, word="Despatched"))

    assert (replay.verdict, "Despatched" in replay.decision) == ("in PRIMA", True)


def test_a_refused_order_would_be_posted_and_its_differences_are_shown() -> None:
    refused = Attempt("refused", AT, error_code="E:548", attributes=SENT)
    now = {**SENT, "OrderLineData 1/@Price": "49.97"}

    replay = from_magento(SentOrder("000000101", "30000101", "refused", [refused]), [], PreparedOrder(now))

    assert replay.verdict == "would be posted"
    assert [row.name for row in replay.differences] == ["OrderLineData 1/@Price"]


def test_what_would_hold_the_order_is_the_decision() -> None:
    note = ExceptionNote("SKU_UNKNOWN", "order 000000101", "line 1: HARBRN", "000000101")

    replay = from_magento(SentOrder("000000101", "30000101", "refused"), [note], None)

    assert (replay.verdict, replay.decision) == ("would be held", "It would be held: SKU_UNKNOWN, line 1: HARBRN.")


def test_evidence_compares_what_prima_has_with_the_last_attempt() -> None:
    first = Attempt("posted", AT, attributes=SENT)
    last = Attempt("refused", AT, attributes={**SENT, "OrderLineData 1/@Price": "49.97"})

    replay = from_evidence(SentOrder("000000101", "30000101", "accepted", [first, last]))

    assert [(row.sent, row.now) for row in replay.differences] == [("59.97", "49.97")]


def test_after_posting_the_last_attempt_says_how_it_ended() -> None:
    replay = from_magento(SentOrder("000000101", "30000101", "ready"), [], PreparedOrder(SENT))

    taken = posted(replay, SentOrder("000000101", "30000101", "accepted", [Attempt("posted", AT, "30000101")]))
    refused = posted(replay, SentOrder("000000101", "30000101", "refused", [Attempt("refused", AT, "", "E:1", "No.")]))

    assert (taken.was_posted, taken.verdict) == (True, "in PRIMA")
    assert (refused.was_posted, refused.decision) == (False, "PRIMA did not take it: No.")
