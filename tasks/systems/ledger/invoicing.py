"""What is still to be invoiced in Magento: accepted orders and told dispatches without a posted invoice."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from tasks.systems.ledger.database import Database
from tasks.systems.ledger.models import dispatch_links, orders, postings

ORDER_KEY = "magento/invoice/order/"
DISPATCH_KEY = "magento/invoice/dispatch/"


@dataclass(frozen=True, slots=True)
class ToInvoice:
    """An invoice that is due. `shipment_id` is empty for a whole order, and for a dispatch that shipped nothing."""

    key: str
    order_number: str
    entity_id_magento: int
    payment_method: str
    is_dispatch: bool = False
    shipment_id: str = ""


class Invoicing(Database):
    """Work lists, so that a run that stopped forgets no invoice."""

    def orders_to_invoice(self, payment_methods: Collection[str], since: datetime, *, limit: int) -> list[ToInvoice]:
        """Return orders of these payment methods that PRIMA accepted since then and that have no posted invoice."""
        key = ORDER_KEY + orders.c.order_number
        query = (
            select(key.label("key"), orders.c.order_number, orders.c.entity_id_magento, orders.c.payment_method)
            .where(orders.c.accepted_at >= since, orders.c.payment_method.in_(sorted(payment_methods)))
            .where(orders.c.state != "cancelled", ~_is_posted(key))
            .order_by(orders.c.accepted_at, orders.c.order_number)
            .limit(limit)
        )
        with self._reading("orders to invoice") as connection:
            return [ToInvoice(**row._asdict()) for row in connection.execute(query)]

    def dispatches_to_invoice(
        self, payment_methods: Collection[str], since: datetime, *, limit: int
    ) -> list[ToInvoice]:
        """Return dispatches told since then, of orders with these payment methods, that have no posted invoice."""
        key = DISPATCH_KEY + dispatch_links.c.dispatch_number
        query = (
            select(
                key.label("key"),
                orders.c.order_number,
                orders.c.entity_id_magento,
                orders.c.payment_method,
                dispatch_links.c.shipment_id,
            )
            .join(orders, orders.c.order_number == dispatch_links.c.order_number)
            .where(dispatch_links.c.updated_at >= since, dispatch_links.c.state.in_(("shipped", "nothing to ship")))
            .where(orders.c.payment_method.in_(sorted(payment_methods)), ~_is_posted(key))
            .order_by(dispatch_links.c.first_seen_at, dispatch_links.c.dispatch_number)
            .limit(limit)
        )
        with self._reading("dispatches to invoice") as connection:
            return [ToInvoice(**row._asdict(), is_dispatch=True) for row in connection.execute(query)]


def _is_posted(key: Any) -> Any:
    found: Select[Any] = select(postings.c.id).where(postings.c.key == key, postings.c.state == "posted")
    return found.exists()
