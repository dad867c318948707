"""A client against the stand-in, and a server that answers whatever a test tells it."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stamina

from sandbox.magento import MagentoStandIn
from tasks.settings import SECRETS, MagentoSettings, Secrets
from tasks.systems.magento import MagentoClient

RECORDINGS = Path(__file__).parents[2] / "recordings"
ANY_SECRETS = {name: f"{name.lower()}-value" for name in SECRETS}

ClientFor = Callable[..., MagentoClient]


def recording(name: str) -> dict[str, Any]:
    """One recorded exchange of a real Magento: request and response."""
    content: dict[str, Any] = json.loads((RECORDINGS / name).read_text(encoding="utf-8"))
    return content


def sample_orders(*entity_ids: int) -> list[dict[str, Any]]:
    """The recorded orders with these ids, or all 84."""
    orders = [each["order"] for each in recording("orders/sample-orders.json")["orders"]]
    return [each for each in orders if not entity_ids or each["entity_id"] in entity_ids]


@dataclass(frozen=True)
class Asked:
    """A request as it arrived: the target exactly as on the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What to answer; `declared` is a false Content-Length, after which the connection is closed."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    declared: int | None = None
    hang_up: bool = False


class QuietServer(ThreadingHTTPServer):
    """A server that does not print the connections that tests break on purpose."""

    def handle_error(self, *args: Any) -> None:
        """Say nothing."""


class ScriptedServer:
    """Answers requests with the answers given, in order, the last of them for ever; keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Asked] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                owner.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
                owner._send(self, owner.answers.pop(0) if len(owner.answers) > 1 else owner.answers[0])

            do_GET = do_POST = do_PUT = _answer

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._http = QuietServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.hang_up:
            request.close_connection = True
            return
        is_text = isinstance(answer.body, str)
        content = answer.body.encode() if is_text else json.dumps(answer.body).encode()
        request.send_response(answer.status)
        headers = {"Content-Type": "text/html; charset=UTF-8" if is_text else "application/json; charset=utf-8"}
        for name, value in (headers | answer.headers).items():
            request.send_header(name, value)
        length = len(content) if answer.declared is None else answer.declared
        request.send_header("Content-Length", str(length))
        request.end_headers()
        request.wfile.write(content)
        if answer.declared is not None:
            request.close_connection = True


@pytest.fixture(autouse=True)
def _no_pauses_between_attempts() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture(autouse=True)
def _only_the_secrets_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def script() -> Iterator[Callable[..., ScriptedServer]]:
    """Start a server with these answers."""
    servers: list[ScriptedServer] = []

    def start(*answers: Answer) -> ScriptedServer:
        servers.append(ScriptedServer(*answers))
        return servers[-1]

    yield start
    for each in servers:
        each.stop()


@pytest.fixture
def client_for() -> Iterator[ClientFor]:
    """Make a client of an address, with other secrets and settings where a test needs them."""
    clients: list[MagentoClient] = []

    def make(url: str, secrets: dict[str, str] | None = None, **settings: Any) -> MagentoClient:
        known = ANY_SECRETS if secrets is None else secrets
        given: dict[str, Any] = {"connect_timeout_seconds": 2, "read_timeout_seconds": 5} | settings
        chosen = MagentoSettings(base_url=url, **given)
        clients.append(MagentoClient(chosen, Secrets(known.get), pace=lambda: None))
        return clients[-1]

    yield make
    for each in clients:
        each.close()


@pytest.fixture
def magento(tmp_path: Path) -> Iterator[MagentoStandIn]:
    """An empty shop."""
    with MagentoStandIn(tmp_path / "magento") as shop:
        yield shop


@pytest.fixture
def client(magento: MagentoStandIn, client_for: ClientFor) -> MagentoClient:
    """A client with the keys of the shop."""
    return client_for(magento.url, magento.secrets)
