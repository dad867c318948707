"""The inner documents: requests read as a stream, answers written as PRIMA writes them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from xml.parsers import expat

from lxml import etree

DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n'
MALFORMED = (
    "The XML may be Invalid or may contain invalid characters. "
    "SAX parser error: SAX-PARSE-NEXT, Unexpected error. (14586)"
)


class MalformedRequestError(Exception):
    """The request is not well-formed; `request_type` is empty when not even its root could be read."""

    def __init__(self, request_type: str) -> None:
        super().__init__(MALFORMED)
        self.request_type = request_type


@dataclass
class Data:
    """One `Data` element of a request: its attributes and its children in order, by name."""

    attributes: dict[str, str]
    children: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def get(self, name: str) -> str:
        """Return an attribute, empty when it was not sent."""
        return self.attributes.get(name, "")

    def all(self, name: str) -> list[dict[str, str]]:
        """Return the attributes of every child element of a name, in order."""
        return [attributes for child, attributes in self.children if child == name]

    def first(self, name: str) -> dict[str, str]:
        """Return the attributes of the first child of a name, empty when there is none."""
        return next(iter(self.all(name)), {})


def read_request(
    document: str,
    on_data: Callable[[str, Data], None],
    outside_latin1: Literal["question_mark", "refuse"] = "question_mark",
) -> str:
    """Read a request and return its RequestType; `on_data(request_type, data)` runs at the end tag of each Data.

    So what stands before a broken place has had its effect when MalformedRequestError is raised. Entities and DTDs are
    refused. Characters outside ISO-8859-1 become question marks, or are refused.
    """
    reader = _Reader(on_data, outside_latin1)
    try:
        reader.parser.Parse(document, True)
    except (expat.ExpatError, UnicodeEncodeError, _Refused) as error:
        raise MalformedRequestError(reader.request_type) from error
    return reader.request_type


class _Refused(Exception):
    pass


class _Reader:
    def __init__(self, on_data: Callable[[str, Data], None], outside_latin1: str) -> None:
        self.request_type = ""
        self._on_data = on_data
        self._errors = "replace" if outside_latin1 == "question_mark" else "strict"
        self._depth = 0
        self._data: Data | None = None
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        raise _Refused

    def _start(self, name: str, sent: dict[str, str]) -> None:
        attributes = {key: value.encode("latin-1", self._errors).decode("latin-1") for key, value in sent.items()}
        self._depth += 1
        if self._depth == 1:
            self.request_type = attributes.get("RequestType", "")
        elif self._depth == 2 and name == "Data":
            self._data = Data(attributes)
        elif self._data is not None:
            self._data.children.append((name, attributes))

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._depth == 1 and self._data is not None:
            data, self._data = self._data, None
            self._on_data(self.request_type, data)


Attributes = dict[str, str]


def result(company: str, request_type: str, *, status: str = "", error: str = "") -> etree._Element:
    """Return the root of an answer; an error stands both on the root and in a child RequestError."""
    optional = {name: text for name, text in (("Error", error), ("RequestStatus", status)) if text}
    root = etree.Element("Result", alphabetical({"Company": company, "RequestType": request_type, **optional}))
    if error:
        etree.SubElement(root, "RequestError", {"Error": error})
    return root


def alphabetical(attributes: Attributes) -> Attributes:
    """Return attributes in the order in which PRIMA answers them."""
    return dict(sorted(attributes.items()))


def written(root: etree._Element) -> str:
    """Return an answer as text: ISO-8859-1 declaration, line feed, document; line feeds in values stay literal."""
    document = etree.tostring(root, encoding="unicode").encode("latin-1", "xmlcharrefreplace").decode("latin-1")
    return DECLARATION + document.replace("&#10;", "\n")
