"""Evidence: what was sent and received, compressed, each row chained to the one before by SHA-256.

The chain seals the body of a payload and a salted hash of its personal values. Those stand in `personal_data`, and can
be erased, salt and all, without touching a seal. Acts of erasure and expiry are evidence too.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from schemas.personal import masked, restored, split
from tasks.errors import NotFoundError
from tasks.systems.ledger.database import SYSTEM, Database, chunks, distinct
from tasks.systems.ledger.errors import ErasedError
from tasks.systems.ledger.models import evidence, evidence_head, orders, personal_data
from tasks.systems.ledger.records import Evidence, EvidenceItem, EvidenceProblem, KeptPayload

# The chain starts from here; the first migration writes the same.
CHAIN_START = "0" * 64
ERASURE, EXPIRY = "erasure", "expiry"
_HIDDEN = ("payload", "previous_hash", "packed_sha256", "personal_sha256")
_FACTS = tuple(column for column in evidence.c if column.name not in _HIDDEN)
_KEPT = (
    evidence.c.kind,
    evidence.c.subject,
    evidence.c.payload,
    evidence.c.personal_sha256,
    personal_data.c.content,
    personal_data.c.salt,
    personal_data.c.erasure_id,
)


@dataclass(frozen=True, slots=True)
class _Act:
    """An act of erasure or expiry as the evidence holds it."""

    kind: str
    subject: str
    before: datetime | None = None


def chain_hash(previous: str, facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) that seals a row and the one before it.

    The stored bytes count as well as the body in them: the same body can be packed in other bytes. Each part ends in
    its length, so that parts cannot run into one another.
    """
    kept_at = facts["kept_at"].astimezone(UTC).isoformat(timespec="microseconds")
    hashes = (previous, facts["payload_sha256"], facts["packed_sha256"], facts["personal_sha256"])
    parts = (*hashes, str(facts["size"]), facts["kind"], facts["subject"], facts["media"], kept_at)
    return hashlib.sha256("".join(f"{part}\n{len(part)}\n" for part in parts).encode("utf-8")).hexdigest()


def personal_hash(salt: bytes, content: bytes) -> str:
    """Return what the chain holds of personal values: without the salt nobody can try names against it."""
    return hashlib.sha256(salt + content).hexdigest()


