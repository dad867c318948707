"""Postings that may be repeated: writes that leave the same behind however often they are made, a few in one commit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select

from tasks.systems.ledger.database import distinct
from tasks.systems.ledger.models import orders, postings
from tasks.systems.ledger.order_postings import SETTLE, Begun, OrderPostings, lane_of, latest_attempts
from tasks.systems.ledger.orders import records_of
from tasks.systems.ledger.postings import UNSETTLED
from tasks.systems.ledger.records import OrderRecord, Posting
from tasks.systems.ledger.redaction import without_customers

NOT_SENT = "UNAVAILABLE"
MISCONFIGURED = "MISCONFIGURED"
REPEATED = "REPEATED"
# The order has nothing to do with these.
_NO_REFUSALS = (NOT_SENT, MISCONFIGURED, REPEATED)
_STOPPED = {"error_code": REPEATED, "error_text": "A run stopped on the way.", "resolution": "repeated"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A write about an order that is to be made; `request_hash` is that of what will be sent."""

    key: str
    order_number: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended. `UNAVAILABLE` as code says that nothing happened."""

    begun: Begun
    state: Literal["posted", "refused"]
    reference: str = ""
    error_code: str = ""
    error_text: str = ""


class RepeatablePostings(OrderPostings):
    """Each method is one transaction for all its orders."""

    def begin_repeatable(
        self, wanted: Sequence[Wanted], *, system: str, operation: str, owner: str, seconds: int
    ) -> list[Begun]:
        """Enter the lane of each order and record an attempt as pending; return those whose calls may leave.

        Left out are orders whose lane another one holds, and keys that are posted. An attempt that a stopped run left
        pending is closed as refused with the code REPEATED: the write is simply made again.
        """

        def begun() -> list[Begun]:
            with self._writing("begin repeatable postings") as connection:
                tokens = self._enter_all(connection, [each.order_number for each in wanted], owner, seconds)
                attempts = latest_attempts(connection, [each.key for each in wanted])
                posted = {each.order_number for each in wanted if _state(attempts.get(each.key)) == "posted"}
                self._leave_all(connection, [token for number, token in tokens.items() if number in posted])
                free = [each for each in wanted if each.order_number in tokens.keys() - posted]
                for each in free:
                    if _state(attempts.get(each.key)) in UNSETTLED:
                        self._settle(connection, attempts[each.key].id, UNSETTLED, "refused", _STOPPED, None)
                rows = [
                    {
                        "key": each.key,
                        "system": system,
                        "operation": operation,
                        "subject": lane_of(each.order_number),
                        "request_hash": each.request_hash,
                    }
                    for each in free
                ]
                made = self._begin_all(connection, rows, attempts)
                return [
                    Begun(made[each.key], each.order_number, lane_of(each.order_number), tokens[each.order_number])
                    for each in free
                ]

        return self._raced(begun, ", ".join(distinct(each.key for each in wanted)))

    def finish_repeatable(self, ended: Sequence[Ended]) -> None:
        """Record how the calls ended and leave the lanes; what somebody else settled meanwhile stays so."""
        if not ended:
            return
        now = self._now()
        in_turn = sorted(ended, key=lambda each: each.begun.posting.id)
        with self._writing("finish repeatable postings") as connection:
            said = [(lane_of(each.begun.order_number), each.error_text) for each in in_turn]
            rows = [
                {
                    "posting_id": each.begun.posting.id,
                    "to_state": each.state,
                    "at": now,
                    "to_reference": each.reference,
                    "to_code": each.error_code,
                    "to_text": text,
                    "to_evidence": None,
                }
                for each, text in zip(in_turn, without_customers(connection, said), strict=True)
            ]
            connection.execute(SETTLE, rows)
            self._leave_all(connection, [each.begun.token for each in ended])

    def orders_without(
        self,
        key_prefix: str,
        *,
        accepted_since: datetime,
        attempts: int,
        leave_out: Collection[str] = (),
        limit: int,
    ) -> list[OrderRecord]:
        """Return orders accepted since then for which no posting `key_prefix` + order number is posted, oldest first.

        Those that were refused `attempts` times (calls that never left do not count) are left out, and `leave_out`.
        """
        key = key_prefix + orders.c.order_number
        posted = select(postings.c.id).where(postings.c.key == key, postings.c.state == "posted").exists()
        refusals = (
            select(func.count())
            .where(postings.c.key == key, postings.c.state == "refused")
            .where(postings.c.error_code.not_in(_NO_REFUSALS))
            .scalar_subquery()
        )
        query = (
            select(orders)
            .where(orders.c.accepted_at >= accepted_since, ~posted, refusals < attempts)
            .order_by(orders.c.accepted_at, orders.c.order_number)
            .limit(limit + len(leave_out))
        )
        with self._reading("orders without a posting") as connection:
            rows = [row for row in connection.execute(query) if row.order_number not in leave_out]
            return records_of(connection, rows[:limit])


def _state(attempt: Posting | None) -> str:
    return "" if attempt is None else attempt.state
