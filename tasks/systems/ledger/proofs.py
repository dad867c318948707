"""What was written about orders and the hashes of the payloads that prove it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from tasks.systems.ledger.database import Database, chunks, distinct
from tasks.systems.ledger.models import evidence, orders, postings


@dataclass(frozen=True, slots=True)
class PostingProof:
    """One attempt to write about an order, with the SHA-256 of request and answer; empty where none was kept."""

    order_number: str
    posting_key: str
    attempt: int
    system: str
    operation: str
    state: str
    begun_at: datetime
    request_sha256: str
    answer_sha256: str


class Proofs(Database):
    """Hashes that a report can name, and that whoever has the payload can compute again."""

    def record_hashes(self, order_numbers: Sequence[str]) -> dict[str, str]:
        """Return by order number the SHA-256 of Magento's record as kept last; orders without one are left out."""
        found: dict[str, str] = {}
        with self._reading("record hashes") as connection:
            for part in chunks(distinct(order_numbers)):
                query = (
                    select(orders.c.order_number, evidence.c.payload_sha256)
                    .join(evidence, evidence.c.id == orders.c.evidence_id)
                    .where(orders.c.order_number.in_(part))
                )
                found.update((row.order_number, row.payload_sha256) for row in connection.execute(query))
        return found

    def posting_proofs(self, order_numbers: Sequence[str]) -> list[PostingProof]:
        """Return every attempt to write about these orders, oldest first."""
        request, answer = evidence.alias("request"), evidence.alias("answer")
        found = []
        with self._reading("posting proofs") as connection:
            for part in chunks(distinct(order_numbers)):
                subjects = [f"order {number}" for number in part]
                query = (
                    select(
                        postings,
                        request.c.payload_sha256.label("request_sha256"),
                        answer.c.payload_sha256.label("answer_sha256"),
                    )
                    .outerjoin(request, request.c.id == postings.c.request_evidence_id)
                    .outerjoin(answer, answer.c.id == postings.c.answer_evidence_id)
                    .where(postings.c.subject.in_(subjects))
                    .order_by(postings.c.id)
                )
                found += [
                    PostingProof(
                        row.subject.removeprefix("order "),
                        row.key,
                        row.attempt,
                        row.system,
                        row.operation,
                        row.state,
                        row.begun_at,
                        row.request_sha256 or "",
                        row.answer_sha256 or "",
                    )
                    for row in connection.execute(query)
                ]
        return found
