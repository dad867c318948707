"""The posting of orders as one commit before their calls and one after: lanes, evidence, attempts and states together.

Four commits before a call and four after it say the same, at many times the price, and a run may stop between any two.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, select, update

from tasks.systems.ledger.database import distinct
from tasks.systems.ledger.evidence import EvidenceKeeper, pack
from tasks.systems.ledger.lanes import Lanes
from tasks.systems.ledger.models import leases, orders, postings
from tasks.systems.ledger.order_states import OrderStates
from tasks.systems.ledger.postings import UNSETTLED, Postings
from tasks.systems.ledger.records import EvidenceItem, Posting
from tasks.systems.ledger.redaction import without_customers
from tasks.systems.ledger.states import AFTER_ACCEPTANCE, LIVE_POSTING_STATES, ORDER_STATES, OrderStateName

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
_BEFORE_ACCEPTANCE = [state for state in ORDER_STATES if state not in AFTER_ACCEPTANCE]


@dataclass(frozen=True, slots=True)
class WantedOrder:
    """An order that is to be posted: its key, the hash of its request, and the request itself."""

    order_number: str
    key: str
    request_hash: str
    request: EvidenceItem


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that is recorded and whose call may leave; `lane` and `token` are what keeps others out meanwhile."""

    posting: Posting
    order_number: str
    lane: str
    token: str


@dataclass(frozen=True, slots=True)
class NotBegun:
    """An order whose call may not leave: its key has the live attempt `posting`, or the `problem` says why."""

    order_number: str
    problem: str
    posting: Posting | None = None


@dataclass(frozen=True, slots=True)
class EndedOrder:
    """How the call of an order ended. `not_sent`: it certainly had no effect."""

    begun: Begun
    outcome: Outcome
    reference: str = ""
    customer_code: str = ""
    error_code: str = ""
    error_text: str = ""
    answer: EvidenceItem | None = None


