"""How the service is reached: passwords, headers, certificates, a proxy; each off unless the settings say so."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.prima import PrimaStandIn
from sandbox.serving import Server
from tasks.errors import ConfigurationError, SystemUnavailableError
from tasks.settings import Secrets
from tasks.systems.prima import PrimaClient
from tests.certificates import certificate
from tests.systems.prima.builders import an_order, prima_settings
from tests.systems.prima.conftest import ClientFor

KNOWN = {
    "PRIMA_PASSWORD": "pass word",
    "PRIMA_HEADER_VALUE": "key-1",
    "PRIMA_PROXY_PASSWORD": "through",
    "PRIMA_CLIENT_KEY_PASSWORD": "of the key",
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KNOWN:
        monkeypatch.delenv(name, raising=False)


def secrets() -> Secrets:
    return Secrets(KNOWN.get)


def test_user_password_and_headers_open_wsdl_and_service(prima: PrimaStandIn, client_for: ClientFor) -> None:
    prima.settings.basic_auth = ("shop", "pass word")
    prima.settings.demands_headers = {"x-tenant": "7", "x-api-key": "key-1"}
    access = {"basic_auth_user": "shop", "headers": {"X-Tenant": "7"}, "secret_header": "X-Api-Key"}

    client = client_for(secrets(), **access)
    client.send_order(client.prepare_order(an_order()))

    assert prima.order_numbers() == ["30000042"]
    for missing in access:
        less = {name: value for name, value in access.items() if name != missing}
        with pytest.raises(ConfigurationError, match="access denied"):
            client_for(secrets(), **less).describe()


def test_every_secret_that_is_set_nowhere_is_named_at_once(client_for: ClientFor) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client_for(
            Secrets(), basic_auth_user="shop", secret_header="X-Key", proxy_url="http://proxy", proxy_user="shop"
        )
    assert len(caught.value.problems) == 3


@pytest.fixture
def forwarded() -> Iterator[tuple[Server, list[Request]]]:
    """A forward proxy that asks for a user, and the requests that went through it."""
    seen: list[Request] = []

    async def answer_to(request: Request) -> Response:
        seen.append(request)
        if request.headers.get("proxy-authorization") != "Basic c2hvcDp0aHJvdWdo":
            return Response("who are you?", 407)
        address = request.scope["raw_path"].decode() + "?" + request.scope["query_string"].decode()
        headers = {name: value for name, value in request.headers.items() if name not in ("proxy-authorization",)}
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.request(
                request.method, address.rstrip("?"), content=await request.body(), headers=headers
            )
        return Response(answer.content, answer.status_code, media_type="text/xml; charset=utf-8")

    async def forward(scope: Scope, receive: Receive, send: Send) -> None:
        await (await answer_to(Request(scope, receive)))(scope, receive, send)

    with Server(forward) as server:
        yield server, seen


def test_a_proxy_is_used_when_the_settings_name_it(
    prima: PrimaStandIn,
    client_for: ClientFor,
    forwarded: tuple[Server, list[Request]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy, seen = forwarded
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert client_for().describe()["operation"] == "wsomhandler"
    assert not seen

    assert client_for(secrets(), proxy_url=proxy.url, proxy_user="shop").describe()["operation"] == "wsomhandler"
    assert len(seen) == 1
    with pytest.raises(ConfigurationError, match=r"407.*prima\.proxy_user"):
        client_for(proxy_url=proxy.url).describe()

    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(SystemUnavailableError, match="no connection"):
        client_for(proxy_url="environment").describe()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[PrimaStandIn, Path, Path, Path]]:
    """A PRIMA behind TLS that lets in one client certificate; with its own certificate, the client's and its key."""
    of_server, key_of_server = certificate(tmp_path, "localhost")
    of_client, key_of_client = certificate(tmp_path, "shop", password="of the key")
    tls = {
        "ssl_certfile": of_server,
        "ssl_keyfile": key_of_server,
        "ssl_ca_certs": str(of_client),
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
    }
    with PrimaStandIn(tmp_path / "prima", tls=tls) as stand_in:
        yield stand_in, of_server, of_client, key_of_client


def test_a_client_certificate_and_a_ca_file_open_a_service_behind_tls(
    guarded: tuple[PrimaStandIn, Path, Path, Path],
) -> None:
    prima, ca, public, private = guarded
    url = prima.wsdl_url.replace("127.0.0.1", "localhost")
    shown = {"client_certificate_file": str(public), "client_key_file": str(private)}

    def client(found: Secrets, **changes: str) -> PrimaClient:
        return PrimaClient(prima_settings(wsdl_url=url, **changes), found)

    with client(secrets(), ca_file=str(ca), **shown) as opened:
        assert opened.describe()["address"].startswith("https://localhost")
    with pytest.raises(ConfigurationError, match=r"not trusted.*prima\.ca_file"):
        client(secrets(), **shown).describe()
    with pytest.raises(SystemUnavailableError):
        client(secrets(), ca_file=str(ca)).describe()
    with pytest.raises(ConfigurationError, match="PRIMA_CLIENT_KEY_PASSWORD"):
        client(Secrets(), ca_file=str(ca), **shown)
