"""PRIMA's answer documents: success read at the level where each request type puts it, and the rows of stock answers.

Stock and status answers say OK on the root. Order answers say it on `Data`, and nothing on the root: a client that
reads the root alone takes refused orders for sent ones. Neither OK nor ERROR is never taken for success.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from schemas.documents import Acceptance, StockRow, StockTuple
from tasks.errors import IntegrationError, SystemUnavailableError, UnexpectedResponseError
from tasks.settings import ErrorClassSettings, OrderStatusName, PrimaSettings
from tasks.systems.prima import documents
from tasks.systems.prima.documents import UnreadableXmlError
from tasks.systems.prima.faults import Call, misconfigured
from tasks.systems.prima.records import OrderState, PreparedRequest
from tasks.systems.prima.refusals import PrimaRefusedError, refusal, unclear

_CODES = ("Product", "MtrxCode1", "MtrxCode2", "MtrxCode3", "MtrxCode4")
_FIGURES = ("AvailableQuantity", "AvailableDate")


@dataclass(frozen=True, slots=True)
class Answer:
    """A well-formed answer to a call; `text` is the document as it came.

    `rows` are the rows of a stock answer, codes, quantity and date of each; `root` then holds them no more.
    """

    call: Call
    root: etree._Element
    text: str
    classes: Sequence[ErrorClassSettings] = ()
    rows: Sequence[tuple[str | None, ...]] = ()

    @property
    def company(self) -> str:
        """The company that answered."""
        return self.root.get("Company", "")

    def data(self) -> list[etree._Element]:
        """Return the `Data` elements."""
        return [element for element in self.root if _is(element, "Data")]

    def refused(self, texts: list[str]) -> PrimaRefusedError | SystemUnavailableError:
        """Return the error for ERROR with these texts; SystemUnavailableError when the settings call them passing."""
        call = self.call
        return refusal(
            texts, operation=call.operation, reference=call.reference, answer=self.text, classes=self.classes
        )


def broken(call: Call, problem: str, answer: str) -> IntegrationError:
    """Return the error for an answer that breaks the known form.

    For an order its outcome is unknown, and so is what a question about an order was to find out; a broken stock
    answer stops the stock flow.
    """
    if call.kind != "stock":
        return unclear(problem, operation=call.operation, reference=call.reference, answer=answer)
    return UnexpectedResponseError(f"{problem}.", system="PRIMA", operation=call.operation, reference=call.reference)


def read(text: str, call: Call, settings: PrimaSettings) -> Answer:
    """Return the answer document of a call.

    Raises what `broken` returns when it is malformed or answers another request, ConfigurationError when another
    company than `prima.expected_company` answered a question (an order sent to it is an OutcomeUnknownError).
    """
    rows: Sequence[tuple[str | None, ...]] = ()
    try:
        if call.kind == "stock":
            root, rows = documents.parse_rows(text, "sku", (*_CODES, *_FIGURES))
        else:
            root = documents.parse_text(text)
    except UnreadableXmlError as error:
        raise broken(call, f"the answer document cannot be read: {error}", text) from error
    if not _is(root, "Result"):
        raise broken(call, f"the answer document is a <{root.tag}>, not a <Result>", text)
    answered = root.get("RequestType", call.operation)
    if answered.casefold() != call.operation.casefold():
        raise broken(call, f"the answer is for the request type {answered}", text)
    answer = Answer(call, root, text, settings.errors, rows)
    expected_company = settings.expected_company
    if expected_company and answer.company != expected_company:
        problem = f"company {answer.company!r} answered, not {expected_company!r} (prima.expected_company)"
        if call.is_write:
            raise broken(call, problem, text)
        raise misconfigured(call, problem, "The address leads to another company or to a test database.")
    return answer


def require_ok(answer: Answer) -> None:
    """Demand OK on the root, where status and stock answers have it; raises PrimaRefusedError for ERROR."""
    status = answer.root.get("RequestStatus", "").strip().upper()
    if status == "ERROR":
        texts = _error_texts(answer.root)
        for data in answer.data():
            texts += _error_texts(data)
        raise answer.refused(texts)
    if status != "OK":
        raise unclear(
            f"the answer says neither OK nor ERROR but {status!r}",
            operation=answer.call.operation,
            reference=answer.call.reference,
            answer=answer.text,
        )


def acceptance(answer: Answer, prepared: PreparedRequest) -> Acceptance:
    """Return the acceptance of an order: OK on the one `Data` that carries our order number.

    Raises PrimaRefusedError (DuplicateOrderError for E:21) for ERROR, OutcomeUnknownError for anything else.
    """
    root_status = answer.root.get("RequestStatus", "").strip().upper()
    entries = answer.data()
    if root_status == "ERROR" and not entries:
        raise answer.refused(_error_texts(answer.root))
    if len(entries) != 1:
        raise broken(answer.call, f"the answer has {len(entries)} orders, one was sent", answer.text)
    entry = entries[0]
    number = entry.get("OrderNumber", "").strip()
    if number != prepared.order_number_prima:
        raise broken(answer.call, f"the answer is about the order {number!r}", answer.text)
    status = entry.get("RequestStatus", "").strip().upper()
    if status == "ERROR":
        raise answer.refused(_error_texts(entry) + _error_texts(answer.root))
    if status != "OK" or root_status == "ERROR":
        raise broken(
            answer.call,
            f"the answer says neither OK nor ERROR for the order but {status or root_status!r}",
            answer.text,
        )
    return Acceptance(order_number_prima=number, customer_code=entry.get("CustomerCode", "").strip())


def order_state(answer: Answer, order_number_prima: str, statuses: Mapping[str, OrderStatusName]) -> OrderState:
    """Return the state in an OK answer of `OrderStatus`; raises OutcomeUnknownError when it holds none."""
    entries = answer.data()
    if len(entries) != 1:
        raise broken(answer.call, f"the answer has {len(entries)} orders, one was asked for", answer.text)
    attributes = {str(name): str(value) for name, value in entries[0].attrib.items()}
    number = attributes.get("OrderNumber", order_number_prima).strip()
    if number != order_number_prima:
        raise broken(answer.call, f"the answer is about the order {number!r}", answer.text)
    word = attributes.get("OrderStatus", "").strip()
    if not word:
        raise broken(answer.call, "the answer has no OrderStatus", answer.text)
    known = {_word(name): status for name, status in statuses.items()}
    return OrderState(order_number_prima, word, known.get(_word(word)), attributes, answer.text)


def says_not_found(error: PrimaRefusedError, not_found_text: str) -> bool:
    """Say whether a refusal is the installation's "no such order": every cause in it begins with the set text."""
    wanted = " ".join(not_found_text.split()).casefold()
    causes = [block for block in error.blocks if block.kind == "cause"]
    if not wanted or not causes:
        return False
    return all(
        any(text.casefold().startswith(wanted) for text in (block.text, f"({block.code}) {block.text}"))
        for block in causes
    )


