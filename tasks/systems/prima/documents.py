"""Request documents: written by an XML library, checked by reading them back, and the safe parser for answers.

Nothing here joins strings into XML: an unescaped quotation mark in a customer's note once made a request unreadable 31
times in a row.
"""

import re
from collections.abc import Sequence
from io import BytesIO
from itertools import product
from typing import Any, Literal
from xml.parsers import expat

from lxml import etree

from schemas.documents import StockTuple

Declaration = Literal["none", "plain", "iso-8859-1"]

_DECLARATIONS: dict[Declaration, str] = {
    "none": "",
    "plain": '<?xml version="1.0"?>',
    "iso-8859-1": '<?xml version="1.0" encoding="ISO-8859-1"?>',
}
# No entities and no network for a peer that is not trusted. `huge_tree` lifts libxml2's limit of 10 MB a text, which a
# full stock answer of a large catalogue exceeds.
_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": True,
    "remove_comments": True,
    "remove_pis": True,
}
_DECLARATION = re.compile(r"^[\ufeff\s]*<\?xml\s[^>]*\?>\s*")


class UnreadableXmlError(ValueError):
    """The text is no well-formed XML, or holds a DOCTYPE, which no honest peer sends."""


class _RootReached(Exception):
    pass


def refuse_doctype(content: bytes) -> None:
    """Raise UnreadableXmlError when the document has a DOCTYPE or its beginning is not well-formed.

    Only the part before the root element is read, so an entity bomb is refused before anything can expand.
    """

    def doctype(*_: object) -> None:
        raise UnreadableXmlError("it has a DOCTYPE")

    def root(*_: object) -> None:
        raise _RootReached

    scanner = expat.ParserCreate()
    scanner.StartDoctypeDeclHandler = doctype
    scanner.StartElementHandler = root
    try:
        scanner.Parse(content, True)
    except _RootReached:
        return
    except expat.ExpatError as error:
        raise UnreadableXmlError(f"it is not well-formed XML: {error}") from error


def parse(content: bytes) -> etree._Element:
    """Return the root of an XML document of a peer that is not trusted: no DOCTYPE, no entities, no network."""
    refuse_doctype(content)
    try:
        return etree.fromstring(content, etree.XMLParser(**_SAFE))
    except etree.XMLSyntaxError as error:
        raise UnreadableXmlError(f"it is not well-formed XML: {error.msg}") from error


def parse_text(document: str) -> etree._Element:
    """Return the root of a document that arrived as text inside SOAP.

    Its declaration names the encoding that it had in PRIMA (ISO-8859-1); the SOAP layer has decoded it since, so the
    declaration is taken off.
    """
    return parse(_content(document))


def parse_rows(
    document: str, name: str, attributes: Sequence[str]
) -> tuple[etree._Element, list[tuple[str | None, ...]]]:
    """Return the root of such a document, and the attributes of each element of that name, in whatever case.

    The elements are read one after another and let go, so that memory does not grow with them but for what is asked
    for: the tree of a whole catalogue takes twenty times the room of its text.
    """
    content = _content(document)
    refuse_doctype(content)
    spellings = ["{*}" + "".join(letters) for letters in product(*((each.lower(), each.upper()) for each in name))]
    rows: list[tuple[str | None, ...]] = []
    stream = etree.iterparse(BytesIO(content), events=("end",), tag=spellings, **_SAFE)
    try:
        for _, element in stream:
            rows.append(tuple(map(element.get, attributes)))
            before = element.getprevious()
            if before is not None:
                before.getparent().remove(before)
        for last in stream.root.iter(*spellings):
            last.getparent().remove(last)
    except etree.XMLSyntaxError as error:
        raise UnreadableXmlError(f"it is not well-formed XML: {error.msg}") from error
    return stream.root, rows


def _content(document: str) -> bytes:
    try:
        content = _DECLARATION.sub("", document, count=1).strip("\ufeff \t\r\n").encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnreadableXmlError(f"it holds text that is no Unicode: {error.reason}") from error
    if not content:
        raise UnreadableXmlError("it is empty")
    return content


def write(root: etree._Element, declaration: Declaration) -> str:
    """Return the document as text; characters above U+00FF are numeric references, whatever the declaration says.

    Raises UnreadableXmlError when what was written does not read back, which would be a fault of this program.
    """
    written = etree.tostring(root, encoding="ISO-8859-1", xml_declaration=False)
    assert isinstance(written, bytes)
    body = written.decode("iso-8859-1")
    read_back = parse_text(body)
    if etree.tostring(read_back, method="c14n") != etree.tostring(root, method="c14n"):
        raise UnreadableXmlError("it does not read back as it was written")
    return _DECLARATIONS[declaration] + body


def request(request_type: str) -> etree._Element:
    """Return an empty `Request` of a type."""
    return etree.Element("Request", RequestType=request_type)


def order_request(request_type: str, order_number_prima: str) -> etree._Element:
    """Return a request about one order, which names it and nothing else."""
    root = request(request_type)
    etree.SubElement(root, "Data", OrderNumber=order_number_prima)
    return root


def stock_request(request_type: str, items: Sequence[StockTuple]) -> etree._Element:
    """Return the request for the available-to-sell figures of listed stock tuples."""
    root = request(request_type)
    data = etree.SubElement(root, "Data")
    for item in items:
        etree.SubElement(
            data,
            "sku",
            Product=item.product,
            MtrxCode1=item.mtrx1,
            MtrxCode2=item.mtrx2,
            MtrxCode3=item.mtrx3,
            MtrxCode4=item.mtrx4,
        )
    return root


def range_request(request_type: str, product_from: str, product_to: str) -> etree._Element:
    """Return the request for the figures of a range of products; two empty limits ask for everything."""
    root = request(request_type)
    etree.SubElement(root, "Data", ProductFrom=product_from, ProductTo=product_to)
    return root
