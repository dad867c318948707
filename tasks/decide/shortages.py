"""Which shipments Magento refused for want of stock. Pure."""

from collections.abc import Sequence

from schemas.batches import PostingResult
from schemas.dispatches import DispatchEvidence
from schemas.documents import ShipmentRequest

SHORT = "SHIPMENT_WITHOUT_STOCK"


def without_stock(requests: Sequence[ShipmentRequest], results: Sequence[PostingResult]) -> list[ShipmentRequest]:
    """Return the requests that Magento refused because its source holds too little."""
    short = {result.subject for result in results if result.code == SHORT}
    return [request for request in requests if request.dispatch_number in short]


def skus_of(requests: Sequence[ShipmentRequest], evidence: DispatchEvidence) -> list[str]:
    """Return the SKUs of the lines of these requests."""
    sku_of = {line.item_id_magento: line.sku for order in evidence.orders.values() for line in order.lines}
    return sorted({sku_of[line.item_id_magento] for request in requests for line in request.lines})


def replaced(results: Sequence[PostingResult], again: Sequence[PostingResult]) -> list[PostingResult]:
    """Return the results with those of the second try in place of the first."""
    second = {result.subject: result for result in again}
    return [second.get(result.subject, result) for result in results]
