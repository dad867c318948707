"""Credit notes of PRIMA in Magento: a refund only where the settings allow it, exactly once, whatever goes wrong."""

from decimal import Decimal

import pytest

from flows.fulfilment import sync_fulfilment
from flows.refunds import sync_refunds
from schemas.documents import ShipmentLine
from tests.flows.shopping import Order, accepted_order, by_hand, prima_number
from tests.installation import Installation

REFUND = "POST /V1/order/*/refund"


@pytest.fixture
def order(installation: Installation) -> Order:
    """An order of 3 tees and 2 pairs of jeans, dispatched and invoiced on both sides."""
    bought = accepted_order(installation)
    installation.prima.dispatch(prima_number(bought))
    with by_hand(installation) as magento:
        magento.invoice(bought["entity_id"])
    return bought


def allow(installation: Installation, **more: str) -> None:
    lines = {"in_magento": '"credit_notes"', "delivery_amount": '"net"', "settle_seconds": "0", **more}
    installation.add_settings("[refunds]\n" + "\n".join(f"{key} = {value}" for key, value in lines.items()))


def refund_calls(installation: Installation) -> int:
    return sum(1 for call in installation.magento.calls() if call["path"].endswith("/refund"))


def test_a_credit_note_becomes_no_refund_unless_the_settings_allow_it(installation: Installation, order: Order) -> None:
    credit = installation.prima.credit(prima_number(order), {1: 1})
    sync_refunds()

    assert installation.open_codes() == {f"credit note {credit}": "CREDIT_NOTE_TO_REFUND"}
    assert refund_calls(installation) == 0

    why = "refunded in cash in the shop"
    for number, reason, code, said in (
        (credit, " ", 2, "by and why must say something"),
        ("C999", why, 2, "C999 is no refund and no credit note that was seen here"),
        (credit, why, 0, f"credit note {credit} of order {order['increment_id']} is settled; 1 exception(s) closed."),
        (credit, "again", 2, f"settled already: {why}"),
    ):
        ended = installation.command("refunds", "settle", number, "--by", "Grace", "--why", reason)
        assert (ended.returncode, said in ended.stdout + ended.stderr) == (code, True), ended
        assert "Traceback" not in ended.stderr
    sync_refunds()
    assert installation.open_codes() == {}
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(state="closed", code="CREDIT_NOTE_TO_REFUND")
        kept = ledger.credit_note(credit)
    assert (note.closed_by, kept.settled_by, kept.settled_why) == ("Grace", "Grace", why)


def test_units_and_delivery_are_refunded_as_credited_and_delivery_only_when_it_is(
    installation: Installation, order: Order
) -> None:
    allow(installation)
    sync_fulfilment()
    held = installation.magento.source_quantity("TEE-NAVY-M")
    first = installation.prima.credit(prima_number(order), {1: 1})
    sync_refunds()
    second = installation.prima.credit(prima_number(order), {2: 2, 3: 1})  # line 3 is delivery
    sync_refunds()
    summary = sync_refunds()

    one, two = installation.magento.creditmemos(order["increment_id"])
    assert (one["grand_total"], one["shipping_amount"]) == (12, 0)
    assert [item["qty"] for item in one["items"]] == [1]
    assert (str(two["grand_total"]), str(two["shipping_amount"])) == ("27.95", "3.29")
    assert installation.magento.source_quantity("TEE-NAVY-M") == held, "what comes back PRIMA's next stock figure says"
    assert (refund_calls(installation), installation.open_codes()) == (2, {})
    assert (summary.counts["still open"], summary.counts["credit notes still open"]) == (0, 0)
    with installation.ledger() as ledger:
        answers = [kept.answers for kept in ledger.refunds_of([order["increment_id"]])]
        postings = [each for each in ledger.postings_of(f"order {order['increment_id']}") if each.operation == "refund"]
    assert answers == [(first,), (second,)]
    assert [posting.state for posting in postings] == ["posted", "posted"]


