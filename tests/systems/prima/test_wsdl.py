"""The way to the service: WSDL, addresses, time-outs. Whatever is wrong is one sentence that says so."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.prima import PrimaStandIn
from sandbox.prima.settings import StandInSettings
from sandbox.prima.wsdl import wsdl
from sandbox.serving import Server
from schemas.documents import StockTuple
from tasks.errors import (
    CallRefusedError,
    ConfigurationError,
    OutcomeUnknownError,
    SystemUnavailableError,
    UnexpectedResponseError,
)
from tasks.settings import Secrets
from tasks.systems.prima import PrimaClient
from tests.systems.prima.builders import NOT_FOUND, an_order, prima_settings
from tests.systems.prima.conftest import ClientFor

ENVELOPE = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<om:wsomhandlerResponse xmlns:om="urn:omlink">{}</om:wsomhandlerResponse></soap:Body></soap:Envelope>'
)


@contextmanager
def serving(wsdl_body: bytes | None = None, answer: str | bytes = "", status: int = 200) -> Iterator[str]:
    """Serve a WSDL (by default a sound one) and one fixed answer; yields the WSDL's address."""

    async def describe(request: Request) -> Response:
        address = f"http://{request.headers['host']}/wsa"
        body = wsdl(StandInSettings(), address) if wsdl_body is None else wsdl_body
        return Response(body.replace(b"ADDRESS", address.encode()), media_type="text/xml")

    async def call(_: Request) -> Response:
        headers = {"location": "/wsa/wsdl"} if status == 302 else {}
        return Response(answer, status, headers, media_type="text/xml")

    routes = [Route("/wsa/wsdl", describe, methods=["GET"]), Route("/wsa", call, methods=["POST"])]
    server = Server(Starlette(routes=routes))
    server.start()
    try:
        yield f"{server.url}/wsa/wsdl?targetURI=urn:omlink"
    finally:
        server.stop()


def result(document: str) -> str:
    """Return an envelope around an answer document."""
    return ENVELOPE.format(f"<xmlOut>{document.replace('&', '&amp;').replace('<', '&lt;')}</xmlOut>")


def test_an_installation_that_is_down_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SystemUnavailableError, match="no connection"):
        PrimaClient(prima_settings(wsdl_url=f"http://127.0.0.1:{port}/wsdl"), Secrets()).__enter__()


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_wsdl_that_cannot_be_had_now_is_unavailable(prima: PrimaStandIn, client: PrimaClient, status: int) -> None:
    prima.faults.add("wsdl", "status", status=status)
    with pytest.raises(SystemUnavailableError, match=f"HTTP {status}"):
        client.describe()
    assert client.describe()["style"] == "rpc"


def test_half_a_wsdl_is_unavailable_and_read_again_next_time(prima: PrimaStandIn, client: PrimaClient) -> None:
    prima.faults.add("wsdl", "truncate")
    with pytest.raises(SystemUnavailableError, match="WSDL cannot be read"):
        client.describe()
    assert client.describe()["operation"] == "wsomhandler"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<!DOCTYPE html><html><body>It works</body></html>", "web page, not with a WSDL"),
        (b"<wsdls/>", "not with a WSDL"),
        (
            b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:omlink"/>',
            "no operation wsomhandler; it offers none",
        ),
    ],
)
def test_what_is_no_usable_wsdl_is_a_matter_of_settings(body: bytes, sentence: str) -> None:
    with serving(body) as url, pytest.raises(ConfigurationError, match=sentence):
        PrimaClient(prima_settings(wsdl_url=url), Secrets()).describe()


def test_a_wsdl_with_entities_is_refused() -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><definitions>&b;</definitions>'
    with serving(bomb) as url, pytest.raises(SystemUnavailableError, match="DOCTYPE"):
        PrimaClient(prima_settings(wsdl_url=url), Secrets()).describe()


def test_parameters_that_cannot_be_told_apart_are_listed(prima: PrimaStandIn, client_for: ClientFor) -> None:
    prima.settings.company_part, prima.settings.request_part = "p1", "p2"
    with pytest.raises(ConfigurationError, match=r"p1 \(string\), p2 \(string\)"):
        client_for(operation="comwsomhandler", company_id="1").describe()


def test_the_answer_is_read_by_position_whatever_its_name() -> None:
    document = '<Result Company="1" RequestStatus="OK" RequestType="ProductAvailableToSell"><Data/></Result>'
    with serving(answer=result(document).replace("xmlOut", "result")) as url:
        assert PrimaClient(prima_settings(wsdl_url=url), Secrets()).stock_snapshot().rows == []


def test_an_address_on_another_host_gets_nothing_unless_it_is_set(prima: PrimaStandIn, client_for: ClientFor) -> None:
    prima.settings.wsdl_address = "http://localhost:1/wsalive/wsalive"
    with pytest.raises(ConfigurationError, match=r"prima\.endpoint_url"):
        client_for().describe()
    assert client_for(endpoint_url=prima.url).describe()["address"] == prima.url


@pytest.mark.parametrize("setting", ["wsdl_url", "endpoint_url"])
def test_plain_http_to_a_public_host_is_refused_unless_permitted(setting: str) -> None:
    changes = {setting: "http://no..host/x"}
    with pytest.raises(SystemUnavailableError, match="cannot be resolved"):
        PrimaClient(prima_settings(**changes), Secrets())
    changes = {setting: "http://1.2.3.4:8080/wsalive"}
    with pytest.raises(ConfigurationError, match="public host"):
        PrimaClient(prima_settings(**changes), Secrets())
    PrimaClient(prima_settings(**changes, allow_plain_http=True), Secrets()).close()
    PrimaClient(prima_settings(**{setting: "https://1.2.3.4/wsalive"}), Secrets()).close()
    for private in ("127.0.0.1", "10.1.2.3", "192.168.7.1", "[::1]"):
        PrimaClient(prima_settings(**{setting: f"http://{private}:8080/wsalive"}), Secrets()).close()


