"""The operation that carries every request, as the WSDL or the settings describe it."""

from dataclasses import dataclass

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
ENCODING_STYLE = "http://schemas.xmlsoap.org/soap/encoding/"


@dataclass(frozen=True, slots=True)
class Operation:
    """Name, form and address of the operation."""

    name: str
    style: str
    use: str
    request_part: str
    company_part: str
    answer_parts: tuple[str, ...]
    address: str
    soap_action: str
