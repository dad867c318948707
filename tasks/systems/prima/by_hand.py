"""The envelope written by hand, for an installation whose WSDL is hidden or does not tell the truth.

What the WSDL would say stands in `[prima.soap]` then; nothing is read from the server before the first call.
"""

import httpx
from lxml import etree

from tasks.settings import PrimaSettings
from tasks.systems.prima.operation import ENCODING_STYLE, XSD, XSI, Operation
from tasks.systems.prima.transport import HttpxTransport, check_address

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class HandWritten:
    """Writes and sends envelopes in the style of `[prima.soap]`."""

    def __init__(self, settings: PrimaSettings, transport: HttpxTransport) -> None:
        soap = settings.soap
        address = settings.endpoint_url or settings.base_url
        check_address(address, "prima.endpoint_url", allow_plain_http=settings.allow_plain_http)
        has_company = settings.operation == "comwsomhandler"
        self._namespace = settings.target_uri
        self._transport = transport
        self._company = settings.company_id
        self._company_comes = soap.company_comes
        self.operation = Operation(
            name=settings.operation,
            style="document" if soap.style == "document_wrapped" else "rpc",
            use="encoded" if soap.style == "rpc_encoded" else "literal",
            request_part=soap.request_part,
            company_part=soap.company_part if has_company else "",
            answer_parts=(soap.answer_part,) if soap.answer_part else (),
            address=address,
            soap_action=soap.soap_action or "",
        )

    def send(self, document: str) -> httpx.Response:
        """Send a request document. Raises httpx's errors."""
        headers = {"SOAPAction": f'"{self.operation.soap_action}"', "Content-Type": "text/xml; charset=utf-8"}
        return self._transport.post(self.operation.address, self.envelope(document), headers)

    def envelope(self, document: str) -> bytes:
        """Return the envelope around a request document; the parts have no namespace."""
        operation = self.operation
        is_encoded = operation.use == "encoded"
        names = {"soap": _ENVELOPE, "om": self._namespace} | ({"xsd": XSD, "xsi": XSI} if is_encoded else {})
        envelope = etree.Element(f"{{{_ENVELOPE}}}Envelope", nsmap=names)
        body = etree.SubElement(envelope, f"{{{_ENVELOPE}}}Body")
        called = etree.SubElement(body, f"{{{self._namespace}}}{operation.name}")
        if is_encoded:
            called.set(f"{{{_ENVELOPE}}}encodingStyle", ENCODING_STYLE)
        parts = [(operation.request_part, document)]
        if operation.company_part:
            parts.insert(0 if self._company_comes == "first" else 1, (operation.company_part, self._company))
        for name, value in parts:
            part = etree.SubElement(called, name)
            part.text = value
            if is_encoded:
                part.set(f"{{{XSI}}}type", "xsd:string")
        written: bytes = etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)
        return written
