"""The nightly count of dispatches: what Magento does not show, and what somebody shipped there by hand."""

import json
import sqlite3
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


def test_a_lost_shipment_that_may_be_the_one_magento_does_not_hand_out_is_neither_made_again_nor_counted_as_missing(
    installation: Installation,
) -> None:
    installation.configure(overlap_minutes="10\nread_attempts = 1")
    order = accepted_order(installation)
    installation.prima.clock.set(datetime.now(UTC) - timedelta(hours=30))
    installation.prima.dispatch(prima_number(order), {1: 1})
    sync_fulfilment()
    (first,) = installation.magento.shipments()
    faults, ship = installation.magento.faults, f"POST /V1/order/{order['entity_id']}/ship"
    entities = [first["entity_id"], first["entity_id"] + 2]
    for entity_id in entities:
        faults.add("GET /V1/shipment*", "unreadable_document", entity_id=entity_id, times=None)

    # The first is known to be another dispatch's, so that this one's is certainly not there.
    faults.add(ship, "reset")
    installation.prima.dispatch(prima_number(order), {1: 1})
    sync_fulfilment()
    sync_fulfilment()
    assert (len(installation.magento.shipments()), len(installation.magento.emails)) == (2, 2)
    open_codes = {f"shipment entity {entities[0]}": "SHIPMENT_UNREADABLE"}
    assert installation.open_codes() == open_codes

    faults.add(ship, "lose_answer")
    lost = installation.prima.dispatch(prima_number(order), {1: 1})
    sync_fulfilment()
    sync_fulfilment()
    open_codes |= {f"shipment entity {entities[1]}": "SHIPMENT_UNREADABLE"}
    open_codes |= {f"dispatch {lost}": "SHIPMENT_OUTCOME_UNKNOWN"}
    assert installation.open_codes() == open_codes
    assert (len(installation.magento.shipments()), len(installation.magento.emails)) == (3, 3)
    census = take_dispatch_census()
    assert (census.counts["shipped"], census.counts["shipment unreadable"], census.not_shipped_pence) == (1, 2, {})
    assert installation.open_codes() == open_codes

    faults.clear()
    sync_fulfilment()
    assert installation.open_codes() == {}
    assert (len(installation.magento.shipments()), len(installation.magento.emails)) == (3, 3)


def test_what_is_not_shipped_stays_on_the_list_however_long_ago_it_left(installation: Installation) -> None:
    order = accepted_order(installation)
    installation.configure(settle_seconds="0\nlook_back_days = 30")
    for clock in (installation.prima.clock, installation.magento.clock):
        clock.set(datetime.now(UTC) - timedelta(days=20))
    short = installation.prima.dispatch(prima_number(order), {1: 2})
    held = installation.prima.dispatch(prima_number(order), {2: 1}, carrier="DPDX")
    sync_fulfilment()
    for clock in (installation.prima.clock, installation.magento.clock):
        clock.set(None)
    (shipment,) = installation.magento.shipments()
    shipment["items"][0]["qty"] = 1
    with sqlite3.connect(installation.folder / "magento.db") as database:
        database.execute("update documents set document = ? where kind = 'shipment'", (json.dumps(shipment),))
    listed = ("NOT_SHIPPED_IN_MAGENTO",)
    both = dict.fromkeys((f"dispatch {short}", f"dispatch {held}"), *listed)

    take_dispatch_census()
    assert installation.open_codes(listed) == both
    installation.configure(look_back_days="1")
    assert take_dispatch_census().not_shipped_pence == {"GBP": 2400}, "one unit of each"
    assert installation.open_codes(listed) == both

    installation.add_settings('[carriers.DPDX]\ntitle = "DPD Express"')
    sync_fulfilment()
    take_dispatch_census()
    assert installation.open_codes(listed) == {f"dispatch {short}": "NOT_SHIPPED_IN_MAGENTO"}


def numbers(*orders: Order) -> list[str]:
    return [order["increment_id"] for order in orders]
