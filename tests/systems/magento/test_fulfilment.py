import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from schemas.documents import ShipmentLine, ShipmentRequest, Track
from tasks.errors import CallRefusedError, NotFoundError, OutcomeUnknownError, SystemUnavailableError
from tests.systems.magento.conftest import Answer, recording, sample_orders

DPD = Track("15501234567890", "custom", "DPD")


def a_dispatch(**changes) -> ShipmentRequest:
    given = {
        "dispatch_number": "D100",
        "order_number": "000000017",
        "entity_id_magento": 17,
        "lines": (ShipmentLine(53, 2),),
        "tracks": (DPD,),
    } | changes
    return ShipmentRequest(**given)


@pytest.fixture(autouse=True)
def _orders(magento) -> None:
    magento.load_orders(sample_orders(17, 18, 33, 48, 103))


def shipped(client, entity_id: int, item_id: int):
    return next(each["qty_shipped"] for each in client.order(entity_id)["items"] if each["item_id"] == item_id)


def test_a_dispatch_becomes_a_shipment_with_its_lines_track_and_number(magento, client):
    shipment_id = client.ship(a_dispatch())
    shipment = client.shipment(shipment_id)
    assert isinstance(shipment_id, str)
    assert [(each["order_item_id"], each["qty"]) for each in shipment["items"]] == [(53, 2)]
    assert [(each["track_number"], each["title"]) for each in shipment["tracks"]] == [("15501234567890", "DPD")]
    assert [each["comment"] for each in shipment["comments"]] == ["PRIMA dispatch D100"]
    assert shipment["comments"][0]["is_visible_on_front"] == 0
    assert len(magento.emails) == 1


def test_the_customer_is_not_written_to_when_the_dispatch_says_so(magento, client):
    client.ship(a_dispatch(notify_customer=False))
    assert magento.emails == []


def test_a_shipment_is_found_by_its_dispatch_number(client):
    assert client.shipment_of_dispatch(17, "D100") is None
    shipment_id = client.ship(a_dispatch())
    client.ship(a_dispatch(dispatch_number="D1001", lines=(ShipmentLine(52, 1),)))
    assert str(client.shipment_of_dispatch(17, "D100")["entity_id"]) == shipment_id
    assert client.shipment_of_dispatch(17, "D10") is None


def test_a_shipment_whose_answer_is_lost_may_have_happened_and_is_found_by_looking(magento, client):
    magento.faults.add("POST /V1/order/*/ship", "lose_answer")
    with pytest.raises(OutcomeUnknownError) as raised:
        client.ship(a_dispatch())
    assert raised.value.reference == "order 000000017, dispatch D100"
    assert client.shipment_of_dispatch(17, "D100") is not None
    assert shipped(client, 17, 53) == 2


@pytest.mark.parametrize("fault", [{"kind": "truncate"}, {"kind": "truncate", "close": True},
                                   {"kind": "status", "status": 500}, {"kind": "reset"}])  # fmt: skip
def test_a_shipment_without_a_sound_answer_may_have_happened(magento, client, fault):
    magento.faults.add("POST /V1/order/*/ship", times=None, **fault)
    with pytest.raises(OutcomeUnknownError):
        client.ship(a_dispatch())
    assert sum(call["path"].endswith("/ship") for call in magento.calls()) <= 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_shipment_that_is_turned_away_did_not_happen(magento, client, status):
    magento.faults.add("POST /V1/order/*/ship", "status", status=status)
    with pytest.raises(SystemUnavailableError):
        client.ship(a_dispatch())
    assert shipped(client, 17, 53) == 0


@pytest.mark.parametrize(
    "lines", [(), (ShipmentLine(53, 1), ShipmentLine(53, 1)), (ShipmentLine(53, 0),), (ShipmentLine(53, -1),)]
)
def test_lines_that_magento_would_misread_are_never_sent(magento, client, lines):
    with pytest.raises(ValueError, match=r"no lines|twice|whole"):
        client.ship(a_dispatch(lines=lines))
    assert magento.calls() == []


