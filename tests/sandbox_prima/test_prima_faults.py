"""Faults of PRIMA: what the client sees, and what has happened all the same."""

from datetime import timedelta

import httpx
import pytest
from lxml import etree

from sandbox.prima import PrimaStandIn
from tests.sandbox_prima.wire import Order, ask, new_orders, place, post, stock_list, stock_range, text_of


def test_the_answer_to_an_order_is_lost_and_the_order_is_there(prima: PrimaStandIn) -> None:
    prima.faults.add("MultiNewOrder", "lose_answer")
    with pytest.raises(httpx.TransportError):
        post(prima, new_orders(Order()))
    assert prima.order_numbers() == ["30000042"]


def test_a_fault_is_found_by_request_type_however_the_document_is_escaped(prima: PrimaStandIn) -> None:
    prima.faults.add("OrderStatus", "status", status=500)
    document = (
        "&lt;Request RequestType=&quot;OrderStatus&quot;&gt;&lt;Data OrderNumber=&#34;1&#34;/&gt;&lt;/Request&gt;"
    )
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><o:wsomhandler xmlns:o="urn:omlink">'
        f"<xmlIn>{document}</xmlIn></o:wsomhandler></e:Body></e:Envelope>"
    )
    headers = {"content-type": "text/xml", "soapaction": ""}
    assert [httpx.post(prima.url, content=body, headers=headers).status_code for _ in range(2)] == [500, 200]


def test_the_wsdl_can_be_out_of_reach(prima: PrimaStandIn) -> None:
    prima.faults.add("wsdl", "status", status=503)
    assert [httpx.get(prima.wsdl_url).status_code for _ in range(2)] == [503, 200]


@pytest.mark.parametrize(("after_effect", "orders"), [(False, []), (True, ["30000042"])])
def test_a_soap_fault_comes_before_or_after_the_effect(
    prima: PrimaStandIn, after_effect: bool, orders: list[str]
) -> None:
    prima.faults.add("MultiNewOrder", "soap_fault", text="No servers available (8089)", after_effect=after_effect)
    answer = post(prima, new_orders(Order()))
    assert answer.status_code == 500
    fault = etree.fromstring(answer.content)
    assert fault.findtext(".//errorMessage") == "No servers available (8089)"
    assert "#" in fault.findtext(".//requestID")
    assert prima.order_numbers() == orders


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_sound_envelope_can_hold_a_cut_or_empty_answer_after_the_effect(prima: PrimaStandIn, share: float) -> None:
    prima.faults.add("MultiNewOrder", "cut_answer", share=share)
    answer = text_of(post(prima, new_orders(Order())))
    assert answer == "" if share == 0 else not answer.endswith("</Result>")
    assert prima.order_numbers() == ["30000042"]


def test_a_truncated_body_is_not_an_envelope(prima: PrimaStandIn) -> None:
    prima.faults.add("MultiNewOrder", "truncate")
    answer = post(prima, new_orders(Order()))
    assert answer.status_code == 200
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(answer.content)
    assert prima.order_numbers() == ["30000042"]


def test_a_snapshot_can_be_empty_or_shrunken_and_still_say_ok(prima: PrimaStandIn) -> None:
    prima.faults.add("ProductAvailableToSell", "empty_snapshot")
    prima.faults.add("ProductAvailableToSell", "shrunken_snapshot", share=0.5)
    rows = []
    for _ in range(3):
        root = ask(prima, stock_range())
        assert root.get("RequestStatus") == "OK"
        rows.append(len(root[0]))
    assert rows == [0, 2, 4]


def test_a_shrunken_snapshot_does_not_touch_other_request_types(prima: PrimaStandIn) -> None:
    prima.faults.add("ProductAvailableToSell", "shrunken_snapshot", share=0)
    assert len(ask(prima, stock_list(("WAXTIN", "NONE", "ONE")))[0]) == 1


def test_a_stale_clock_writes_an_order_down_too_early(prima: PrimaStandIn) -> None:
    prima.faults.add("MultiNewOrder", "stale_clock", seconds=600)
    place(prima, Order("1"))
    place(prima, Order("2"))
    late, right = prima.orders()
    assert right["ordered_at"] - late["ordered_at"] == timedelta(seconds=600)
    assert right["ordered_at"] == prima.clock.now().replace(tzinfo=None)


def test_a_stopped_prima_refuses_connections_and_keeps_its_orders(prima: PrimaStandIn) -> None:
    place(prima)
    prima.stop()
    with pytest.raises(httpx.ConnectError):
        post(prima, stock_range())
    prima.start()
    assert prima.order_numbers() == ["30000042"]
    assert ask(prima, stock_range()).get("RequestStatus") == "OK"
