"""The wire: WSDL, envelope, faults, and where an answer says OK."""

import httpx
import pytest
import zeep
from lxml import etree

from sandbox.prima import PrimaStandIn
from tests.sandbox_prima.conftest import MakePrima
from tests.sandbox_prima.wire import (
    ENVELOPE,
    HEADERS,
    Order,
    ask,
    envelope,
    new_orders,
    post,
    status,
    stock_list,
    stock_range,
    text_of,
)


def fault_of(answer: httpx.Response) -> tuple[str, str, str]:
    assert answer.status_code == 500
    fault = etree.fromstring(answer.content).find(f".//{{{ENVELOPE}}}Fault")
    return fault.findtext("faultstring"), fault.findtext(".//errorMessage"), fault.findtext(".//requestID")


@pytest.mark.parametrize("style", ["rpc_literal", "rpc_encoded", "document_wrapped"])
def test_zeep_places_an_order_and_asks_for_its_state_from_the_served_wsdl(make_prima: MakePrima, style: str) -> None:
    prima = make_prima(style=style, request_part="pcRequest", answer_part="pcResponse", company_part="piCompany")
    client = zeep.Client(prima.wsdl_url)
    assert 'RequestStatus="OK"' in client.service.wsomhandler(new_orders(Order()))
    assert 'OrderStatus="On Order"' in client.service.comwsomhandler("1", status("30000042"))
    assert client.service.comwsomhandler(piCompany="1", pcRequest=status("30000042")).startswith("<?xml")


@pytest.mark.parametrize(
    ("style", "use"), [("rpc_literal", "literal"), ("rpc_encoded", "encoded"), ("document_wrapped", "literal")]
)
def test_the_wsdl_names_style_and_use(make_prima: MakePrima, style: str, use: str) -> None:
    wsdl = httpx.get(make_prima(style=style).wsdl_url).text
    assert f'style="{style.partition("_")[0]}"' in wsdl
    assert f'use="{use}"' in wsdl


def test_the_wsdl_names_the_post_address_or_a_wrong_one_when_told_to(make_prima: MakePrima) -> None:
    prima = make_prima()
    assert f'location="{prima.url}"' in httpx.get(prima.wsdl_url).text
    prima.settings.wsdl_address = "http://localhost:1/wsa"
    assert 'location="http://localhost:1/wsa"' in httpx.get(prima.wsdl_url).text


def test_the_wsdl_of_another_service_is_not_found(prima: PrimaStandIn) -> None:
    assert httpx.get(f"{prima.url}/wsdl?targetURI=urn:other").status_code == 404


def test_a_part_name_that_the_wsdl_does_not_have_ends_in_a_fault(prima: PrimaStandIn) -> None:
    text, cause, request_id = fault_of(post(prima, status("1"), part="request"))
    assert text == "An error was detected (10893)"
    assert "xmlIn" in cause
    assert "#" in request_id


def test_a_strict_encoded_server_demands_types(make_prima: MakePrima) -> None:
    prima = make_prima(style="rpc_encoded", demands_xsi_type=True)
    _, cause, _ = fault_of(post(prima, status("1")))
    assert "xsi:type" in cause


def test_a_call_without_soapaction_ends_in_a_fault(prima: PrimaStandIn) -> None:
    answer = httpx.post(prima.url, content=envelope(status("1")), headers={"content-type": "text/xml"})
    assert "SOAPAction" in fault_of(answer)[1]


def test_an_envelope_that_is_not_xml_ends_in_a_fault(prima: PrimaStandIn) -> None:
    answer = httpx.post(prima.url, content=b"<Envelope", headers=HEADERS)
    assert "not well-formed" in fault_of(answer)[1]


def test_a_request_longer_than_the_parameter_ends_in_a_fault(make_prima: MakePrima) -> None:
    prima = make_prima(longest_request=100)
    assert "32000" in fault_of(post(prima, stock_list(*[("HARBRN", "F", "075")] * 10)))[1]


def test_the_servlet_engine_can_ask_for_basic_authentication(make_prima: MakePrima) -> None:
    prima = make_prima(basic_auth=("omlink", "opensesame"))
    assert httpx.get(prima.wsdl_url).status_code == 401
    assert post(prima, status("1")).status_code == 401
    assert httpx.get(prima.wsdl_url, auth=("omlink", "opensesame")).status_code == 200


