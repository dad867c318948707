"""Mappings that people set (SKU to stock tuple, carrier to title), with who set what when."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from tasks.systems.ledger.database import Database
from tasks.systems.ledger.models import mappings
from tasks.systems.ledger.records import MappingVersion


class Mappings(Database):
    """One current value per kind and key; earlier values are kept."""

    def mapping(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return the current value, or None where nothing is set."""
        query = select(mappings.c.value).where(
            mappings.c.kind == kind, mappings.c.key == key, mappings.c.ended_at.is_(None)
        )
        with self._reading("mapping") as connection:
            value: dict[str, Any] | None = connection.execute(query).scalar_one_or_none()
        return value

    def mappings(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return all current values of a kind by key."""
        query = (
            select(mappings.c.key, mappings.c.value)
            .where(mappings.c.kind == kind, mappings.c.ended_at.is_(None))
            .order_by(mappings.c.key)
        )
        with self._reading("mappings") as connection:
            return {row.key: row.value for row in connection.execute(query)}

    def set_mapping(self, kind: str, key: str, value: Mapping[str, Any], by: str) -> None:
        """Make this the current value and end the one before; setting the same value again changes nothing."""
        with self._writing("set mapping") as connection:
            self._locked(connection, "mappings")
            current = (mappings.c.kind == kind, mappings.c.key == key, mappings.c.ended_at.is_(None))
            before = connection.execute(select(mappings.c.value).where(*current)).scalar_one_or_none()
            if before == dict(value):
                return
            now = self._now()
            connection.execute(update(mappings).where(*current).values(ended_by=by, ended_at=now))
            connection.execute(
                mappings.insert().values(kind=kind, key=key, value=dict(value), set_by=by, set_at=now, ended_by="")
            )

    def drop_mapping(self, kind: str, key: str, by: str) -> bool:
        """End the current value without a new one; False where nothing was set."""
        ending = (
            update(mappings)
            .where(mappings.c.kind == kind, mappings.c.key == key, mappings.c.ended_at.is_(None))
            .values(ended_by=by, ended_at=self._now())
        )
        with self._writing("drop mapping") as connection:
            return connection.execute(ending).rowcount == 1

    def mapping_history(self, kind: str, key: str | None = None) -> list[MappingVersion]:
        """Return every value that a mapping had, or that all mappings of the kind had, oldest first."""
        query = select(mappings).where(mappings.c.kind == kind).order_by(mappings.c.id)
        if key is not None:
            query = query.where(mappings.c.key == key)
        with self._reading("mapping history") as connection:
            rows = connection.execute(query).mappings().all()
        return [MappingVersion(**{name: value for name, value in row.items() if name != "id"}) for row in rows]
