"""PRIMA's web service as plain calls: create an order, ask for its state, ask for available-to-sell figures."""

import hashlib
import logging
import secrets as random_source
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType

from lxml import etree

from schemas.documents import Acceptance, Parcel, SalesOrder, StockRow, StockTuple
from tasks.errors import CallRefusedError, ConfigurationError, IntegrationError
from tasks.settings import OrderStatusName, PrimaSettings, Secrets
from tasks.systems.prima import answers, documents
from tasks.systems.prima.as_read import StockAnswer
from tasks.systems.prima.envelope import Service, open_service
from tasks.systems.prima.faults import Call
from tasks.systems.prima.order_document import OrderWriter
from tasks.systems.prima.records import OrderState, PreparedRequest, StockSnapshot
from tasks.systems.prima.refusals import PrimaRefusedError, hide_customer
from tasks.systems.prima.text import is_plain_code
from tasks.systems.prima.tracking import tracking_numbers
from tasks.systems.prima.transport import check_address, open_http

logger = logging.getLogger(__name__)

KNOWN_STATUSES: Mapping[str, OrderStatusName] = {
    "Despatched": "dispatched",
    "Part Despatched": "part_dispatched",
    "Cancelled": "cancelled",
}


def _at_once() -> None:
    """The pace of a client that nobody paces."""


