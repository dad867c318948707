"""After PRIMA accepted an order: its figures equal ours, and cancellations reach the other side; both stand-ins."""

from decimal import Decimal

import pytest

from flows.orders import sync_orders
from flows.verification import verify_orders
from schemas.documents import ShipmentLine
from tasks.errors import SystemUnavailableError
from tasks.systems.ledger.records import ExceptionRecord
from tests.flows.shopping import by_hand, in_prima
from tests.installation import Installation
from tests.recorded import sample_order, sample_orders

ORDER, NUMBER = "000000019", "30000019"  # three lines and delivery, £478.96
INVOICED, INVOICED_NUMBER = "000000071", "30000084"  # paid and invoiced, not shipped, £999.99
LINE = "stand_in_order_lines"
CODES = ("PRIMA_VAT_DIFFERS", "PRIMA_TOTAL_DIFFERS", "NOT_VISIBLE_IN_PRIMA", "PRIMA_FIGURES_REJECTED")


def test_every_recorded_order_that_prima_took_is_verified_once(installation: Installation) -> None:
    installation.holds(*sample_orders())
    sync_orders()

    first = verify_orders()
    second = verify_orders()

    assert first.counts["verified"] == first.counts["to compare"] == len(installation.prima.order_numbers())
    assert second.counts["to compare"] == 0
    assert installation.open_codes(CODES) == {}


def test_vat_that_prima_works_out_itself_is_an_exception_with_both_figures_and_the_line(
    installation: Installation,
) -> None:
    installation.configure(vat_lock='"none"')
    installation.holds(sample_order(ORDER))
    sync_orders()

    verify_orders()

    note = _only(installation, "PRIMA_VAT_DIFFERS")
    assert (note.subject, note.owner, note.value_at_risk_pence) == (f"order {ORDER}", "finance", 1)
    assert "order: VAT £28.99 in Magento, £29.00 in PRIMA" in note.detail
    assert "line 4 (delivery): VAT £0.65 in Magento, £0.66 in PRIMA" in note.detail
    assert "line 1 (" not in note.detail


