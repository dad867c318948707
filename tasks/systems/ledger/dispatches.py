"""Which Magento shipment stands for which PRIMA dispatch."""

from collections.abc import Sequence

from sqlalchemy import select, update

from tasks.systems.ledger.database import SYSTEM, Database, chunks, distinct
from tasks.systems.ledger.errors import LedgerStateError
from tasks.systems.ledger.models import dispatch_links
from tasks.systems.ledger.records import DispatchLink


class Dispatches(Database):
    """One link per dispatch number: a dispatch is told to the customer once."""

    def link_dispatch(self, dispatch_number: str, order_number: str, shipment_id: str, state: str) -> None:
        """Record how far a dispatch is told to Magento; `shipment_id` is empty until the shipment exists.

        A shipment id, once known, stays. Raises LedgerStateError when the dispatch already belongs to another order or
        another shipment.
        """
        now = self._now()
        row = {
            "dispatch_number": dispatch_number,
            "order_number": order_number,
            "shipment_id": shipment_id,
            "state": state,
            "first_seen_at": now,
            "updated_at": now,
        }
        this = dispatch_links.c.dispatch_number == dispatch_number
        with self._writing("link dispatch") as connection:
            if connection.execute(self._insert(dispatch_links).values(row).on_conflict_do_nothing()).rowcount == 1:
                return
            known = connection.execute(select(dispatch_links).where(this).with_for_update()).one()
            if known.order_number != order_number or (shipment_id and known.shipment_id not in ("", shipment_id)):
                raise LedgerStateError(
                    f"it already belongs to order {known.order_number}, shipment {known.shipment_id or '(none yet)'}; "
                    f"not to order {order_number}, shipment {shipment_id or '(none yet)'}.",
                    system=SYSTEM,
                    operation="link dispatch",
                    reference=dispatch_number,
                )
            values = {"state": state, "updated_at": now, "shipment_id": shipment_id or known.shipment_id}
            connection.execute(update(dispatch_links).where(this).values(values))

    def dispatch_link(self, dispatch_number: str) -> DispatchLink | None:
        """Return the link of a dispatch, or None when it was never seen."""
        return self.dispatches_known([dispatch_number]).get(dispatch_number)

    def dispatches_known(self, dispatch_numbers: Sequence[str]) -> dict[str, DispatchLink]:
        """Return the links of those dispatches that were seen before, by dispatch number."""
        known: dict[str, DispatchLink] = {}
        with self._reading("dispatches known") as connection:
            for part in chunks(distinct(dispatch_numbers)):
                query = select(dispatch_links).where(dispatch_links.c.dispatch_number.in_(part))
                known.update((row.dispatch_number, DispatchLink(**row._asdict())) for row in connection.execute(query))
        return known

    def dispatch_links_of(self, order_number: str) -> list[DispatchLink]:
        """Return the dispatches of an order, in the order in which they were first seen."""
        query = (
            select(dispatch_links)
            .where(dispatch_links.c.order_number == order_number)
            .order_by(dispatch_links.c.first_seen_at, dispatch_links.c.dispatch_number)
        )
        with self._reading("dispatch links of order") as connection:
            return [DispatchLink(**row._asdict()) for row in connection.execute(query)]
