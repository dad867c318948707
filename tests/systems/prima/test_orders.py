"""Orders over real SOAP: what PRIMA takes, what it refuses, and what nobody can know."""

import hashlib

import pytest
from lxml import etree

from sandbox.prima import PrimaStandIn
from schemas.documents import StockTuple
from tasks.errors import (
    CallRefusedError,
    ConfigurationError,
    IntegrationError,
    OutcomeUnknownError,
    SystemUnavailableError,
)
from tasks.systems.prima import DuplicateOrderError, PrimaClient, PrimaRefusedError, UnclearAnswerError
from tests.systems.prima.builders import a_line, an_address, an_order
from tests.systems.prima.conftest import ClientFor

STYLES = ["rpc_literal", "rpc_encoded", "document_wrapped"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("operation", ["wsomhandler", "comwsomhandler"])
def test_an_order_arrives_whatever_the_style_of_the_installation(
    prima: PrimaStandIn, client_for: ClientFor, style: str, operation: str
) -> None:
    prima.settings.style = style  # type: ignore[assignment]
    prima.settings.demands_xsi_type = style == "rpc_encoded"
    prima.settings.request_part, prima.settings.answer_part = "pclRequest", "pclAnswer"
    prima.settings.companies = ("2",)
    prima.settings.company_part = "pcCompany"
    client = client_for(operation=operation, company_id="2", expected_company="2")

    prepared = client.prepare_order(an_order())
    acceptance, answer = client.send_order(prepared)

    assert acceptance.order_number_prima == "30000042"
    assert acceptance.customer_code.isdigit()
    assert 'RequestStatus="OK"' in answer
    assert prima.order_numbers() == ["30000042"]
    described = client.describe()
    assert described["operation"] == operation
    assert described["style"] == ("document" if style == "document_wrapped" else "rpc")
    assert described["use"] == ("encoded" if style == "rpc_encoded" else "literal")
    assert described["request_part"] == "pclRequest"
    assert described["company_part"] == ("pcCompany" if operation == "comwsomhandler" else "")
    assert described["address"] == prima.url


def test_amounts_and_addresses_arrive_as_they_were_charged_and_written(
    prima: PrimaStandIn, client: PrimaClient
) -> None:
    order = an_order(note='Ring "twice" & wait\nat <the> gate', delivery_address=an_address(surname="O'Quill-Łęcka"))
    client.send_order(client.prepare_order(order))

    stored = prima.order("30000042")
    assert stored is not None
    assert (stored["net"], stored["vat"], stored["gross"]) == (order.net_pence, order.vat_pence, order.gross_pence)
    assert [(line["net"], line["vat"], line["gross"]) for line in stored["lines"]] == [(4998, 999, 5997)]
    sent = stored["sent"]["Data"]
    assert sent["CustomerSurname"] == "O'Quill-Lecka"
    assert (sent["AddrLine1"], sent["AddrLine2"], sent["AddrLine3"]) == ("7 Fenwick Row Flat 2", "Northby", "Westshire")
    assert sent["CustomerEmail"] == "ravi@example.test"
    children = dict(stored["sent"]["children"])
    assert children["OrderHeaderData"]["SpecialInstructions"] == 'Ring "twice" & wait at <the> gate'
    assert children["OrderLineData"]["ExtTaxVal"] == "9.99"
    assert children["OrderChargeData"] == {"Charge": "STD48", "ChargeValue": "3.95"}
    assert children["OrderPaymentData"]["TranAmount"] == "63.92"


def test_delivery_sent_as_a_line_keeps_its_own_vat(prima: PrimaStandIn, client_for: ClientFor) -> None:
    client = client_for(orders={"delivery_as": "line", "delivery_product": {"product": "DELIVERY"}})
    client.send_order(client.prepare_order(an_order()))

    stored = prima.order("30000042")
    assert stored is not None
    assert [(line["product"], line["vat"], line["gross"]) for line in stored["lines"]] == [
        ("HARBRN", 999, 5997),
        ("DELIVERY", 66, 395),
    ]
    assert stored["gross"] == 6392


def test_the_older_request_type_creates_an_order_too(prima: PrimaStandIn, client: PrimaClient) -> None:
    client.send_order(client.prepare_order(an_order(), request_type="NewOrder"))
    assert [request["request_type"] for request in prima.requests()] == ["NewOrder"]
    assert prima.order_numbers() == ["30000042"]


def test_the_document_that_is_recorded_is_the_one_that_is_sent(prima: PrimaStandIn, client: PrimaClient) -> None:
    prepared = client.prepare_order(an_order())
    client.send_order(prepared)
    assert prima.requests()[-1]["xml"] == prepared.document
    assert prepared.sha256 == hashlib.sha256(prepared.document.encode()).hexdigest()


def test_an_order_that_prima_already_holds_is_a_duplicate(prima: PrimaStandIn, client: PrimaClient) -> None:
    client.send_order(client.prepare_order(an_order()))
    with pytest.raises(DuplicateOrderError) as refused:
        client.send_order(client.prepare_order(an_order()))
    assert refused.value.code == "E:21"
    assert "already exists" in refused.value.answer
    assert prima.order_numbers() == ["30000042"]


@pytest.mark.parametrize("dev_mode", [False, True])
def test_the_cause_of_a_refusal_is_found_behind_its_summary(
    prima: PrimaStandIn, client_for: ClientFor, dev_mode: bool
) -> None:
    prima.settings.dev_mode = dev_mode
    client = client_for(orders={"vat_inclusive": False})
    with pytest.raises(PrimaRefusedError) as refused:
        client.send_order(client.prepare_order(an_order()))
    error = refused.value
    assert error.code == "E:548"
    assert "DEV MODE" not in str(error)
    assert ("DEV MODE" in error.answer) is dev_mode
    assert error.is_development_answer is dev_mode
    assert {block.kind for block in error.blocks} >= {"cause", "summary"}
    assert prima.order_numbers() == []


def test_an_unknown_product_is_refused_in_primas_words(prima: PrimaStandIn, client: PrimaClient) -> None:
    with pytest.raises(CallRefusedError, match="Product does not exist") as refused:
        client.send_order(client.prepare_order(an_order(lines=(a_line(item=StockTuple("GHOST")),))))
    assert not isinstance(refused.value, DuplicateOrderError)


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("lose_answer", {}),
        ("reset", {}),
        ("truncate", {}),
        ("truncate", {"close": True}),
        ("cut_answer", {"share": 0.5}),
        ("cut_answer", {"share": 0}),
        ("soap_fault", {"text": "Lead attributes in a chained-attribute expression must be type HANDLE. (10068)"}),
        ("soap_fault", {"text": "** FIND FIRST/LAST failed for table order. (565)", "after_effect": True}),
        ("status", {"status": 500}),
        ("status", {"status": 504, "after_effect": True}),
    ],
)
def test_an_order_whose_answer_is_lost_or_broken_has_an_unknown_outcome(
    prima: PrimaStandIn, client: PrimaClient, kind: str, detail: dict[str, object]
) -> None:
    prima.faults.add("MultiNewOrder", kind, **detail)  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknownError):
        client.send_order(client.prepare_order(an_order()))