class EvidenceKeeper(Database):
    """Payloads that can be read again and proved unchanged."""

    def keep_evidence(self, kind: str, subject: str, payload: str | bytes, *, media: str) -> int:
        """Keep one payload and return its evidence id; text is kept as UTF-8."""
        return self.keep_evidence_batch([EvidenceItem(kind, subject, payload, media)])[0]

    def keep_evidence_batch(self, items: Sequence[EvidenceItem]) -> list[int]:
        """Keep many payloads in one transaction; return their evidence ids in the same order."""
        if not items:
            return []
        packed = [pack(item, self._now()) for item in items]
        with self._writing("keep evidence") as connection:
            return self._chain(connection, packed)

    def evidence(self, evidence_id: int) -> bytes:
        """Return a payload as it was kept; raises NotFoundError when there is none of that id, ErasedError when its
        personal values or all of it are gone.
        """
        kept = self._kept(evidence_id)
        _refuse_erased(kept, evidence_id)
        return restored(zlib.decompress(kept.payload), kept.content)

    def shown_evidence(self, evidence_id: int) -> KeptPayload:
        """Return a payload with its personal values as lengths alone, and what became of them; raises NotFoundError."""
        kept = self._kept(evidence_id)
        body = zlib.decompress(kept.payload) if kept.payload else b""
        is_erased = bool(kept.personal_sha256) and kept.content is None
        return KeptPayload(
            evidence_id, kept.kind, kept.subject, masked(body, kept.content), is_erased, bool(kept.payload)
        )

    def evidence_for(self, subject: str) -> list[Evidence]:
        """Return what was kept about a subject, oldest first, without the payloads."""
        query = select(*_FACTS).where(evidence.c.subject == subject).order_by(evidence.c.id)
        with self._reading("evidence for subject") as connection:
            return [Evidence(**row._asdict()) for row in connection.execute(query)]

    def records_kept(self, payloads: Mapping[str, EvidenceItem]) -> set[str]:
        """Return the orders, of these by number, whose record of Magento was kept last as it is now.

        One whose personal values were erased counts as kept when the rest is the same: they are not to come back.
        """
        same: set[str] = set()
        with self._reading("records kept") as connection:
            for part in chunks(distinct(payloads)):
                query = (
                    select(orders.c.order_number, evidence.c.payload_sha256, *_KEPT)
                    .join(evidence, evidence.c.id == orders.c.evidence_id)
                    .outerjoin(personal_data, personal_data.c.evidence_id == evidence.c.id)
                    .where(orders.c.order_number.in_(part))
                )
                same.update(row.order_number for row in connection.execute(query) if _is_same(row, payloads))
        return same

    def verify_evidence(self) -> list[EvidenceProblem]:
        """Read every payload and follow the chain; return each row that is not what was kept, empty when all are."""
        problems: list[EvidenceProblem] = []
        expected_id, previous = 1, CHAIN_START
        with self._reading("verify evidence") as connection:
            head = connection.execute(select(evidence_head)).one()
            acts = _acts(connection)
            query = (
                select(evidence, *_KEPT[-3:], personal_data.c.email)
                .outerjoin(personal_data, personal_data.c.evidence_id == evidence.c.id)
                .where(evidence.c.id <= head.last_id)
                .order_by(evidence.c.id)
            )
            for row in connection.execution_options(yield_per=200).execute(query):
                if row.id != expected_id:
                    missing = f"{expected_id} to {row.id - 1}" if row.id - 1 > expected_id else str(expected_id)
                    problems.append(EvidenceProblem(expected_id, "", f"evidence {missing} is missing"))
                found = [*_problems(row, previous, acts), *_personal_problems(row, acts)]
                problems.extend(EvidenceProblem(row.id, row.subject, problem) for problem in found)
                expected_id, previous = row.id + 1, row.chain_hash
        if (expected_id - 1, previous) != (head.last_id, head.chain_hash):
            problems.append(EvidenceProblem(0, "", f"the chain should end at evidence {head.last_id}, and does not"))
        return problems

    def evidence_count(self) -> int:
        """Return how many rows the chain has."""
        with self._reading("evidence count") as connection:
            return int(connection.execute(select(func.count()).select_from(evidence)).scalar_one())

    def _chain(self, connection: Connection, packed: Sequence[dict[str, Any]]) -> list[int]:
        """Append packed payloads inside the caller's transaction; return their evidence ids.

        Of an order that was erased the personal values do not come back: they are sealed, and not kept.
        """
        last_id, last_hash = self._end_of_chain(connection)
        erased = _erased(connection, [each["subject"] for each in packed if each["personal"] is not None])
        rows: list[dict[str, Any]] = []
        personal: list[dict[str, Any]] = []
        for number, each in enumerate(packed, last_id + 1):
            facts = dict(each)
            values = facts.pop("personal")
            seal = chain_hash(last_hash, facts)
            rows.append({**facts, "id": number, "previous_hash": last_hash, "chain_hash": seal})
            last_hash = seal
            if values is not None:
                gone = erased.get(facts["subject"])
                kept = values if gone is None else {"content": None, "salt": None, "email": "", "erasure_id": gone}
                personal.append({"evidence_id": number, **kept})
        connection.execute(evidence.insert(), rows)
        if personal:
            connection.execute(personal_data.insert(), personal)
        connection.execute(update(evidence_head).values(last_id=rows[-1]["id"], chain_hash=last_hash))
        return [row["id"] for row in rows]

    def _end_of_chain(self, connection: Connection) -> tuple[int, str]:
        """Return the last id and hash; other appends wait from here to the end of the transaction."""
        head = connection.execute(select(evidence_head).with_for_update()).one()
        return head.last_id, head.chain_hash

    def _kept(self, evidence_id: int) -> Row[Any]:
        query = (
            select(*_KEPT)
            .outerjoin(personal_data, personal_data.c.evidence_id == evidence.c.id)
            .where(evidence.c.id == evidence_id)
        )
        with self._reading("evidence") as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError(
                "there is no such evidence.", system=SYSTEM, operation="evidence", reference=str(evidence_id)
            )
        return row


def pack(item: EvidenceItem, kept_at: datetime) -> dict[str, Any]:
    """Return the row of a payload, compressed, without its place in the chain; `personal` is its row beside it."""
    payload = item.payload.encode("utf-8") if isinstance(item.payload, str) else item.payload
    parts = split(item.kind, item.media, payload)
    body = zlib.compress(parts.body)
    personal = None
    sealed = ""
    if parts.personal is not None:
        salt = os.urandom(16)
        sealed = personal_hash(salt, parts.personal)
        personal = {"content": parts.personal, "salt": salt, "email": parts.email, "erasure_id": None}
    return {
        "kind": item.kind,
        "subject": item.subject,
        "media": item.media,
        "payload": body,
        "size": len(payload),
        "payload_sha256": hashlib.sha256(parts.body).hexdigest(),
        "packed_sha256": hashlib.sha256(body).hexdigest(),
        "personal_sha256": sealed,
        "kept_at": kept_at,
        "personal": personal,
    }


