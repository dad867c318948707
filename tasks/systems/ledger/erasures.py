"""Erasing personal data: by order, by customer, and by age. The chain, the sums and the reports stay as they are."""

import json
import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, update

from schemas.personal import values_of
from schemas.redaction import telling_words
from tasks.systems.ledger.database import chunks
from tasks.systems.ledger.evidence import ERASURE, EXPIRY, EvidenceKeeper, pack
from tasks.systems.ledger.models import (
    customers,
    evidence,
    exception_events,
    exceptions,
    orders,
    personal_data,
    postings,
)
from tasks.systems.ledger.postings import UNSETTLED
from tasks.systems.ledger.records import EvidenceItem
from tasks.systems.ledger.states import OrderStateName

# Nothing is sent of these any more; of every other order Magento, PRIMA or the customer still expects something.
OVER: tuple[OrderStateName, ...] = ("dispatched", "closed", "cancelled", "excluded")
ERASED_TEXT = "[erased]"
# Shorter values than this stand in too many words that have nothing to do with the customer; names of two or three
# letters are taken out where they are a word of their own, written as a name.
_TELLING = 4


@dataclass(frozen=True, slots=True)
class Erasable:
    """What erasing an order would do: how many `payloads` it empties, or why it is refused. `acts` were done before."""

    order_number: str
    state: str
    payloads: int
    obstacle: str = ""
    acts: int = 0


class Erasures(EvidenceKeeper):
    """Acts that take personal data out of the ledger for good, each of them in the chain of the evidence."""

    def orders_of_customer(self, email: str) -> list[str]:
        """Return the numbers of the orders whose customer has this e-mail address, upper and lower case being one."""
        query = (
            select(evidence.c.subject)
            .join(personal_data, personal_data.c.evidence_id == evidence.c.id)
            .where(personal_data.c.email == email.strip().casefold(), personal_data.c.email != "")
            .distinct()
        )
        with self._reading("orders of customer") as connection:
            return sorted(subject.removeprefix("order ") for subject in connection.execute(query).scalars())

    def erasable(self, order_numbers: Sequence[str]) -> list[Erasable]:
        """Return for each order, as they came, what erasing it would do; nothing is changed."""
        with self._reading("erasable") as connection:
            return [_erasable(connection, number) for number in dict.fromkeys(order_numbers)]

    def erase_orders(self, order_numbers: Sequence[str], *, actor: str, reason: str) -> list[Erasable]:
        """Erase the personal data of orders, and record who did it and why; returns what was done of each.

        All of them or none: when one is still under way nothing is changed, and its `obstacle` says so. An order of
        which nothing is left is passed over, so that the act can be repeated. Texts of errors and exceptions that
        repeat a value lose it. What the ledger is later told of an erased order is kept without such values.
        """
        with self._writing("erase orders") as connection:
            self._zero_deleted(connection)
            found = [_erasable(connection, number) for number in dict.fromkeys(order_numbers)]
            if not any(each.obstacle for each in found):
                for each in found:
                    if each.payloads:
                        self._erase(connection, each, actor, reason)
        return found

    def expirable(self, before: datetime) -> int:
        """Return how many payloads were kept before then, acts of erasure not counted."""
        with self._reading("expirable") as connection:
            return int(connection.execute(select(func.count()).select_from(evidence).where(_old(before))).scalar_one())

    def expire_evidence(self, before: datetime, *, actor: str, reason: str) -> int:
        """Drop payloads and personal data that were kept before then; return how many.

        Rows, seals and acts of erasure stay: the chain verifies as before.
        """
        with self._writing("expire evidence") as connection:
            self._zero_deleted(connection)
            ids = list(connection.execute(select(evidence.c.id).where(_old(before)).order_by(evidence.c.id)).scalars())
            if not ids:
                return 0
            said = {"actor": actor, "kept_before": before.isoformat(), "payloads": len(ids), "reason": reason}
            act = self._act(connection, EXPIRY, "ledger", said)
            for part in chunks(ids):
                connection.execute(update(evidence).where(evidence.c.id.in_(part)).values(payload=b""))
                kept = personal_data.c.evidence_id.in_(part), personal_data.c.content.is_not(None)
                connection.execute(update(personal_data).where(*kept).values(_gone(act)))
        return len(ids)

    def _erase(self, connection: Connection, order: Erasable, actor: str, reason: str) -> None:
        subject = f"order {order.order_number}"
        kept = connection.execute(_kept_of(subject)).all()
        words: set[str] = set()
        names: set[str] = set()
        accounts: set[int] = set()
        for row in kept:
            body = zlib.decompress(row.payload)
            words.update(_words(body, row.content))
            names.update(word for word in telling_words(body, row.content) if 1 < len(word) < _TELLING)
            accounts.update(int(each) for each in values_of(body, row.content).get("customer_id", []) if each.isdigit())
        act = self._act(
            connection, ERASURE, subject, {"actor": actor, "payloads": len(kept), "reason": reason, "subject": subject}
        )
        ids = [row.evidence_id for row in kept]
        for part in chunks(ids):
            connection.execute(update(personal_data).where(personal_data.c.evidence_id.in_(part)).values(_gone(act)))
            # It is a hash of the whole request, against which names could be tried; nothing is sent again.
            sent = postings.c.request_evidence_id.in_(part)
            connection.execute(update(postings).where(sent).values(request_hash=""))
        _forget_words(connection, order.order_number, words, names)
        for account in accounts:
            connection.execute(customers.delete().where(customers.c.customer_id_magento == account))

    def _act(self, connection: Connection, kind: str, subject: str, said: dict[str, object]) -> int:
        text = json.dumps(said, ensure_ascii=False, sort_keys=True)
        return self._chain(connection, [pack(EvidenceItem(kind, subject, text, "application/json"), self._now())])[0]

    def _zero_deleted(self, connection: Connection) -> None:
        """Let SQLite overwrite what this connection deletes; `clear_deleted` does the rest."""
        if self._is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")


