"""How a stand-in is served: one ASGI application on uvicorn in a thread, and the control routes that all have."""

import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.clock import Clock
from sandbox.faults import Faults


class Server:
    """Serves one ASGI application over HTTP in a background thread; a context manager.

    With `port=0` the system picks a free port at the first start, and a later start takes the same one again, so that
    a system can be "down" for a while under an unchanged address. `tls` are uvicorn's `ssl_...` settings.
    """

    def __init__(
        self, app: ASGIApp, *, port: int = 0, host: str = "127.0.0.1", tls: Mapping[str, Any] | None = None
    ) -> None:
        self._app = app
        self._tls = dict(tls or {})
        self._host = host
        self._port = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port in use, 0 before the first start when the system is to pick it."""
        return self._port

    @property
    def url(self) -> str:
        """Address without a final slash: `http://127.0.0.1:40123`."""
        return f"{'https' if self._tls else 'http'}://{self._host}:{self._port}"

    def start(self) -> None:
        """Serve, and return once connections are answered; OSError when the port is taken."""
        if self._thread is not None:
            return
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
        except OSError:
            listener.close()
            raise
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http="h11",  # faults.abort reaches into its request cycle
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            **self._tls,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name=f"stand-in {self._port}", daemon=True
        )
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                self._thread = None
                listener.close()
                raise RuntimeError(f"The server on port {self._port} stopped while it started")
            time.sleep(0.002)

    def stop(self) -> None:
        """Stop serving and wait for the thread; calls under way are cut after a second. Harmless when not started."""
        if self._thread is None or self._server is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._thread = self._server = None

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


Endpoint = Callable[[Request], Awaitable[JSONResponse]]


def control_routes(faults: Faults, clock: Clock, describe: Callable[[], dict[str, Any]] = dict) -> list[Route]:
    """Return the routes under /_sandbox/ that every stand-in has: health, faults and clock.

    `describe()` adds to the answer of GET /_sandbox/health. A request that cannot be understood is answered with 400
    and `{"message": ...}`.
    """

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "now": clock.now().isoformat(), **describe()})

    async def plan_fault(request: Request) -> JSONResponse:
        asked = dict(await request.json())
        return JSONResponse({"id": faults.add(asked.pop("target", "*"), asked.pop("kind"), **asked)})

    async def list_faults(_: Request) -> JSONResponse:
        return JSONResponse({"faults": faults.pending()})

    async def clear_faults(_: Request) -> JSONResponse:
        faults.clear()
        return JSONResponse({"faults": []})

    async def set_clock(request: Request) -> JSONResponse:
        asked = await request.json()
        if "now" in asked:
            clock.set(None if asked["now"] is None else datetime.fromisoformat(asked["now"]))
        if asked.get("advance_seconds"):
            clock.advance(timedelta(seconds=asked["advance_seconds"]))
        return JSONResponse({"now": clock.now().isoformat()})

    return [
        Route("/_sandbox/health", health, methods=["GET"]),
        Route("/_sandbox/faults", told(plan_fault), methods=["POST"]),
        Route("/_sandbox/faults", list_faults, methods=["GET"]),
        Route("/_sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/_sandbox/clock", told(set_clock), methods=["POST"]),
    ]


def told(endpoint: Endpoint) -> Endpoint:
    """Return the control endpoint answering 400 with a message for a request that it cannot understand."""

    async def answered(request: Request) -> JSONResponse:
        try:
            return await endpoint(request)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"message": f"{type(error).__name__}: {error}"}, status_code=400)

    return answered
