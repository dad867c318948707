"""The SOAP envelope: built by zeep from the installation's WSDL, carried by httpx.

Style (rpc or document wrapped, literal or encoded), part names and address are read from the WSDL; nothing of them is
assumed. Where `[prima.soap]` names a style, the envelope is written by hand instead (`by_hand.py`) and no WSDL is read.
The answer text is the only child of the response element, whatever that child is called.
"""

import re
from collections.abc import Callable
from typing import Any

import httpx
import zeep
from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding
from zeep.wsdl.messages.multiref import process_multiref

from tasks.errors import IntegrationError
from tasks.settings import PrimaSettings
from tasks.systems.prima import documents
from tasks.systems.prima.by_hand import HandWritten
from tasks.systems.prima.documents import UnreadableXmlError
from tasks.systems.prima.faults import (
    Call,
    from_fault,
    from_status,
    from_transport,
    lost,
    misconfigured,
    unavailable,
)
from tasks.systems.prima.operation import ENCODING_STYLE, XSD, XSI, Operation
from tasks.systems.prima.transport import HttpxTransport, check_address, timeouts

_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_COMPANY_NAME = re.compile(r"comp|^[a-z]{0,2}co_?(id|no|num|code)?$", re.IGNORECASE)
_LOADING = Call("wsdl", "", "wsdl")


class EncodedParameters(zeep.Plugin):
    """Adds what rpc/encoded asks for and zeep leaves out: `encodingStyle`, and `xsi:type` on each parameter."""

    def __init__(self, types: dict[str, str]) -> None:
        self._types = types

    def egress(self, envelope: Any, http_headers: Any, operation: Any, binding_options: Any) -> tuple[Any, Any]:
        """Return the envelope with the operation element declared anew, since prefixes cannot be added later."""
        body = _child(envelope, "Body")
        assert body is not None
        plain = body[0]
        typed = etree.Element(plain.tag, nsmap={"xsd": XSD, "xsi": XSI})
        typed.set(f"{{{etree.QName(envelope).namespace}}}encodingStyle", ENCODING_STYLE)
        for parameter in list(plain):
            parameter.set(f"{{{XSI}}}type", f"xsd:{self._types[etree.QName(parameter).localname]}")
            typed.append(parameter)
        body.replace(plain, typed)
        return envelope, http_headers


class SoapAction(zeep.Plugin):
    """Sends the SOAPAction of the settings instead of the WSDL's."""

    def __init__(self, value: str) -> None:
        self._value = value

    def egress(self, envelope: Any, http_headers: Any, operation: Any, binding_options: Any) -> tuple[Any, Any]:
        """Return the envelope as it is, and the headers with this SOAPAction."""
        http_headers["SOAPAction"] = f'"{self._value}"'
        return envelope, http_headers


class Service:
    """The operation of an installation, ready to be called. Made by `open_service`.

    `send` takes a request document into its envelope and to the service, and returns the HTTP answer.
    """

    def __init__(
        self,
        operation: Operation,
        send: Callable[[str], httpx.Response],
        transport: HttpxTransport,
        settings: PrimaSettings,
    ) -> None:
        self.operation = operation
        self._send = send
        self._transport = transport
        self._timeouts = timeouts(settings)
        self._answer_part = settings.soap.answer_part

    def ask(self, document: str, call: Call) -> str:
        """Send a request document and return the answer document as text.

        Raises SystemUnavailableError, OutcomeUnknownError (orders only) or ConfigurationError.
        """
        try:
            with self._transport.timed(self._timeouts[call.kind]):
                response = self._send(document)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise from_transport(error, call) from error
        return self._answer(response, call)

    def _answer(self, response: httpx.Response, call: Call) -> str:
        problem = from_status(response, call)
        if problem is not None:
            raise problem
        raw = response.content.decode("utf-8", errors="replace")
        try:
            envelope = documents.parse(response.content)
        except UnreadableXmlError as error:
            raise lost(call, f"HTTP {response.status_code} without a readable SOAP envelope: {error}", raw) from error
        body = _child(envelope, "Body")
        if body is None:
            raise lost(call, f"HTTP {response.status_code} with XML that is no SOAP envelope", raw)
        fault = _child(body, "Fault")
        if fault is not None:
            raise from_fault(fault, call)
        if response.status_code != 200:
            raise lost(call, f"HTTP {response.status_code} with a SOAP envelope but no fault", raw)
        process_multiref(body)  # type: ignore[no-untyped-call]
        results = list(body[0]) if len(body) else []
        if self._answer_part:
            results = [child for child in results if etree.QName(child).localname == self._answer_part]
        elif len(results) > 1:
            results = [child for child in results if etree.QName(child).localname in self.operation.answer_parts]
        if len(results) != 1:
            named = f" named {self._answer_part} (prima.soap.answer_part)" if self._answer_part else ""
            raise lost(call, f"the SOAP answer has {len(results)} result values{named} instead of one", raw)
        return results[0].text or ""


