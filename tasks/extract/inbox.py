"""The inbox read as a reporting source: dispatches that came as files, or that PRIMA was asked for."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from tasks.systems.ledger import Ledger

INSTANTS = ("dispatched_at",)


class Inbox:
    """Reads dispatches and their lines as `ReportingSource.read` gives them; a line changes with its dispatch."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def read(
        self, extract: str, *, since: datetime | None = None, keys: Mapping[str, Collection[str]] | None = None
    ) -> list[dict[str, Any]]:
        """Return the records changed since an instant, or those of the dispatch numbers that `keys` gives."""
        numbers = keys["dispatch_number"] if keys is not None else None
        records: list[dict[str, Any]] = []
        for entry, updated_at in self._ledger.inbox(since=since if numbers is None else None, numbers=numbers):
            common = {"updated_at": updated_at}
            if extract == "dispatches":
                header = {**entry.header, **common}
                records.append({**header, **{name: instant(header[name]) for name in INSTANTS}})
            else:
                records += [{**line, **common} for line in entry.lines]
        return records


def instant(text: str) -> datetime:
    """Return an instant that the inbox keeps as text."""
    return datetime.fromisoformat(text).astimezone(UTC)
