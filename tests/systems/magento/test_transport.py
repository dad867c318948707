import socket
import ssl
import threading
from pathlib import Path
from urllib.parse import unquote

import pytest

from schemas.documents import ShipmentLine, ShipmentRequest
from tasks.errors import (
    ConfigurationError,
    OutcomeUnknownError,
    SystemUnavailableError,
    UnexpectedResponseError,
)
from tasks.settings import MagentoSettings, Secrets
from tasks.systems.magento import MagentoClient
from tasks.systems.magento.errors import BusyError
from tasks.systems.magento.transport import seconds_to_wait
from tasks.systems.pacing import Pacer
from tests.certificates import certificate
from tests.systems.magento.conftest import ANY_SECRETS, Answer, ScriptedServer

A_SHIPMENT = ShipmentRequest("D100", "000000003", 3, (ShipmentLine(8, 7),), ())
BUSY = Answer(503, "<html><title>Error 503: Service Unavailable</title></html>")


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("trouble", [
    BUSY, Answer(429, "<html>slow down</html>"), Answer(502, "<html/>"), Answer(504, "<html/>"),
    Answer(hang_up=True), Answer(200, '{"items": [', {"Content-Type": "application/json"}),
    Answer(200, [], declared=100),
])  # fmt: skip
def test_a_read_that_meets_trouble_is_asked_again(script, client_for, trouble):
    server = script(trouble, trouble, Answer(200, []))
    assert client_for(server.url).websites() == []
    assert len(server.asked) == 3


def test_a_read_gives_up_after_the_attempts_of_the_settings(script, client_for):
    server = script(BUSY)
    with pytest.raises(SystemUnavailableError):
        client_for(server.url, read_attempts=3).websites()
    assert len(server.asked) == 3


def test_a_read_that_never_comes_whole_broke_its_contract(script, client_for):
    server = script(Answer(200, '{"items": [', {"Content-Type": "application/json"}))
    with pytest.raises(UnexpectedResponseError, match="no whole JSON"):
        client_for(server.url, read_attempts=2).websites()
    assert len(server.asked) == 2


@pytest.mark.parametrize("answer", [Answer(500, {"message": "Internal Error."}), Answer(400, {"message": "Bad."})])
def test_a_read_that_fails_for_its_own_fault_is_asked_once(script, client_for, answer):
    server = script(answer)
    with pytest.raises(Exception, match="GET /V1/store/websites"):
        client_for(server.url).websites()
    assert len(server.asked) == 1


@pytest.mark.parametrize("trouble", [Answer(hang_up=True), Answer(200, "46", declared=100)])
def test_a_write_whose_answer_is_lost_is_unknown_and_not_repeated(script, client_for, trouble):
    server = script(trouble)
    with pytest.raises(OutcomeUnknownError):
        client_for(server.url).ship(A_SHIPMENT)
    assert len(server.asked) == 1


def test_a_write_that_is_not_answered_in_time_is_unknown(client_for):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = client_for(f"http://127.0.0.1:{deaf.getsockname()[1]}", read_timeout_seconds=0.05)
        with pytest.raises(OutcomeUnknownError, match="ReadTimeout"):
            client.ship(A_SHIPMENT)


def test_a_refused_connection_means_that_nothing_happened(client_for):
    client = client_for(f"http://127.0.0.1:{unused_port()}")
    for call in (client.websites, lambda: client.ship(A_SHIPMENT)):
        with pytest.raises(SystemUnavailableError, match=r"no connection.*check magento\.base_url"):
            call()


def test_the_pause_that_magento_asks_for_is_kept():
    def busy(retry_after: float | None) -> BusyError:
        return BusyError("busy", retry_after=retry_after, operation="GET /V1/orders", reference="")

    assert seconds_to_wait(busy(7)) == 7
    assert seconds_to_wait(busy(None)) is True
    assert seconds_to_wait(busy(3600)) is False
    assert seconds_to_wait(SystemUnavailableError("no connection")) is True
    assert seconds_to_wait(OutcomeUnknownError("lost")) is False


