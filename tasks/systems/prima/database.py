"""The reporting source as a database: one view (or one configured query) for each extract, read only."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)

from schemas.extracts import EXTRACTS, Extract
from tasks.errors import ConfigurationError, IntegrationError, SystemUnavailableError
from tasks.settings import PrimaReportingSettings, Secrets
from tasks.systems.prima.as_read import ExtractAsRead, digest
from tasks.systems.prima.conversion import broken

_SYSTEM = "PRIMA reporting"
_KEYS_A_QUERY = 500

Keys = Mapping[str, Collection[str | int]]
_Rows = tuple[list[str], list[tuple[Any, ...]]]


class DatabaseChannel:
    """Reads extracts through SQLAlchemy."""

    def __init__(self, settings: PrimaReportingSettings, secrets: Secrets) -> None:
        self._queries = settings.queries
        self._engine = _engine(settings.url, secrets)
        self._is_sqlite = self._engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def as_at(self) -> datetime:
        """Return now: a database answers with what it holds."""
        return datetime.now(UTC).replace(microsecond=0)

    def rows(
        self, extract: Extract, since: datetime | None, until: datetime | None, keys: Keys
    ) -> list[Mapping[str, Any]]:
        """Return the rows as the driver gives them; a configured query may leave the window and keys to the caller."""
        return [
            dict(zip(names, row, strict=True))
            for names, found in self._answers(extract, since, until, keys)
            for row in found
        ]

    def as_read(self, extract: Extract) -> ExtractAsRead:
        """Return all rows of an extract, with a digest of them as the driver gave them."""
        ((names, found),) = self._answers(extract, None, None, {})
        sha256 = digest(repr(part).encode("utf-8", "surrogatepass") for part in (names, found))
        return ExtractAsRead(extract, sha256, lambda: [dict(zip(names, row, strict=True)) for row in found])

    def _answers(self, extract: Extract, since: datetime | None, until: datetime | None, keys: Keys) -> list[_Rows]:
        """Return the answer to each statement: the names of its columns, and its rows."""
        query = self._queries.get(extract.name)
        statements: list[sa.Executable] = []
        if query:
            statements.append(self._override(query, since, until))
        else:
            limits = {name: self._instant(value) for name, value in (("since", since), ("until", until)) if value}
            statements += [_in_window(statement, extract, limits) for statement in _default(extract, keys)]
        with self._connect(extract) as connection:
            return [self._run(connection, statement, extract, is_configured=bool(query)) for statement in statements]

    def _connect(self, extract: Extract) -> sa.Connection:
        try:
            return self._engine.connect()
        except (OperationalError, InterfaceError) as error:
            if "authentication" in str(error.orig).casefold():
                raise ConfigurationError(
                    f"the reporting database refuses the log-in: {_first_line(error)}.",
                    system=_SYSTEM,
                    operation=extract.name,
                    next_step="Check the user in prima.reporting.url and the secret PRIMA_REPORTING_PASSWORD.",
                ) from error
            raise SystemUnavailableError(
                f"no connection to the reporting database: {_first_line(error)}.",
                system=_SYSTEM,
                operation=extract.name,
            ) from error

    def _run(
        self, connection: sa.Connection, statement: sa.Executable, extract: Extract, *, is_configured: bool
    ) -> _Rows:
        try:
            result = connection.execute(statement)
            _check_columns(extract, list(result.keys()))
            return list(result.keys()), [tuple(row) for row in result.all()]
        except DBAPIError as error:
            if error.connection_invalidated or self._is_passing(error):
                raise SystemUnavailableError(
                    f"the reporting database cannot answer at the moment: {_first_line(error)}.",
                    system=_SYSTEM,
                    operation=extract.name,
                ) from error
            connection.rollback()
            raise self._explained(connection, error, extract, is_configured=is_configured) from error

    def _is_passing(self, error: DBAPIError) -> bool:
        """Say whether an error is the database's state and not the query's: SQLite calls both operational."""
        if not isinstance(error, OperationalError):
            return False
        return self._engine.dialect.name == "postgresql" or "locked" in str(error.orig)

    def _explained(
        self, connection: sa.Connection, error: DBAPIError, extract: Extract, *, is_configured: bool
    ) -> IntegrationError:
        """Return why a query failed: the configured query, a missing column, or a view that is not there."""
        if is_configured:
            return ConfigurationError(
                f"the query prima.reporting.queries.{extract.name} fails: {_first_line(error)}.",
                system=_SYSTEM,
                operation=extract.name,
            )
        view = sa.table(extract.name)
        try:
            columns = list(connection.execute(sa.select(sa.text("*")).select_from(view).where(sa.false())).keys())
        except SQLAlchemyError:
            return ConfigurationError(
                f"the view {extract.name} cannot be read in the reporting database: {_first_line(error)}.",
                system=_SYSTEM,
                operation=extract.name,
                next_step=f"Create it as docs/prima-reporting.md says, or set prima.reporting.queries.{extract.name}.",
            )
        _check_columns(extract, columns)
        return broken(extract, f"the view cannot be read: {_first_line(error)}")

    def _override(self, query: str, since: datetime | None, until: datetime | None) -> sa.TextClause:
        statement = sa.text(query)
        wanted = {
            "since": self._instant(since or datetime(1970, 1, 1, tzinfo=UTC)),
            "until": self._instant(until or datetime(9999, 12, 31, tzinfo=UTC)),
        }
        named = set(statement.compile().params)
        unknown = named - wanted.keys()
        if unknown:
            raise ConfigurationError(
                f"a configured query names {', '.join(sorted(unknown))}; the only parameters are :since and :until.",
                system=_SYSTEM,
            )
        return statement.bindparams(**{name: value for name, value in wanted.items() if name in named})

    def _instant(self, value: datetime) -> datetime | str:
        """Return an instant as the views hold it: UTC without a zone, on SQLite as text."""
        plain = value.astimezone(UTC).replace(tzinfo=None)
        return plain.isoformat(sep=" ") if self._is_sqlite else plain


def _engine(url: str, secrets: Secrets) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.username and parsed.password is None:
            parsed = parsed.set(password=secrets.require("PRIMA_REPORTING_PASSWORD")[0])
        name = parsed.get_backend_name()
        if name == "sqlite" and parsed.database and not Path(parsed.database).exists():
            raise ConfigurationError(f"the database file {parsed.database} does not exist.", system=_SYSTEM)
        engine = sa.create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise ConfigurationError(f"prima.reporting.url cannot be used: {error}.", system=_SYSTEM) from error
    start = {
        # Reports only ever read; the views hold UTC without a zone, which a session in another zone would shift.
        "sqlite": ("pragma query_only = on", "pragma busy_timeout = 10000"),
        "postgresql": ("set default_transaction_read_only = on", "set time zone 'UTC'"),
    }.get(name, ())

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for statement in start:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    return engine


def _default(extract: Extract, keys: Keys) -> list[sa.Select[Any]]:
    """Return the default SQL of an extract, in portions when it is asked for many keys."""
    columns: list[sa.ColumnElement[Any]] = [sa.column(column.name) for column in extract.columns]
    order = dict.fromkeys((extract.cursor, *extract.keys))
    plain = sa.select(*columns).select_from(sa.table(extract.name)).order_by(*(sa.column(name) for name in order))
    if not keys:
        return [plain]
    ((name, values),) = keys.items()
    listed = sorted(set(values), key=str)
    portions = [listed[start : start + _KEYS_A_QUERY] for start in range(0, len(listed), _KEYS_A_QUERY)]
    return [plain.where(sa.column(name).in_(portion)) for portion in portions]


def _in_window(statement: sa.Select[Any], extract: Extract, limits: Mapping[str, datetime | str]) -> sa.Select[Any]:
    cursor: sa.ColumnElement[Any] = sa.column(extract.cursor)
    if "since" in limits:
        statement = statement.where(cursor >= sa.bindparam("since", limits["since"]))
    if "until" in limits:
        statement = statement.where(cursor < sa.bindparam("until", limits["until"]))
    return statement


def _check_columns(extract: Extract, given: Sequence[str]) -> None:
    missing = {column.name for column in extract.columns} - {str(name).casefold() for name in given}
    if missing:
        listed = [column.name for column in extract.columns if column.name in missing]
        raise broken(extract, f"the column(s) {', '.join(listed)} are missing")


def _first_line(error: DBAPIError) -> str:
    return (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0].rstrip(".")


def default_sql(name: str) -> str:
    """Return the SQL that is run for an extract without a configured query, window included, for people to read."""
    extract = EXTRACTS[name]
    (statement,) = _default(extract, {})
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 - only its type matters
    return str(_in_window(statement, extract, {"since": epoch, "until": epoch}))
