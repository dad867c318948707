"""SOAP 1.1 envelopes: a call read by the settings' style and part names, an answer and a fault written."""

import itertools
import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from sandbox.prima.settings import StandInSettings
from sandbox.prima.wsdl import ENCODING, FAULT, OPERATIONS, XSD, input_parts

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
GENERIC = "An error was detected (10893)"

_REQUEST_TYPE = re.compile(rb"""RequestType\s*=\s*(?:"|'|&quot;|&apos;|&#3[49];)([^"'&]*)""")
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Call:
    """One call of an operation: the company (empty for wsomhandler) and the inner request document."""

    operation: str
    company: str
    document: str


class SoapFaultError(Exception):
    """The call ends in a SOAP fault with this errorMessage."""


def name_of(scope: MutableMapping[str, Any], body: bytes) -> str:
    """Return what faults call an HTTP request: `wsdl`, or the RequestType in a call's body."""
    if scope["method"] == "GET":
        return "wsdl"
    found = _REQUEST_TYPE.search(body)
    return found.group(1).decode("latin-1") if found else "unknown"


def read_call(body: bytes, settings: StandInSettings) -> Call:
    """Read an envelope; SoapFaultError for one that is not well-formed, or not as the WSDL describes it."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        envelope = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise SoapFaultError(f"The SOAP request is not well-formed: {error}") from error
    wrapper = envelope.find(f"{{{ENVELOPE}}}Body/*")
    if wrapper is None:
        raise SoapFaultError("The SOAP request has no Body with an operation")
    name = etree.QName(wrapper)
    if name.localname not in OPERATIONS or name.namespace != settings.target_uri:
        raise SoapFaultError(f"There is no operation {name.localname} in namespace {name.namespace}")
    values = {etree.QName(child).localname: child for child in wrapper}
    expected = input_parts(settings, name.localname)
    if tuple(values) != expected:
        raise SoapFaultError(f"Expected the parameters {', '.join(expected)}, found {', '.join(values)}")
    if settings.demands_xsi_type and any(child.get(f"{{{XSI}}}type") is None for child in wrapper):
        raise SoapFaultError("A parameter carries no xsi:type")
    document = values[settings.request_part].text or ""
    if settings.longest_request is not None and len(document) > settings.longest_request:
        raise SoapFaultError("Attempt to update data exceeding 32000. (12371)")
    company = values[settings.company_part].text or "" if len(expected) > 1 else ""
    return Call(name.localname, company, document)


def write_answer(operation: str, document: str, settings: StandInSettings) -> bytes:
    """Return the envelope of an answer document in the style of the settings."""
    envelope, body = _envelope()
    response = etree.SubElement(
        body, f"{{{settings.target_uri}}}{operation}Response", nsmap={"om": settings.target_uri}
    )
    part = etree.SubElement(response, settings.answer_part)
    if settings.style == "rpc_encoded":
        response.set(f"{{{ENVELOPE}}}encodingStyle", ENCODING)
        part.set(f"{{{XSI}}}type", "xsd:string")
    part.text = document
    return _bytes(envelope)


def write_fault(message: str) -> bytes:
    """Return the envelope of a fault as the Web Services Adapter writes it: generic text, the cause in the detail."""
    envelope, body = _envelope()
    fault = etree.SubElement(body, f"{{{ENVELOPE}}}Fault")
    etree.SubElement(fault, "faultcode").text = "SOAP-ENV:Server"
    etree.SubElement(fault, "faultstring").text = GENERIC
    detail = etree.SubElement(etree.SubElement(fault, "detail"), f"{{{FAULT}}}FaultDetail", nsmap={"ns1": FAULT})
    etree.SubElement(detail, "errorMessage").text = message
    etree.SubElement(detail, "requestID").text = f"0a1b2c3d4e5f:-1234:stand-in#{next(_NUMBERS):x}"
    return _bytes(envelope)


def _envelope() -> tuple[etree._Element, etree._Element]:
    names = {"SOAP-ENV": ENVELOPE, "xsi": XSI, "xsd": XSD}
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap=names)
    return envelope, etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")


def _bytes(envelope: etree._Element) -> bytes:
    written: bytes = etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)
    return written