def _erased(connection: Connection, subjects: Sequence[str]) -> dict[str, int]:
    """Return the act that erased each of these subjects, where there is one."""
    found: dict[str, int] = {}
    for part in chunks(distinct(subjects)):
        query = select(evidence.c.subject, evidence.c.id).where(
            evidence.c.subject.in_(part), evidence.c.kind == ERASURE
        )
        found.update((row.subject, row.id) for row in connection.execute(query))
    return found


def _refuse_erased(kept: Row[Any], evidence_id: int) -> None:
    if kept.payload and (not kept.personal_sha256 or kept.content is not None):
        return
    erased = f"the personal data of {kept.subject} was erased: evidence {kept.erasure_id} says by whom, when and why."
    raise ErasedError(
        erased if kept.payload else "it was kept to the end of its time, and its payload is gone.",
        system=SYSTEM,
        operation="evidence",
        reference=str(evidence_id),
    )


def _is_same(row: Row[Any], payloads: Mapping[str, EvidenceItem]) -> bool:
    item = payloads[row.order_number]
    payload = item.payload.encode("utf-8") if isinstance(item.payload, str) else item.payload
    parts = split(item.kind, item.media, payload)
    if hashlib.sha256(parts.body).hexdigest() != row.payload_sha256:
        return False
    if row.salt is None or parts.personal is None:
        return row.erasure_id is not None or (parts.personal is None and not row.personal_sha256)
    return bool(personal_hash(row.salt, parts.personal) == row.personal_sha256)


def _acts(connection: Connection) -> dict[int, _Act]:
    """Return what was erased or let expire, by the evidence that says so."""
    query = select(evidence.c.id, evidence.c.kind, evidence.c.subject, evidence.c.payload).where(
        evidence.c.kind.in_((ERASURE, EXPIRY))
    )
    acts = {}
    for row in connection.execute(query):
        try:
            said = json.loads(zlib.decompress(row.payload))
            before = datetime.fromisoformat(said["kept_before"]) if row.kind == EXPIRY else None
        except (zlib.error, ValueError, KeyError, TypeError):
            continue  # the row itself is named as damaged, and so is whatever leans on it
        acts[row.id] = _Act(row.kind, row.subject, before)
    return acts


def _has_expired(row: Row[Any], acts: Mapping[int, _Act]) -> bool:
    return any(act.before is not None and row.kept_at < act.before and number > row.id for number, act in acts.items())


def _problems(row: Row[Any], previous: str, acts: Mapping[int, _Act]) -> list[str]:
    problems = []
    if not row.payload:
        if not _has_expired(row, acts):
            problems.append("the payload is gone, and no act of expiry says why")
    elif hashlib.sha256(row.payload).hexdigest() != row.packed_sha256:
        problems.append("the payload is not the one that was kept")
    else:
        try:
            body = zlib.decompress(row.payload)
        except zlib.error:
            problems.append("the payload is damaged and cannot be unpacked")
        else:
            if hashlib.sha256(body).hexdigest() != row.payload_sha256:
                problems.append("the payload is not the one that was kept")
    if row.previous_hash != previous:
        problems.append("it does not follow the row before it")
    if row.chain_hash != chain_hash(row.previous_hash, row._asdict()):
        problems.append("its seal does not fit: its bytes, kind, subject, media, time or hashes were changed")
    return problems


def _personal_problems(row: Row[Any], acts: Mapping[int, _Act]) -> list[str]:
    """Say whether the personal values are those that were kept, or were erased by an act that the chain holds."""
    if not row.personal_sha256:
        return [] if row.content is None else ["it has personal data that was never kept with it"]
    if row.content is not None:
        is_same = row.salt is not None and personal_hash(row.salt, row.content) == row.personal_sha256
        return [] if is_same else ["its personal data is not what was kept"]
    act = acts.get(row.erasure_id or 0)
    if act is None:
        return ["its personal data is gone, and no act of erasure says why"]
    is_meant = (
        act.subject == row.subject if act.kind == ERASURE else act.before is not None and row.kept_at < act.before
    )
    return [] if is_meant else [f"its personal data is gone, and evidence {row.erasure_id} is about something else"]
