"""A webhook receiver on this machine: keeps what it is sent, and fails when it is told to."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

HOLD = -1
LONGEST_SECONDS = 120


@dataclass
class Receiver:
    """`messages` are the bodies it took, `keys` their Idempotency-Key; `answers` are given before 200, in turn.

    An answer of 0 closes the connection without one, after the message was taken; `HOLD` waits for `let_go` first.
    """

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    is_held: Event = field(default_factory=Event)
    let_go: Event = field(default_factory=Event)

    def take(self) -> list[dict[str, Any]]:
        """Return what came since the last time."""
        taken, self.messages[:] = list(self.messages), []
        return taken


@contextmanager
def receiving(certificate: tuple[Path, Path] | None = None) -> Iterator[Receiver]:
    """Receive for the block, at a port of its own of 127.0.0.1; with a certificate and its key over TLS."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            code = receiver.answers.pop(0) if receiver.answers else 200
            if code in (0, 200, HOLD):
                receiver.messages.append(json.loads(content))
                receiver.keys.append(self.headers.get("Idempotency-Key", ""))
            if code == HOLD:
                receiver.is_held.set()
                receiver.let_go.wait(LONGEST_SECONDS)
            if code > 0:
                self.send_response(code)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")  # by which Slack says that it has it
            else:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            receiver.url = f"https://localhost:{server.server_port}/"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
