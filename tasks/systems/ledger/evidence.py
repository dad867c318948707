"""Evidence: what was sent and received, compressed, each row chained to the one before by SHA-256."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from tasks.errors import NotFoundError
from tasks.systems.ledger.database import SYSTEM, Database
from tasks.systems.ledger.models import evidence, evidence_head
from tasks.systems.ledger.records import Evidence, EvidenceItem, EvidenceProblem

# The chain starts from here; the first migration writes the same.
CHAIN_START = "0" * 64
_FACTS = tuple(column for column in evidence.c if column.name not in ("payload", "previous_hash"))


def chain_hash(previous: str, facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) that seals a row and the one before it.

    The stored bytes count as well as the payload in them: the same payload can be packed in other bytes. Each part
    ends in its length, so that parts cannot run into one another.
    """
    packed = hashlib.sha256(facts["payload"]).hexdigest()
    kept_at = facts["kept_at"].astimezone(UTC).isoformat(timespec="microseconds")
    parts = (previous, facts["payload_sha256"], packed, facts["kind"], facts["subject"], facts["media"], kept_at)
    return hashlib.sha256("".join(f"{part}\n{len(part)}\n" for part in parts).encode("utf-8")).hexdigest()


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
        """Return a payload as it was kept; raises NotFoundError when there is none of that id."""
        with self._reading("evidence") as connection:
            payload = connection.execute(
                select(evidence.c.payload).where(evidence.c.id == evidence_id)
            ).scalar_one_or_none()
        if payload is None:
            raise NotFoundError(
                "there is no such evidence.", system=SYSTEM, operation="evidence", reference=str(evidence_id)
            )
        return zlib.decompress(payload)

    def evidence_for(self, subject: str) -> list[Evidence]:
        """Return what was kept about a subject, oldest first, without the payloads."""
        query = select(*_FACTS).where(evidence.c.subject == subject).order_by(evidence.c.id)
        with self._reading("evidence for subject") as connection:
            return [Evidence(**row._asdict()) for row in connection.execute(query)]

    def verify_evidence(self) -> list[EvidenceProblem]:
        """Read every payload and follow the chain; return each row that is not what was kept, empty when all are."""
        problems: list[EvidenceProblem] = []
        expected_id, previous = 1, CHAIN_START
        with self._reading("verify evidence") as connection:
            head = connection.execute(select(evidence_head)).one()
            query = select(evidence).where(evidence.c.id <= head.last_id).order_by(evidence.c.id)
            for row in connection.execution_options(yield_per=200).execute(query):
                if row.id != expected_id:
                    missing = f"{expected_id} to {row.id - 1}" if row.id - 1 > expected_id else str(expected_id)
                    problems.append(EvidenceProblem(expected_id, "", f"evidence {missing} is missing"))
                problems.extend(EvidenceProblem(row.id, row.subject, problem) for problem in _problems(row, previous))
                expected_id, previous = row.id + 1, row.chain_hash
        if (expected_id - 1, previous) != (head.last_id, head.chain_hash):
            problems.append(EvidenceProblem(0, "", f"the chain should end at evidence {head.last_id}, and does not"))
        return problems

    def _chain(self, connection: Connection, packed: Sequence[dict[str, Any]]) -> list[int]:
        """Append packed payloads inside the caller's transaction; return their evidence ids."""
        last_id, last_hash = self._end_of_chain(connection)
        rows: list[dict[str, Any]] = []
        for number, facts in enumerate(packed, last_id + 1):
            seal = chain_hash(last_hash, facts)
            rows.append({**facts, "id": number, "previous_hash": last_hash, "chain_hash": seal})
            last_hash = seal
        connection.execute(evidence.insert(), rows)
        connection.execute(update(evidence_head).values(last_id=rows[-1]["id"], chain_hash=last_hash))
        return [row["id"] for row in rows]

    def _end_of_chain(self, connection: Connection) -> tuple[int, str]:
        """Return the last id and hash; other appends wait from here to the end of the transaction."""
        head = connection.execute(select(evidence_head).with_for_update()).one()
        return head.last_id, head.chain_hash


def pack(item: EvidenceItem, kept_at: datetime) -> dict[str, Any]:
    """Return the row of a payload, compressed, without its place in the chain."""
    payload = item.payload.encode("utf-8") if isinstance(item.payload, str) else item.payload
    return {
        "kind": item.kind,
        "subject": item.subject,
        "media": item.media,
        "payload": zlib.compress(payload),
        "size": len(payload),
        "payload_sha256": hashlib.sha256(payload).hexdigest(),
        "kept_at": kept_at,
    }


def _problems(row: Row[Any], previous: str) -> list[str]:
    problems = []
    try:
        payload = zlib.decompress(row.payload)
    except zlib.error:
        problems.append("the payload is damaged and cannot be unpacked")
    else:
        if hashlib.sha256(payload).hexdigest() != row.payload_sha256 or len(payload) != row.size:
            problems.append("the payload is not the one that was kept")
    if row.previous_hash != previous:
        problems.append("it does not follow the row before it")
    if row.chain_hash != chain_hash(row.previous_hash, row._asdict()):
        problems.append("its seal does not fit: its bytes, kind, subject, media, time or hashes were changed")
    return problems
