"""The database of the stand-in: state tables and reporting views, on SQLite (WAL) or PostgreSQL."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, update

from sandbox.prima.tables import counters, metadata
from sandbox.prima.views import create_views

_WRITES = "stand_in_writes"


class Store:
    """One database. One write at a time; reads see the last committed state."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._lock = threading.RLock()
        with self.writing() as connection:
            metadata.create_all(connection)
            create_views(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is committed at the end, alone among all writers."""
        with self._lock, self.engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading."""
        with self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def next_number(connection: Connection, name: str, first: int) -> int:
    """Return the next number of a series that begins at `first`."""
    last = connection.scalar(select(counters.c.value).where(counters.c.name == name))
    if last is None:
        connection.execute(insert(counters).values(name=name, value=first))
        return first
    connection.execute(update(counters).where(counters.c.name == name).values(value=last + 1))
    return int(last) + 1


def _engine(url: str) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("journal_mode = wal", "synchronous = normal", "busy_timeout = 30000"):
            connection.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine
