"""A mail server on this machine: keeps what it is handed, and refuses when it is told to."""

import base64
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from threading import Thread
from typing import Any


@dataclass
class MailReceiver:
    """`messages` are the mails that it took, `to` whom each was for, `logins` who came with which password.

    `answers` are given by command (`RCPT`, `DATA`) instead of its own, in turn; an empty one ends the connection.
    """

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[str, list[str]] = field(default_factory=dict)


@contextmanager
def receiving(certificate: tuple[Path, Path] | None = None) -> Iterator[MailReceiver]:
    """Receive for the block, at a port of its own of 127.0.0.1; with a certificate and its key after STARTTLS alone."""
    receiver = MailReceiver()
    with _Server(receiver, certificate) as server:
        receiver.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, receiver: MailReceiver, certificate: tuple[Path, Path] | None) -> None:
        self.receiver, self.certificate = receiver, certificate
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: Any) -> None:
        """A caller that leaves in the middle is what some tests are about."""


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        people: list[str] = []
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.split(" ")[0].upper()
            if planned := self.server.receiver.answers.get(word):
                answer = planned.pop(0)
                if not answer:
                    return
                self.say(answer)
                continue
            self.serve(word, line, people)

    def serve(self, word: str, line: str, people: list[str]) -> None:
        if word == "EHLO":
            offered = "STARTTLS" if self.server.certificate and not self.is_private() else "AUTH PLAIN"
            self.say("250-here", f"250 {offered}")
        elif word == "STARTTLS" and self.server.certificate:
            self.say("220 go on")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.server.certificate)
            self.request = context.wrap_socket(self.request, server_side=True)
            self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        elif word == "AUTH":
            _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
            self.server.receiver.logins.append((user, password))
            self.say("235 you are")
        elif word == "RCPT":
            people.append(line.partition("<")[2].rstrip(">"))
            self.say("250 known")
        elif word == "DATA":
            self.say("354 go on")
            content = b"".join(iter(self.rfile.readline, b".\r\n"))
            self.server.receiver.messages.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
            self.server.receiver.to.append(people)
            self.say("250 taken")
        else:
            self.say("250 well")

    def is_private(self) -> bool:
        return isinstance(self.request, ssl.SSLSocket)

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
