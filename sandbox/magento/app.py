"""The way of a request through the stand-in: verb, route, permission, body, effect, answer."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sandbox.faults import FaultKind
from sandbox.magento import auth, bulk, errors
from sandbox.magento.figures import php_json
from sandbox.magento.projection import parse_fields, project
from sandbox.magento.routing import Route, find_route
from sandbox.magento.search import parse_query
from sandbox.magento.shop import Call, Handler, Shop
from sandbox.magento.xml import to_xml

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Received:
    """One HTTP request, read in full."""

    method: str
    origin: str
    raw_path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes


def operation_name(method: str, raw_path: str) -> str:
    """Return verb and path without /rest and store code, as faults name it: `POST /V1/order/3/ship`."""
    segments = raw_path.strip("/").split("/")[1:]
    while segments and not re.fullmatch(r"V\d+|async", segments[0]):
        segments.pop(0)
    return f"{method} /{'/'.join(segments)}"


async def answer_rest(request: Request, shop: Shop, keys: dict[str, str]) -> Response:
    """Answer one request below /rest."""
    received = Received(
        method=request.method,
        origin=f"{request.url.scheme}://{request.headers.get('host', '')}",
        raw_path=request.scope["raw_path"].decode("ascii"),
        raw_query=request.scope["query_string"].decode("ascii"),
        headers=dict(request.headers),
        body=await request.body(),
    )
    return await run_in_threadpool(answer_call, received, shop, keys)


def answer_call(received: Received, shop: Shop, keys: dict[str, str]) -> Response:
    """Return the answer to a request: the effect is kept only when the answer is a success."""
    try:
        if shop.settings.maintenance:
            raise errors.maintenance()
        accept = received.headers.get("accept", "*/*")
        as_xml = "xml" in accept and "json" not in accept
        if not as_xml and not re.search(r"json|\*/\*|application/\*", accept):
            raise errors.not_acceptable()
        status, body = _perform(received, shop, keys)
    except errors.Refusal as refusal:
        if received.method == "HEAD":
            return Response(status_code=refusal.status, media_type=JSON)
        return Response(php_json(refusal.body), refusal.status, media_type=JSON)
    except errors.PageAnswer as page:
        return Response(page.text, page.status, headers={"content-type": page.media_type})
    wanted = parse_query(received.raw_query).get("fields")
    if isinstance(wanted, str) and isinstance(body, dict | list):
        body = project(body, parse_fields(wanted))
    if as_xml:
        return Response(to_xml(body), status, media_type="application/xml; charset=utf-8")
    return Response(php_json(body), status, media_type=JSON)


def _perform(received: Received, shop: Shop, keys: dict[str, str]) -> tuple[int, Any]:
    method = received.method
    if method not in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        raise errors.Refusal(405, f"The {method} HTTP method is not supported.")
    store_id, segments = _place(received.raw_path, shop)
    asynchronous = segments[0] == "async"
    if asynchronous and method == "GET":
        raise errors.not_processed()
    find = bulk.find_route if asynchronous else find_route
    route, place = find(shop.routes, method, segments)
    _authorise(received, route, shop, keys)
    body = _decoded(received)
    call = Call(
        shop=shop,
        operation=operation_name(method, received.raw_path),
        store_id=store_id,
        place=place,
        query=parse_query(received.raw_query),
        body=body,
    )
    if asynchronous:
        whole = segments[1] == "bulk"
        return 202, bulk.accept(call, route, whole=whole)
    if method != "GET" and shop.faults.take("no_effect", call.operation):
        return 200, _forgotten(route.handler, call)
    with shop.store.transaction():
        return 200, _disturbed(route.handler(call), call)


class _Undone(Exception):
    """Leaves a transaction so that nothing of it is kept."""


def _forgotten(handler: Handler, call: Call) -> Any:
    """Return what a write answers, and keep nothing of its effect."""
    answer = None
    with suppress(_Undone), call.shop.store.transaction():
        answer = handler(call)
        raise _Undone
    return answer


def _place(raw_path: str, shop: Shop) -> tuple[int, list[str]]:
    segments = [unquote(segment) for segment in raw_path.rstrip("/").split("/")[2:]]
    store_id = 1
    if segments and segments[0] in shop.views:
        store_id = shop.views[segments.pop(0)]
    if not segments or not re.fullmatch(r"V\d+|async", segments[0]):
        raise errors.not_processed()
    return store_id, segments


def _authorise(received: Received, route: Route, shop: Shop, keys: dict[str, str]) -> None:
    if route.resource == "anonymous":
        return
    settings = shop.settings
    request = auth.SignedRequest(received.method, received.origin, received.raw_path, received.raw_query)
    header = received.headers.get("authorization", "")
    auth.authenticate(header, request, route.resource, keys, shop.store, bearer_allowed=settings.bearer_allowed)
    if settings.allowed is not None and route.resource not in settings.allowed:
        raise errors.not_authorised(route.resource)


def _decoded(received: Received) -> Any:
    if received.method not in ("POST", "PUT", "PATCH") or not received.body:
        return {}
    media_type = received.headers.get("content-type", "").split(";")[0].strip()
    if media_type not in ("application/json", ""):
        said = f"Server cannot understand Content-Type HTTP header media type {media_type}"
        raise errors.Refusal(400, said)
    try:
        return json.loads(received.body)
    except ValueError:
        raise errors.Refusal(400, "Decoding error.") from None


def _disturbed(body: Any, call: Call) -> Any:
    """Repeat half of the page before in front of this one when the fault duplicate_page strikes a list.

    Raises Refusal 500 when the answer would hold an order that the fault unreadable_order names, or another document
    that unreadable_document does.
    """
    if not call.operation.startswith("GET") or not isinstance(body, dict):
        return body
    if re.match(r"GET /V1/(orders|invoices|shipments?|creditmemos?)(/\d+)?$", call.operation):
        _refuse_unreadable(body.get("items", []) if "search_criteria" in body else [body], call)
    if "search_criteria" not in body:
        return body
    before = call.shop.last_pages.get(call.operation, [])
    call.shop.last_pages[call.operation] = body["items"]
    if before and call.shop.faults.take("duplicate_page", call.operation):
        return {**body, "items": [*before[-max(len(before) // 2, 1) :], *body["items"]]}
    return body


def _refuse_unreadable(documents: list[dict[str, Any]], call: Call) -> None:
    kind: FaultKind = "unreadable_order" if call.operation.startswith("GET /V1/orders") else "unreadable_document"
    for document in documents:
        for name in ("increment_id", "entity_id"):
            if call.shop.faults.take(kind, call.operation, **{name: document.get(name)}):
                raise errors.internal_error()