def test_an_order_that_is_not_answered_in_time_has_an_unknown_outcome(
    prima: PrimaStandIn, client_for: ClientFor
) -> None:
    client = client_for(order_timeout_seconds=0.5)
    client.describe()
    prima.faults.add("MultiNewOrder", "delay", seconds=2)
    with pytest.raises(UnclearAnswerError, match="no answer in time"):
        client.send_order(client.prepare_order(an_order()))


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("soap_fault", {"text": "service urn:omlink unavailable (10921)"}),
        ("soap_fault", {"text": "No servers available. (8089)"}),
        ("status", {"status": 404}),
        ("status", {"status": 503}),
    ],
)
def test_an_order_that_the_server_did_not_take_up_may_be_sent_again(
    prima: PrimaStandIn, client: PrimaClient, kind: str, detail: dict[str, object]
) -> None:
    prima.faults.add("MultiNewOrder", kind, **detail)  # type: ignore[arg-type]
    prepared = client.prepare_order(an_order())
    with pytest.raises(SystemUnavailableError):
        client.send_order(prepared)
    assert prima.order_numbers() == []
    client.send_order(prepared)
    assert prima.order_numbers() == ["30000042"]


def test_a_bad_gateway_leaves_an_order_unknown(prima: PrimaStandIn, client: PrimaClient) -> None:
    prima.faults.add("MultiNewOrder", "status", status=502, after_effect=True)
    with pytest.raises(UnclearAnswerError):
        client.send_order(client.prepare_order(an_order()))
    assert prima.order_numbers() == ["30000042"]