def _gone(act: int) -> dict[str, object]:
    return {"content": None, "salt": None, "email": "", "erasure_id": act}


def _old(before: datetime) -> ColumnElement[bool]:
    return and_(
        evidence.c.kept_at < before, evidence.c.kind.not_in((ERASURE, EXPIRY)), func.length(evidence.c.payload) > 0
    )


def _kept_of(subject: str) -> Select[Any]:
    return (
        select(personal_data.c.evidence_id, personal_data.c.content, evidence.c.payload)
        .join(evidence, evidence.c.id == personal_data.c.evidence_id)
        .where(evidence.c.subject == subject, personal_data.c.content.is_not(None))
    )


def _erasable(connection: Connection, order_number: str) -> Erasable:
    subject = f"order {order_number}"
    state = connection.execute(select(orders.c.state).where(orders.c.order_number == order_number)).scalar_one_or_none()
    payloads = len(connection.execute(_kept_of(subject)).all())
    acts = select(func.count()).select_from(evidence)
    done = connection.execute(acts.where(evidence.c.subject == subject, evidence.c.kind == ERASURE)).scalar_one()
    obstacle = ""
    under_way = select(postings.c.key).where(postings.c.subject == subject, postings.c.state.in_(UNSETTLED))
    if state is None and not payloads and not done:
        obstacle = "the ledger has no such order"
    elif state is not None and state not in OVER:
        obstacle = f"it is {state}: an order is erased once it is {', '.join(OVER[:-1])} or {OVER[-1]}"
    elif (key := connection.execute(under_way).scalars().first()) is not None:
        obstacle = f"nobody knows yet what became of {key}"
    return Erasable(order_number, state or "", payloads, obstacle, done)


def _words(body: bytes, content: bytes) -> Iterator[str]:
    """Yield the personal values of a payload, lists and addresses in one line also part by part."""
    for each in values_of(body, content).values():
        for value in each:
            yield from {value, *value.split(", ")}


def _forget_words(connection: Connection, order_number: str, words: Collection[str], names: Collection[str]) -> None:
    """Take values and short names out of what is said of an order in errors, exceptions and their history."""
    telling = [f"(?i:{re.escape(word)})" for word in sorted(words, key=len, reverse=True) if len(word) >= _TELLING]
    short = {re.escape(form) for name in names if name.isalpha() for form in (name, name.upper(), name.title())}
    if short:
        telling.append(rf"(?<!\w)(?:{'|'.join(sorted(short))})(?!\w)")
    if not telling:
        return
    pattern = re.compile("|".join(telling))
    about = select(exceptions.c.id).where(exceptions.c.order_number == order_number)
    for table, column, condition in (
        (postings, postings.c.error_text, postings.c.subject == f"order {order_number}"),
        (exceptions, exceptions.c.detail, exceptions.c.order_number == order_number),
        (exception_events, exception_events.c.text, exception_events.c.exception_id.in_(about)),
    ):
        for number, said in connection.execute(select(table.c.id, column).where(condition)).all():
            if (left := pattern.sub(ERASED_TEXT, said)) != said:
                connection.execute(update(table).where(table.c.id == number).values({column: left}))
