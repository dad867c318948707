"""The nightly count of dispatches: what Magento does not show, and what somebody shipped there by hand."""

from datetime import UTC, datetime, timedelta

from flows.dispatch_census import take_dispatch_census
from flows.fulfilment import sync_fulfilment
from flows.orders import sync_orders
from tests.flows.shopping import TEE, Order, a_line, accepted_order, buy, prima_number, ship_by_hand
from tests.installation import Installation


def test_parcels_that_magento_does_not_show_and_shipments_by_hand_are_listed_with_their_value(
    installation: Installation,
) -> None:
    order = accepted_order(installation)
    installation.prima.clock.set(datetime.now(UTC) - timedelta(hours=30))
    held = installation.prima.dispatch(prima_number(order), {1: 1}, carrier="DPDX")
    installation.prima.clock.set(None)
    installation.prima.dispatch(prima_number(order), {1: 1})
    sync_fulfilment()
    ship_by_hand(installation, order, 1)
    (by_hand,) = [each for each in installation.magento.shipments() if each["total_qty"] == 1 and not each["tracks"]]

    summary = take_dispatch_census()

    assert {name: count for name, count in summary.counts.items() if count} == {
        "dispatches": 2,
        "shipped": 1,
        "not shipped": 1,
        "shipments": 2,
        "shipped by hand": 1,
    }
    assert summary.not_shipped_pence == summary.by_hand_pence == {"GBP": 1200}
    with installation.ledger() as ledger:
        found = {note.code: note for note in ledger.exceptions() if note.code != "CARRIER_UNKNOWN"}
        assert found["NOT_SHIPPED_IN_MAGENTO"].subject == f"dispatch {held}"
        assert "held by CARRIER_UNKNOWN" in found["NOT_SHIPPED_IN_MAGENTO"].detail
        assert found["SHIPPED_BY_HAND"].subject == f"shipment {by_hand['increment_id']}"
        ledger.close_exception(found["SHIPPED_BY_HAND"].id, by="jane", note="a replacement")

    installation.add_settings('[carriers.DPDX]\ntitle = "DPD Express"')
    sync_fulfilment()
    take_dispatch_census()
    assert installation.open_codes() == {}


def test_a_shipment_that_magento_does_not_hand_out_holds_up_no_other_order_and_is_not_taken_for_missing(
    installation: Installation,
) -> None:
    installation.configure(overlap_minutes="10\nread_attempts = 1")
    first, second = accepted_order(installation), buy(installation, a_line(TEE, 2))
    sync_orders()
    installation.prima.dispatch(prima_number(first), {1: 1})
    sync_fulfilment()
    (bad,) = installation.magento.shipments()
    faults = installation.magento.faults
    faults.add("GET /V1/shipment*", "unreadable_document", entity_id=bad["entity_id"], times=None)
    faults.add(f"POST /V1/order/{first['entity_id']}/ship", "lose_answer")
    lost, told = (installation.prima.dispatch(prima_number(order), {1: 1}) for order in (first, second))

    sync_fulfilment()
    sync_fulfilment()

    open_codes = {f"shipment entity {bad['entity_id']}": "SHIPMENT_UNREADABLE"}
    assert installation.open_codes() == open_codes, "the shipment whose answer was lost can be read, and is found"
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code="SHIPMENT_UNREADABLE")
        assert {ledger.dispatch_link(each).state for each in (lost, told)} == {"shipped"}
        shipped = {number: ledger.order(number).lines[0].quantity_shipped for number in numbers(first, second)}
    assert note.order_number == first["increment_id"]
    assert shipped == dict(zip(numbers(first, second), (2, 1), strict=True)), "its order is followed all the same"
    assert take_dispatch_census().counts["shipment unreadable"] == 1
    assert installation.open_codes() == open_codes

    faults.clear()
    sync_fulfilment()
    assert installation.open_codes() == {}
    assert take_dispatch_census().counts["shipped"] == 3
    assert (len(installation.magento.shipments()), len(installation.magento.emails)) == (3, 3)


def numbers(*orders: Order) -> list[str]:
    return [order["increment_id"] for order in orders]
