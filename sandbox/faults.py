"""Faults on demand: what goes wrong between an integration and its systems, planned by tests and rehearsals.

A planned fault names a target (a glob over operation names), a kind, how often (`times`, None for ever) and how likely
(`rate`). `Faults.wrap` plays those that concern the wire, on requests whose body holds `containing` where that is
given; an application plays the others itself after `take`.
"""

import asyncio
import fnmatch
import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Literal, get_args

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FaultKind = Literal[
    "lose_answer",  # the effect happens, the connection is cut without an answer
    "reset",  # the connection is cut before any effect
    "delay",  # seconds=: the effect happens at once, the answer comes late; before_effect=True: both come late
    "status",  # status=429|500|503, retry_after=: an HTML page, no effect; after_effect=True: the effect happens;
    # message=, parameters=: JSON as of Magento instead of the page
    "truncate",  # the effect happens, half a body comes; close=True: the length of the whole is declared first
    "soap_fault",  # PRIMA: text=, after_effect=
    "refuse_order",  # PRIMA: text=, in which {CustomerSurname} is that attribute of the order's; no effect
    "cut_answer",  # PRIMA: a sound envelope around share= (0.5) of the answer document; 0 is an empty string
    "duplicate_page",  # Magento: a page repeats rows of the one before
    "frozen_updated_at",  # Magento: a write does not touch updated_at
    "unreadable_order",  # Magento: increment_id= or entity_id=: 500 for each read and list page that would hold it
    "unreadable_document",  # Magento: the same of an invoice, shipment or credit memo; target: "GET /V1/creditmemo*"
    "empty_snapshot",  # PRIMA: a stock answer with status OK and no row
    "shrunken_snapshot",  # PRIMA: share= of the rows of a stock answer
    "multiplied_snapshot",  # PRIMA: quantities of a stock answer times factor= (10), cut to whole units
    "shifted_snapshot",  # PRIMA: quantities of a stock answer are what belongs to another column= ("MtrxCode2")
    "no_effect",  # Magento: a write is answered with success, and nothing of it is kept
    "stale_clock",  # seconds=: the application's clock is behind
]

ON_THE_WIRE: tuple[FaultKind, ...] = ("reset", "status", "lose_answer", "truncate")

NameOf = Callable[[MutableMapping[str, Any], bytes], str]


@dataclass
class _Planned:
    id: str
    target: str
    kind: FaultKind
    times: int | None
    rate: float
    detail: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {**self.detail, "id": self.id, "target": self.target, "kind": self.kind} | {
            "times": self.times,
            "rate": self.rate,
        }