def test_a_fault_names_the_request_id_that_operators_search_for(prima: PrimaStandIn, client: PrimaClient) -> None:
    prima.faults.add("MultiNewOrder", "soap_fault", text="service urn:omlink unavailable (10921)")
    with pytest.raises(SystemUnavailableError, match=r"unavailable \(10921\) \[requestID .*stand-in#"):
        client.send_order(client.prepare_order(an_order()))


def test_a_refused_connection_means_that_nothing_happened(prima: PrimaStandIn, client: PrimaClient) -> None:
    prepared = client.prepare_order(an_order())
    client.describe()
    prima.stop()
    with pytest.raises(SystemUnavailableError, match="no connection"):
        client.send_order(prepared)


def test_an_order_answered_by_another_company_has_an_unknown_outcome(
    prima: PrimaStandIn, client_for: ClientFor
) -> None:
    client = client_for(expected_company="7")
    with pytest.raises(OutcomeUnknownError, match="company '1' answered, not '7'"):
        client.send_order(client.prepare_order(an_order()))


def test_a_request_that_prima_cannot_read_is_refused_and_never_repeated_unchanged(
    prima: PrimaStandIn, client_for: ClientFor
) -> None:
    prima.settings.outside_latin1 = "refuse"
    client = client_for(character_policy="charref")
    with pytest.raises(CallRefusedError, match="never send it again unchanged") as refused:
        client.send_order(client.prepare_order(an_order(note="It\u2019s late")))
    assert refused.value.code == "14586"


@pytest.mark.parametrize("kind", ["lose_answer", "soap_fault", "refuse_order"])
def test_no_error_shows_the_customer_even_where_prima_repeats_it(
    prima: PrimaStandIn, client: PrimaClient, kind: str
) -> None:
    text = "Order of {CustomerSurname} QUILL, 7 Fenwick Row Flat 2, Asha@Example.TEST, 01632960123 is locked (1)"
    prima.faults.add("MultiNewOrder", kind, text=text)  # type: ignore[arg-type]
    with pytest.raises(IntegrationError) as failed:
        client.send_order(client.prepare_order(an_order()))
    told = f"{failed.value} {failed.value!r} {getattr(failed.value, 'blocks', '')}".casefold()
    assert not [each for each in ("quill", "fenwick", "asha", "example.test", "960123") if each in told]
    assert ("is locked (1)" in told) is (kind != "lose_answer")


def test_every_attribute_is_sent_even_when_it_is_empty(prima: PrimaStandIn, client_for: ClientFor) -> None:
    full = etree.fromstring(client_for().prepare_order(an_order()).document.encode("latin-1"))
    filled = etree.fromstring(
        client_for(orders={"send_empty_attributes": False}).prepare_order(an_order()).document.encode("latin-1")
    )
    data, small = full[0], filled[0]
    assert data.get("Wardrobe") == ""
    assert data.find("OrderLineData").get("VchEmail") == ""
    assert "Wardrobe" not in small.attrib
    assert "" not in [value for name, value in small.attrib.items() if name != "Customer"]
    assert small.find("OrderLineData").get("MtrxCode3") == ""


def test_a_wrong_password_is_a_matter_of_settings(
    prima: PrimaStandIn, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    prima.settings.basic_auth = ("shop", "right")
    monkeypatch.setenv("PRIMA_PASSWORD", "wrong")
    with pytest.raises(ConfigurationError, match="PRIMA_PASSWORD"):
        client_for(basic_auth_user="shop").describe()
    monkeypatch.setenv("PRIMA_PASSWORD", "right")
    client = client_for(basic_auth_user="shop")
    client.send_order(client.prepare_order(an_order()))
    assert prima.order_numbers() == ["30000042"]
