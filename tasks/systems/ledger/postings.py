"""Postings: every write to another system, recorded before it leaves, at most one live attempt per key."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import IntegrityError

from tasks.systems.ledger.database import SYSTEM, Database, chunks, distinct
from tasks.systems.ledger.errors import LedgerStateError, PostingExistsError
from tasks.systems.ledger.models import postings
from tasks.systems.ledger.records import Posting
from tasks.systems.ledger.redaction import without_customers
from tasks.systems.ledger.states import LIVE_POSTING_STATES, PostingState

NOT_THERE = "NOT_THERE"
UNSETTLED: tuple[PostingState, ...] = ("pending", "unknown")
T = TypeVar("T")
# How often an attempt number may be taken from under us before something else must be wrong.
_RACES = 20


class Postings(Database):
    """Append-only attempts: a row is added per attempt and settled once; none is ever removed or used again."""

    def begin_posting(
        self,
        key: str,
        *,
        system: str,
        operation: str,
        subject: str,
        request_hash: str,
        evidence_id: int | None = None,
    ) -> Posting:
        """Record an attempt as pending, committed, before the call leaves.

        Raises PostingExistsError when the key (`prima/sales_order/000000101`) has an attempt that is pending, unknown
        or posted: then look at the target first. Of several callers at once exactly one gets the attempt.
        """
        row = {
            "key": key,
            "system": system,
            "operation": operation,
            "subject": subject,
            "request_hash": request_hash,
            "request_evidence_id": evidence_id,
        }

        def begun() -> Posting:
            with self._writing("begin posting") as connection:
                return self._begin(connection, row)

        return self._raced(begun, key)

    def _raced(self, begin: Callable[[], T], key: str) -> T:
        """Begin again when another caller was quicker, by this key or this attempt number."""
        for _ in range(_RACES):
            try:
                return begin()
            except IntegrityError:
                continue
        raise LedgerStateError(
            "no attempt number could be had.", system=SYSTEM, operation="begin posting", reference=key
        )

    def _begin(self, connection: Connection, row: dict[str, Any]) -> Posting:
        """Add a pending attempt inside the caller's transaction; raises PostingExistsError."""
        key = row["key"]
        self._refuse_second(connection, key)
        last = connection.execute(select(func.max(postings.c.attempt)).where(postings.c.key == key))
        blank = {"reference": "", "error_code": "", "error_text": "", "resolution": ""}
        values = {**row, **blank, "state": "pending", "begun_at": self._now(), "attempt": (last.scalar_one() or 0) + 1}
        statement = postings.insert().values(values).returning(*postings.c)
        return Posting(**connection.execute(statement).one()._asdict())

    def finish_posting(
        self,
        posting_id: int,
        state: Literal["posted", "refused", "unknown"],
        *,
        reference: str = "",
        error_code: str = "",
        error_text: str = "",
        evidence_id: int | None = None,
    ) -> Posting:
        """Record the outcome of a pending attempt; raises LedgerStateError when it is not pending any more."""
        given = {"reference": reference, "error_code": error_code, "error_text": error_text}
        with self._writing("settle posting") as connection:
            return self._settle(connection, posting_id, ("pending",), state, given, evidence_id)

    def resolve_posting(
        self,
        posting_id: int,
        outcome: Literal["posted", "not_there"],
        *,
        reference: str = "",
        by: str = "looked",
        evidence_id: int | None = None,
    ) -> Posting:
        """Settle a pending or unknown attempt after looking at the target.

        `not_there` closes it as refused with the code NOT_THERE, so that a new attempt may begin: only for a positive
        "not found". Raises LedgerStateError when the attempt is settled already.
        """
        with self._writing("settle posting") as connection:
            return self._resolve(connection, posting_id, outcome, reference, by, evidence_id)

    def _resolve(
        self,
        connection: Connection,
        posting_id: int,
        outcome: Literal["posted", "not_there"],
        reference: str,
        by: str,
        evidence_id: int | None = None,
    ) -> Posting:
        given = {"reference": reference, "resolution": f"{outcome} ({by})"}
        if outcome == "posted":
            return self._settle(connection, posting_id, UNSETTLED, "posted", given, evidence_id)
        given |= {"error_code": NOT_THERE, "error_text": "The target was asked and does not have it."}
        return self._settle(connection, posting_id, UNSETTLED, "refused", given, evidence_id)

    def posting(self, key: str) -> Posting | None:
        """Return the latest attempt of a key, or None."""
        attempts = self.attempts(key)
        return attempts[-1] if attempts else None

    def posting_by_id(self, posting_id: int) -> Posting | None:
        """Return one attempt, or None."""
        with self._reading("posting") as connection:
            row = connection.execute(select(postings).where(postings.c.id == posting_id)).one_or_none()
        return None if row is None else Posting(**row._asdict())

    def attempts(self, key: str) -> list[Posting]:
        """Return all attempts of a key, oldest first."""
        query = select(postings).where(postings.c.key == key).order_by(postings.c.attempt)
        with self._reading("attempts") as connection:
            return [Posting(**row._asdict()) for row in connection.execute(query)]

    def attempts_of(self, keys: Sequence[str]) -> dict[str, list[Posting]]:
        """Return the attempts of each of these keys that has any, oldest first."""
        found: dict[str, list[Posting]] = {}
        with self._reading("attempts of keys") as connection:
            for part in chunks(distinct(keys)):
                query = select(postings).where(postings.c.key.in_(part)).order_by(postings.c.key, postings.c.attempt)
                for row in connection.execute(query):
                    found.setdefault(row.key, []).append(Posting(**row._asdict()))
        return found

    def postings_in(self, system: str, states: Collection[PostingState]) -> list[Posting]:
        """Return the attempts at a system in these states, oldest first: pending and unknown ones must be looked at."""
        query = (
            select(postings)
            .where(postings.c.system == system, postings.c.state.in_(sorted(states)))
            .order_by(postings.c.id)
        )
        with self._reading("postings in states") as connection:
            return [Posting(**row._asdict()) for row in connection.execute(query)]

    def postings_of(self, subject: str) -> list[Posting]:
        """Return the attempts about a subject (`order 000000101`), oldest first."""
        query = select(postings).where(postings.c.subject == subject).order_by(postings.c.id)
        with self._reading("postings of subject") as connection:
            return [Posting(**row._asdict()) for row in connection.execute(query)]

    def _refuse_second(self, connection: Connection, key: str) -> None:
        live = select(postings).where(postings.c.key == key, postings.c.state.in_(LIVE_POSTING_STATES))
        row = connection.execute(live).one_or_none()
        if row is not None:
            raise PostingExistsError(Posting(**row._asdict()))

    def _settle(
        self,
        connection: Connection,
        posting_id: int,
        expected: tuple[PostingState, ...],
        state: PostingState,
        given: Mapping[str, str],
        evidence_id: int | None,
    ) -> Posting:
        """Settle an attempt inside the caller's transaction; empty texts leave what stands there."""
        values: dict[str, Any] = {"state": state, "finished_at": self._now()}
        values.update({name: text for name, text in given.items() if text})
        if values.get("error_text"):
            named = select(postings.c.subject).where(postings.c.id == posting_id)
            subject = connection.execute(named).scalar_one_or_none() or ""
            (values["error_text"],) = without_customers(connection, [(subject, values["error_text"])])
        if evidence_id is not None:
            values["answer_evidence_id"] = evidence_id
        settling = (
            update(postings)
            .where(postings.c.id == posting_id, postings.c.state.in_(expected))
            .values(values)
            .returning(*postings.c)
        )
        row = connection.execute(settling).one_or_none()
        if row is not None:
            return Posting(**row._asdict())
        found = connection.execute(select(postings).where(postings.c.id == posting_id)).one_or_none()
        stands = "does not exist" if found is None else f"is {found.state}"
        raise LedgerStateError(
            f"attempt {posting_id} {stands}; only {' or '.join(expected)} can become {state}.",
            system=SYSTEM,
            operation="settle posting",
            reference=found.key if found is not None else "",
        )