class OrderPostings(Postings, OrderStates, EvidenceKeeper, Lanes):
    """Each method is one transaction: all of it is committed, or nothing."""

    def begin_orders(
        self, wanted: Sequence[WantedOrder], *, system: str, operation: str, owner: str, seconds: int
    ) -> list[Begun | NotBegun]:
        """Enter the orders' lanes, keep the requests, record the attempts as pending, move the orders to `posting`.

        Returns for each order, as they came, the attempt whose call may leave, or why none may: another one holds the
        lane, the key has a live attempt, or the order is not `ready`.
        """
        packed = {each.order_number: pack(each.request, self._now()) for each in wanted}

        def begun() -> list[Begun | NotBegun]:
            with self._writing("begin orders") as connection:
                tokens = self._enter_all(connection, list(packed), owner, seconds)
                attempts = latest_attempts(connection, [each.key for each in wanted])
                # Only orders whose lane is ours are locked: those of others are being finished by them.
                ready = _locked_states(connection, list(tokens))
                obstacles = {each.order_number: _obstacle(each, tokens, attempts, ready) for each in wanted}
                free = [each for each in wanted if obstacles[each.order_number] is None]
                self._leave_all(connection, [token for number, token in tokens.items() if obstacles[number]])
                made = self._record(connection, free, packed, attempts, system, operation)
                return [
                    obstacles[number] or Begun(made[number], number, lane_of(number), tokens[number])
                    for number in (each.order_number for each in wanted)
                ]

        return self._raced(begun, ", ".join(packed))

    def finish_orders(self, ended: Sequence[EndedOrder]) -> dict[str, Posting]:
        """Record how calls ended, with the answers as evidence; move the orders along and leave their lanes.

        A call that was `not_sent` closes its attempt as refused and leaves its order `ready`. Returns the settled
        attempts by order number; an attempt that somebody else settled meanwhile stays as that one left it.
        """
        answers = [pack(each.answer, self._now()) for each in ended if each.answer is not None]
        with self._writing("finish orders") as connection:
            _locked_states(connection, [each.begun.order_number for each in ended])
            evidence_ids = iter(self._chain(connection, answers) if answers else [])
            kept = {each.begun.posting.id: next(evidence_ids) for each in ended if each.answer is not None}
            unsettled = _still_pending(connection, [each.begun.posting.id for each in ended])
            ours = sorted(
                (each for each in ended if each.begun.posting.id in unsettled),
                key=lambda each: each.begun.order_number,
            )
            if ours:
                said = [(lane_of(each.begun.order_number), each.error_text) for each in ours]
                texts = zip(ours, without_customers(connection, said), strict=True)
                outcomes = [self._outcome(each, text, kept.get(each.begun.posting.id)) for each, text in texts]
                connection.execute(SETTLE, outcomes)
            accepted = [each for each in ours if each.outcome == "posted"]
            if accepted:
                moves = [{"number": each.begun.order_number, "code": each.customer_code} for each in accepted]
                connection.execute(_ACCEPT.values(self._values("accepted", None)), moves)
            for each in ours:
                if each.outcome != "posted":
                    self._move(connection, each.begun.order_number, _LEADS_TO[each.outcome], {"posting"})
            self._leave_all(connection, [each.begun.token for each in ended])
            settled = select(postings).where(postings.c.id.in_([each.begun.posting.id for each in ended]))
            by_id = {row.id: Posting(**row._asdict()) for row in connection.execute(settled)}
        return {each.begun.order_number: by_id[each.begun.posting.id] for each in ended}

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
            expected: Collection[OrderStateName] = ("posting", "unknown", "ready", "held")
            self._move(
                connection, order_number, _LEADS_TO[found], _BEFORE_ACCEPTANCE if found == "posted" else expected
            )

    def accept_order(self, order_number: str) -> None:
        """Bring an order to `accepted` from wherever a stopped run left it; one that is further on stays there."""
        with self._writing("accept order") as connection:
            self._move(connection, order_number, "accepted", _BEFORE_ACCEPTANCE)

    def _enter_all(
        self, connection: Connection, order_numbers: Sequence[str], owner: str, seconds: int
    ) -> dict[str, str]:
        """Enter the lanes of orders; return the token of each that was free."""
        now = self._now()
        tokens = {lane_of(number): uuid4().hex for number in sorted(order_numbers)}
        insert = self._insert(leases)
        taken = {column: insert.excluded[column] for column in ("owner", "token", "until")}
        enter = insert.on_conflict_do_update(
            index_elements=["name"], set_=taken, where=leases.c.until <= now
        ).returning(leases.c.name)
        until = now + timedelta(seconds=seconds)
        rows = [{"name": name, "owner": owner, "token": token, "until": until} for name, token in tokens.items()]
        entered = set(connection.execute(enter, rows).scalars())
        return {number: tokens[lane_of(number)] for number in order_numbers if lane_of(number) in entered}

    def _leave_all(self, connection: Connection, tokens: Sequence[str]) -> None:
        if tokens:
            connection.execute(delete(leases).where(leases.c.token.in_(tokens)))

    def _record(
        self,
        connection: Connection,
        free: Sequence[WantedOrder],
        packed: Mapping[str, dict[str, Any]],
        attempts: Mapping[str, Posting],
        system: str,
        operation: str,
    ) -> dict[str, Posting]:
        """Keep the requests, add the attempts and move the orders; return the attempts by order number."""
        if not free:
            return {}
        evidence_ids = self._chain(connection, [packed[each.order_number] for each in free])
        rows = [
            {
                "key": each.key,
                "system": system,
                "operation": operation,
                "subject": lane_of(each.order_number),
                "request_hash": each.request_hash,
                "request_evidence_id": evidence_id,
            }
            for each, evidence_id in zip(free, evidence_ids, strict=True)
        ]
        by_key = self._begin_all(connection, rows, attempts)
        moving = orders.c.order_number.in_([each.order_number for each in free])
        connection.execute(update(orders).where(moving).values(self._values("posting", None)))
        return {each.order_number: by_key[each.key] for each in free}

    def _begin_all(
        self, connection: Connection, rows: Sequence[dict[str, Any]], attempts: Mapping[str, Posting]
    ) -> dict[str, Posting]:
        """Add a pending attempt for each row, behind the latest of its key; return them by key."""
        blank = {"reference": "", "error_code": "", "error_text": "", "resolution": "", "request_evidence_id": None}
        common = {**blank, "state": "pending", "begun_at": self._now()}
        numbered = [
            {**common, **row, "attempt": attempts[row["key"]].attempt + 1 if row["key"] in attempts else 1}
            for row in rows
        ]
        if not numbered:
            return {}
        made = connection.execute(postings.insert().returning(*postings.c), numbered)
        return {row.key: Posting(**row._asdict()) for row in made}

    def _outcome(self, ended: EndedOrder, text: str, evidence_id: int | None) -> dict[str, Any]:
        return {
            "posting_id": ended.begun.posting.id,
            "to_state": "refused" if ended.outcome == "not_sent" else ended.outcome,
            "at": self._now(),
            "to_reference": ended.reference,
            "to_code": ended.error_code,
            "to_text": text,
            "to_evidence": evidence_id,
        }

    def _move(
        self, connection: Connection, order_number: str, state: OrderStateName, expected: Collection[OrderStateName]
    ) -> None:
        """Move an order inside the caller's transaction; one that is in none of `expected` stays where it is."""
        this = orders.c.order_number == order_number
        connection.execute(update(orders).where(this, orders.c.state.in_(expected)).values(self._values(state, None)))