class PrimaClient:
    """A client of one PRIMA installation; a context manager, usable from several threads.

    The WSDL is read on entering (or at the first call), which raises ConfigurationError or SystemUnavailableError.
    Calls are not repeated here: SystemUnavailableError says that nothing happened, OutcomeUnknownError that an order
    may have been taken, and the caller decides. `statuses` maps PRIMA's status words to ours (`[statuses]` of the
    settings); `pace` is called before each call and returns when it may leave.
    """

    def __init__(
        self,
        settings: PrimaSettings,
        secrets: Secrets,
        *,
        statuses: Mapping[str, OrderStatusName] = KNOWN_STATUSES,
        pace: Callable[[], None] = _at_once,
    ) -> None:
        self._settings = settings
        self._requests = settings.requests
        self._statuses = statuses
        self._pace = pace
        for name in ("wsdl_url", "endpoint_url", "base_url"):
            url = getattr(settings, name)
            if url:
                check_address(url, f"prima.{name}", allow_plain_http=settings.allow_plain_http)
        self._http = open_http(settings, secrets)
        self._loading = threading.Lock()
        self._loaded: Service | None = None

    def __enter__(self) -> "PrimaClient":
        try:
            self._service()
        except IntegrationError:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def describe(self) -> dict[str, str]:
        """Return operation, form, part names, address and SOAPAction, as the WSDL or `[prima.soap]` has them.

        Raises ConfigurationError or SystemUnavailableError when the WSDL cannot be had or used.
        """
        operation = self._service().operation
        return {
            "operation": operation.name,
            "style": operation.style,
            "use": operation.use,
            "request_part": operation.request_part,
            "company_part": operation.company_part,
            "answer_parts": ", ".join(operation.answer_parts),
            "address": operation.address,
            "soap_action": operation.soap_action,
        }

    def prepare_order(self, order: SalesOrder, *, request_type: str = "", customer_code: str = "") -> PreparedRequest:
        """Return the request for an order, checked and ready to be recorded; nothing is sent.

        `request_type` is `prima.requests.create` unless it is given; `customer_code` is PRIMA's code of a customer that
        exists, empty for a new one.
        Raises CallRefusedError with a `code` for an order that cannot be sent: TOTALS_DISAGREE, PRICE_NOT_DIVISIBLE,
        CHARACTER_REJECTED (in a code), TEXT_UNSENDABLE, TEXT_CUT (where `order.if_cut` is hold), TOO_LARGE, NO_LINES,
        QUANTITY, DELIVERY_UNMAPPED, ORDER_NUMBER_UNFIT.
        """
        request_type = request_type or self._requests.create
        unique_id = order.order_number_prima
        if self._settings.orders.unique_id == "random":
            unique_id = f"{random_source.randbelow(90_000_000) + 10_000_000}"
        writer = OrderWriter(self._settings, order, request_type, unique_id, customer_code)
        document = self._written(writer.root(), request_type, order.order_number)
        return PreparedRequest(
            request_type=request_type,
            order_number_prima=order.order_number_prima,
            unique_id=unique_id,
            document=document,
            sha256=hashlib.sha256(document.encode("utf-8")).hexdigest(),
            warnings=writer.warnings,
        )

    def send_order(self, prepared: PreparedRequest) -> tuple[Acceptance, str]:
        """Send a prepared order once; return the acceptance and the raw answer document.

        Raises PrimaRefusedError (a CallRefusedError: `code` such as `E:548`, raw `answer`), DuplicateOrderError when
        PRIMA already holds the number, SystemUnavailableError when nothing happened, and OutcomeUnknownError when the
        order may have been taken. Their words repeat nothing that the request says of the customer.
        """
        call = Call(prepared.request_type, prepared.order_number_prima, "order")
        try:
            answer = self._ask(prepared.document, call)
            return answers.acceptance(answer, prepared), answer.text
        except IntegrationError as error:
            hide_customer(error, prepared.document)
            raise

    def order_status(self, order_number_prima: str) -> OrderState | None:
        """Return the state of an order, or None when PRIMA says in the set words that it does not exist.

        Raises CallRefusedError for any other ERROR (it is no proof of absence), SystemUnavailableError, and
        OutcomeUnknownError when the answer is neither OK nor ERROR or cannot be read.
        """
        answer = self._ask_about(self._requests.status, order_number_prima)
        try:
            answers.require_ok(answer)
        except PrimaRefusedError as error:
            if answers.says_not_found(error, self._settings.status_not_found_text):
                return None
            raise
        state = answers.order_state(answer, order_number_prima, self._statuses)
        if self._settings.tracking.source != "order_status":
            return state
        return replace(state, tracking=tracking_numbers(answer.root, self._settings.tracking))

    @property
    def asks_for_tracking(self) -> bool:
        """Whether tracking numbers have a request of their own (`prima.tracking.source`)."""
        return self._settings.tracking.source == "request"

    def tracking(self, order_number_prima: str) -> tuple[Parcel, ...]:
        """Return the tracking numbers of an order from where `prima.tracking.source` says; empty where it says none.

        Raises CallRefusedError, SystemUnavailableError, OutcomeUnknownError for an answer that is neither OK nor ERROR.
        """
        if self._settings.tracking.source == "order_status":
            state = self.order_status(order_number_prima)
            return () if state is None else state.tracking
        if self._settings.tracking.source == "none":
            return ()
        answer = self._ask_about(self._requests.despatch, order_number_prima)
        answers.require_ok(answer)
        return tracking_numbers(answer.root, self._settings.tracking)

    def available_to_sell(self, items: Sequence[StockTuple]) -> list[StockRow]:
        """Return the rows PRIMA has for these stock tuples, in PRIMA's spelling; an item without a row is left out.

        Asks in portions of `prima.skus_per_stock_request`. Raises UnexpectedResponseError for a row nobody asked for,
        CallRefusedError, SystemUnavailableError.
        """
        for item in items:
            parts = (item.product, item.mtrx1, item.mtrx2, item.mtrx3, item.mtrx4)
            if not item.product or not all(is_plain_code(part) for part in parts):
                raise CallRefusedError(
                    f"{item} cannot be asked for: a code is empty or holds characters that a code cannot have.",
                    system="PRIMA",
                    operation=self._requests.stock_list,
                    reference=item.product,
                    code="CHARACTER_REJECTED",
                )
        wanted = list({_folded(item): item for item in items}.values())
        size = self._settings.skus_per_stock_request
        rows: list[StockRow] = []
        for start in range(0, len(wanted), size):
            rows += self._stock_of(wanted[start : start + size])
        return rows

    def _stock_of(self, items: Sequence[StockTuple]) -> list[StockRow]:
        call = Call(self._requests.stock_list, f"{items[0].product} and {len(items) - 1} more", "stock")
        try:
            document = self._written(documents.stock_request(call.operation, items), call.operation, call.reference)
        except CallRefusedError as error:
            raise ConfigurationError(
                f"{error.message} Lower prima.skus_per_stock_request.", system="PRIMA", operation=call.operation
            ) from error
        answer = self._ask(document, call)
        answers.require_ok(answer)
        rows = answers.stock_rows(answer)
        asked = {_folded(item) for item in items}
        given = [_folded(row.item) for row in rows]
        if len(set(given)) != len(given) or not set(given) <= asked:
            raise answers.broken(call, "the answer has a row that was not asked for, or one twice", answer.text)
        return rows

    def ask_for_stock(self, product_from: str = "", product_to: str = "") -> StockAnswer:
        """Return the answer to the question for a range of products, or for all of them, as it came.

        All of them come in one answer, or in one for each of `prima.stock.ranges`. Nothing is judged before
        `StockAnswer.snapshot` reads it. Raises SystemUnavailableError.
        """
        ranges = [(each.first, each.last) for each in self._settings.stock.ranges]
        if product_from or product_to or not ranges:
            ranges = [(product_from, product_to)]
        asked_at = _now()
        documents = [self._stock_of_range(*each) for each in ranges]
        return StockAnswer(documents, asked_at, _now(), self._settings)

    def stock_snapshot(self, product_from: str = "", product_to: str = "") -> StockSnapshot:
        """Return the figures of a range of products, or of all of them, as of some moment between its two times (UTC).

        Of an item that moves between two answers the first row counts. Raises UnexpectedResponseError for a malformed
        answer, or when two companies answered; CallRefusedError, SystemUnavailableError.
        """
        return self.ask_for_stock(product_from, product_to).snapshot()

    def _stock_of_range(self, product_from: str, product_to: str) -> tuple[Call, str]:
        call = Call(self._requests.stock_range, f"{product_from}..{product_to}", "stock")
        root = documents.range_request(call.operation, product_from, product_to)
        return call, self._asked(self._written(root, call.operation, call.reference), call)

    def _written(self, root: etree._Element, operation: str, reference: str) -> str:
        document = documents.write(root, self._settings.declaration)
        limit = self._settings.request_size_limit
        if len(document) > limit:
            raise CallRefusedError(
                f"the request has {len(document)} characters, prima.request_size_limit is {limit}.",
                system="PRIMA",
                operation=operation,
                reference=reference,
                code="TOO_LARGE",
            )
        return document

    def _ask_about(self, request_type: str, order_number_prima: str) -> answers.Answer:
        call = Call(request_type, order_number_prima, "status")
        root = documents.order_request(request_type, order_number_prima)
        return self._ask(self._written(root, call.operation, call.reference), call)

    def _ask(self, document: str, call: Call) -> answers.Answer:
        return answers.read(self._asked(document, call), call, self._settings)

    def _asked(self, document: str, call: Call) -> str:
        service = self._service()
        self._pace()
        return service.ask(document, call)

    def _service(self) -> Service:
        with self._loading:
            if self._loaded is None:
                self._loaded = open_service(self._settings, self._http)
                logger.debug("PRIMA: %s", self._loaded.operation)
            return self._loaded


def _folded(item: StockTuple) -> tuple[str, ...]:
    """Return a stock tuple without case: PRIMA was seen to take `None` where its stock says `NONE`."""
    return tuple(part.casefold() for part in (item.product, item.mtrx1, item.mtrx2, item.mtrx3, item.mtrx4))


def _now() -> datetime:
    return datetime.now(UTC)