def test_a_missing_password_or_ca_file_is_named_before_any_call(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PRIMA_PASSWORD"):
        PrimaClient(prima_settings(basic_auth_user="shop"), Secrets())
    with pytest.raises(ConfigurationError, match=r"prima\.ca_file"):
        PrimaClient(prima_settings(ca_file=str(tmp_path / "none.pem")), Secrets())


@pytest.mark.parametrize(
    "document",
    [
        '<Result RequestType="MultiNewOrder"><Data OrderNumber="30000042"/></Result>',
        '<Result RequestType="MultiNewOrder"><Data OrderNumber="30000042" RequestStatus="MAYBE"/></Result>',
        '<Result RequestType="MultiNewOrder" RequestStatus="OK"/>',
        '<Result RequestType="MultiNewOrder" RequestStatus="OK"><Data OrderNumber="30000042"/></Result>',
        '<Result RequestType="MultiNewOrder"><Data OrderNumber="30000043" RequestStatus="OK"/></Result>',
        '<Result RequestType="MultiNewOrder"><Data OrderNumber="30000043" RequestStatus="ERROR"/></Result>',
        '<Result RequestType="OrderStatus"><Data OrderNumber="30000042" RequestStatus="OK"/></Result>',
        '<Result RequestType="MultiNewOrder" RequestStatus="ERROR">'
        '<Data OrderNumber="30000042" RequestStatus="OK"/></Result>',
        '<!DOCTYPE Result><Result RequestType="MultiNewOrder">'
        '<Data OrderNumber="30000042" RequestStatus="OK"/></Result>',
        "<Other/>",
        "not XML",
        "",
    ],
)
def test_an_order_is_accepted_only_by_a_positive_ok_for_its_own_number(document: str) -> None:
    with serving(answer=result(document)) as url:
        client = PrimaClient(prima_settings(wsdl_url=url), Secrets())
        with pytest.raises(OutcomeUnknownError):
            client.send_order(client.prepare_order(an_order()))


def test_an_answer_declared_as_iso_8859_1_keeps_its_characters() -> None:
    document = (
        '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<Result RequestStatus="OK" RequestType="OrderStatus">'
        '<Data OrderNumber="30000042" OrderStatus="Exp\u00e9di\u00e9"/></Result>'
    )
    with serving(answer=result(document)) as url:
        state = PrimaClient(prima_settings(wsdl_url=url), Secrets()).order_status("30000042")
    assert state is not None
    assert (state.status_text, state.status, state.answer) == ("Exp\u00e9di\u00e9", None, document)


def test_not_found_beside_another_error_is_no_proof_of_absence() -> None:
    texts = f"{NOT_FOUND} 30000042 (E:9) The database is being copied"
    document = f'<Result RequestStatus="ERROR" RequestType="OrderStatus" Error="{texts}"/>'
    with serving(answer=result(document)) as url, pytest.raises(CallRefusedError):
        PrimaClient(prima_settings(wsdl_url=url), Secrets()).order_status("30000042")


def test_a_stock_answer_without_ok_is_no_stock() -> None:
    document = '<Result RequestType="ProductAvailableToSell"><Data/></Result>'
    with serving(answer=result(document)) as url, pytest.raises(OutcomeUnknownError):
        PrimaClient(prima_settings(wsdl_url=url), Secrets()).stock_snapshot()


def test_a_stock_row_without_its_whole_tuple_stops_the_flow() -> None:
    document = (
        '<Result RequestStatus="OK" RequestType="ProductAvailableToSell"><Data>'
        '<SKU Product="A" MtrxCode1="" MtrxCode2="" MtrxCode3="" AvailableQuantity="1"/></Data></Result>'
    )
    with serving(answer=result(document)) as url, pytest.raises(UnexpectedResponseError, match="MtrxCode4"):
        PrimaClient(prima_settings(wsdl_url=url), Secrets()).stock_snapshot()


def test_a_row_nobody_asked_for_is_not_taken_for_the_one_that_was() -> None:
    document = (
        '<Result RequestStatus="OK" RequestType="MultiAvailableToSell"><Data>'
        '<SKU Product="B" MtrxCode1="" MtrxCode2="" MtrxCode3="" MtrxCode4="" AvailableQuantity="1"/></Data></Result>'
    )
    with serving(answer=result(document)) as url, pytest.raises(UnexpectedResponseError, match="not asked for"):
        PrimaClient(prima_settings(wsdl_url=url), Secrets()).available_to_sell([StockTuple("A")])


def test_a_snapshot_larger_than_ten_megabytes_is_read() -> None:
    row = '<sku Product="P{:07}" MtrxCode1="" MtrxCode2="" MtrxCode3="" MtrxCode4="" AvailableQuantity="1"/>'
    rows = "".join(row.format(number) for number in range(110_000))
    document = f'<Result RequestStatus="OK" RequestType="ProductAvailableToSell"><Data>{rows}</Data></Result>'
    assert len(document) > 10_000_000
    with serving(answer=result(document)) as url:
        assert len(PrimaClient(prima_settings(wsdl_url=url), Secrets()).stock_snapshot().rows) == 110_000


def test_a_redirect_is_reported_and_not_followed() -> None:
    with serving(answer="", status=302) as url:
        client = PrimaClient(prima_settings(wsdl_url=url), Secrets())
        with pytest.raises(ConfigurationError, match="redirect"):
            client.send_order(client.prepare_order(an_order()))
