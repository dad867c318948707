"""After PRIMA accepted an order: its figures equal ours, line by line, or a person is told; both stand-ins."""

from flows.orders import sync_orders
from flows.verification import verify_orders
from tasks.systems.ledger.records import ExceptionRecord
from tests.flows.shopping import in_prima
from tests.installation import Installation
from tests.recorded import sample_order, sample_orders

ORDER, NUMBER = "000000019", "30000019"  # three lines and delivery, £478.96
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


def _without_reporting(installation: Installation) -> None:
    text = (installation.folder / "config.toml").read_text(encoding="utf-8")
    without = text.replace("[prima.reporting]\n", "").replace(f'url = "{installation.prima.reporting_url}"\n', "")
    (installation.folder / "config.toml").write_text(without, encoding="utf-8")
