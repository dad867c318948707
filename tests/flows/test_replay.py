"""One order played again: what was sent, what would be sent now, and nothing posted that PRIMA has or may have."""

import json
import sqlite3
from typing import Any

import pytest

from flows.orders import sync_orders
from flows.replay import replay_order
from flows.replay_views import as_plain, lines_of_text
from tasks.errors import ConfigurationError, NotFoundError
from tests.flows.shopping import in_prima
from tests.installation import Installation
from tests.recorded import sample_order

ORDER, NUMBER = "000000019", "30000019"


def test_an_order_that_prima_has_shows_no_difference_and_is_never_posted_again(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    posts = _posts(installation)

    replay = replay_order(ORDER, post=True)

    assert (replay.verdict, replay.was_posted, replay.differences) == ("in PRIMA", False, [])
    assert "never posted again" in replay.decision
    assert _posts(installation) == posts


def test_what_changed_since_is_shown_attribute_by_attribute(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    installation.configure(charge='"NEWCODE"', delivery_as='"charge"')

    replay = replay_order(ORDER)

    changed = {row.name: (row.sent, row.now) for row in replay.differences}
    assert changed["OrderChargeData/@Charge"] == ("STD48", "NEWCODE")
    assert changed["OrderLineData 4/@Product"] == ("DELIVERY", "")
    assert not any(name.startswith("OrderLineData 1/") for name in changed)


def test_an_order_is_found_by_primas_number_too(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()

    assert replay_order(NUMBER).order_number == ORDER
    assert replay_order(NUMBER, "evidence").order_number == ORDER


def test_nothing_about_the_customer_is_shown_unless_it_is_asked_for(installation: Installation) -> None:
    order = sample_order(ORDER)
    installation.holds(order)
    town = order["billing_address"]["city"]
    email = order["customer_email"]
    sync_orders()

    replay = replay_order(ORDER, "evidence")

    shown = "\n".join([*lines_of_text(replay, with_customer=False), repr(replay)])
    assert town not in shown
    assert email not in shown
    assert "Data/@CustomerEmail: (" in shown
    assert "OrderPaymentData/@TranAmount: 478.96" in shown
    assert email in "\n".join(lines_of_text(replay, with_customer=True))


def test_the_artifact_and_the_json_hold_nothing_about_the_customer(installation: Installation) -> None:
    order = _plain(sample_order(ORDER))
    installation.holds(order)
    installation.prima.settings.vat_inclusive = False
    sync_orders()
    _rename(installation, "Quillington")

    replay = replay_order(ORDER)

    names = {row.name for row in replay.differences}
    assert "Data/@CustomerSurname" in names
    assert "Quillington" not in json.dumps(as_plain(replay, with_customer=False), default=str)
    assert "Quillington" in json.dumps(as_plain(replay, with_customer=True), default=str)


def test_a_dry_run_writes_nothing_anywhere(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))

    replay = replay_order(ORDER)

    assert (replay.verdict, replay.sent_at) == ("would be posted", None)
    assert installation.prima.order_numbers() == []
    assert all(call["method"] == "GET" for call in installation.magento.calls())
    with installation.ledger() as ledger:
        assert ledger.order(ORDER) is None
        assert ledger.exceptions() == []


def test_an_order_that_prima_refused_is_posted_once_when_it_is_asked_for(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    installation.prima.settings.vat_inclusive = False
    sync_orders()
    installation.prima.settings.vat_inclusive = True
    assert replay_order(ORDER).verdict == "would be posted"

    first = replay_order(ORDER, post=True)
    second = replay_order(ORDER, post=True)

    assert (first.was_posted, first.verdict) == (True, "in PRIMA")
    assert (second.was_posted, second.verdict) == (False, "in PRIMA")
    assert installation.prima.order_numbers() == [NUMBER]


def test_primas_new_refusal_is_told(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    installation.prima.settings.vat_inclusive = False

    replay = replay_order(ORDER, post=True)

    assert not replay.was_posted
    assert "Price Book" in replay.decision


def test_an_order_whose_outcome_is_unknown_is_not_posted_and_says_so(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    installation.prima.faults.add("MultiNewOrder", "reset")
    sync_orders()
    posts = _posts(installation)

    replay = replay_order(ORDER, post=True)

    assert (replay.verdict, replay.was_posted) == ("outcome unknown", False)
    assert "looks before it posts" in replay.decision
    assert _posts(installation) == posts


def test_a_number_that_prima_shows_is_not_posted_although_the_ledger_is_new(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    (installation.folder / "ledger.db").unlink()

    replay = replay_order(ORDER, post=True)

    assert (replay.verdict, replay.was_posted) == ("in PRIMA", False)
    assert "On Order" in replay.decision
    assert _posts(installation) == 1


def test_what_would_hold_an_order_is_the_decision_and_keeps_it_from_being_posted(installation: Installation) -> None:
    installation.magento.load_orders([_plain(sample_order(ORDER))])

    replay = replay_order(ORDER, post=True)

    assert (replay.verdict, replay.was_posted) == ("would be held", False)
    assert "SKU_UNKNOWN" in replay.decision


def test_evidence_alone_needs_neither_magento_nor_prima(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    installation.magento.stop()
    installation.prima.stop()

    replay = replay_order(ORDER, "evidence")

    assert (replay.verdict, replay.differences) == ("in PRIMA", [])
    assert len(replay.attributes) > 40


def test_what_was_sent_once_is_never_posted_from_evidence(installation: Installation) -> None:
    with pytest.raises(ConfigurationError, match="fresh read"):
        replay_order(ORDER, "evidence", post=True)


@pytest.mark.parametrize("source", ["evidence", "magento"])
def test_an_order_that_nobody_knows_is_not_found(installation: Installation, source: Any) -> None:
    with pytest.raises(NotFoundError):
        replay_order("000000999", source)


def test_the_command_shows_the_decision_and_ends_with_1_when_it_could_not_post(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()

    shown = installation.command("replay", ORDER)
    posted = installation.command("replay", ORDER, "--post")
    misused = installation.command("replay", ORDER, "--from", "memory")

    assert shown.returncode == 0
    assert "PRIMA has it as 30000019: it is never posted again." in shown.stdout
    assert "Nothing differs from what was sent." in shown.stdout
    assert posted.returncode == 1
    assert misused.returncode == 2


def test_the_command_runs_verification_where_no_prefect_server_is(installation: Installation) -> None:
    installation.holds(sample_order(ORDER))
    sync_orders()
    in_prima(installation, "update stand_in_orders set status = 'Annulled'")

    run = installation.command("run", "verification", "--json", environment={"PREFECT_API_URL": ""})

    assert json.loads(run.stdout)["counts"]["verified"] == 1
    assert set(installation.open_codes().values()) == {"PRIMA_STATUS_UNKNOWN"}


def _posts(installation: Installation) -> int:
    return sum(1 for request in installation.prima.requests() if request["request_type"] == "MultiNewOrder")


def _plain(order: dict[str, Any]) -> dict[str, Any]:
    """Return an order with numbers as the stand-in keeps them."""
    return dict(json.loads(json.dumps(order, default=float)))


def _rename(installation: Installation, surname: str) -> None:
    """Correct the customer's name in Magento, as its admin lets one do."""
    order = installation.magento.order(ORDER)
    order["billing_address"]["lastname"] = surname
    for assignment in order["extension_attributes"]["shipping_assignments"]:
        assignment["shipping"]["address"]["lastname"] = surname
    with sqlite3.connect(installation.folder / "magento.db") as database:
        database.execute("update orders set document = ? where increment_id = ?", (json.dumps(order), ORDER))