def open_service(settings: PrimaSettings, http: httpx.Client) -> Service:
    """Read the WSDL, unless `[prima.soap]` names a style, and return the service.

    Raises ConfigurationError for a WSDL that is none, lacks the operation or cannot be used, SystemUnavailableError
    when it cannot be had at the moment.
    """
    transport = HttpxTransport(http, settings.wsdl_url, timeouts(settings)["wsdl"])
    if settings.soap.style != "auto":
        by_hand = HandWritten(settings, transport)
        return Service(by_hand.operation, by_hand.send, transport, settings)
    check_address(settings.wsdl_url, "prima.wsdl_url", allow_plain_http=settings.allow_plain_http)
    client = _read_wsdl(settings, transport)
    binding, address = _binding(client, settings)
    if not address:
        raise misconfigured(_LOADING, "the WSDL names no address for the service", "Set prima.endpoint_url.")
    check_address(address, "prima.endpoint_url", allow_plain_http=settings.allow_plain_http)
    described = binding.get(settings.operation)
    types = _parameters(described)
    request_part, company_part = _parts(types, settings)
    given_action = settings.soap.soap_action
    operation = Operation(
        name=settings.operation,
        style=str(described.style),
        use=_use(transport, settings.operation),
        request_part=request_part,
        company_part=company_part,
        answer_parts=tuple(_answer_parts(described)),
        address=address,
        soap_action=(described.soapaction or "") if given_action is None else given_action,
    )
    if operation.use == "encoded":
        client.plugins.append(EncodedParameters(types))
    if given_action is not None:
        client.plugins.append(SoapAction(given_action))
    proxy = client.create_service(binding.name.text, address)[settings.operation]
    company = {company_part: settings.company_id} if company_part else {}

    def send(document: str) -> httpx.Response:
        response: httpx.Response = proxy(**{**company, request_part: document})
        return response

    return Service(operation, send, transport, settings)


def _read_wsdl(settings: PrimaSettings, transport: HttpxTransport) -> Any:
    """Return zeep's client of the WSDL; raises ConfigurationError when it cannot be understood."""
    _check_is_wsdl(transport.load(settings.wsdl_url))
    options = zeep.Settings(raw_response=True, forbid_dtd=True, forbid_entities=True, force_https=False)
    try:
        client: Any = zeep.Client(  # type: ignore[no-untyped-call]
            settings.wsdl_url, transport=transport, settings=options
        )
    except IntegrationError:
        raise
    except (
        ZeepError,
        etree.LxmlError,
        LookupError,
        ValueError,
        AttributeError,
        TypeError,
        NotImplementedError,
    ) as error:
        raise misconfigured(_LOADING, f"the WSDL cannot be understood: {type(error).__name__}: {error}") from error
    return client


def _check_is_wsdl(content: bytes) -> None:
    if re.search(rb"<(!doctype\s+)?html\b", content[:2000], re.IGNORECASE):
        raise misconfigured(_LOADING, "the address answers with a web page, not with a WSDL", "Check prima.wsdl_url.")
    try:
        root = documents.parse(content)
    except UnreadableXmlError as error:
        raise unavailable(_LOADING, f"the WSDL cannot be read: {error}") from error
    if root.tag != f"{{{_WSDL}}}definitions":
        raise misconfigured(
            _LOADING, f"the address answers with <{root.tag}>, not with a WSDL", "Check prima.wsdl_url."
        )