def test_an_answer_begins_with_a_latin1_declaration_and_a_line_feed(prima: PrimaStandIn) -> None:
    answer = text_of(post(prima, stock_range()))
    assert answer.startswith('<?xml version="1.0" encoding="ISO-8859-1" ?>\n<Result Company="1" RequestStatus="OK" ')


def test_answer_attributes_are_in_alphabetical_order_and_there_is_no_text(prima: PrimaStandIn) -> None:
    for document in (stock_range(), new_orders(Order()), new_orders(Order()), status("30000042"), status("9")):
        for element in ask(prima, document).iter():
            assert list(element.attrib) == sorted(element.attrib)
            assert not element.text


def test_stock_and_status_say_ok_on_the_root_and_orders_say_it_on_each_row(prima: PrimaStandIn) -> None:
    assert ask(prima, stock_range()).get("RequestStatus") == "OK"
    accepted = ask(prima, new_orders(Order()))
    assert accepted.get("RequestStatus") is None
    assert [row.get("RequestStatus") for row in accepted] == ["OK"]
    assert ask(prima, status("30000042")).get("RequestStatus") == "OK"


def test_a_malformed_request_is_refused_on_the_root_and_names_no_order(prima: PrimaStandIn) -> None:
    root = ask(prima, '<Request RequestType="MultiNewOrder"><Data OrderNumber="1" Note="Ring "twice""/></Request>')
    assert root.get("RequestStatus") == "ERROR"
    assert root.get("Error").endswith("SAX parser error: SAX-PARSE-NEXT, Unexpected error. (14586)")
    assert [(child.tag, child.get("Error")) for child in root] == [("RequestError", root.get("Error"))]
    assert root.get("RequestType") == "MultiNewOrder"


def test_a_request_with_a_document_type_is_refused_like_a_malformed_one(prima: PrimaStandIn) -> None:
    root = ask(prima, '<!DOCTYPE Request [<!ENTITY x "y">]>' + status("1").removeprefix('<?xml version="1.0"?>'))
    assert "(14586)" in root.get("Error")


def test_orders_before_a_broken_place_in_the_same_request_are_created(prima: PrimaStandIn) -> None:
    whole = new_orders(Order("1001"), Order("1002"))
    broken = whole.replace('OrderNumber="1002"', 'OrderNumber="1002')
    root = ask(prima, broken)
    assert root.get("RequestStatus") == "ERROR"
    assert root.find("Data") is None
    assert prima.order_numbers() == ["1001"]


def test_characters_that_the_code_page_lacks_become_question_marks(prima: PrimaStandIn) -> None:
    ask(prima, new_orders(Order(note="café \u2019 \u0141")))
    order = prima.order("30000042")
    assert order is not None
    assert order["sent"]["children"][0][1]["SpecialInstructions"] == "café ? ?"


def test_characters_that_the_code_page_lacks_can_be_refused(make_prima: MakePrima) -> None:
    prima = make_prima(outside_latin1="refuse")
    assert "(14586)" in ask(prima, new_orders(Order(note="\u0141"))).get("Error")


def test_another_company_answers_under_its_own_id_and_an_unknown_one_is_an_error(make_prima: MakePrima) -> None:
    prima = make_prima(companies=("1", "7"))
    assert ask(prima, stock_range(), company="7").get("Company") == "7"
    unknown = ask(prima, new_orders(Order()), company="9")
    assert unknown.get("RequestStatus") == "ERROR"
    assert prima.order_numbers() == []


def test_an_unknown_request_type_is_an_error_for_the_whole_request(prima: PrimaStandIn) -> None:
    root = ask(prima, '<Request RequestType="DespatchList"><Data/></Request>')
    assert (root.get("RequestStatus"), root.get("RequestType")) == ("ERROR", "DespatchList")


def test_the_requests_are_kept_as_they_came(prima: PrimaStandIn) -> None:
    ask(prima, status("77"))
    [kept] = prima.requests()
    assert kept["request_type"] == "OrderStatus"
    assert kept["xml"] == status("77")
    assert 'RequestStatus="ERROR"' in kept["answer"]
