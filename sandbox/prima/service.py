"""The web service: one generic operation that carries every request type."""

from collections import deque
from collections.abc import Callable
from datetime import datetime

from lxml import etree

from sandbox.faults import Faults
from sandbox.prima.documents import MALFORMED, Data, MalformedRequestError, read_request, result, written
from sandbox.prima.orders import OrderDesk, Taken
from sandbox.prima.refusals import Refusal, error_text, on_demand
from sandbox.prima.settings import StandInSettings
from sandbox.prima.stock import StockRoom

REQUESTS_KEPT = 5_000
ANSWER_KEPT = 50_000


class WebService:
    """Answers inner documents; the requests are kept for tests to look at."""

    def __init__(
        self,
        settings: StandInSettings,
        stock: StockRoom,
        orders: OrderDesk,
        faults: Faults,
        now: Callable[[str], datetime],
    ) -> None:
        self._settings = settings
        self._stock = stock
        self._orders = orders
        self._faults = faults
        self._now = now
        self.requests: deque[dict[str, str]] = deque(maxlen=REQUESTS_KEPT)

    def answer(self, company: str, document: str) -> str:
        """Return the answer document of a request document; what is refused is answered, never raised."""
        answers: list[etree._Element] = []

        def run(request_type: str, data: Data) -> None:
            answers[:] = [self._act(company, request_type, data, answers[0] if answers else None)]

        try:
            request_type = read_request(document, run, self._settings.outside_latin1)
        except MalformedRequestError as error:
            request_type = error.request_type
            root = result(company, request_type, status="ERROR", error=MALFORMED)
        else:
            root = answers[0] if answers else self._error(company, request_type, "The Request has no Data ")
        cut = self._faults.take("cut_answer", request_type)
        text = written(root)
        self.requests.append({"request_type": request_type, "xml": document, "answer": text[:ANSWER_KEPT]})
        return text if cut is None else text[: int(len(text) * float(cut.get("share", 0.5)))]

    def _act(self, company: str, request_type: str, data: Data, answer: etree._Element | None) -> etree._Element:
        """Carry out one `Data` element and return the answer so far."""
        if company not in self._settings.companies:
            return self._error(company, request_type, f"Company does not exist with Company equal to {company} ")
        kind = self._known_name(request_type)
        if kind in ("MultiNewOrder", "NewOrder"):
            root = result(company, request_type) if answer is None else answer
            refused = self._faults.take("refuse_order", request_type)
            if refused is None:
                taken: Taken | list[Refusal] = self._orders.take(data, self._now(request_type))
            else:
                taken = [on_demand(str(refused.get("text", "It cannot be taken now")), data.get)]
            self._orders.answer_row(root, data, taken)
            return root
        if answer is not None:
            return answer  # of the reading types only the first Data counts
        read = self._read(company, kind, data)
        if read is None:
            return self._error(company, request_type, f"Request Type is not known equal to {request_type} ")
        read.set("RequestType", request_type)
        return read

    def _read(self, company: str, kind: str, data: Data) -> etree._Element | None:
        """Return the answer of a type that only reads; None for a type that does not exist here."""
        if kind == "OrderStatus":
            return self._orders.status_answer(company, data, with_parcels=self._settings.tells_tracking == "status")
        if kind == "ProductAvailableToSell":
            return self._distorted(self._stock.range_answer(company, data, self._share(kind)), kind)
        if kind == "MultiAvailableToSell":
            return self._stock.list_answer(company, data, self._share(kind))
        if kind == self._settings.despatch_request and self._settings.tells_tracking == "request":
            return self._orders.status_answer(company, data, with_parcels=True)
        return None

    def _known_name(self, request_type: str) -> str:
        """Return the name that the reference has for a request type of this installation; empty for an unknown one."""
        known = {name: kind for kind, name in self._settings.request_names.items()}
        if request_type in known:
            return known[request_type]
        return "" if request_type in self._settings.request_names else request_type

    def _share(self, request_type: str) -> float:
        if self._faults.take("empty_snapshot", request_type) is not None:
            return 0.0
        shrunken = self._faults.take("shrunken_snapshot", request_type)
        return 1.0 if shrunken is None else float(shrunken.get("share", 0.1))

    def _distorted(self, answer: etree._Element, request_type: str) -> etree._Element:
        """Return a stock answer with the quantities that a planned fault gives it."""
        multiplied = self._faults.take("multiplied_snapshot", request_type)
        shifted = self._faults.take("shifted_snapshot", request_type)
        for row in answer.iterfind("Data/sku"):
            if multiplied is not None:
                quantity = int(row.get("AvailableQuantity", "0")) * float(multiplied.get("factor", 10))
                row.set("AvailableQuantity", str(int(quantity)))
            if shifted is not None:
                row.set("AvailableQuantity", row.get(str(shifted.get("column", "MtrxCode2")), ""))
        return answer

    def _error(self, company: str, request_type: str, text: str) -> etree._Element:
        """Return an error for the whole request, in the stand-in's own words (none is recorded for these cases)."""
        error = error_text([Refusal(194, "E:ErrMsg", text)], self._settings.dev_mode)
        return result(company, request_type, status="ERROR", error=error)
