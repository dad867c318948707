"""The posting of an order as one commit before the call and one after it: lane, evidence, attempt and state together.

Four commits before a call and four after it say the same, at four times the price, and a run may stop between any two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Connection, select, update

from tasks.systems.ledger.database import SYSTEM
from tasks.systems.ledger.errors import LedgerStateError
from tasks.systems.ledger.evidence import EvidenceKeeper, pack
from tasks.systems.ledger.lanes import Lanes
from tasks.systems.ledger.models import orders
from tasks.systems.ledger.order_states import OrderStates
from tasks.systems.ledger.postings import UNSETTLED, Postings
from tasks.systems.ledger.records import EvidenceItem, Posting
from tasks.systems.ledger.states import AFTER_ACCEPTANCE, ORDER_STATES, OrderStateName

Outcome = Literal["posted", "refused", "unknown", "not_sent"]
Found = Literal["posted", "not_there", "another", "unknown"]
NUMBER_TAKEN = "E:21"
# Where an outcome leaves its order. What was never sent, or is not there, is free to be sent again.
_LEADS_TO: dict[str, OrderStateName] = {
    "posted": "accepted",
    "refused": "refused",
    "unknown": "unknown",
    "not_sent": "ready",
    "not_there": "ready",
    "another": "refused",
}


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that is recorded and whose call may leave; `lane` and `token` are what keeps others out meanwhile."""

    posting: Posting
    order_number: str
    lane: str
    token: str


class OrderPostings(Postings, OrderStates, EvidenceKeeper, Lanes):
    """Each method is one transaction: all of it is committed, or nothing."""

    def begin_order(
        self,
        order_number: str,
        *,
        key: str,
        system: str,
        operation: str,
        request_hash: str,
        request: EvidenceItem,
        owner: str,
        seconds: int,
    ) -> Begun | None:
        """Enter the order's lane, keep the request, record the attempt as pending and move the order to `posting`.

        None when another one holds the lane. Raises PostingExistsError when the key has a live attempt,
        LedgerStateError when the order is not `ready`; then nothing is written and the lane is free.
        """
        lane, token = f"order {order_number}", uuid4().hex
        row: dict[str, Any] = {
            "key": key,
            "system": system,
            "operation": operation,
            "subject": lane,
            "request_hash": request_hash,
        }
        packed = pack(request, self._now())

        def begun() -> Begun | None:
            with self._writing("begin order") as connection:
                if not self._enter(connection, lane, owner, seconds, token):
                    return None
                self._refuse_second(connection, key)
                if not self._move(connection, order_number, "posting", ("ready",)):
                    raise self._not_ready(connection, order_number)
                (evidence_id,) = self._chain(connection, [packed])
                posting = self._begin(connection, {**row, "request_evidence_id": evidence_id})
                return Begun(posting, order_number, lane, token)

        return self._raced(begun, key)

    def finish_order(
        self,
        begun: Begun,
        outcome: Outcome,
        *,
        reference: str = "",
        customer_code: str = "",
        error_code: str = "",
        error_text: str = "",
        answer: EvidenceItem | None = None,
    ) -> Posting:
        """Record how the call ended, with the answer as evidence; move the order along, leave its lane.

        `not_sent` is for a call that certainly had no effect: the attempt is closed as refused, the order is `ready`.
        Raises LedgerStateError when the attempt is not pending any more: somebody else settled it.
        """
        given = {"reference": reference, "error_code": error_code, "error_text": error_text}
        packed = [pack(answer, self._now())] if answer is not None else []
        with self._writing("finish order") as connection:
            evidence_ids = self._chain(connection, packed) if packed else [None]
            state = "refused" if outcome == "not_sent" else outcome
            settled = self._settle(connection, begun.posting.id, ("pending",), state, given, evidence_ids[0])
            if outcome == "posted":
                self._accept(connection, begun.order_number, customer_code)
            else:
                self._move(connection, begun.order_number, _LEADS_TO[outcome], ("posting",))
            self._leave(connection, begun.lane, begun.token)
        return settled

    def resolve_order(
        self, posting: Posting, order_number: str, found: Found, *, reference: str = "", text: str = ""
    ) -> None:
        """Settle an attempt after a look at the target, and move its order.

        `posted`: the order is there under `reference`, and accepted. `not_there`: it is free to be posted again.
        `another`: the number is somebody else's, the order is refused. `unknown`: the look found out nothing (`text`).
        Raises LedgerStateError when the attempt is settled already.
        """
        with self._writing("resolve order") as connection:
            if found in ("posted", "not_there"):
                outcome: Literal["posted", "not_there"] = "posted" if found == "posted" else "not_there"
                self._resolve(connection, posting.id, outcome, reference, "looked")
            elif found == "another":
                given = {"error_code": NUMBER_TAKEN, "error_text": text, "resolution": "another's (looked)"}
                self._settle(connection, posting.id, UNSETTLED, "refused", given, None)
            elif posting.state == "pending":
                self._settle(connection, posting.id, ("pending",), "unknown", {"error_text": text}, None)
            if found == "posted":
                self._accept(connection, order_number, "")
            else:
                self._move(connection, order_number, _LEADS_TO[found], ("posting", "unknown", "ready", "held"))

    def accept_order(self, order_number: str, customer_code: str = "") -> None:
        """Bring an order to `accepted` from wherever a stopped run left it; one that is further on stays there."""
        with self._writing("accept order") as connection:
            self._accept(connection, order_number, customer_code)

    def _accept(self, connection: Connection, order_number: str, customer_code: str) -> None:
        before: list[OrderStateName] = [state for state in ORDER_STATES if state not in AFTER_ACCEPTANCE]
        self._move(connection, order_number, "accepted", before, customer_code)

    def _move(
        self,
        connection: Connection,
        order_number: str,
        state: OrderStateName,
        expected: Sequence[OrderStateName],
        customer_code: str = "",
    ) -> bool:
        """Move an order inside the caller's transaction; False when it is in none of `expected`, and stays there."""
        values = self._values(state, None)
        if customer_code:
            values["customer_code"] = customer_code
        this = orders.c.order_number == order_number
        moved = connection.execute(update(orders).where(this, orders.c.state.in_(expected)).values(values))
        return moved.rowcount == 1

    def _not_ready(self, connection: Connection, order_number: str) -> LedgerStateError:
        state = select(orders.c.state).where(orders.c.order_number == order_number)
        return LedgerStateError(
            f"it is {connection.execute(state).scalar_one_or_none() or 'not known'}, not ready to be posted.",
            system=SYSTEM,
            operation="begin order",
            reference=f"order {order_number}",
        )