def test_the_exception_closes_when_prima_is_corrected_and_the_order_is_verified(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    in_prima(installation, f"update {LINE} set vat = vat + 1, net = net - 1 where line_number = 1")
    verify_orders()
    assert installation.open_codes() == {f"order {ORDER}": "PRIMA_VAT_DIFFERS"}

    in_prima(installation, f"update {LINE} set vat = vat - 1, net = net + 1 where line_number = 1")
    summary = verify_orders()

    assert summary.counts["verified"] == 1
    assert installation.open_codes() == {}


def test_a_price_that_prima_takes_for_something_else_is_another_total(installation: Installation) -> None:
    installation.prima.settings.price_meaning = "unit_gross"
    installation.holds(sample_order(ORDER))
    sync_orders()

    verify_orders()

    note = _only(installation, "PRIMA_TOTAL_DIFFERS")
    order, prima = sample_order(ORDER), installation.prima.order(NUMBER)
    assert prima is not None
    assert f"order: £{order['grand_total']} in Magento, £{prima['gross'] / 100:,.2f} in PRIMA" in note.detail
    assert "line 1 (" in note.detail
    assert "line 3 (" not in note.detail, "one unit costs the same either way"
    assert "delivery" not in note.detail
    assert note.value_at_risk_pence == prima["gross"] - int(order["grand_total"] * 100)


def test_a_delivery_line_that_prima_does_not_have_is_named(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    in_prima(installation, f"delete from {LINE} where product = 'DELIVERY'")

    verify_orders()

    assert "line 4 (delivery): £3.95 in Magento, nothing in PRIMA" in _only(installation, "PRIMA_TOTAL_DIFFERS").detail


def test_delivery_sent_as_a_charge_is_compared_with_the_vat_that_prima_puts_on_it(installation: Installation) -> None:
    installation.configure(delivery_as='"charge"')
    installation.holds(sample_order(ORDER))
    sync_orders()

    verify_orders()

    assert "delivery charge: VAT £0.65 in Magento, £0.66 in PRIMA" in _only(installation, "PRIMA_VAT_DIFFERS").detail


def test_vat_recalculated_on_the_invoice_does_not_change_what_the_order_shows(installation: Installation) -> None:
    installation.prima.vat_habit = "recalculated"
    installation.holds(sample_order(ORDER))
    sync_orders()
    installation.prima.dispatch(NUMBER)

    verify_orders()

    assert installation.open_codes(CODES) == {}


def test_figures_that_do_not_add_up_in_prima_are_told_and_hold_nothing_else_up(installation: Installation) -> None:
    installation.holds(sample_order(ORDER), sample_order("000000020"))
    sync_orders()
    in_prima(installation, f"update {LINE} set vat = vat + 1 where line_number = 1 and order_number = '{NUMBER}'")

    summary = verify_orders()

    assert installation.open_codes(CODES) == {f"order {ORDER}": "PRIMA_FIGURES_REJECTED"}
    assert summary.counts["verified"] == 1


def test_an_accepted_order_that_prima_does_not_show_is_told_only_after_its_time(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    in_prima(installation, "update stand_in_orders set order_number = '39999999'")

    waiting = verify_orders()
    assert waiting.counts["not shown yet"] == 1
    assert installation.open_codes() == {}

    installation.add_settings("[verification]\nvisible_within_minutes = 0")
    verify_orders()
    note = _only(installation, "NOT_VISIBLE_IN_PRIMA")
    assert (note.owner, note.value_at_risk_pence) == ("operations", 47896)

    in_prima(installation, f"update stand_in_orders set order_number = '{NUMBER}'")
    verify_orders()
    assert installation.open_codes() == {}


def test_the_lag_of_the_reporting_source_is_time_in_which_an_order_need_not_show(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    in_prima(installation, "update stand_in_orders set order_number = '39999999'")
    installation.add_settings("[verification]\nvisible_within_minutes = 0")
    path = installation.folder / "config.toml"
    named = "[prima.reporting]\n"
    path.write_text(path.read_text(encoding="utf-8").replace(named, f"{named}lag_minutes = 60\n"), encoding="utf-8")

    verify_orders()

    assert installation.open_codes() == {}


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
    installation.holds(sample_order(ORDER))
    sync_orders()
    verify_orders()
    installation.prima.cancel(NUMBER)
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


def test_a_word_that_the_settings_do_not_map_is_one_exception_and_nothing_is_guessed(
    installation: Installation,
) -> None:
    installation.holds(sample_order(ORDER), sample_order("000000020"))
    sync_orders()
    in_prima(installation, "update stand_in_orders set status = 'Annulled'")

    verify_orders()
    verify_orders()

    note = _only(installation, "PRIMA_STATUS_UNKNOWN")
    assert note.subject == "status Annulled"
    assert note.detail == "'Annulled' is the status of 2 order(s), such as 30000019"
    assert installation.magento.order(ORDER)["state"] == "new"


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
    assert sum(request["request_type"] == "CancelOrder" for request in installation.prima.requests()) == 2


def test_without_a_reporting_source_prima_is_asked_order_by_order(installation: Installation) -> None:
    installation.holds(sample_order(ORDER), sample_order("000000020"))
    sync_orders()
    installation.prima.cancel(NUMBER)
    _without_reporting(installation)

    verify_orders()

    assert installation.magento.order(ORDER)["state"] == "canceled"
    assert _state(installation, "000000020") == "accepted"
    assert installation.open_codes() == {}


def test_without_a_reporting_source_an_order_that_prima_denies_is_told(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    in_prima(installation, "update stand_in_orders set order_number = '39999999'")
    _without_reporting(installation)

    verify_orders()

    assert "does not exist" in _only(installation, "NOT_VISIBLE_IN_PRIMA").detail


def _only(installation: Installation, code: str) -> ExceptionRecord:
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code=code)
    return note


def _state(installation: Installation, order_number: str) -> str:
    with installation.ledger() as ledger:
        found = ledger.order(order_number)
    assert found is not None
    return found.state


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
