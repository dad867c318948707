"""PRIMA's figures for stock, dispatches and finance: the extracts of `schemas/extracts.py`.

They come from a database (views or configured queries) or from a folder of files; the records are the same, checked by
the same contract.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from types import TracebackType
from typing import Any

from schemas.extracts import EXTRACTS, Extract
from tasks.errors import ConfigurationError
from tasks.settings import PrimaReportingSettings, Secrets
from tasks.systems.prima.as_read import ExtractAsRead
from tasks.systems.prima.conversion import records
from tasks.systems.prima.database import DatabaseChannel, Keys
from tasks.systems.prima.files import FolderChannel


class ReportingSource:
    """Reads extracts; a context manager. Made by `open`."""

    def __init__(self, channel: DatabaseChannel | FolderChannel, lag: timedelta = timedelta(0)) -> None:
        self._channel = channel
        self._lag = lag

    @classmethod
    def open(cls, settings: PrimaReportingSettings, secrets: Secrets) -> "ReportingSource | None":
        """Return the source that the settings name, or None when they name none.

        Raises ConfigurationError for a URL or folder that cannot be used, a query for an unknown extract, or a missing
        PRIMA_REPORTING_PASSWORD where the URL has a user and no password.
        """
        unknown = sorted(set(settings.queries) - set(EXTRACTS))
        if unknown:
            raise ConfigurationError(
                f"prima.reporting.queries: {', '.join(unknown)} is no extract; there are {', '.join(EXTRACTS)}.",
                system="PRIMA reporting",
            )
        lag = timedelta(minutes=settings.lag_minutes)
        if settings.url:
            return cls(DatabaseChannel(settings, secrets), lag)
        if settings.folder:
            return cls(FolderChannel(settings.folder), lag)
        return None

    def __enter__(self) -> "ReportingSource":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give connections back."""
        self._channel.close()

    def as_at(self) -> datetime:
        """Return the instant (UTC) up to which the figures are complete.

        Now for a database, the oldest file's time for a folder, less `prima.reporting.lag_minutes`.
        """
        return self._channel.as_at() - self._lag

    def read(
        self,
        extract: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        keys: Keys | None = None,
    ) -> list[dict[str, Any]]:
        """Return the records of an extract, ordered by its cursor column and its key.

        `since` <= cursor < `until`, both aware. `keys` narrows to values of one column, such as
        `{"order_number_prima": ["30000042"]}`; an empty collection gives no record. Values have the types of the
        column contract: text str, integer int, money and rate Decimal, date date, instant aware UTC datetime, flag
        bool. Raises UnexpectedResponseError that names extract, column and row for anything else,
        SystemUnavailableError when the source cannot be reached, ConfigurationError for a view or query that fails.
        """
        described = EXTRACTS[extract]
        wanted = _checked_keys(described, keys)
        if any(not values for values in wanted.values()):
            return []
        if isinstance(self._channel, DatabaseChannel):
            rows = self._channel.rows(described, since, until, wanted)
        else:
            rows = self._channel.rows(described)
        found = records(described, rows)
        if wanted or since is not None or until is not None:
            found = [record for record in found if _is_wanted(record, described, since, until, wanted)]
        return sorted(found, key=itemgetter(described.cursor, *described.keys))

    def read_text(self, extract: str) -> list[dict[str, str]]:
        """Return all records of an extract with each value as text, for a caller that judges row by row.

        Empty values are empty text. Raises UnexpectedResponseError for a missing column, SystemUnavailableError when
        the source cannot be reached, ConfigurationError for a view or query that fails.
        """
        return self.as_read(extract).texts()

    def as_read(self, extract: str) -> ExtractAsRead:
        """Return an extract as it was read: whether it is the same as before is told without taking it apart.

        Raises SystemUnavailableError when the source cannot be reached, ConfigurationError for a view or query that
        fails; taking it apart raises UnexpectedResponseError as `read` and `read_text` do.
        """
        return self._channel.as_read(EXTRACTS[extract])


def _checked_keys(extract: Extract, keys: Keys | None) -> Keys:
    wanted = keys or {}
    names = {column.name for column in extract.columns}
    if len(wanted) > 1 or not set(wanted) <= names:
        raise ValueError(f"keys must name one column of {extract.name}, not {', '.join(wanted)}")
    return wanted


def _is_wanted(
    record: Mapping[str, Any], extract: Extract, since: datetime | None, until: datetime | None, keys: Keys
) -> bool:
    """Say whether a record is in the window and among the keys: files and configured queries may give more."""
    at = record[extract.cursor]
    if (since is not None and at < since) or (until is not None and at >= until):
        return False
    return all(record[name] in values for name, values in keys.items())
