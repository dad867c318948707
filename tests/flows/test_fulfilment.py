"""Dispatches from PRIMA to Magento: each is one shipment with its lines and tracks, told once, or an exception."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.fulfilment import sync_fulfilment
from flows.orders import sync_orders
from tests.flows.shopping import (
    JEANS,
    TEE,
    Order,
    a_line,
    accepted_order,
    buy,
    by_hand,
    in_prima,
    prima_number,
    ship_by_hand,
    ship_calls,
    shipped_units,
    state,
    stock_both,
    tracks,
)
from tests.installation import Installation
from tests.recorded import sample_order


@pytest.fixture
def order(installation: Installation) -> Order:
    """An order of 3 tees and 2 pairs of jeans that PRIMA has accepted."""
    return accepted_order(installation)


def test_a_whole_dispatch_is_one_shipment_with_its_lines_its_track_and_one_email(
    installation: Installation, order: Order
) -> None:
    number = installation.prima.dispatch(prima_number(order), tracking=["155000001"])

    sync_fulfilment()

    (shipment,) = installation.magento.shipments(order["increment_id"])
    assert shipped_units(shipment, order) == {TEE: 3, JEANS: 2}
    assert tracks(shipment) == [("155000001", "custom", "DPD")]
    assert [comment["comment"] for comment in shipment["comments"]] == [f"PRIMA dispatch {number}"]
    assert shipment["comments"][0]["is_visible_on_front"] == 0
    assert installation.magento.emails == [
        {"kind": "shipment", "increment_id": order["increment_id"], "shipment_id": shipment["entity_id"]}
    ]
    assert state(installation, order) == "dispatched"
    assert installation.open_codes() == {}
    assert installation.magento.invoices() == [], "unless the settings want it"


def test_a_second_run_ships_nothing_and_writes_to_nobody(installation: Installation, order: Order) -> None:
    installation.prima.dispatch(prima_number(order))
    sync_fulfilment()

    summary = sync_fulfilment()

    assert (summary.counts["told and unchanged"], summary.counts["to ship"]) == (1, 0)
    assert (len(installation.magento.shipments()), len(installation.magento.emails)) == (1, 1)
    assert ship_calls(installation) == 1


def test_a_part_is_shipped_as_that_part_and_the_rest_when_it_leaves(installation: Installation, order: Order) -> None:
    installation.prima.dispatch(prima_number(order), {1: 1})
    sync_fulfilment()
    (first,) = installation.magento.shipments(order["increment_id"])
    assert shipped_units(first, order) == {TEE: 1}
    assert state(installation, order) == "part_dispatched"
    assert installation.magento.order(order["increment_id"])["state"] == "processing"

    installation.prima.dispatch(prima_number(order))
    sync_fulfilment()
    _, second = installation.magento.shipments(order["increment_id"])
    assert shipped_units(second, order) == {TEE: 2, JEANS: 2}
    assert state(installation, order) == "dispatched"
    assert [email["shipment_id"] for email in installation.magento.emails] == [first["entity_id"], second["entity_id"]]


def test_a_split_order_is_two_shipments_of_one_run_with_two_emails(installation: Installation, order: Order) -> None:
    installation.prima.dispatch(prima_number(order), {1: 2, 2: 1}, tracking=["155000001"])
    installation.prima.dispatch(prima_number(order), {1: 1, 2: 1}, carrier="RM", tracking=["AB123456785GB"])

    sync_fulfilment()

    first, second = installation.magento.shipments(order["increment_id"])
    assert (shipped_units(first, order), shipped_units(second, order)) == ({TEE: 2, JEANS: 1}, {TEE: 1, JEANS: 1})
    assert tracks(first) == [("155000001", "custom", "DPD")]
    assert tracks(second) == [("AB123456785GB", "custom", "Royal Mail")]
    assert len(installation.magento.emails) == 2
    assert state(installation, order) == "dispatched"


def test_several_parcels_are_several_tracks_of_one_shipment(installation: Installation, order: Order) -> None:
    installation.prima.dispatch(prima_number(order), tracking=["1550001", "1550002", "1550003"])

    sync_fulfilment()

    (shipment,) = installation.magento.shipments()
    assert [number for number, _, _ in tracks(shipment)] == ["1550001", "1550002", "1550003"]
    assert len(installation.magento.emails) == 1


def test_configurables_are_shipped_by_their_parent_lines(installation: Installation) -> None:
    recorded = sample_order("000000092")
    installation.holds(recorded)
    sync_orders()
    installation.prima.dispatch(prima_number(recorded), {1: 2})
    installation.prima.dispatch(prima_number(recorded), {1: 1, 2: 1})

    sync_fulfilment()

    shipped = [
        {item["order_item_id"]: item["qty"] for item in shipment["items"]}
        for shipment in installation.magento.shipments(recorded["increment_id"])
    ]
    assert shipped == [{263: 2}, {263: 1, 265: 1}]
    assert state(installation, recorded) == "dispatched"


def test_virtual_goods_need_no_shipment_and_hold_no_order_back(installation: Installation) -> None:
    stock_both(installation, {TEE: 10, "GIFT-CARD": 10})
    only = buy(installation, a_line("GIFT-CARD", 1, "virtual"))
    mixed = buy(installation, a_line("GIFT-CARD", 1, "virtual"), a_line(TEE, 2))
    sync_orders()
    installation.prima.dispatch(prima_number(only))
    installation.prima.dispatch(prima_number(mixed), {1: 1})
    sync_fulfilment()
    assert installation.magento.shipments() == []
    assert (state(installation, only), state(installation, mixed)) == ("dispatched", "accepted")

    installation.prima.dispatch(prima_number(mixed))
    sync_fulfilment()
    (shipment,) = installation.magento.shipments()
    assert shipped_units(shipment, mixed) == {TEE: 2}
    assert state(installation, mixed) == "dispatched"
    assert installation.open_codes() == {}


def test_an_unknown_carrier_is_held_and_told_once_the_settings_name_it(
    installation: Installation, order: Order
) -> None:
    number = installation.prima.dispatch(prima_number(order), carrier="DPDX", tracking=["X1"])

    sync_fulfilment()
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert (note.subject, note.code, note.order_number) == (
        f"dispatch {number}",
        "CARRIER_UNKNOWN",
        order["increment_id"],
    )
    assert "meant may be DPD" in note.detail
    assert installation.magento.shipments() == []

    installation.add_settings('[carriers.DPDX]\ntitle = "DPD Express"')
    sync_fulfilment()
    (shipment,) = installation.magento.shipments()
    assert tracks(shipment) == [("X1", "custom", "DPD Express")]
    assert installation.open_codes() == {}


def test_a_held_dispatch_is_told_in_the_end_however_long_ago_it_left(installation: Installation, order: Order) -> None:
    installation.prima.clock.set(datetime.now(UTC) - timedelta(days=90))
    installation.prima.dispatch(prima_number(order), {1: 3}, carrier="DPDX")
    installation.prima.clock.set(None)
    installation.prima.dispatch(prima_number(order), {2: 2})
    sync_fulfilment()
    assert [shipped_units(each, order) for each in installation.magento.shipments()] == [{JEANS: 2}]

    installation.add_settings('[carriers.DPDX]\ntitle = "DPD Express"')
    sync_fulfilment()

    assert [shipped_units(each, order) for each in installation.magento.shipments()] == [{JEANS: 2}, {TEE: 3}]
    assert installation.open_codes() == {}


def test_shipping_without_tracking_is_told_at_once_and_stays_on_the_list(
    installation: Installation, order: Order
) -> None:
    installation.configure(settle_seconds='0\nunknown_carrier = "ship_without_tracking"')
    number = installation.prima.dispatch(prima_number(order), carrier="DPDX", tracking=["X1"])

    sync_fulfilment()
    sync_fulfilment()

    (shipment,) = installation.magento.shipments()
    assert tracks(shipment) == []
    assert installation.open_codes() == {f"dispatch {number}": "CARRIER_UNKNOWN"}


def test_a_dispatch_of_an_order_that_is_not_ours_ships_nothing(installation: Installation, order: Order) -> None:
    number = installation.prima.dispatch(prima_number(order))
    (installation.folder / "ledger.db").unlink()
    sync_fulfilment()
    assert installation.open_codes() == {f"dispatch {number}": "DISPATCH_ORDER_UNKNOWN"}

    # Now the ledger knows an order that would get this number, and PRIMA refused it: its number is another order's.
    sync_orders()
    assert installation.open_codes()[f"order {order['increment_id']}"] == "PRIMA_NUMBER_TAKEN"
    sync_fulfilment()
    assert installation.magento.shipments() == []
    assert installation.open_codes()[f"dispatch {number}"] == "DISPATCH_ORDER_UNKNOWN"


def test_more_units_than_magento_has_left_are_held_and_nothing_is_clamped(
    installation: Installation, order: Order
) -> None:
    ship_by_hand(installation, order, 1)
    too_many = installation.prima.dispatch(prima_number(order), {1: 3})
    installation.prima.dispatch(prima_number(order), {2: 2})

    sync_fulfilment()

    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert (note.code, note.subject) == ("DISPATCH_TOO_MANY", f"dispatch {too_many}")
    assert note.detail == f"3 of {TEE} dispatched, 2 left to ship in Magento"
    assert [shipped_units(each, order) for each in installation.magento.shipments()] == [{TEE: 1}, {JEANS: 2}]
    assert state(installation, order) == "part_dispatched"


def test_a_dispatch_of_an_order_cancelled_in_magento_is_for_customer_service(
    installation: Installation, order: Order
) -> None:
    with by_hand(installation) as magento:
        magento.cancel(order["entity_id"])
    number = installation.prima.dispatch(prima_number(order))

    sync_fulfilment()

    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code="DISPATCH_ORDER_CANCELLED")
    assert (note.subject, note.owner) == (f"dispatch {number}", "customer service")
    assert note.value_at_risk_pence == int(order["grand_total"] * 100)
    assert installation.magento.shipments() == []


def test_a_line_that_the_order_does_not_have_holds_its_dispatch_alone(installation: Installation, order: Order) -> None:
    other = buy(installation, a_line(TEE))
    sync_orders()
    number = installation.prima.dispatch(prima_number(order), {1: 3})
    installation.prima.dispatch(prima_number(other))
    in_prima(
        installation, f"update stand_in_dispatch_lines set order_line_number = 9 where dispatch_number = '{number}'"
    )

    sync_fulfilment()

    assert installation.open_codes() == {f"dispatch {number}": "DISPATCH_LINE_UNKNOWN"}
    assert [shipped_units(each, other) for each in installation.magento.shipments()] == [{TEE: 1}]


def test_a_dispatch_whose_lines_are_not_there_yet_waits_for_them(installation: Installation, order: Order) -> None:
    number = installation.prima.dispatch(prima_number(order))
    in_prima(installation, "update stand_in_dispatch_lines set dispatch_number = 'later' || line_number")

    sync_fulfilment()
    assert installation.open_codes() == {f"dispatch {number}": "DISPATCH_LINE_UNKNOWN"}
    assert installation.magento.shipments() == []

    in_prima(installation, f"update stand_in_dispatch_lines set dispatch_number = '{number}'")
    sync_fulfilment()
    (shipment,) = installation.magento.shipments()
    assert shipped_units(shipment, order) == {TEE: 3, JEANS: 2}
    assert installation.open_codes() == {}


def test_a_tracking_number_with_markup_arrives_as_the_text_it_is(installation: Installation, order: Order) -> None:
    text = "<script>alert('1')</script> & \"2\""
    installation.prima.dispatch(prima_number(order), tracking=[text])

    sync_fulfilment()

    (shipment,) = installation.magento.shipments()
    assert tracks(shipment) == [(text, "custom", "DPD")]
    assert installation.open_codes() == {}


def test_goods_leave_the_source_that_stock_is_written_to(installation: Installation, order: Order) -> None:
    installation.configure(overlap_minutes='10\nsource_code = "wh_mids"')
    installation.magento.set_source_quantity(TEE, 10, "wh_mids")
    installation.prima.dispatch(prima_number(order), {1: 3})

    sync_fulfilment()

    assert installation.magento.source_quantity(TEE, "wh_mids") == 7
    assert installation.magento.source_quantity(TEE) == 100
