"""Opening the ledger's database: SQLite in WAL mode or PostgreSQL, transactions, and errors told in our words."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, RLock
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tasks.errors import ConfigurationError, IntegrationError, OutcomeUnknownError, SystemUnavailableError
from tasks.systems.ledger import migration

Now = Callable[[], datetime]
Item = TypeVar("Item")
SYSTEM = "ledger"
# How many values one statement may list; SQLite's own limit is far above.
CHUNK = 500
_WRITES = "ledger_writes"
_TURNS: dict[str, AbstractContextManager[object]] = {}
_TURNS_LOCK = Lock()
# What PostgreSQL says before there is an error code: settings that no retry will mend.
_REFUSED_LOGIN = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|"
    r"(database|role) \"[^\"]*\" does not exist|invalid (port|connection option)",
    re.IGNORECASE,
)


def now_in_utc() -> datetime:
    """The clock of the ledger unless another one is given."""
    return datetime.now(UTC)


def parse_url(url: str) -> URL:
    """Return the ledger's address; raises ConfigurationError, which never repeats the address."""
    expected = "sqlite:///path/to/ledger.db or postgresql+psycopg://user@host:5432/name"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigurationError(
            f"ledger.url is not an address the ledger can use: expected {expected}.", system=SYSTEM
        )
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:" or "mode=memory" in url:
            raise ConfigurationError("ledger.url must name a file: a ledger in memory would be lost.", system=SYSTEM)
        return parsed.set(drivername="sqlite+pysqlite")
    return parsed.set(drivername="postgresql+psycopg")