def lane_of(order_number: str) -> str:
    """Return the lane in which everything is written about an order, here and in other systems."""
    return f"order {order_number}"


SETTLE = (
    update(postings)
    .where(postings.c.id == bindparam("posting_id"), postings.c.state == "pending")
    .values(
        state=bindparam("to_state"),
        finished_at=bindparam("at"),
        reference=bindparam("to_reference"),
        error_code=bindparam("to_code"),
        error_text=bindparam("to_text"),
        answer_evidence_id=bindparam("to_evidence"),
    )
)
_ACCEPT = (
    update(orders)
    # Not IN: a statement that is executed for many rows takes no lists.
    .where(orders.c.order_number == bindparam("number"), *(orders.c.state != state for state in AFTER_ACCEPTANCE))
    .values(customer_code=bindparam("code"))
)


def latest_attempts(connection: Connection, keys: Sequence[str]) -> dict[str, Posting]:
    """Return the latest attempt of each key that has any. A live one is always the latest."""
    query = select(postings).where(postings.c.key.in_(distinct(keys))).order_by(postings.c.attempt)
    return {row.key: Posting(**row._asdict()) for row in connection.execute(query)}


def _locked_states(connection: Connection, order_numbers: Sequence[str]) -> dict[str, str]:
    """Return the states of orders, locked in one order so that two such calls cannot deadlock."""
    query = (
        select(orders.c.order_number, orders.c.state)
        .where(orders.c.order_number.in_(distinct(order_numbers)))
        .order_by(orders.c.order_number)
        .with_for_update()
    )
    return {row.order_number: row.state for row in connection.execute(query)}


def _obstacle(
    wanted: WantedOrder, tokens: Mapping[str, str], attempts: Mapping[str, Posting], states: Mapping[str, str]
) -> NotBegun | None:
    number, last = wanted.order_number, attempts.get(wanted.key)
    if number not in tokens:
        return NotBegun(number, "another worker has this order")
    if last is not None and last.state in LIVE_POSTING_STATES:
        return NotBegun(number, f"attempt {last.attempt} is {last.state}", last)
    if states.get(number) != "ready":
        return NotBegun(number, f"the order is {states.get(number, 'not known')}, not ready to be posted")
    return None


def _still_pending(connection: Connection, posting_ids: Sequence[int]) -> set[int]:
    query = select(postings.c.id).where(postings.c.id.in_(sorted(posting_ids)), postings.c.state == "pending")
    return set(connection.execute(query.order_by(postings.c.id).with_for_update()).scalars())
