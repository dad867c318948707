"""Asynchronous bulk: many operations in one request, done later by the shop's own queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

from tasks.systems.magento.errors import wrong_shape
from tasks.systems.magento.search import encode_segment
from tasks.systems.magento.streams import Calls, unexpected


class BulkStatus(IntEnum):
    """What became of one operation of a bulk."""

    DONE = 1
    FAILED_MAY_RETRY = 2
    FAILED = 3
    OPEN = 4
    REJECTED = 5


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation: `id` is its position in the list that was sent, `message` what Magento says of it."""

    id: int
    status: BulkStatus
    message: str


class BulkCalls(Calls):
    """Calls about bulks. Nothing of a bulk happens unless the merchant runs the consumer `async.operations.all`."""

    def bulk(
        self,
        route: str,
        entries: Sequence[dict[str, Any]],
        method: Literal["POST", "PUT", "DELETE"] = "POST",
        *,
        store_code: str | None = None,
    ) -> str:
        """Queue one operation per entry and return the uuid of the bulk.

        `route` is the asynchronous form, such as `/V1/inventory/source-items` or `/V1/order/byOrderId/ship` with
        `orderId` in every entry. `store_code="all"` writes for all stores. A malformed entry refuses the whole bulk
        (CallRefusedError) and nothing is queued.
        """
        if not entries:
            raise ValueError("a bulk needs at least one entry")
        address = f"/async/bulk{route}"
        reference = f"{len(entries)} operations"
        answer = self._transport.write(
            address, list(entries), method=method, store_code=store_code, reference=reference
        )
        uuid = answer.get("bulk_uuid") if isinstance(answer, dict) else None
        if not isinstance(uuid, str) or not uuid:
            raise wrong_shape(method, address, reference, answer)
        return uuid

    def bulk_operations(self, uuid: str) -> list[BulkOperation]:
        """Return the operations of a bulk in the order in which they were sent. Raises NotFoundError.

        Magento gives them unsorted, and its `error_code` is 0 for failures too: only the status counts.
        """
        route = f"/V1/bulk/{encode_segment(uuid)}/status"
        answer = self._transport.read(route, reference=f"bulk {uuid}")
        listed = answer.get("operations_list") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            raise unexpected(route, f"bulk {uuid}", "the answer has no operations_list")
        try:
            operations = [
                BulkOperation(int(each["id"]), BulkStatus(each["status"]), str(each.get("result_message") or ""))
                for each in listed
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise unexpected(route, f"bulk {uuid}", f"an operation cannot be read ({error})") from error
        return sorted(operations, key=lambda each: each.id)
