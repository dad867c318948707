"""Lanes: one writer at a time for an order or a stock source, across threads, processes and machines."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import Connection, delete, select, update

from tasks.systems.ledger.database import Database
from tasks.systems.ledger.models import leases


class Lanes(Database):
    """Named leases with an end, so that a crashed owner blocks its lane only for a while.

    Ends are told by each machine's own clock: keep the machines' clocks together, and leases well above the time-outs
    of the calls made under them.
    """

    @contextmanager
    def lane(self, name: str, *, owner: str, seconds: int) -> Iterator[bool]:
        """Hold a lane (`order 000000101`, `stock default`) for the block; yields False when another one holds it.

        Nobody enters twice, not even the same owner. On leaving, the lane is free at once, unless it had expired and
        somebody else has it by now.
        """
        token = uuid4().hex
        with self._writing("enter lane") as connection:
            is_mine = self._enter(connection, name, owner, seconds, token)
        try:
            yield is_mine
        finally:
            if is_mine:
                self.leave_lane(name, token)

    def leave_lane(self, name: str, token: str) -> None:
        """Free a lane that was entered with this token; nothing happens when somebody else has it by now."""
        with self._writing("leave lane") as connection:
            self._leave(connection, name, token)

    def extend_lane(self, name: str, *, owner: str, seconds: int) -> bool:
        """Hold a lane for longer, counted from now; False when the owner lost it: stop writing then."""
        now = self._now()
        extension = (
            update(leases)
            .where(leases.c.name == name, leases.c.owner == owner, leases.c.until > now)
            .values(until=now + timedelta(seconds=seconds))
        )
        with self._writing("extend lane") as connection:
            return connection.execute(extension).rowcount == 1

    def lane_owner(self, name: str) -> str | None:
        """Return who holds a lane now, or None."""
        query = select(leases.c.owner).where(leases.c.name == name, leases.c.until > self._now())
        with self._reading("lane owner") as connection:
            owner: str | None = connection.execute(query).scalar_one_or_none()
        return owner

    def lane_owners(self) -> set[str]:
        """Return everybody who holds a lane now."""
        query = select(leases.c.owner).where(leases.c.until > self._now()).distinct()
        with self._reading("lane owners") as connection:
            return set(connection.execute(query).scalars())

    def free_lanes(self, owner: str) -> int:
        """Free every lane of an owner that is known to be gone, before its leases end; return how many."""
        with self._writing("free lanes") as connection:
            return connection.execute(delete(leases).where(leases.c.owner == owner)).rowcount

    def _enter(self, connection: Connection, name: str, owner: str, seconds: int, token: str) -> bool:
        now = self._now()
        insert = self._insert(leases).values(
            name=name, owner=owner, token=token, until=now + timedelta(seconds=seconds)
        )
        taken = {column: insert.excluded[column] for column in ("owner", "token", "until")}
        statement = insert.on_conflict_do_update(index_elements=["name"], set_=taken, where=leases.c.until <= now)
        return connection.execute(statement.returning(leases.c.name)).first() is not None

    def _leave(self, connection: Connection, name: str, token: str) -> None:
        connection.execute(delete(leases).where(leases.c.name == name, leases.c.token == token))
