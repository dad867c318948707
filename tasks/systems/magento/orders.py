"""Orders: single reads, look-ups by number, what belongs to an order, comments, status, cancel and hold."""

from collections.abc import Sequence
from typing import Any

from tasks.errors import CallRefusedError
from tasks.systems.magento.errors import SYSTEM, wrong_shape
from tasks.systems.magento.search import Filter, Search, encode_id, lists_of
from tasks.systems.magento.streams import Calls, Record, unexpected


class OrderCalls(Calls):
    """Calls about orders. `entity_id` is Magento's id for addresses, `order_number` the increment id."""

    def order(self, entity_id: int) -> Record:
        """Return one order as `GET /V1/orders/{id}` gives it, money as int or Decimal. Raises NotFoundError."""
        return self._one(f"/V1/orders/{encode_id(entity_id)}", f"order id {entity_id}")

    def orders_by_number(self, order_numbers: Sequence[str]) -> list[Record]:
        """Return the orders with these increment ids; a number that Magento does not know is simply not among them."""
        return self._by_number("/V1/orders", order_numbers, "order numbers")

    def orders_by_id(self, entity_ids: Sequence[int]) -> list[Record]:
        """Return the orders with these entity ids; an id that Magento does not know is simply not among them."""
        found: list[Record] = []
        asked = {encode_id(each) for each in entity_ids}
        for each, count in lists_of(sorted(asked), column="entity_id", longest=self._page_size):
            found += self._matching("/V1/orders", each, asked, f"{count} orders")
        return found

    def creditmemos_by_number(self, numbers: Sequence[str]) -> list[Record]:
        """Return the credit memos with these increment ids; one that Magento does not know is not among them."""
        return self._by_number("/V1/creditmemos", numbers, "credit memos")

    def orders_by_ext_order_id(self, ext_order_id: str) -> list[Record]:
        """Return the orders that carry PRIMA's number in `ext_order_id`."""
        wanted = Filter("ext_order_id", "eq", ext_order_id)
        return self._matching("/V1/orders", wanted, {ext_order_id}, f"ext_order_id {ext_order_id}")

    def latest_order(self, store_id: int) -> Record | None:
        """Return `entity_id` and `increment_id` of the newest order of a store view; None when it has none."""
        search = Search(page_size=1, fields="items[entity_id,increment_id],total_count")
        search.where(Filter("store_id", "eq", store_id)).descending("entity_id")
        found, _ = self._page("/V1/orders", search, f"latest order of store view {store_id}")
        return found[0] if found else None

    def shipments_of(self, entity_id: int) -> list[Record]:
        """Return the shipments of an order, oldest first."""
        return self._of_order("/V1/shipments", entity_id)

    def invoices_of(self, entity_id: int) -> list[Record]:
        """Return the invoices of an order, oldest first."""
        return self._of_order("/V1/invoices", entity_id)

    def creditmemos_of(self, entity_id: int) -> list[Record]:
        """Return the credit memos of an order, oldest first."""
        return self._of_order("/V1/creditmemos", entity_id)

    def shipment(self, shipment_id: int | str) -> Record:
        """Return one shipment with its items, tracks and comments. Raises NotFoundError."""
        return self._one(f"/V1/shipment/{encode_id(shipment_id)}", f"shipment id {shipment_id}")

    def comments_of(self, entity_id: int) -> list[Record]:
        """Return the comments of an order, as `GET /V1/orders/{id}/comments` gives them."""
        answer = self._one(f"/V1/orders/{encode_id(entity_id)}/comments", f"order id {entity_id}")
        return list(answer.get("items") or [])

    def comment(self, entity_id: int, text: str, *, status: str = "", visible: bool = False) -> None:
        """Add a comment to an order, without an e-mail.

        `status`, if given, must be the order's current one: a comment cannot change it (CallRefusedError
        STATUS_NOT_CURRENT), `save_order` can. The order's `updated_at` stays as it is.
        """
        history: dict[str, Any] = {"comment": text, "is_customer_notified": 0, "is_visible_on_front": int(visible)}
        if status:
            history["status"] = status
        self._accepted(f"/V1/orders/{encode_id(entity_id)}/comments", entity_id, {"statusHistory": history})

    def save_order(self, entity_id: int, *, ext_order_id: str | None = None, status: str | None = None) -> None:
        """Write `ext_order_id` and the status of an order; nothing else of it changes.

        Magento checks neither: an unknown status is saved as it is.
        """
        entity: dict[str, Any] = {"entity_id": int(encode_id(entity_id))}
        if ext_order_id is not None:
            entity["ext_order_id"] = ext_order_id
        if status is not None:
            entity["status"] = status
        if len(entity) == 1:
            raise ValueError("save_order needs ext_order_id or status")
        reference = f"order id {entity_id}"
        answer = self._transport.write("/V1/orders", {"entity": entity}, reference=reference)
        # The other members of the answer read null although the columns keep their values.
        if not isinstance(answer, dict) or str(answer.get("entity_id")) != str(entity_id):
            raise wrong_shape("POST", "/V1/orders", reference, answer)

    def cancel(self, entity_id: int) -> bool:
        """Cancel all units of an order that are neither invoiced nor shipped; returns True.

        Raises CallRefusedError (NOT_CANCELLABLE) where Magento answers false: the order is cancelled already, on
        hold, or fully invoiced.
        """
        self._accepted(f"/V1/orders/{encode_id(entity_id)}/cancel", entity_id)
        return True

    def hold(self, entity_id: int) -> None:
        """Put an order on hold. Raises CallRefusedError (NOT_HOLDABLE) when it is already, or is finished."""
        self._accepted(f"/V1/orders/{encode_id(entity_id)}/hold", entity_id)

    def unhold(self, entity_id: int) -> None:
        """Release an order. Raises CallRefusedError (NOT_HELD) when it is not on hold."""
        self._accepted(f"/V1/orders/{encode_id(entity_id)}/unhold", entity_id)

    def _one(self, route: str, reference: str) -> Record:
        answer = self._transport.read(route, reference=reference)
        if not isinstance(answer, dict):
            raise unexpected(route, reference, f"the answer is a {type(answer).__name__}")
        return answer

    def _by_number(self, route: str, numbers: Sequence[str], what: str) -> list[Record]:
        found: list[Record] = []
        asked = set(numbers)
        for each, count in lists_of(list(numbers), column="increment_id", longest=self._page_size):
            found += self._matching(route, each, asked, f"{count} {what}")
        return found

    def _of_order(self, route: str, entity_id: int) -> list[Record]:
        wanted = Filter("order_id", "eq", encode_id(entity_id))
        return self._matching(route, wanted, {encode_id(entity_id)}, f"order id {entity_id}")

    def _accepted(self, route: str, entity_id: int, body: dict[str, Any] | None = None) -> None:
        reference = f"order id {entity_id}"
        answer = self._transport.write(route, body, reference=reference)
        if answer is False:
            raise CallRefusedError(
                "answered false: it cannot be done to this order.",
                system=SYSTEM,
                operation=f"POST {route}",
                reference=reference,
                next_step="Look at its state: cancelled, on hold and fully invoiced orders cannot be cancelled.",
                status=200,
                code="NOT_CANCELLABLE" if route.endswith("/cancel") else "ANSWERED_FALSE",
            )
        if answer is not True:
            raise wrong_shape("POST", route, reference, answer)
