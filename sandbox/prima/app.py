"""The HTTP side: WSDL by GET, calls by POST, and the control endpoints under /_sandbox/."""

import base64
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.prima.control import routes
from sandbox.prima.service import WebService
from sandbox.prima.soap import SoapFaultError, name_of, read_call, write_answer, write_fault
from sandbox.prima.wsdl import wsdl

if TYPE_CHECKING:
    from sandbox.prima.standin import PrimaStandIn

PATH = "/wsalive/wsalive"
XML = "text/xml; charset=utf-8"
UNAVAILABLE = "service urn:omlink unavailable (10921)"


def application(stand_in: "PrimaStandIn", service: WebService) -> Starlette:
    """Return the ASGI application of a stand-in."""
    site = _Site(stand_in, service)
    return Starlette(
        routes=[
            Route(f"{PATH}/wsdl", site.describe, methods=["GET"]),
            Route(PATH, site.call, methods=["POST"]),
            *routes(stand_in),
        ]
    )


class _Site:
    def __init__(self, stand_in: "PrimaStandIn", service: WebService) -> None:
        self._stand_in = stand_in
        self._service = service

    async def describe(self, request: Request) -> Response:
        settings = self._stand_in.settings
        if not self._let_in(request):
            return _unauthorised()
        if settings.hides_wsdl or request.query_params.get("targetURI") != settings.target_uri:
            return HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", 404)
        address = f"{request.url.scheme}://{request.headers.get('host', '')}{PATH}"
        return Response(wsdl(settings, address), media_type=XML)

    async def call(self, request: Request) -> Response:
        if not self._let_in(request):
            return _unauthorised()
        body = await request.body()
        if not request.headers.get("content-type", "").startswith("text/xml"):
            return HTMLResponse("<html><body><h1>415 Unsupported Media Type</h1></body></html>", 415)
        if "soapaction" not in request.headers:
            return _fault("The SOAPAction header is missing")
        demanded = self._stand_in.settings.demands_soap_action
        if demanded is not None and request.headers["soapaction"] != f'"{demanded}"':
            return _fault(f"The SOAPAction {request.headers['soapaction']} is not known")
        return await run_in_threadpool(self._answer, request.scope, body)

    def _answer(self, scope: Any, body: bytes) -> Response:
        settings = self._stand_in.settings
        fault = self._stand_in.faults.take("soap_fault", name_of(scope, body)) or {}
        text = str(fault.get("text", UNAVAILABLE))
        if fault and not fault.get("after_effect"):
            return _fault(text)
        try:
            call = read_call(body, settings)
        except SoapFaultError as error:
            return _fault(str(error))
        document = self._service.answer(call.company or settings.companies[0], call.document)
        if fault:
            return _fault(text)
        return Response(write_answer(call.operation, document, settings), media_type=XML)

    def _let_in(self, request: Request) -> bool:
        settings = self._stand_in.settings
        if any(request.headers.get(name) != value for name, value in settings.demands_headers.items()):
            return False
        asked = settings.basic_auth
        if asked is None:
            return True
        expected = "Basic " + base64.b64encode(":".join(asked).encode()).decode()
        return request.headers.get("authorization") == expected


def _fault(text: str) -> Response:
    return Response(write_fault(text), 500, media_type=XML)


def _unauthorised() -> Response:
    page = "<html><body><h1>401 Unauthorized</h1></body></html>"
    return HTMLResponse(page, 401, {"www-authenticate": 'Basic realm="PRIMA"'})