class Faults:
    """The planned faults of one stand-in; thread-safe, and repeatable by its seed when a rate is below 1."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._dice = random.Random(seed)
        self._planned: list[_Planned] = []
        self._numbers = itertools.count(1)
        self._under_way: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()

    def add(self, target: str, kind: FaultKind, *, times: int | None = 1, rate: float = 1.0, **detail: Any) -> str:
        """Plan a fault and return its id; ValueError for an unknown kind, a rate outside 0..1 or times below 1."""
        if kind not in get_args(FaultKind):
            raise ValueError(f"{kind!r} is not a kind of fault: {', '.join(get_args(FaultKind))}")
        if not 0 <= rate <= 1:
            raise ValueError(f"rate {rate} is not between 0 and 1")
        if times is not None and times < 1:
            raise ValueError(f"times {times} is not at least 1")
        with self._lock:
            fault = _Planned(f"fault-{next(self._numbers)}", target, kind, times, rate, detail)
            self._planned.append(fault)
        return fault.id

    def clear(self) -> None:
        """Forget every planned fault."""
        with self._lock:
            self._planned.clear()

    def pending(self) -> list[dict[str, Any]]:
        """Return the faults still to come: id, target, kind, times left (None for ever), rate and their detail."""
        with self._lock:
            return [fault.as_dict() for fault in self._planned]

    def under_way(self) -> int:
        """Return how many calls are being worked on: none of them can take an effect any more once this is 0."""
        return sum(self._under_way.values())

    def take(self, kind: FaultKind, target: str, **detail: Any) -> dict[str, Any] | None:
        """Use up one planned fault of a kind for an operation and return its detail, or None if none strikes.

        With `detail`, only a fault that was planned with these values strikes.
        """
        return self._take((kind,), target, detail)

    def _take(
        self,
        kinds: Iterable[FaultKind],
        target: str,
        detail: Mapping[str, Any] = MappingProxyType({}),
        body: bytes = b"",
    ) -> dict[str, Any] | None:
        with self._lock:
            for fault in self._planned:
                if fault.kind not in kinds or not fnmatch.fnmatchcase(target, fault.target):
                    continue
                if any(fault.detail.get(name) != value for name, value in detail.items()):
                    continue
                if str(fault.detail.get("containing", "")).encode() not in body:
                    continue
                if fault.rate < 1 and self._dice.random() >= fault.rate:
                    continue
                taken = fault.as_dict()
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._planned.remove(fault)
                return taken
        return None

    def wrap(self, app: ASGIApp, name_of: NameOf) -> ASGIApp:
        """Return the application behind the faults of the wire. It must be the outermost one that uvicorn calls.

        `name_of(scope, body)` names the operation of a request. Paths under /_sandbox/ are never disturbed. A delay
        may strike together with one other fault.
        """

        async def disturbed(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"].startswith("/_sandbox/"):
                await app(scope, receive, send)
                return
            body = await _read_body(receive)
            if body is None:
                return
            name = name_of(scope, body)
            with self._counted(name):
                await answered(scope, receive, send, body, name)

        async def answered(scope: Scope, receive: Receive, send: Send, body: bytes, name: str) -> None:
            delay = self.take("delay", name) or {}
            fault = self._take(ON_THE_WIRE, name, body=body) or {}
            if delay.get("before_effect"):
                await asyncio.sleep(float(delay["seconds"]))
            if fault.get("kind") == "reset":
                abort(receive)
                return
            if fault.get("kind") == "status" and not fault.get("after_effect"):
                answer = _error_page(fault)
            elif not delay and not fault:
                await app(scope, _replay(body, receive), send)
                return
            else:
                answer = await _answer_of(app, scope, _replay(body, receive))
            if delay and not delay.get("before_effect"):
                await asyncio.sleep(float(delay["seconds"]))
            await _send_disturbed(answer, fault, receive, send)

        return disturbed

    @contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        self._under_way[name] += 1
        self.most_at_once[name] = max(self.most_at_once[name], self._under_way[name])
        try:
            yield
        finally:
            self._under_way[name] -= 1


def abort(receive: Receive) -> None:
    """Cut the client's connection without an answer; needs uvicorn's own `receive` (http="h11")."""
    receive.__self__.transport.abort()  # type: ignore[attr-defined]


async def _send_disturbed(answer: list[Message], fault: dict[str, Any], receive: Receive, send: Send) -> None:
    if fault.get("kind") == "lose_answer":
        abort(receive)
        return
    if fault.get("kind") == "status":
        answer = _error_page(fault)
    elif fault.get("kind") == "truncate":
        start, body = _joined(answer)
        half = body[: len(body) // 2]
        declared = len(body) if fault.get("close") else len(half)
        await send(_with_length(start, declared))
        await send({"type": "http.response.body", "body": half, "more_body": bool(fault.get("close"))})
        if fault.get("close"):
            # close, not abort: what was written must still reach the client, unlike the rest of the body.
            receive.__self__.transport.close()  # type: ignore[attr-defined]
        return
    for message in answer:
        await send(message)


async def _read_body(receive: Receive) -> bytes | None:
    """Return the whole body; None where the client went away before its end, as a web server does with such a call.

    Half a body must not reach the application: without one, the ship route ships everything.
    """
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def replayed() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replayed


async def _answer_of(app: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return messages


def _joined(answer: list[Message]) -> tuple[Message, bytes]:
    body = b"".join(message.get("body", b"") for message in answer if message["type"] == "http.response.body")
    return answer[0], body


def _with_length(start: Message, length: int) -> Message:
    headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    return {**start, "headers": [*headers, (b"content-length", str(length).encode())]}


def _error_page(fault: dict[str, Any]) -> list[Message]:
    status = HTTPStatus(int(fault.get("status", 503)))
    title = f"{status.value} {status.phrase}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n".encode()
    kind = b"text/html; charset=utf-8"
    if "message" in fault:
        said = {name: fault[name] for name in ("message", "parameters") if name in fault}
        page, kind = json.dumps(said).encode(), b"application/json; charset=utf-8"
    headers = [(b"content-type", kind), (b"content-length", str(len(page)).encode())]
    if "retry_after" in fault:
        headers.append((b"retry-after", str(fault["retry_after"]).encode()))
    return [
        {"type": "http.response.start", "status": status.value, "headers": headers},
        {"type": "http.response.body", "body": page, "more_body": False},
    ]
