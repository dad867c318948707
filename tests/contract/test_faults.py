"""Faults, control routes, the log of calls and the e-mails of the Magento stand-in."""

import socket
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest

from sandbox.magento import MagentoStandIn, NotSalableError
from sandbox.magento.carts import Cart, CartLine, Customer, PostalAddress
from tests.contract import recorded
from tests.contract.comparing import assert_same
from tests.contract.recorded import send


def a_cart(sku: str, quantity: int = 1) -> Cart:
    """A guest's cart with one line."""
    address = PostalAddress(forename="Ada", surname="Byron", street=("1 Mill Lane",), town="York", postcode="YO1 7HH")
    line = CartLine(sku=sku, name=sku, quantity=quantity, catalogue_price=Decimal("9.99"))
    return Cart(
        lines=(line,), customer=Customer(forename="Ada", surname="Byron", email="ada@example.com"), address=address
    )


def test_a_shipment_whose_answer_is_lost_has_happened(fresh: MagentoStandIn) -> None:
    fresh.faults.add("POST /V1/order/*/ship", "lose_answer")
    with pytest.raises(httpx.TransportError):
        send(fresh, "POST", "/rest/V1/order/5/ship", {})
    assert len(fresh.shipments("000000005")) == 1
    assert fresh.calls()[-1] | {"query": {}} == {"method": "POST", "path": "/V1/order/5/ship", "query": {}, "status": 0}


def test_a_reset_call_has_no_effect(fresh: MagentoStandIn) -> None:
    fresh.faults.add("POST /V1/order/5/ship", "reset")
    with pytest.raises(httpx.TransportError):
        send(fresh, "POST", "/rest/all/V1/order/5/ship", {})
    assert fresh.shipments("000000005") == []


def test_a_call_whose_body_is_cut_off_has_no_effect(fresh: MagentoStandIn) -> None:
    address = httpx.URL(fresh.url)
    token = fresh.secrets["MAGENTO_ACCESS_TOKEN"]
    head = f"POST /rest/V1/order/5/ship HTTP/1.1\r\nHost: {address.host}\r\nAuthorization: Bearer {token}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 40\r\n\r\n"
    with socket.create_connection((address.host, address.port or 80)) as client:
        client.sendall(head.encode())
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert send(fresh, "GET", "/rest/V1/orders/5").json()["items"][0]["qty_shipped"] == 0
    assert fresh.shipments("000000005") == []


def test_a_page_may_repeat_rows_of_the_one_before(trading: MagentoStandIn) -> None:
    def page(number: int) -> list[int]:
        query = f"searchCriteria[pageSize]=4&searchCriteria[currentPage]={number}&fields=items[entity_id]"
        return [item["entity_id"] for item in send(trading, "GET", f"/rest/V1/orders?{query}").json()["items"]]

    plain = [page(1), page(2)]
    trading.faults.add("GET /V1/orders", "duplicate_page")
    page(3)
    assert page(1) == plain[0]
    trading.faults.add("GET /V1/orders", "duplicate_page")
    assert page(2) == plain[0][-2:] + plain[1]


def test_an_order_may_change_without_its_updated_at(fresh: MagentoStandIn) -> None:
    before = fresh.order("000000005")["updated_at"]
    fresh.faults.add("POST /V1/orders/*/hold", "frozen_updated_at")
    send(fresh, "POST", "/rest/V1/orders/5/hold")
    order = fresh.order("000000005")
    assert (order["state"], order["updated_at"]) == ("holded", before)


def test_parallel_shipments_of_one_order_create_one(fresh: MagentoStandIn) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: send(fresh, "POST", "/rest/V1/order/5/ship", {}).status_code, range(4)))
    assert sorted(answers) == [200, 400, 400, 400]
    assert len(fresh.shipments("000000005")) == 1


def test_the_control_routes_load_orders_and_switch_maintenance(magento: MagentoStandIn) -> None:
    orders = list(recorded.sample_orders().values())[:3]
    control = f"{magento.url}/_sandbox"
    assert httpx.post(f"{control}/orders", json={"orders": orders}).json() == {"loaded": 3}
    assert httpx.post(f"{control}/orders", json=orders).json() == {"loaded": 0}
    assert httpx.post(f"{control}/maintenance", json={"on": True}).json() == {"on": True}
    assert httpx.get(f"{control}/health").json()["orders"] == 3
    assert send(magento, "GET", "/rest/V1/store/websites").status_code == 503
    httpx.post(f"{control}/maintenance", json={"on": False})
    assert send(magento, "GET", "/rest/V1/store/websites").status_code == 200
    statuses = [call["status"] for call in httpx.get(f"{control}/calls").json()["calls"]]
    assert statuses == [503, 200]


def test_state_survives_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kept")
    with MagentoStandIn(folder) as first:
        first.settings.bearer_allowed = True
        first.load_orders([recorded.as_placed(recorded.sample_orders()[5])])
        send(first, "POST", "/rest/V1/order/5/ship", {})
        held = first.order("000000005")
    with MagentoStandIn(folder) as second:
        assert_same(held, second.order("000000005"))
        assert len(second.shipments("000000005")) == 1


def test_a_placed_cart_is_an_order_that_reserves_its_units(fresh: MagentoStandIn) -> None:
    fresh.add_product("COAT-RED-M", price=Decimal("9.99"), quantity=3)
    order = fresh.place_order(a_cart("COAT-RED-M", 2))
    assert order["entity_id"] > max(recorded.sample_orders())
    assert send(fresh, "GET", f"/rest/V1/orders/{order['entity_id']}").json() == order
    assert (fresh.source_quantity("COAT-RED-M"), fresh.salable("COAT-RED-M")) == (3, 1)
    with pytest.raises(NotSalableError):
        fresh.place_order(a_cart("COAT-RED-M", 2))
    for action in ("invoice", "ship"):
        assert send(fresh, "POST", f"/rest/V1/order/{order['entity_id']}/{action}", {}).status_code == 200
    assert fresh.order(order["increment_id"])["state"] == "complete"
    assert (fresh.source_quantity("COAT-RED-M"), fresh.salable("COAT-RED-M")) == (1, 1)


def test_one_email_is_sent_for_each_shipment_that_notifies(fresh: MagentoStandIn) -> None:
    line = fresh.order("000000005")["items"][0]["item_id"]
    one = {"items": [{"order_item_id": line, "qty": 1}]}
    send(fresh, "POST", "/rest/V1/order/5/ship", one)
    shipment = send(fresh, "POST", "/rest/V1/order/5/ship", {**one, "notify": True}).json()
    assert fresh.emails == [{"kind": "shipment", "increment_id": "000000005", "shipment_id": int(shipment)}]