def test_a_configurable_ships_by_its_parent_line(client):
    with pytest.raises(CallRefusedError) as raised:
        client.ship(ShipmentRequest("D1", "000000090", 103, (ShipmentLine(258, 1),), ()))
    assert raised.value.code == "NO_SHIPPABLE_LINES"
    client.ship(ShipmentRequest("D1", "000000090", 103, (ShipmentLine(257, 1),), ()))
    assert shipped(client, 103, 257) == 1


def test_goods_leave_the_source_that_is_named(magento, client):
    magento.set_source_quantity("TX-S-3", 50, "wh_mids")
    client.ship(ShipmentRequest("D1", "4000000001", 33, (ShipmentLine(91, 2),), (), source_code="wh_mids"))
    assert magento.source_quantity("TX-S-3", "wh_mids") == 48


def test_too_little_in_the_source_is_told(magento, client):
    magento.set_source_quantity("MS-5031", 1)
    with pytest.raises(CallRefusedError) as raised:
        client.ship(a_dispatch())
    assert raised.value.code == "SHIPMENT_NOT_SAVED"
    assert "source" in raised.value.next_step


def test_an_order_that_does_not_exist_is_not_found(client):
    with pytest.raises(NotFoundError):
        client.ship(a_dispatch(entity_id_magento=99999999))


def test_a_track_and_a_comment_are_added_to_a_shipment(client):
    shipment_id = client.ship(a_dispatch(tracks=()))
    assert client.add_track(17, shipment_id, DPD) > 0
    client.comment_on_shipment(shipment_id, "second parcel on Tuesday")
    shipment = client.shipment(shipment_id)
    assert [each["track_number"] for each in shipment["tracks"]] == [DPD.number]
    assert [each["comment"] for each in shipment["comments"]][-1] == "second parcel on Tuesday"
    with pytest.raises(CallRefusedError) as raised:
        client.add_track(17, 9999999, DPD)
    assert raised.value.code == "SHIPMENT_UNKNOWN"


def test_a_line_is_invoiced_and_then_the_rest(client):
    first = client.invoice(18, [ShipmentLine(56, 2)])
    second = client.invoice(18, capture=True)
    assert first != second
    assert [str(each["entity_id"]) for each in client.invoices_of(18)] == [first, second]
    with pytest.raises(CallRefusedError) as raised:
        client.invoice(18)
    assert raised.value.code == "NOTHING_TO_INVOICE"
    with pytest.raises(ValueError, match="no lines"):
        client.invoice(18, [])


def test_a_refund_of_one_unit_leaves_delivery_alone_and_puts_the_unit_back(magento, client):
    before = magento.source_quantity("TX-S-3")
    memo_id = client.refund(48, [ShipmentLine(142, 1)], delivery=Decimal(0), return_to_stock=[142], text="came back")
    (memo,) = client.creditmemos_of(48)
    assert str(memo["entity_id"]) == memo_id
    assert memo["shipping_amount"] == 0
    assert [each["qty"] for each in memo["items"] if each["order_item_id"] == 142] == [1]
    assert magento.source_quantity("TX-S-3") >= before


def test_goodwill_is_refunded_without_goods(client):
    lines = [ShipmentLine(142, 0), ShipmentLine(143, 0), ShipmentLine(144, 0)]
    client.refund(48, lines, delivery=Decimal(0), goodwill=Decimal("2.50"))
    (memo,) = client.creditmemos_of(48)
    assert memo["grand_total"] == Decimal("2.5")


def test_a_refund_is_sent_as_it_was_recorded(script, client_for):
    wanted = recording("fulfilment/refund-fee.json")["request"]["body"]
    server = script(Answer(200, 7))
    client_for(server.url).refund(34, [ShipmentLine(94, 1)], delivery=Decimal(0), fee=Decimal(1), return_to_stock=[94])
    sent = json.loads(server.asked[0].body)
    assert server.asked[0].target == "/rest/V1/order/34/refund"
    assert {name: sent[name] for name in wanted} == wanted


def test_the_updated_at_of_a_new_order_moves_with_its_first_shipment(magento, client):
    magento.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    client.ship(ShipmentRequest("D1", "000000018", 18, (ShipmentLine(56, 1),), ()))
    order = client.order(18)
    assert (order["state"], order["updated_at"]) == ("processing", "2026-12-01 00:00:00")
