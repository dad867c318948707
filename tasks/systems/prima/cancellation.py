"""The request that cancels an order of PRIMA, where an installation has one.

Nothing about it is public: its name is `prima.requests.cancel`, and that it takes `Data/@OrderNumber` alone, as
`OrderStatus` does, is an assumption. What it did is therefore always read back from the order's state.
"""

import hashlib

from tasks.systems.prima import documents
from tasks.systems.prima.answers import Answer, broken
from tasks.systems.prima.client import PrimaClient
from tasks.systems.prima.faults import Call
from tasks.systems.prima.records import PreparedRequest


def prepare_cancellation(client: PrimaClient, request_type: str, order_number_prima: str) -> PreparedRequest:
    """Return the request, ready to be recorded; nothing is sent."""
    document = client._written(
        documents.order_request(request_type, order_number_prima), request_type, order_number_prima
    )
    digest = hashlib.sha256(document.encode("utf-8")).hexdigest()
    return PreparedRequest(request_type, order_number_prima, "", document, digest)


def send_cancellation(client: PrimaClient, prepared: PreparedRequest) -> str:
    """Send a prepared request once; return the answer document when it says OK.

    Raises PrimaRefusedError for ERROR, SystemUnavailableError when nothing happened, OutcomeUnknownError when the order
    may have been cancelled.
    """
    call = Call(prepared.request_type, prepared.order_number_prima, "order")
    answer = client._ask(prepared.document, call)
    said = {element.get("RequestStatus", "").strip().upper() for element in (answer.root, *answer.data())} - {""}
    if "ERROR" in said:
        raise answer.refused(_texts(answer))
    if said != {"OK"}:
        raise broken(
            call, f"the answer says neither OK nor ERROR but {', '.join(sorted(said)) or 'nothing'}", answer.text
        )
    return answer.text


def _texts(answer: Answer) -> list[str]:
    return [text for element in answer.root.iter("*") for text in [element.get("Error", "")] if text]
