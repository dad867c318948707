"""Faults strike the operation they name, as often as planned, with or without the effect of the call."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.serving import Server, control_routes


class Shop:
    """An application with an effect to count."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.clock = Clock()
        self.sold: list[str] = []
        app = Starlette(
            routes=[
                *control_routes(self.faults, self.clock, lambda: {"sold": len(self.sold)}),
                Route("/sell/{thing}", self.sell, methods=["POST"]),
            ]
        )
        self.server = Server(self.named(app))

    def named(self, app: ASGIApp) -> ASGIApp:
        return self.faults.wrap(app, lambda scope, _: f"{scope['method']} {PurePosixPath(scope['path'])}")

    async def sell(self, request: Request) -> Response:
        thing = (await request.body()).decode()
        self.sold.append(thing)
        return JSONResponse({"sold": thing})


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    with shop.server:
        yield shop


def sell(shop: Shop, thing: str = "boot", timeout: float = 30) -> httpx.Response:
    return httpx.post(f"{shop.server.url}/sell/{thing}", content=thing, timeout=timeout)


def test_without_faults_a_call_is_answered(shop: Shop) -> None:
    assert sell(shop).json() == {"sold": "boot"}
    assert shop.sold == ["boot"]


def test_a_lost_answer_leaves_the_effect_behind(shop: Shop) -> None:
    shop.faults.add("POST /sell/*", "lose_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        sell(shop)
    assert shop.sold == ["boot"]
    assert sell(shop).status_code == 200, "a fault planned once strikes once"


def test_a_reset_has_no_effect(shop: Shop) -> None:
    shop.faults.add("*", "reset")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        sell(shop)
    assert shop.sold == []


def test_a_status_fault_is_an_html_page_without_effect(shop: Shop) -> None:
    shop.faults.add("*", "status", status=429, retry_after=7)
    answer = sell(shop)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["content-type"].startswith("text/html")
    assert shop.sold == []


def test_a_proxy_can_answer_503_although_the_effect_happened(shop: Shop) -> None:
    shop.faults.add("*", "status", status=503, after_effect=True)
    assert sell(shop).status_code == 503
    assert shop.sold == ["boot"]


def test_a_truncated_answer_is_half_a_body_after_the_effect(shop: Shop) -> None:
    shop.faults.add("*", "truncate")
    assert sell(shop).text == '{"sold":'[: len('{"sold":"boot"}') // 2]
    assert shop.sold == ["boot"]


def test_a_truncated_answer_can_be_a_connection_that_closes_early(shop: Shop) -> None:
    shop.faults.add("*", "truncate", close=True)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        sell(shop)
    assert shop.sold == ["boot"]


def test_a_delayed_answer_outlasts_the_clients_patience_and_the_effect_stays(shop: Shop) -> None:
    shop.faults.add("*", "delay", seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        sell(shop, timeout=0.5)
    assert shop.sold == ["boot"]


def test_a_fault_strikes_only_the_operation_it_names(shop: Shop) -> None:
    shop.faults.add("POST /sell/shoe", "reset")
    assert sell(shop, "boot").status_code == 200
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        sell(shop, "shoe")


def test_a_fault_counts_its_times_down_and_none_means_for_ever(shop: Shop) -> None:
    shop.faults.add("*", "status", times=2)
    assert [sell(shop).status_code for _ in range(3)] == [503, 503, 200]
    shop.faults.add("*", "status", times=None)
    assert [sell(shop).status_code for _ in range(4)] == [503] * 4
    shop.faults.clear()
    assert sell(shop).status_code == 200


def test_a_rate_strikes_the_same_calls_for_the_same_seed() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add("*", "reset", times=None, rate=0.3)
        return [faults.take("reset", "any") is not None for _ in range(200)]

    assert struck(7) == struck(7)
    assert struck(7) != struck(8)
    assert 30 < sum(struck(7)) < 90


def test_faults_are_planned_listed_and_cleared_over_http(shop: Shop) -> None:
    address = f"{shop.server.url}/_sandbox/faults"
    planned = httpx.post(address, json={"target": "POST /sell/*", "kind": "status", "times": 1, "status": 500}).json()
    assert httpx.get(address).json()["faults"] == [
        {"id": planned["id"], "target": "POST /sell/*", "kind": "status", "times": 1, "rate": 1.0, "status": 500}
    ]
    assert sell(shop).status_code == 500
    httpx.post(address, json={"target": "*", "kind": "reset", "times": None})
    assert httpx.delete(address).json() == {"faults": []}
    assert sell(shop).status_code == 200


def test_an_unknown_kind_of_fault_is_refused_with_a_message(shop: Shop) -> None:
    answer = httpx.post(f"{shop.server.url}/_sandbox/faults", json={"target": "*", "kind": "earthquake"})
    assert answer.status_code == 400
    assert "earthquake" in answer.json()["message"]


def test_the_clock_is_set_moved_and_released_over_http(shop: Shop) -> None:
    address = f"{shop.server.url}/_sandbox/clock"
    httpx.post(address, json={"now": "2026-11-23T02:52:35+00:00"})
    assert httpx.post(address, json={"advance_seconds": 60}).json() == {"now": "2026-11-23T02:53:35+00:00"}
    assert shop.clock.now() == datetime(2026, 11, 23, 2, 53, 35, tzinfo=UTC)
    httpx.post(address, json={"now": None})
    assert abs(shop.clock.now() - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_naive_instant_is_refused_by_the_clock() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Clock(datetime(2026, 11, 23))  # noqa: DTZ001


def test_a_stopped_server_refuses_connections_and_comes_back_at_the_same_address(shop: Shop) -> None:
    address = shop.server.url
    shop.server.stop()
    with pytest.raises(httpx.ConnectError):
        sell(shop)
    shop.server.start()
    assert shop.server.url == address
    assert sell(shop).status_code == 200
    assert httpx.get(f"{address}/_sandbox/health").json()["sold"] == 1