def _binding(client: Any, settings: PrimaSettings) -> tuple[Any, str]:
    """Return the SOAP binding that has the operation (SOAP 1.1 first) and the address to call."""
    found: list[tuple[bool, Any, str]] = []
    offered: set[str] = set()
    for service in client.wsdl.services.values():
        for port in service.ports.values():
            operations = set(port.binding.all())
            if isinstance(port.binding, Soap11Binding | Soap12Binding):
                offered |= operations
                if settings.operation in operations:
                    address = (port.binding_options or {}).get("address") or ""
                    found.append((isinstance(port.binding, Soap12Binding), port.binding, address))
    if not found:
        raise misconfigured(
            _LOADING,
            f"the WSDL has no operation {settings.operation}; it offers {', '.join(sorted(offered)) or 'none'}",
            "Check prima.wsdl_url (its targetURI) and prima.operation.",
        )
    _, binding, address = min(found, key=lambda entry: entry[0])
    if settings.endpoint_url:
        return binding, settings.endpoint_url
    return binding, _checked_address(address, settings.wsdl_url)


def _checked_address(address: str, wsdl_url: str) -> str:
    """Refuse an address on another host than the WSDL's: it would get orders, and the password."""
    there, here = httpx.URL(address), httpx.URL(wsdl_url)
    if address and there.host != here.host:
        raise misconfigured(
            _LOADING,
            f"the WSDL of {here.host} names an address on another host, {there.host}",
            "Set prima.endpoint_url to the address that orders must be sent to.",
        )
    return address


def _parameters(described: Any) -> dict[str, str]:
    """Return the parameters of the operation: name and XSD type name, in their order."""
    body = described.input.body if described.input is not None else None
    if body is None or not hasattr(body.type, "elements"):
        raise misconfigured(_LOADING, f"the operation {described.name} takes no named parameters")
    return {name: etree.QName(element.type.qname).localname for name, element in body.type.elements}


def _parts(types: dict[str, str], settings: PrimaSettings) -> tuple[str, str]:
    """Return the names of the request part and of the company part (empty for wsomhandler).

    The request is the string part that is not the company id; the company id is told by its type or, when both are
    strings, by its name. What `[prima.soap]` names wins.
    """
    given = _given_parts(types, settings)
    texts = [name for name, kind in types.items() if kind == "string" and name not in given.values()]
    needs_company = settings.operation == "comwsomhandler"
    if not needs_company and "request_part" in given:
        return given["request_part"], ""
    if not needs_company and len(types) == 1 and len(texts) == 1:
        return texts[0], ""
    if needs_company and len(types) == 2:
        others = [name for name in types if name not in texts and name not in given.values()]
        companies = [given["company_part"]] if "company_part" in given else others
        requests = [given["request_part"]] if "request_part" in given else []
        if requests and not companies:
            companies = [name for name in types if name not in requests]
        companies = companies or [name for name in texts if _COMPANY_NAME.search(name)]
        requests = requests or [name for name in texts if name not in companies]
        if len(companies) == 1 and len(requests) == 1:
            return requests[0], companies[0]
    listed = ", ".join(f"{name} ({kind})" for name, kind in types.items()) or "none"
    wanted = "a company id and one request text" if needs_company else "one request text"
    raise misconfigured(
        _LOADING,
        f"the operation {settings.operation} should take {wanted}, but the WSDL gives it: {listed}",
        "Name them in prima.soap.request_part and prima.soap.company_part.",
    )


def _given_parts(types: dict[str, str], settings: PrimaSettings) -> dict[str, str]:
    """Return the part names of the settings by key; raises ConfigurationError for one that the WSDL does not have."""
    given = {"request_part": settings.soap.request_part, "company_part": settings.soap.company_part}
    given = {key: name for key, name in given.items() if name}
    for key, name in given.items():
        if name not in types:
            raise misconfigured(
                _LOADING, f"prima.soap.{key} is {name}, but the WSDL has {', '.join(types) or 'no parts'}"
            )
    return given


def _answer_parts(described: Any) -> list[str]:
    body = described.output.body if described.output is not None else None
    if body is None or not hasattr(body.type, "elements"):
        return []
    return [name for name, _ in body.type.elements]


def _use(transport: HttpxTransport, operation: str) -> str:
    """Return `literal` or `encoded`: zeep reads it and forgets it."""
    path = (
        "//*[local-name()='binding']/*[local-name()='operation'][@name=$name]"
        "/*[local-name()='input']/*[local-name()='body']/@use"
    )
    for content in transport.loaded.values():
        found = documents.parse(content).xpath(path, name=operation)
        if isinstance(found, list) and found:
            return str(found[0])
    return "literal"


def _child(element: etree._Element, name: str) -> etree._Element | None:
    """Return the first child of that local name, whatever its namespace."""
    return next((child for child in element if etree.QName(child).localname == name), None)
