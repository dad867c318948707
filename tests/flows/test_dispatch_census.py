"""The nightly count of dispatches: what Magento does not show, and what somebody shipped there by hand."""

from datetime import UTC, datetime, timedelta

from flows.dispatch_census import take_dispatch_census
from flows.fulfilment import sync_fulfilment
from tests.flows.shopping import accepted_order, prima_number, ship_by_hand
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