def open_engine(url: URL, *, foreign_keys: bool = True) -> Engine:
    """Return an engine whose writing transactions take SQLite's lock at once instead of failing half-way."""
    if url.get_backend_name() == "postgresql":
        waits = {} if "connect_timeout" in url.query else {"connect_timeout": 10}
        return create_engine(
            url, connect_args=waits, pool_pre_ping=True, pool_size=10, max_overflow=30, hide_parameters=True
        )
    engine = create_engine(url, pool_size=10, max_overflow=30, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.execute("PRAGMA journal_mode=WAL")
        # NORMAL may lose the last commits when the power fails, and with them a pending posting whose call has left.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later is refused at once when another one wrote in between.
        writes = connection.get_execution_options().get(_WRITES, True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _turn_of(url: URL) -> AbstractContextManager[object]:
    """Return the lock of the writers of this process for one SQLite file; PostgreSQL's writers need none."""
    if url.get_backend_name() != "sqlite":
        return nullcontext()
    with _TURNS_LOCK:
        return _TURNS.setdefault(str(Path(str(url.database)).absolute()), RLock())


def chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """Cut a sequence into pieces that a statement can list."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def distinct(items: Iterable[str]) -> list[str]:
    """Return each text once, sorted: rows that are locked in one order cannot deadlock."""
    return sorted(set(items))


class Database:
    """The ledger's connection, clock and transactions; every part of `Ledger` stands on it.

    Nothing is opened before the first call. Every call raises ConfigurationError when the tables are missing, old or
    newer than this program, and SystemUnavailableError when the database cannot be reached.
    """

    def __init__(self, url: str, *, now: Now = now_in_utc) -> None:
        self._url = parse_url(url)
        self._turn = _turn_of(self._url)
        self._now = now
        self._engine = open_engine(self._url)
        self._is_checked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Ledger({self.where})"

    def close(self) -> None:
        """Give the connections back; the ledger can be used again."""
        self._engine.dispose()

    @property
    def where(self) -> str:
        """The database for a person to read, without user and password."""
        if self._is_sqlite:
            return str(self._url.database)
        return f"PostgreSQL {self._url.host or 'on this machine'}:{self._url.port or 5432}/{self._url.database or ''}"

    def migrate(self) -> str:
        """Create or upgrade the tables, and return the revision reached.

        Safe to call at every start and from several machines at once. Raises ConfigurationError when the ledger was
        written by a newer version of this program.
        """
        if self._is_sqlite:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(f"{self._file.parent} cannot be created: {error}.", system=SYSTEM) from error
        # Rebuilding a SQLite table drops it for a moment, which with foreign keys on would delete its children.
        engine = open_engine(self._url, foreign_keys=False)
        try:
            with self._told("migrate"), engine.begin() as connection:
                before = migration.revision_of(connection)
                revision = migration.upgrade(connection)
        finally:
            engine.dispose()
        self._is_checked = True
        if before not in (None, revision):
            self.clear_deleted()
        return revision

    def clear_deleted(self, *tables: str) -> str:
        """Overwrite what was deleted: in SQLite the file and its log as a whole, in PostgreSQL these tables.

        Returns why that could not be done now, empty when it was. Nobody else writes meanwhile.
        """
        raw = self._engine.raw_connection()
        try:
            cursor = raw.cursor()
            if self._is_sqlite:
                cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                is_busy = (cursor.fetchone() or (0,))[0]
                return "another process is reading the file" if is_busy else ""
            raw.driver_connection.autocommit = True  # type: ignore[union-attr]
            for table in tables:
                cursor.execute(f"VACUUM FULL {table}")
        except self._engine.dialect.loaded_dbapi.Error as error:
            return str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        finally:
            raw.invalidate()
        return ""

    def check(self) -> None:
        """Raise the ConfigurationError or SystemUnavailableError that any other call would raise; else do nothing."""
        if self._is_sqlite and not self._file.is_file():
            raise migration.missing(self.where)
        with self._told("open"), self._engine.connect().execution_options(**{_WRITES: False}) as connection:
            migration.check(connection, self.where)
        self._is_checked = True

    @property
    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def _file(self) -> Path:
        return Path(str(self._url.database))

    @contextmanager
    def _writing(self, operation: str) -> Iterator[Connection]:
        """One transaction: all of it is committed, or nothing."""
        if not self._is_checked:
            self.check()
        # Writers of one process take turns: SQLite lets a writer that finds the file taken sleep and ask again.
        with self._turn, self._told(operation), self._engine.connect() as connection:
            transaction = connection.begin()
            try:
                yield connection
            except BaseException:
                transaction.rollback()
                raise
            try:
                transaction.commit()
            except OperationalError as error:
                raise OutcomeUnknownError(
                    "the database did not confirm the commit.", system=SYSTEM, operation=operation
                ) from error

    @contextmanager
    def _reading(self, operation: str) -> Iterator[Connection]:
        if not self._is_checked:
            self.check()
        with self._told(operation), self._engine.connect().execution_options(**{_WRITES: False}) as connection:
            yield connection

    @contextmanager
    def _told(self, operation: str) -> Iterator[None]:
        """Turn what the driver raises into our errors; texts of drivers hold no password, addresses might."""
        try:
            yield
        except IntegrityError:
            raise
        except (OperationalError, InterfaceError) as error:
            raise self._unavailable(error, operation) from error
        except PoolTimeoutError as error:
            raise SystemUnavailableError(
                "all connections to it are in use.", system=SYSTEM, operation=operation
            ) from error
        except DatabaseError as error:
            if "file is not a database" in str(error.orig):
                raise ConfigurationError(f"{self.where} is not an SQLite database.", system=SYSTEM) from error
            raise

    def _unavailable(self, error: DatabaseError | InterfaceError, operation: str) -> IntegrationError:
        text = str(error.orig).strip() or "no reason given"
        reason = text.splitlines()[0]
        if self._is_sqlite and ("unable to open" in reason or "readonly" in reason):
            return ConfigurationError(f"{self.where} cannot be opened for writing: {reason}.", system=SYSTEM)
        refused = None if self._is_sqlite else _REFUSED_LOGIN.search(text)
        if refused:
            return ConfigurationError(
                f"{self.where} refuses the login: {refused.group(0)}.",
                system=SYSTEM,
                operation=operation,
                next_step="Check ledger.url.",
            )
        return SystemUnavailableError(f"{self.where} cannot be used now: {reason}", system=SYSTEM, operation=operation)

    def _insert(self, table: Table) -> Any:
        """Return the dialect's INSERT, which knows ON CONFLICT; both dialects share its methods."""
        return sqlite.insert(table) if self._is_sqlite else postgresql.insert(table)

    def _locked(self, connection: Connection, name: str) -> None:
        """Let transactions of this name follow one another; SQLite's writers already do."""
        if not self._is_sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{SYSTEM} {name}",))
