"""The orders flow under a schedule: customers order, somebody at Magento's admin changes a status, PRIMA refuses."""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from tasks import connect
from tests.recorded import sample_orders
from tests.stateful.play import Play
from tests.stateful.schedules import Step

FIRST_ENTITY = 10_000
# Long enough for a machine that is busy: PRIMA at work after the client gave up may rightly be asked twice.
PRIMA = """\
3
order_timeout_seconds = 3
status_timeout_seconds = 3
retry_minutes = [0]
attempt_limit = 3"""


class OrdersPlay(Play):
    """`documents` are the orders that customers placed."""

    flow: ClassVar[str] = "flows.orders:sync_orders"
    rows: ClassVar[Mapping[str, str]] = {
        "pending": "select count(*) from postings where system = 'prima' and state = 'pending'",
        "posted": "select count(*) from postings where system = 'prima' and state = 'posted'",
        "accepted": "select count(*) from orders where state = 'accepted'",
        "batch": "select count(*) from batches",
        "exception": "select count(*) from exceptions",
        "note pending": "select count(*) from postings where system = 'magento' and state = 'pending'",
        "note posted": "select count(*) from postings where system = 'magento' and state = 'posted'",
        "watermark": "select max(recorded_at) from watermarks",
    }

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.documents: list[dict[str, Any]] = []

    @property
    def replacements(self) -> Mapping[str, str]:
        """Short time-outs, refused orders tried again at once, and an overlap in every second pair of schedules."""
        return {
            "concurrency": PRIMA,
            "calls_per_second": "15\nread_attempts = 2",
            "overlap_minutes": "10" if self.schedule.seed % 4 < 2 else "0",
        }

    def prepare(self, step: Step) -> None:
        """Place orders, change some, and let PRIMA refuse whatever comes when the step says so."""
        self._place(step.new_orders)
        self._touch(step.touched)
        self.installation.prima.settings.vat_inclusive = not step.refuses

    def tidy(self) -> None:
        """Let PRIMA take orders again."""
        self.installation.prima.settings.vat_inclusive = True

    def unsettled(self) -> list[str]:
        """Return the orders and postings on which something is still to be done."""
        with self.installation.ledger() as ledger:
            orders = ledger.orders_in_state("seen", "ready", "posting", "unknown")
            open_postings = [
                posting
                for system in ("prima", "magento")
                for posting in ledger.postings_in(system, ("pending", "unknown"))
            ]
            noted = {posting.key for posting in ledger.postings_in("magento", {"posted"})}
            failed = {note.order_number for note in ledger.exceptions(code="MAGENTO_NOTE_FAILED")}
            unnoted = [
                f"{order.order_number} has no note"
                for order in ledger.orders_in_state("accepted")
                if f"magento/order_note/{order.order_number}" not in noted and order.order_number not in failed
            ]
        return [
            *(f"order {order.order_number} {order.state}" for order in orders),
            *(f"{posting.key} {posting.state}" for posting in open_postings),
            *unnoted,
        ]

    def _place(self, count: int) -> None:
        """Let customers place orders: recorded documents under numbers and times of their own."""
        pool = sample_orders()
        placed = []
        for _ in range(count):
            number = FIRST_ENTITY + len(self.documents)
            place = (self.schedule.seed * 31 + len(self.documents) * 7) % len(pool)
            placed.append(renumbered(pool[place], number))
            self.documents.append(placed[-1])
        self.installation.holds(*placed)

    def _touch(self, count: int) -> None:
        """Let somebody at Magento's admin change the status of orders."""
        if not count:
            return
        with connect.open_magento(self.installation.settings) as magento:
            for document in self.documents[:count]:
                status = f"processing_{len(magento.order(document['entity_id'])['status'])}"
                magento.save_order(document["entity_id"], status=status)


def renumbered(document: dict[str, Any], entity_id: int) -> dict[str, Any]:
    """Return a copy of an order document as an order of its own, placed just now."""
    order = copy.deepcopy(document)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    order |= {"entity_id": entity_id, "increment_id": f"{entity_id:09d}", "created_at": now, "updated_at": now}
    for line in order["items"]:
        line["order_id"] = entity_id
        line["item_id"] += entity_id * 1000
        if line.get("parent_item_id"):
            line["parent_item_id"] += entity_id * 1000
    return order