def stock_rows(answer: Answer) -> list[StockRow]:
    """Return the rows of an OK stock answer: `sku` or `SKU`, both spellings occur.

    Raises UnexpectedResponseError when the answer has no `Data` or a row lacks a part of its stock tuple. An empty
    product, and a quantity that is missing or no number, are for the schema to reject with their row.
    """
    if not answer.data():
        raise broken(answer.call, "the stock answer has no Data", answer.text)
    rows: list[StockRow] = []
    for product, one, two, three, four, quantity, expected in answer.rows:
        if product is None or one is None or two is None or three is None or four is None:
            codes = zip(_CODES, (product, one, two, three, four), strict=True)
            listed = ", ".join(name for name, value in codes if value is None)
            raise broken(answer.call, f"row {len(rows) + 1} of the stock answer lacks {listed}", answer.text)
        item = StockTuple._make((product, one, two, three, four))
        rows.append(StockRow._make((item, quantity or "", expected or "", "")))
    return rows


def _word(status: str) -> str:
    """Return a status word without case, blanks, hyphens and underscores."""
    return "".join(character for character in status.casefold() if character not in " -_")


def _error_texts(element: etree._Element) -> list[str]:
    """Return every error text of an element: its own `Error` and `RequestError`, and those of its RequestErrors."""
    found = [element.get("Error", ""), element.get("RequestError", "")]
    found += [child.get("Error", "") for child in element if _is(child, "RequestError")]
    return [text for text in found if text]


def _is(element: etree._Element, name: str) -> bool:
    return etree.QName(element).localname.casefold() == name.casefold()
