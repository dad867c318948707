"""Postings that may be repeated: writes that leave the same behind however often they are made, a few in one commit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import uuid4

from sqlalchemy import Connection, func, select

from tasks.systems.ledger.database import distinct
from tasks.systems.ledger.models import orders, postings
from tasks.systems.ledger.order_postings import Begun, OrderPostings
from tasks.systems.ledger.orders import records_of
from tasks.systems.ledger.postings import UNSETTLED
from tasks.systems.ledger.records import OrderRecord

NOT_SENT = "UNAVAILABLE"
MISCONFIGURED = "MISCONFIGURED"
REPEATED = "REPEATED"
# The order has nothing to do with these.
_NO_REFUSALS = (NOT_SENT, MISCONFIGURED, REPEATED)


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
                # One order after the other by number, so that two such calls cannot deadlock.
                ordered = sorted(wanted, key=lambda each: each.order_number)
                found = [self._begin_one(connection, each, system, operation, owner, seconds) for each in ordered]
                return [each for each in found if each is not None]

        return self._raced(begun, ", ".join(distinct(each.key for each in wanted)))

    def finish_repeatable(self, ended: Sequence[Ended]) -> None:
        """Record how the calls ended and leave the lanes. Raises LedgerStateError when one is settled already."""
        with self._writing("finish repeatable postings") as connection:
            for each in sorted(ended, key=lambda each: each.begun.order_number):
                given = {
                    "reference": each.reference,
                    "error_code": each.error_code,
                    "error_text": each.error_text,
                }
                self._settle(connection, each.begun.posting.id, ("pending",), each.state, given, None)
                self._leave(connection, each.begun.lane, each.begun.token)

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

    def _begin_one(
        self, connection: Connection, wanted: Wanted, system: str, operation: str, owner: str, seconds: int
    ) -> Begun | None:
        last = connection.execute(
            select(postings.c.id, postings.c.state)
            .where(postings.c.key == wanted.key)
            .order_by(postings.c.attempt.desc())
            .limit(1)
        ).one_or_none()
        if last is not None and last.state == "posted":
            return None
        lane, token = f"order {wanted.order_number}", uuid4().hex
        if not self._enter(connection, lane, owner, seconds, token):
            return None
        if last is not None and last.state in UNSETTLED:
            given = {"error_code": REPEATED, "error_text": "A run stopped on the way.", "resolution": "repeated"}
            self._settle(connection, last.id, UNSETTLED, "refused", given, None)
        row = {
            "key": wanted.key,
            "system": system,
            "operation": operation,
            "subject": lane,
            "request_hash": wanted.request_hash,
        }
        return Begun(self._begin(connection, row), wanted.order_number, lane, token)
