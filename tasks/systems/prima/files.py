"""The reporting source as a folder: one CSV or Parquet file for each extract, on any file system that fsspec knows.

Files are read as they are. Which files belong to an extract is decided in `files_of` alone, so that files dropped one
after another can be claimed and archived there.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.extracts import EXTRACTS, Extract
from tasks.errors import ConfigurationError, SystemUnavailableError
from tasks.systems.prima.as_read import ExtractAsRead, digest
from tasks.systems.prima.conversion import broken

_SYSTEM = "PRIMA reporting"
_ENDINGS = ("csv", "parquet")


class FolderChannel:
    """Reads extracts from files named after them: `dispatches.csv` or `dispatches.parquet`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        try:
            self._files, self._root = fsspec.core.url_to_fs(folder)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(
                f"prima.reporting.folder {folder} cannot be used: {error}.", system=_SYSTEM
            ) from error

    def close(self) -> None:
        """Nothing is held open."""

    def as_at(self) -> datetime:
        """Return the modification time of the oldest extract file: no figure is newer than is claimed."""
        times = [self._modified(path) for extract in EXTRACTS.values() for path in self._present(extract)]
        if not times:
            raise self._absent("files", ", ".join(f"{name}.csv" for name in EXTRACTS))
        return min(times)

    def rows(self, extract: Extract) -> list[Mapping[str, Any]]:
        """Return the rows of an extract's files.

        Raises SystemUnavailableError while there is no file, UnexpectedResponseError for one that cannot be read.
        """
        return self.as_read(extract).rows()

    def as_read(self, extract: Extract) -> ExtractAsRead:
        """Return an extract's files, with a digest of their contents; raises what `rows` does for one not there."""
        contents: list[tuple[str, bytes]] = []
        for path in self.files_of(extract):
            try:
                contents.append((path.rpartition("/")[2], self._files.cat_file(path)))
            except OSError as error:
                raise SystemUnavailableError(
                    f"{path} cannot be read: {error}.", system=_SYSTEM, operation=extract.name
                ) from error
        sha256 = digest(part for name, content in contents for part in (name.encode(), content))
        return ExtractAsRead(extract, sha256, lambda: _rows_of(extract, contents))

    def files_of(self, extract: Extract) -> list[str]:
        """Return the paths of an extract's files; exactly one of `NAME.csv` and `NAME.parquet` today."""
        paths = self._present(extract)
        if not paths:
            raise self._absent(extract.name, f"{extract.name}.csv or {extract.name}.parquet")
        if len(paths) > 1:
            raise broken(extract, f"{self._folder} holds the extract twice: {', '.join(paths)}")
        return paths

    def _present(self, extract: Extract) -> list[str]:
        root = self._root.rstrip("/")
        candidates = [f"{root}/{extract.name}.{ending}" for ending in _ENDINGS]
        try:
            return [path for path in candidates if self._files.isfile(path)]
        except OSError as error:
            raise SystemUnavailableError(f"{self._folder} cannot be read: {error}.", system=_SYSTEM) from error

    def _modified(self, path: str) -> datetime:
        at: datetime = self._files.modified(path)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)

    def _absent(self, operation: str, wanted: str) -> SystemUnavailableError:
        return SystemUnavailableError(
            f"{self._folder} has no {wanted}.",
            system=_SYSTEM,
            operation=operation,
            next_step="Wait for PRIMA's next file, or check prima.reporting.folder.",
        )


def _rows_of(extract: Extract, contents: Sequence[tuple[str, bytes]]) -> list[Mapping[str, Any]]:
    return [
        row
        for name, content in contents
        for row in (read_parquet if name.endswith(".parquet") else read_csv)(extract, name, content)
    ]


def read_csv(extract: Extract, name: str, content: bytes) -> list[Mapping[str, Any]]:
    """Return the rows of a CSV file as texts; raises UnexpectedResponseError that names file and line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise broken(extract, f"{name} is not UTF-8 (byte {error.start})") from error
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Mapping[str, Any]] = []
    try:
        header = [cell.strip().casefold() for cell in next(lines, [])]
        _check_header(extract, name, header)
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(header):
                raise broken(extract, f"{name}, line {lines.line_num}: {len(cells)} cells, expected {len(header)}")
            rows.append(dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise broken(extract, f"{name}, line {lines.line_num}: {error}") from error
    return rows


def read_parquet(extract: Extract, name: str, content: bytes) -> list[Mapping[str, Any]]:
    """Return the rows of a Parquet file; raises UnexpectedResponseError that names the file."""
    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise broken(extract, f"{name} is no readable Parquet file: {error}") from error
    _check_header(extract, name, [column.casefold() for column in table.column_names])
    rows: list[Mapping[str, Any]] = table.to_pylist()
    return rows


def _check_header(extract: Extract, name: str, header: list[str]) -> None:
    missing = [column.name for column in extract.columns if column.name not in header]
    if missing:
        raise broken(extract, f"{name}: the column(s) {', '.join(missing)} are missing")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise broken(extract, f"{name}: the column(s) {', '.join(twice)} stand twice")