def test_retry_after_is_read_from_the_answer(script, client_for):
    server = script(Answer(429, "<html/>", {"Retry-After": "3600"}))
    with pytest.raises(BusyError) as raised:
        client_for(server.url).websites()
    assert raised.value.retry_after == 3600
    assert len(server.asked) == 1


def test_every_attempt_waits_for_its_turn(script):
    turns: list[str] = []
    server = script(BUSY, Answer(200, []))
    with MagentoClient(
        MagentoSettings(base_url=server.url), Secrets(ANY_SECRETS.get), pace=lambda: turns.append("turn")
    ) as client:
        client.websites()
    assert len(turns) == len(server.asked) == 2


def test_the_pacer_gives_each_call_a_slot_of_its_own_even_to_threads():
    slept: list[float] = []
    pacer = Pacer(4, clock=lambda: 100.0, sleep=slept.append)
    threads = [threading.Thread(target=pacer) for _ in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(slept) == [0.25, 0.5, 0.75, 1.0]


def test_a_pause_longer_than_the_interval_needs_no_waiting():
    times = iter([0.0, 10.0, 10.1])
    slept: list[float] = []
    pacer = Pacer(5, clock=lambda: next(times), sleep=slept.append)
    for _ in range(3):
        pacer()
    assert slept == [pytest.approx(0.1)]


def test_the_client_says_who_it_is_and_ignores_cookies(script, client_for):
    server = script(Answer(200, [], {"Set-Cookie": "PHPSESSID=abc; path=/"}))
    client = client_for(server.url)
    client.websites()
    client.websites()
    for asked in server.asked:
        assert asked.headers["User-Agent"].startswith("magento-prima/")
        assert asked.headers["Accept"] == "application/json"
        assert "Cookie" not in asked.headers


@pytest.mark.parametrize("segment", ["AB%2F12-CD", "50%25OFF-1", "%252F-enc", "..%2Fup", "tab%09in"])
def test_an_encoded_sku_arrives_as_it_was_encoded(script, client_for, segment):
    server = script(Answer(200, {"sku": "x"}))
    client_for(server.url).product(unquote(segment))
    assert server.asked[0].target == f"/rest/V1/products/{segment}"


def speak_tls(server: ScriptedServer, folder: Path) -> tuple[str, Path]:
    """Put TLS before a server; returns its address and its certificate."""
    public, private = certificate(folder, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    server.wrap(context)
    return server.url.replace("http://127.0.0.1", "https://localhost"), public


def test_a_certificate_that_nobody_vouches_for_is_refused(script, client_for, tmp_path):
    url, _ = speak_tls(script(Answer(200, [])), tmp_path)
    with pytest.raises(ConfigurationError, match=r"cannot be trusted.*magento\.ca_file"):
        client_for(url).websites()


def test_a_certificate_of_the_authority_in_the_settings_is_accepted(script, client_for, tmp_path):
    url, public = speak_tls(script(Answer(200, [])), tmp_path)
    known = tmp_path / "known.pem"
    known.write_bytes(certificate(tmp_path, "other")[0].read_bytes())
    with pytest.raises(ConfigurationError, match="cannot be trusted"):
        client_for(url, ca_file=str(known)).websites()
    known.write_bytes(public.read_bytes())
    assert client_for(url, ca_file=str(known)).websites() == [], "the file is read again once it was replaced"


def test_https_to_a_plain_http_port_is_a_matter_of_configuration(script, client_for):
    url = script(Answer(200, [])).url.replace("http:", "https:")
    with pytest.raises(ConfigurationError, match="does not speak TLS"):
        client_for(url).websites()


def test_a_ca_file_that_is_not_there_is_named_at_once(client_for):
    with pytest.raises(ConfigurationError, match=r"/no/such/ca\.pem"):
        client_for("https://localhost", ca_file="/no/such/ca.pem")