@pytest.mark.parametrize(("kind", "is_made"), [("lose_answer", True), ("reset", False), ("truncate", True)])
def test_a_lost_answer_is_looked_up_and_never_refunded_twice(
    installation: Installation, order: Order, kind: str, is_made: bool
) -> None:
    allow(installation)
    credit = installation.prima.credit(prima_number(order), {1: 2})
    installation.magento.faults.add(REFUND, kind)  # type: ignore[arg-type]
    sync_refunds()
    assert installation.open_codes() == {f"credit note {credit}": "REFUND_OUTCOME_UNKNOWN"}
    assert len(installation.magento.creditmemos()) == is_made

    with (
        installation.ledger() as ledger,
        ledger.lane(f"order {order['increment_id']}", owner="elsewhere:1:1", seconds=60),
    ):
        sync_refunds()
    assert (installation.open_codes() == {}) == is_made, "what another worker looks after is not over"
    sync_refunds()
    sync_refunds()

    (memo,) = installation.magento.creditmemos()
    assert memo["grand_total"] == 24
    assert (refund_calls(installation), installation.open_codes()) == (1 if is_made else 2, {})
    with installation.ledger() as ledger:
        assert not [
            each for each in ledger.postings_in("magento", ("pending", "unknown")) if each.operation == "refund"
        ]


def test_a_credit_memo_that_magento_does_not_hand_out_is_never_taken_for_missing(
    installation: Installation, order: Order
) -> None:
    allow(installation)
    installation.configure(overlap_minutes="10\nread_attempts = 1")
    faults = installation.magento.faults

    def hide() -> dict[str, str]:
        """Let Magento hand out the latest credit memo no more; returns what is to be open because of it."""
        entity_id = max(memo["entity_id"] for memo in installation.magento.creditmemos())
        faults.add("GET /V1/creditmemo*", "unreadable_document", entity_id=entity_id, times=None)
        return {f"credit memo entity {entity_id}": "REFUND_UNREADABLE"}

    # Ours, and its answer is lost.
    credit = installation.prima.credit(prima_number(order), {1: 1})
    faults.add(REFUND, "lose_answer")
    sync_refunds()
    hidden = hide()
    sync_refunds()
    assert installation.open_codes() == {f"credit note {credit}": "REFUND_OUTCOME_UNKNOWN"} | hidden
    assert refund_calls(installation) == 1
    faults.clear()
    sync_refunds()
    assert installation.open_codes() == {}

    # Known to be another credit note's: that ours is not there is certain.
    hidden = hide()
    faults.add(REFUND, "reset")
    installation.prima.credit(prima_number(order), {2: 1})
    for _ in range(3):
        sync_refunds()
    assert [memo["grand_total"] for memo in installation.magento.creditmemos()] == [12, 12]
    assert installation.open_codes() == hidden

    # Made by hand, and never read.
    lines = [ShipmentLine(line["item_id"], 0) for line in order["items"]]
    with by_hand(installation) as magento:
        magento.refund(order["entity_id"], lines, delivery=Decimal(0), goodwill=Decimal("2.50"))
    hidden |= hide()
    credit, calls = installation.prima.credit(prima_number(order), {1: 1}), refund_calls(installation)
    sync_refunds()
    assert installation.open_codes() == {f"credit note {credit}": "CREDIT_NOTE_NOT_CARRIED"} | hidden
    assert refund_calls(installation) == calls


@pytest.mark.parametrize(("meaning", "refunded"), [("gross", "3.95"), ("net", "3.29")])
def test_delivery_is_refunded_in_the_meaning_that_the_settings_name_and_a_wrong_one_is_noticed(
    installation: Installation, order: Order, meaning: str, refunded: str
) -> None:
    installation.magento.settings.shipping_shown_with_tax = True
    allow(installation, delivery_amount=f'"{meaning}"')
    installation.prima.credit(prima_number(order), {3: 1})  # delivery, £3.95 with VAT

    sync_refunds()
    sync_refunds()

    (memo,) = installation.magento.creditmemos()
    assert str(memo["grand_total"]) == refunded
    wrong = {} if meaning == "gross" else {f"refund {memo['increment_id']}": "REFUND_DIFFERS"}
    assert installation.open_codes() == wrong


def test_what_somebody_refunded_meanwhile_is_not_refunded_again(installation: Installation, order: Order) -> None:
    allow(installation)
    credit = installation.prima.credit(prima_number(order), {1: 1})
    line = ShipmentLine(order["items"][0]["item_id"], 1)
    with by_hand(installation) as magento:  # with a fee: not the credit note's figures, and yet perhaps its refund
        magento.refund(order["entity_id"], [line], delivery=Decimal(0), fee=Decimal("1.00"))
    calls = refund_calls(installation)

    sync_refunds()

    assert refund_calls(installation) == calls
    (memo,) = installation.magento.creditmemos()
    assert installation.open_codes() == {
        f"refund {memo['increment_id']}": "REFUND_TO_CREDIT",
        f"credit note {credit}": "CREDIT_NOTE_TO_REFUND",
    }
