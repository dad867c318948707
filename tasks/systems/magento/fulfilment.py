"""Shipments, tracks, invoices and refunds: the writes that customers notice."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from schemas.documents import ShipmentLine, ShipmentRequest, Track
from tasks.systems.magento.errors import wrong_shape
from tasks.systems.magento.orders import OrderCalls
from tasks.systems.magento.search import encode_id
from tasks.systems.magento.streams import Record

DISPATCH_COMMENT = "PRIMA dispatch "
# The code of the refusal for a source that is unknown or holds too little.
NOT_SAVED = "SHIPMENT_NOT_SAVED"


class FulfilmentCalls(OrderCalls):
    """Calls that ship, invoice and refund. Each answers with the id of the new document, as text."""

    def ship(self, request: ShipmentRequest) -> str:
        """Create a shipment of exactly these lines and return its id.

        The dispatch number is kept in a comment that customers do not see ("PRIMA dispatch D100"), so that
        `shipment_of_dispatch` finds the shipment again. Magento silently ships less than asked when less is left, and
        ships everything when no line is named: an empty list, a repeated line and a quantity below one raise
        ValueError before anything is sent. Raises CallRefusedError (SHIPMENT_NOT_SAVED, NOTHING_TO_SHIP,
        ORDER_CANCELLED, ORDER_HELD, NO_SHIPPABLE_LINES), NotFoundError, OutcomeUnknownError.
        """
        body: dict[str, Any] = {
            "items": _lines(request.lines, lowest=1),
            "notify": request.notify_customer,
            "appendComment": False,  # true would put the comment into the customer's e-mail
            "comment": {"comment": f"{DISPATCH_COMMENT}{request.dispatch_number}", "is_visible_on_front": 0},
            "tracks": [_track(each) for each in request.tracks],
        }
        if request.source_code:
            body["arguments"] = {"extension_attributes": {"source_code": request.source_code}}
        route = f"/V1/order/{encode_id(request.entity_id_magento)}/ship"
        return self._new_id(route, body, f"order {request.order_number}, dispatch {request.dispatch_number}")

    def shipment_of_dispatch(self, entity_id: int, dispatch_number: str) -> Record | None:
        """Return the shipment of an order whose comment names this dispatch, or None when the order has none."""
        wanted = f"{DISPATCH_COMMENT}{dispatch_number}"
        for shipment in self.shipments_of(entity_id):
            for each in shipment.get("comments") or []:
                if isinstance(each, dict) and str(each.get("comment", "")).strip() == wanted:
                    return shipment
        return None

    def add_track(self, order_entity_id: int, shipment_id: int | str, track: Track) -> int:
        """Add a tracking number to a shipment and return the track's id. Magento takes a duplicate: look first."""
        reference = f"order id {order_entity_id}, shipment id {shipment_id}"
        entity = {
            "order_id": int(encode_id(order_entity_id)),
            "parent_id": int(encode_id(shipment_id)),
            **_track(track),
        }
        answer = self._transport.write("/V1/shipment/track", {"entity": entity}, reference=reference)
        if not isinstance(answer, dict) or not isinstance(answer.get("entity_id"), int):
            raise wrong_shape("POST", "/V1/shipment/track", reference, answer)
        return int(answer["entity_id"])

    def comment_on_shipment(self, shipment_id: int | str, text: str, *, visible: bool = False) -> None:
        """Add a comment to a shipment, without an e-mail."""
        route, reference = f"/V1/shipment/{encode_id(shipment_id)}/comments", f"shipment id {shipment_id}"
        entity = {
            "parent_id": int(encode_id(shipment_id)),
            "comment": text,
            "is_customer_notified": 0,
            "is_visible_on_front": int(visible),
        }
        answer = self._transport.write(route, {"entity": entity}, reference=reference)
        if not isinstance(answer, dict) or "entity_id" not in answer:
            raise wrong_shape("POST", route, reference, answer)

    def invoice(
        self,
        entity_id: int,
        lines: Sequence[ShipmentLine] | None = None,
        capture: bool = False,
        *,
        notify_customer: bool = False,
        text: str = "",
    ) -> str:
        """Invoice these lines, or with None all that is left, and return the invoice's id.

        Delivery and its VAT go on the first invoice. `capture` takes the money through the payment gateway. `text` is
        kept in a comment that customers do not see.
        """
        body: dict[str, Any] = {"capture": capture, "notify": notify_customer}
        if text:
            body |= {"appendComment": False, "comment": {"comment": text, "is_visible_on_front": 0}}
        if lines is not None:
            body["items"] = _lines(lines, lowest=1)
        return self._new_id(f"/V1/order/{encode_id(entity_id)}/invoice", body, f"order id {entity_id}")

    def refund(
        self,
        entity_id: int,
        lines: Sequence[ShipmentLine],
        *,
        delivery: Decimal,
        goodwill: Decimal = Decimal(0),
        fee: Decimal = Decimal(0),
        return_to_stock: Sequence[int] = (),
        notify_customer: bool = False,
        text: str = "",
    ) -> str:
        """Refund these lines, offline, and return the credit memo's id.

        Lines with quantity 0 refund no goods (delivery or goodwill only); no lines at all would refund everything and
        raise ValueError. `delivery` is always stated, because Magento refunds all of it when it is left out: net of
        VAT, or gross where the shop shows delivery including tax (`tax/sales_display/shipping`). `goodwill` is gross
        and carries no VAT; `fee` is kept back. `return_to_stock` lists the item ids whose units go back to the source.
        """
        if min(delivery, goodwill, fee) < 0:
            raise ValueError("delivery, goodwill and fee of a refund cannot be negative")
        arguments: dict[str, Any] = {
            "shipping_amount": delivery,
            "adjustment_positive": goodwill,
            "adjustment_negative": fee,
        }
        if return_to_stock:
            arguments["extension_attributes"] = {"return_to_stock_items": list(return_to_stock)}
        body: dict[str, Any] = {
            "items": _lines(lines, lowest=0),
            "notify": notify_customer,
            "arguments": arguments,
        }
        if text:
            body |= {"appendComment": notify_customer, "comment": {"comment": text, "is_visible_on_front": 0}}
        return self._new_id(f"/V1/order/{encode_id(entity_id)}/refund", body, f"order id {entity_id}")

    def _new_id(self, route: str, body: dict[str, Any], reference: str) -> str:
        answer = self._transport.write(route, body, reference=reference)
        if isinstance(answer, bool) or not isinstance(answer, str | int) or not str(answer).isdecimal():
            raise wrong_shape("POST", route, reference, answer)
        return str(answer)


def _lines(lines: Sequence[ShipmentLine], *, lowest: int) -> list[dict[str, int]]:
    if not lines:
        raise ValueError("no lines: Magento would take an empty list for everything that is left")
    ids = [each.item_id_magento for each in lines]
    if len(set(ids)) != len(ids):
        raise ValueError("a line stands twice: Magento would count only one of the two")
    if any(each.quantity < lowest or isinstance(each.quantity, bool) for each in lines):
        raise ValueError(f"quantities must be whole and at least {lowest}")
    return [{"order_item_id": each.item_id_magento, "qty": int(each.quantity)} for each in lines]


def _track(track: Track) -> dict[str, str]:
    return {"track_number": track.number, "title": track.title, "carrier_code": track.carrier_code}
