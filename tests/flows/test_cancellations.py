"""After PRIMA accepted an order: a cancellation on one side reaches the other, once; both stand-ins."""

from decimal import Decimal
from typing import Any

import pytest

from flows.orders import sync_orders
from flows.verification import verify_orders
from sandbox.prima.documents import Data, result
from schemas.documents import ShipmentLine
from tasks.errors import SystemUnavailableError
from tasks.systems.ledger.records import ExceptionRecord
from tests.flows.shopping import by_hand, in_prima
from tests.installation import Installation
from tests.recorded import sample_order

ORDER, NUMBER = "000000019", "30000019"  # three lines and delivery, £478.96
INVOICED, INVOICED_NUMBER = "000000071", "30000084"  # paid and invoiced, not shipped, £999.99
LINE = "stand_in_order_lines"


def test_an_order_cancelled_in_prima_is_cancelled_in_magento_once(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    verify_orders()
    installation.prima.cancel(NUMBER)

    verify_orders()
    verify_orders()

    assert installation.magento.order(ORDER)["state"] == "canceled"
    assert _cancels(installation) == 1
    assert _state(installation, ORDER) == "cancelled"
    assert installation.open_codes() == {}


def test_an_order_that_prima_cancels_before_it_was_verified_is_cancelled_and_never_compared(
    installation: Installation,
) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    installation.prima.cancel(NUMBER)
    in_prima(installation, f"update {LINE} set gross = 0, net = 0, vat = 0")

    summary = verify_orders()

    assert summary.counts["cancelled before"] == 1
    assert installation.magento.order(ORDER)["state"] == "canceled"
    assert installation.open_codes() == {}


def test_a_lost_answer_to_the_cancellation_is_looked_up_and_not_sent_again(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    installation.prima.cancel(NUMBER)
    installation.magento.faults.add("POST /V1/orders/*/cancel", "lose_answer")

    verify_orders()

    assert _cancels(installation) == 1
    assert _state(installation, ORDER) == "cancelled"
    assert installation.open_codes() == {}


def test_a_cancellation_that_never_arrived_is_sent_again_by_the_next_run(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    installation.prima.cancel(NUMBER)
    installation.magento.faults.add("POST /V1/orders/*/cancel", "reset")

    verify_orders()
    assert installation.open_codes() == {f"order {ORDER}": "PRIMA_CANCELLED"}
    verify_orders()

    assert installation.magento.order(ORDER)["state"] == "canceled"
    assert installation.open_codes() == {}


def test_magento_out_of_reach_leaves_the_cancellation_for_the_next_run(installation: Installation) -> None:
    installation.add_settings("[verification]\noverlap_minutes = 0")
    installation.holds(sample_order(ORDER), sample_order("000000020"))
    sync_orders()
    verify_orders()
    installation.prima.cancel(NUMBER)
    in_prima(
        installation,
        "update stand_in_orders set updated_at = datetime(updated_at, '+1 hour') where order_number = '30000020'",
    )
    installation.magento.faults.add("POST /V1/orders/*/cancel", "status", status=503)

    with pytest.raises(SystemUnavailableError):
        verify_orders()
    assert installation.open_codes() == {}
    assert _state(installation, ORDER) == "accepted"
    verify_orders()

    assert installation.magento.order(ORDER)["state"] == "canceled"


def test_an_invoiced_order_that_prima_cancelled_is_to_be_refunded_by_a_person(installation: Installation) -> None:
    installation.holds(sample_order(INVOICED))
    sync_orders()
    installation.prima.cancel(INVOICED_NUMBER)

    verify_orders()
    verify_orders()

    note = _only(installation, "PRIMA_CANCELLED")
    assert (note.owner, note.value_at_risk_pence) == ("customer service", 99999)
    assert "refund" in note.detail
    assert _cancels(installation) == 1, "what Magento refused is not asked again before the order changes there"
    assert _state(installation, INVOICED) == "cancelled"


def test_an_order_that_prima_cancelled_is_never_posted_again(installation: Installation) -> None:
    installation.holds(sample_order(INVOICED))
    sync_orders()
    installation.prima.cancel(INVOICED_NUMBER)
    verify_orders()
    _moves_on(installation, INVOICED)

    sync_orders()
    sync_orders()

    assert _requests(installation, "MultiNewOrder") == 1
    assert _state(installation, INVOICED) == "cancelled"
    assert installation.open_codes() == {f"order {INVOICED}": "PRIMA_CANCELLED"}


def test_what_magento_cannot_cancel_because_it_is_invoiced_is_left_to_a_person(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    order = installation.magento.order(ORDER)
    with by_hand(installation) as magento:
        magento.invoice(order["entity_id"], [ShipmentLine(order["items"][2]["item_id"], 1)])
    installation.prima.cancel(NUMBER)

    verify_orders()
    assert "Magento cancelled what was not invoiced" in _only(installation, "PRIMA_CANCELLED").detail
    verify_orders()

    assert "Magento cancelled what was not invoiced" in _only(installation, "PRIMA_CANCELLED").detail
    assert _cancels(installation) == 1
    assert _state(installation, ORDER) == "cancelled"


def test_the_exception_closes_when_the_order_is_refunded_in_magento(installation: Installation) -> None:
    installation.holds(sample_order(INVOICED))
    sync_orders()
    installation.prima.cancel(INVOICED_NUMBER)
    verify_orders()

    order = installation.magento.order(INVOICED)
    lines = [ShipmentLine(line["item_id"], int(line["qty_ordered"])) for line in order["items"]]
    with by_hand(installation) as magento:
        magento.refund(order["entity_id"], lines, delivery=Decimal(0))
    verify_orders()

    assert installation.magento.order(INVOICED)["state"] == "closed"
    assert installation.open_codes() == {}


def test_an_order_on_hold_in_magento_is_cancelled_after_its_release(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    installation.prima.cancel(NUMBER)
    entity_id = installation.magento.order(ORDER)["entity_id"]
    with by_hand(installation) as magento:
        magento.hold(entity_id)
    verify_orders()
    assert "release it there" in _only(installation, "PRIMA_CANCELLED").detail

    with by_hand(installation) as magento:
        magento.unhold(entity_id)
    _moves_on(installation, ORDER)
    verify_orders()

    assert installation.magento.order(ORDER)["state"] == "canceled"
    assert installation.open_codes() == {}


def test_units_that_prima_cancelled_are_an_exception_with_line_quantity_and_value(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    verify_orders()
    installation.prima.cancel(NUMBER, {1: 2})

    verify_orders()

    note = _only(installation, "PRIMA_LINE_CANCELLED")
    line = sample_order(ORDER)["items"][0]
    assert f"line 1 ({line['sku']}): 2 of 7 units" in note.detail
    assert note.value_at_risk_pence == round(int(line["row_total_incl_tax"] * 100) * 2 / 7)
    assert installation.magento.order(ORDER)["state"] == "new"
    assert _cancels(installation) == 0


def test_a_word_that_is_mapped_later_is_acted_on_although_prima_changed_nothing(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    in_prima(installation, "update stand_in_orders set status = 'Annulled'")
    verify_orders()
    installation.add_settings("[verification]\noverlap_minutes = 0")
    in_prima(installation, "update stand_in_orders set updated_at = datetime(updated_at, '-1 hour')")
    in_prima(installation, f"update {LINE} set updated_at = datetime(updated_at, '-1 hour')")

    installation.configure(Cancelled='"cancelled"\nAnnulled = "cancelled"')
    verify_orders()

    assert installation.magento.order(ORDER)["state"] == "canceled"
    assert installation.open_codes() == {}


def test_an_order_cancelled_in_magento_after_posting_is_closed_when_prima_cancels_it_too(
    installation: Installation,
) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    with by_hand(installation) as magento:
        magento.cancel(installation.magento.order(ORDER)["entity_id"])
    sync_orders()
    verify_orders()
    note = _only(installation, "CANCELLED_AFTER_POSTING")
    assert (note.owner, note.value_at_risk_pence) == ("operations", 47896)

    installation.prima.cancel(NUMBER)
    verify_orders()

    assert installation.open_codes() == {}
    assert _state(installation, ORDER) == "cancelled"
    assert _cancels(installation) == 1, "only the one by hand"


def test_without_a_request_that_cancels_nothing_is_sent_to_prima(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    with by_hand(installation) as magento:
        magento.cancel(installation.magento.order(ORDER)["entity_id"])
    sync_orders()
    before = len(installation.prima.requests())

    verify_orders()

    assert len(installation.prima.requests()) == before


def test_primas_refusal_of_the_configured_request_is_told_and_not_repeated_for_ever(
    installation: Installation,
) -> None:
    installation.configure(status_not_found_text=f'"{installation.prima.not_found_text}"\nattempt_limit = 2')
    installation.add_settings('[prima.requests]\ncancel = "CancelOrder"')
    installation.holds(sample_order(ORDER))
    sync_orders()
    with by_hand(installation) as magento:
        magento.cancel(installation.magento.order(ORDER)["entity_id"])
    sync_orders()

    for _ in range(4):
        verify_orders()

    assert "Request Type is not known" in _only(installation, "CANCELLED_AFTER_POSTING").detail
    assert _requests(installation, "CancelOrder") == 2


def test_the_configured_request_cancels_in_prima_once_and_the_exception_closes(installation: Installation) -> None:
    _understands(installation, "CancelOrder")
    installation.add_settings('[prima.requests]\ncancel = "CancelOrder"')
    installation.holds(sample_order(ORDER))
    sync_orders()
    verify_orders()
    with by_hand(installation) as magento:
        magento.cancel(installation.magento.order(ORDER)["entity_id"])
    sync_orders()
    assert installation.open_codes() == {f"order {ORDER}": "CANCELLED_AFTER_POSTING"}

    verify_orders()
    verify_orders()

    prima = installation.prima.order(NUMBER)
    assert prima is not None
    assert prima["status"] == "Cancelled"
    assert _requests(installation, "CancelOrder") == 1
    assert _state(installation, ORDER) == "cancelled"
    assert installation.open_codes() == {}


def test_a_lost_answer_to_the_configured_request_is_looked_up_before_it_is_sent_again(
    installation: Installation,
) -> None:
    _understands(installation, "CancelOrder")
    installation.add_settings('[prima.requests]\ncancel = "CancelOrder"')
    installation.holds(sample_order(ORDER))
    sync_orders()
    with by_hand(installation) as magento:
        magento.cancel(installation.magento.order(ORDER)["entity_id"])
    sync_orders()
    installation.prima.faults.add("CancelOrder", "lose_answer")

    verify_orders()
    assert "lost" in _only(installation, "CANCELLED_AFTER_POSTING").detail
    verify_orders()

    assert _requests(installation, "CancelOrder") == 1
    assert installation.open_codes() == {}


def test_goods_that_left_are_not_cancelled_in_prima_by_the_configured_request(installation: Installation) -> None:
    _understands(installation, "CancelOrder")
    installation.add_settings('[prima.requests]\ncancel = "CancelOrder"')
    installation.holds(sample_order(ORDER))
    sync_orders()
    installation.prima.dispatch(NUMBER, {1: 1})
    with by_hand(installation) as magento:
        magento.cancel(installation.magento.order(ORDER)["entity_id"])
    sync_orders()

    verify_orders()

    assert "goods have left" in _only(installation, "CANCELLED_AFTER_POSTING").detail
    assert _requests(installation, "CancelOrder") == 0


def test_without_a_reporting_source_prima_is_asked_order_by_order(installation: Installation) -> None:
    installation.holds(sample_order(ORDER), sample_order("000000020"))
    sync_orders()
    installation.prima.cancel(NUMBER)
    _without_reporting(installation)

    verify_orders()

    assert installation.magento.order(ORDER)["state"] == "canceled"
    assert _state(installation, "000000020") == "accepted"
    assert installation.open_codes() == {}


def _only(installation: Installation, code: str) -> ExceptionRecord:
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code=code)
    return note


def _state(installation: Installation, order_number: str) -> str:
    with installation.ledger() as ledger:
        found = ledger.order(order_number)
    assert found is not None
    return found.state


def _requests(installation: Installation, request_type: str) -> int:
    return sum(request["request_type"] == request_type for request in installation.prima.requests())


def _understands(installation: Installation, request_type: str) -> None:
    """Teach PRIMA a request that cancels an order; not every installation has one, and nobody knows its name."""
    service = installation.prima._service
    act = service._act

    def with_cancel(company: str, asked: str, data: Data, answer: Any) -> Any:
        if asked != request_type:
            return act(company, asked, data, answer)
        installation.prima.cancel(data.get("OrderNumber"))
        return result(company, asked, status="OK")

    service._act = with_cancel  # type: ignore[method-assign]


def _cancels(installation: Installation) -> int:
    calls = [(call["method"], call["path"]) for call in installation.magento.calls()]
    return sum(method == "POST" and path.endswith("/cancel") for method, path in calls)


def _moves_on(installation: Installation, order_number: str) -> None:
    """Let a second pass in Magento's order: its times are whole seconds."""
    with by_hand(installation) as magento:
        magento.save_order(installation.magento.order(order_number)["entity_id"], ext_order_id="touched")


def _without_reporting(installation: Installation) -> None:
    text = (installation.folder / "config.toml").read_text(encoding="utf-8")
    without = text.replace("[prima.reporting]\n", "").replace(f'url = "{installation.prima.reporting_url}"\n', "")
    (installation.folder / "config.toml").write_text(without, encoding="utf-8")
