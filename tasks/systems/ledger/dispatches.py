"""Which Magento shipment stands for which PRIMA dispatch."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

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
        with self._writing("link dispatch") as connection:
            self._link(connection, dispatch_number, order_number, shipment_id, state)

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

    def dispatches_told(self, since: datetime) -> list[DispatchLink]:
        """Return the dispatches of which Magento has a shipment, told or told again since then, longest ago first."""
        query = (
            select(dispatch_links)
            .where(dispatch_links.c.updated_at >= since, dispatch_links.c.shipment_id != "")
            .order_by(dispatch_links.c.updated_at, dispatch_links.c.dispatch_number)
        )
        with self._reading("dispatches told") as connection:
            return [DispatchLink(**row._asdict()) for row in connection.execute(query)]

    def shipments_linked(self, shipment_ids: Sequence[str]) -> dict[str, DispatchLink]:
        """Return the dispatch that each of these Magento shipments tells of; one made by hand has none."""
        found: dict[str, DispatchLink] = {}
        with self._reading("shipments linked") as connection:
            for part in chunks(distinct(shipment_ids)):
                query = select(dispatch_links).where(dispatch_links.c.shipment_id.in_(part))
                found.update((row.shipment_id, DispatchLink(**row._asdict())) for row in connection.execute(query))
        return found

    def dispatch_links_of(self, order_number: str) -> list[DispatchLink]:
        """Return the dispatches of an order, in the order in which they were first seen."""
        query = (
            select(dispatch_links)
            .where(dispatch_links.c.order_number == order_number)
            .order_by(dispatch_links.c.first_seen_at, dispatch_links.c.dispatch_number)
        )
        with self._reading("dispatch links of order") as connection:
            return [DispatchLink(**row._asdict()) for row in connection.execute(query)]

    def _link(
        self, connection: Connection, dispatch_number: str, order_number: str, shipment_id: str, state: str
    ) -> None:
        """Link a dispatch inside the caller's transaction."""
        now = self._now()
        row = {
            "dispatch_number": dispatch_number,
            "order_number": order_number,
            "shipment_id": shipment_id,
            "state": state,
            "first_seen_at": now,
            "updated_at": now,
            "content": "",
        }
        this = dispatch_links.c.dispatch_number == dispatch_number
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
