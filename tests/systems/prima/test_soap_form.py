"""The form of the envelope by `[prima.soap]`: read from the WSDL, put right by single settings, or written by hand."""

import pytest

from sandbox.prima import PrimaStandIn
from schemas.documents import StockTuple
from tasks.errors import ConfigurationError, OutcomeUnknownError, SystemUnavailableError
from tests.systems.prima.builders import BOOT, an_order
from tests.systems.prima.conftest import ClientFor

BY_HAND = {"style": "rpc_literal", "request_part": "xmlIn"}


@pytest.mark.parametrize("style", ["rpc_literal", "rpc_encoded", "document_wrapped"])
def test_each_style_written_by_hand_is_understood_without_a_wsdl(
    prima: PrimaStandIn, client_for: ClientFor, style: str
) -> None:
    prima.settings.style, prima.settings.hides_wsdl = style, True  # type: ignore[assignment]
    prima.settings.request_part, prima.settings.answer_part = "ipRequest", "opAnswer"
    prima.settings.demands_xsi_type = style == "rpc_encoded"
    soap = {"style": style, "request_part": "ipRequest", "answer_part": "opAnswer"}
    client = client_for(wsdl_url="", base_url=prima.url, soap=soap)

    client.send_order(client.prepare_order(an_order(note='Ring "twice" & <wait>')))

    assert prima.order_numbers() == ["30000042"]
    assert client.available_to_sell([BOOT])[0].quantity == "6"
    assert client.describe()["style"] == ("document" if style == "document_wrapped" else "rpc")


@pytest.mark.parametrize("comes", ["first", "last"])
def test_the_company_id_stands_where_the_settings_put_it(
    prima: PrimaStandIn, client_for: ClientFor, comes: str
) -> None:
    prima.settings.companies, prima.settings.company_comes = ("1", "7"), comes  # type: ignore[assignment]
    prima.settings.company_part = "ipCompany"
    soap = {**BY_HAND, "company_part": "ipCompany", "company_comes": comes}
    at = {"endpoint_url": prima.url, "operation": "comwsomhandler", "company_id": "7", "expected_company": "7"}

    assert client_for(**at, soap=soap).stock_snapshot().company == "7"
    wrong = {**soap, "company_comes": "last" if comes == "first" else "first"}
    with pytest.raises(SystemUnavailableError, match="Expected the parameters"):
        client_for(**at, soap=wrong).stock_snapshot()


def test_an_installation_that_wants_xsi_type_refuses_the_literal_form(
    prima: PrimaStandIn, client_for: ClientFor
) -> None:
    prima.settings.demands_xsi_type = True
    with pytest.raises(SystemUnavailableError, match="xsi:type"):
        client_for(endpoint_url=prima.url, soap=BY_HAND).stock_snapshot()
    client_for(endpoint_url=prima.url, soap={**BY_HAND, "style": "rpc_encoded"}).stock_snapshot()


@pytest.mark.parametrize("style", ["auto", "rpc_literal"])
def test_the_soap_action_of_the_settings_wins(prima: PrimaStandIn, client_for: ClientFor, style: str) -> None:
    prima.settings.demands_soap_action = "urn:omlink/wsomhandler"
    with pytest.raises(SystemUnavailableError, match="SOAPAction"):
        client_for().stock_snapshot()
    soap = {**BY_HAND, "style": style, "soap_action": "urn:omlink/wsomhandler"}
    client = client_for(endpoint_url=prima.url, soap=soap)
    assert len(client.stock_snapshot().rows) == 3
    assert client.describe()["soap_action"] == "urn:omlink/wsomhandler"


def test_an_empty_soap_action_can_be_asked_for_against_the_wsdl(prima: PrimaStandIn, client_for: ClientFor) -> None:
    prima.settings.soap_action, prima.settings.demands_soap_action = "urn:other", ""
    with pytest.raises(SystemUnavailableError, match="SOAPAction"):
        client_for().stock_snapshot()
    assert len(client_for(soap={"soap_action": ""}).stock_snapshot().rows) == 3


def test_parts_that_the_wsdl_does_not_tell_apart_are_named_by_the_settings(
    prima: PrimaStandIn, client_for: ClientFor
) -> None:
    prima.settings.company_part, prima.settings.request_part = "p1", "p2"
    at = {"operation": "comwsomhandler", "company_id": "1"}
    with pytest.raises(ConfigurationError, match=r"prima\.soap\.request_part"):
        client_for(**at).describe()
    for soap in ({"request_part": "p2"}, {"company_part": "p1"}, {"request_part": "p2", "company_part": "p1"}):
        assert len(client_for(**at, soap=soap).stock_snapshot().rows) == 3


def test_a_part_that_the_wsdl_does_not_have_is_a_mistake_of_the_settings(client_for: ClientFor) -> None:
    with pytest.raises(ConfigurationError, match=r"prima\.soap\.request_part is ipXml, but the WSDL has xmlIn"):
        client_for(soap={"request_part": "ipXml"}).describe()


def test_an_answer_under_another_name_than_the_settings_give_is_no_answer(
    prima: PrimaStandIn, client_for: ClientFor
) -> None:
    client = client_for(soap={"answer_part": "result"})
    with pytest.raises(OutcomeUnknownError, match=r"named result \(prima\.soap\.answer_part\)"):
        client.send_order(client.prepare_order(an_order()))
    prima.settings.answer_part = "result"
    assert client.order_status("30000042") is not None


def test_request_types_go_by_the_names_of_the_installation(prima: PrimaStandIn, client_for: ClientFor) -> None:
    names = {"create": "WebOrder", "status": "WebState", "stock_list": "WebList", "stock_range": "WebRange"}
    known = ("MultiNewOrder", "OrderStatus", "MultiAvailableToSell", "ProductAvailableToSell")
    prima.settings.request_names = dict(zip(known, names.values(), strict=True))
    client = client_for(requests=names)

    client.send_order(client.prepare_order(an_order()))
    state = client.order_status("30000042")
    assert state is not None
    assert state.status_text == "On Order"
    assert client.order_status("30000099") is None
    assert [row.item for row in client.available_to_sell([BOOT])] == [BOOT]
    assert StockTuple("WAXTIN", "NONE", "ONE") in [row.item for row in client.stock_snapshot().rows]
    assert [request["request_type"] for request in prima.requests()] == [
        "WebOrder", "WebState", "WebState", "WebList", "WebRange",
    ]  # fmt: skip
