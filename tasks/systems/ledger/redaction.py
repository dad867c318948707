"""What the ledger is told of an order by other systems, without the values that name or reach its customer."""

import zlib
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from schemas.redaction import telling_words, without
from tasks.systems.ledger.database import chunks, distinct
from tasks.systems.ledger.models import evidence, personal_data


def without_customers(connection: Connection, said: Iterable[tuple[str, str]]) -> list[str]:
    """Return texts, each given with its subject (`order 000000101`), without the personal values kept about that.

    Whatever an error text repeats of an order stands in what was read or sent of it, and that is kept before.
    """
    pairs = list(said)
    words = _words_about(connection, [subject for subject, text in pairs if text and subject])
    return [without(text, words.get(subject, ())) for subject, text in pairs]


def _words_about(connection: Connection, subjects: Iterable[str]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for part in chunks(distinct(subjects)):
        query = (
            select(evidence.c.subject, evidence.c.payload, personal_data.c.content)
            .join(personal_data, personal_data.c.evidence_id == evidence.c.id)
            .where(evidence.c.subject.in_(part), personal_data.c.content.is_not(None))
        )
        for row in connection.execute(query):
            words = telling_words(zlib.decompress(row.payload), row.content)
            found.setdefault(row.subject, set()).update(words)
    return found
