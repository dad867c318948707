"""What PRIMA answered, before it is taken apart: a digest tells cheaply whether it is what it was the last time."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from typing import Any

from schemas.extracts import Extract
from tasks.settings import PrimaSettings
from tasks.systems.prima import answers
from tasks.systems.prima.conversion import records, texts
from tasks.systems.prima.faults import Call
from tasks.systems.prima.records import StockSnapshot


@dataclass(frozen=True)
class StockAnswer:
    """The answers of the web service to the question for all stock, as they came, and when they came (UTC).

    Nothing of it has been judged: an ERROR in one of them shows when `snapshot` reads it.
    """

    documents: Sequence[tuple[Call, str]] = field(repr=False)
    asked_at: datetime
    answered_at: datetime
    settings: PrimaSettings = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """A digest of the documents as they came, in the order in which they were asked for."""
        return digest(text.encode("utf-8", "surrogatepass") for _, text in self.documents)

    def snapshot(self) -> StockSnapshot:
        """Return its rows; of an item that moved between two answers the first row counts.

        Raises UnexpectedResponseError for a malformed answer, or when two companies answered; CallRefusedError.
        """
        read = []
        for call, text in self.documents:
            answer = answers.read(text, call, self.settings)
            answers.require_ok(answer)
            read.append((answer.company, answers.stock_rows(answer)))
        companies = {company for company, _ in read}
        if len(companies) > 1:
            call = Call(self.settings.requests.stock_range, "all ranges", "stock")
            raise answers.broken(call, f"companies {', '.join(sorted(companies))} answered", "")
        company, rows = read[0]
        if len(read) > 1:
            rows = [*reversed({row.item: row for _, part in reversed(read) for row in reversed(part)}.values())]
        return StockSnapshot(rows, self.asked_at, self.answered_at, company)


@dataclass(frozen=True)
class ExtractAsRead:
    """An extract of the reporting source as it was read: rows of a database, or files. `rows` takes them apart."""

    extract: Extract
    sha256: str
    rows: Callable[[], list[Mapping[str, Any]]] = field(repr=False)

    def records(self) -> list[dict[str, Any]]:
        """Return the records by the column contract, as `ReportingSource.read` does."""
        found = records(self.extract, self.rows())
        return sorted(found, key=itemgetter(self.extract.cursor, *self.extract.keys))

    def texts(self) -> list[dict[str, str]]:
        """Return the records as text, as `ReportingSource.read_text` does."""
        return texts(self.extract, self.rows())


def digest(parts: Iterable[bytes]) -> str:
    """Return the SHA-256 of some contents one after another, each with its length before it."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(f"{len(part)}:".encode())
        whole.update(part)
    return whole.hexdigest()
