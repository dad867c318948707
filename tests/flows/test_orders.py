"""Orders from Magento to PRIMA: each once, to the penny, or an exception; through both stand-ins."""

import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from flows.orders import sync_orders
from schemas.reasons import REASONS
from tasks.errors import SystemUnavailableError
from tasks.post.orders import retry_orders
from tests.installation import Installation
from tests.recorded import sample_order, sample_orders

ORDER = "000000020"
PRIMA_NUMBER = "30000020"


def test_every_recorded_order_is_accepted_with_equal_totals_or_is_an_exception(installation: Installation) -> None:
    orders = sample_orders()
    installation.holds(*orders)

    sync_orders()

    held = {subject.removeprefix("order ") for subject in installation.open_codes()}
    accepted = {order["order_number"]: order for order in installation.prima.orders()}
    for order in orders:
        prima = accepted.get(f"30{int(order['entity_id']):06d}")
        if prima is None:
            assert order["increment_id"] in held, f"{order['increment_id']} vanished"
            continue
        assert prima["gross"] == int(order["grand_total"] * 100), order["increment_id"]
        assert prima["vat"] == int(order["tax_amount"] * 100), order["increment_id"]
    assert len(accepted) == 78
    assert set(installation.open_codes().values()) <= set(REASONS)


def test_each_line_of_a_recorded_order_arrives_with_magentos_vat(installation: Installation) -> None:
    order = sample_order("000000090")
    installation.holds(order)

    sync_orders()

    prima = installation.prima.order(f"30{order['entity_id']:06d}")
    assert prima is not None
    line, delivery = prima["lines"]
    assert (line["gross"], line["vat"]) == (3999, 667)
    assert (delivery["product"], delivery["gross"], delivery["vat"]) == ("DELIVERY", 395, 65)


def test_an_order_prima_already_holds_is_not_posted_twice(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    installation.prima.faults.add("MultiNewOrder", "lose_answer")

    sync_orders()
    assert installation.open_codes() == {f"order {ORDER}": "PRIMA_OUTCOME_UNKNOWN"}
    sync_orders()
    sync_orders()

    assert installation.prima.order_numbers() == [PRIMA_NUMBER]
    assert _posts(installation) == 1
    assert installation.open_codes() == {}
    with installation.ledger() as ledger:
        found = ledger.order(ORDER)
        assert found is not None
        assert found.state == "accepted"


def test_an_order_whose_call_never_arrived_is_posted_again(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    installation.prima.faults.add("MultiNewOrder", "reset")

    sync_orders()
    assert installation.prima.order_numbers() == []
    sync_orders()

    assert installation.prima.order_numbers() == [PRIMA_NUMBER]
    assert installation.open_codes() == {}


def test_an_unknown_outcome_is_never_posted_again_while_prima_cannot_say_not_there(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    installation.configure(status_not_found_text='""')
    installation.prima.faults.add("MultiNewOrder", "reset")

    for _ in range(3):
        sync_orders()

    assert installation.prima.order_numbers() == []
    assert installation.open_codes() == {f"order {ORDER}": "PRIMA_OUTCOME_UNKNOWN"}


def test_a_run_killed_after_prima_accepted_leaves_one_sales_order(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    installation.prima.faults.add("MultiNewOrder", "delay", seconds=120)
    run = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", "orders"],
        env={**os.environ, **installation.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while installation.prima.order_numbers() != [PRIMA_NUMBER]:
        assert run.poll() is None, "the run ended before PRIMA had the order"
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()

    sync_orders()
    sync_orders()

    assert installation.prima.order_numbers() == [PRIMA_NUMBER]
    assert _posts(installation) == 1
    with installation.ledger() as ledger:
        found = ledger.order(ORDER)
        assert found is not None
        assert found.state == "accepted"


def test_prima_out_of_reach_marks_nothing_as_failed(installation: Installation) -> None:
    installation.holds(*(sample_order(number) for number in (ORDER, "000000019", "000000018")))
    installation.prima.faults.add("MultiNewOrder", "status", times=None, status=503)

    with pytest.raises(SystemUnavailableError):
        sync_orders()
    assert set(installation.open_codes().values()) <= {"TEXT_CUT"}
    with installation.ledger() as ledger:
        assert {order.state for order in ledger.orders_in_state("ready", "refused", "held")} == {"ready"}

    installation.prima.faults.clear()
    sync_orders()
    assert len(installation.prima.order_numbers()) == 3


def test_an_order_with_an_unknown_sku_waits_alone_and_is_posted_when_the_item_exists(
    installation: Installation,
) -> None:
    installation.holds(sample_order("000000019"))
    installation.magento.load_orders([_plain(sample_order(ORDER))])

    sync_orders()
    assert installation.open_codes() == {f"order {ORDER}": "SKU_UNKNOWN"}
    assert len(installation.prima.order_numbers()) == 1

    installation.prima.items_from_orders([sample_order(ORDER)])
    sync_orders()
    assert installation.open_codes() == {}
    assert len(installation.prima.order_numbers()) == 2


def test_a_sku_in_the_wrong_case_is_held_with_the_right_one_suggested(installation: Installation) -> None:
    order = sample_order(ORDER)
    installation.holds(order)
    right = order["items"][0]["sku"]
    wrong = _plain(order)
    wrong["increment_id"], wrong["entity_id"] = "000000990", 990
    wrong["items"][0]["sku"] = right.lower()
    installation.magento.load_orders([wrong])

    sync_orders()

    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code="SKU_CASE")
    assert note.order_number == "000000990"
    assert note.suggestions[0] == right
    assert note.value_at_risk_pence == int(Decimal(str(wrong["grand_total"])) * 100)


def test_an_order_that_prima_refuses_is_an_exception_with_primas_words(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    installation.prima.settings.vat_inclusive = False

    sync_orders()
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert (note.code, note.owner) == ("PRIMA_REFUSED", "operations")
    assert "Price Book" in note.detail

    installation.prima.settings.vat_inclusive = True
    retry_orders([ORDER], "operations")
    sync_orders()
    assert installation.open_codes() == {}
    assert installation.prima.order_numbers() == [PRIMA_NUMBER]


def test_an_order_whose_totals_do_not_add_up_is_held_and_not_posted(installation: Installation) -> None:
    order = _plain(sample_order(ORDER))
    order["grand_total"] += 0.01
    installation.holds(order)

    sync_orders()

    assert installation.open_codes() == {f"order {ORDER}": "TOTALS_DISAGREE"}
    assert installation.prima.order_numbers() == []


def test_a_number_that_prima_has_from_elsewhere_is_never_claimed_as_ours(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    (installation.folder / "ledger.db").unlink()

    sync_orders()

    assert installation.open_codes() == {f"order {ORDER}": "PRIMA_NUMBER_TAKEN"}
    assert installation.prima.order_numbers() == [PRIMA_NUMBER]


def test_primas_number_is_written_to_the_magento_order_once(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))

    sync_orders()
    sync_orders()

    assert installation.magento.order(ORDER)["ext_order_id"] == PRIMA_NUMBER
    saves = [call for call in installation.magento.calls() if call["method"] == "POST" and call["path"] == "/V1/orders"]
    assert len(saves) == 1


def _posts(installation: Installation) -> int:
    return sum(1 for request in installation.prima.requests() if request["request_type"] == "MultiNewOrder")


def _plain(order: dict[str, Any]) -> dict[str, Any]:
    """Return an order with numbers as the stand-in keeps them."""
    return dict(json.loads(json.dumps(order, default=float)))
