"""The DuckDB file that analysts read: built beside the published one, which it then replaces in one step.

DuckDB locks a file that somebody has open, so nobody ever writes to the published file: readers of the old one keep it
until they close it, and whoever opens the file afterwards sees the new one. The same tables go to Parquet by date.
"""

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow

from tasks.errors import ConfigurationError, SystemUnavailableError

FILE_NAME = "reconciliation.duckdb"
# Readers with DuckDB 1.2 and later can open the file.
STORAGE_VERSION = "v1.2.0"
# Larger periods spill to disk beside the file under construction instead of taking the machine's memory.
MEMORY_LIMIT = "1400MB"
_CONFIGURATION: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
Row = dict[str, Any]


class Reader:
    """Queries on an open database; SQL comes from files of this product or from the person at the prompt."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a query as dicts; raises duckdb.Error for SQL that does not run."""
        result = self._connection.execute(sql, list(parameters))
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, values, strict=True)) for values in result.fetchall()]

    def arrow(self, sql: str) -> pyarrow.Table:
        """Return the rows of a query as an Arrow table."""
        return self._connection.sql(sql).to_arrow_table()

    def batches(self, sql: str, rows: int) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows of a query as Arrow, so many at a time: a large table is never whole in memory."""
        yield from self._connection.sql(sql).to_arrow_reader(rows)

    def tables(self) -> list[str]:
        """Return the names of the tables that are meant for readers."""
        found = self.rows(
            "select table_name from duckdb_tables() where schema_name = 'main' and not temporary order by table_name"
        )
        return [str(row["table_name"]) for row in found]

    def export(self, table: str, path: Path, schema: str = "main") -> None:
        """Write a table as a Parquet file, which appears complete or not at all."""
        unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            self._connection.execute(f'copy (from "{schema}"."{table}") to \'{_quoted(unfinished)}\' (format parquet)')
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)


class Build(Reader):
    """A database under construction."""

    def load_parquet(self, schema: str, name: str, columns: str, pattern: str) -> None:
        """Make `schema.name` from the listed columns of Parquet files, with their types."""
        self._connection.execute(f'create schema if not exists "{schema}"')
        files = pattern.replace("'", "''")
        self._connection.execute(f'create table "{schema}"."{name}" as select {columns} from read_parquet(\'{files}\')')

    def run(self, sql: str) -> None:
        """Run the statements of one SQL file."""
        self._connection.execute(sql)


class Warehouse:
    """The folder with `reconciliation.duckdb`, the Parquet files and the reports.

    `parquet/<run date>/<table>.parquet` are the tables for readers, `staged/<run date>/<stream>/<date>.parquet` the
    inputs.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE_NAME

    @contextmanager
    def build(self) -> Iterator[Build]:
        """Build a new database beside the published one, and publish it when the block ends without an error.

        Raises SystemUnavailableError when the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SystemUnavailableError(f"{self.folder} cannot be made: {error}.", system="warehouse") from error
        unfinished = self.folder / f".{FILE_NAME}.{uuid.uuid4().hex}"
        try:
            with _open(unfinished) as connection:
                yield Build(connection)
            os.replace(unfinished, self.path)
        finally:
            unfinished.unlink(missing_ok=True)
            unfinished.with_name(f"{unfinished.name}.wal").unlink(missing_ok=True)
            shutil.rmtree(unfinished.with_name(f"{unfinished.name}.spill"), ignore_errors=True)

    @contextmanager
    def staging(self, run_date: date) -> Iterator[Path]:
        """Give a new folder for staged files; it becomes `staged/<run date>` when the block ends without an error.

        A run that fails leaves the folder of an earlier run of that date as it was.
        """
        target = self.folder / "staged" / run_date.isoformat()
        unfinished = self.folder / "staged" / f".{run_date.isoformat()}.{uuid.uuid4().hex}"
        try:
            unfinished.mkdir(parents=True)
        except OSError as error:
            raise SystemUnavailableError(f"{unfinished} cannot be made: {error}.", system="warehouse") from error
        try:
            yield unfinished
            shutil.rmtree(target, ignore_errors=True)
            os.replace(unfinished, target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def parquet_folder(self, run_date: date) -> Path:
        """Return the folder of the Parquet files of a date, made if need be."""
        folder = self.folder / "parquet" / run_date.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Open the published file read-only. Raises ConfigurationError when none is published yet."""
        if not self.path.exists():
            raise ConfigurationError(
                f"{self.path} does not exist yet.", system="warehouse", next_step="Run the reconciliation first."
            )
        connection = duckdb.connect(str(self.path), read_only=True, config=_CONFIGURATION)
        try:
            yield Reader(connection)
        finally:
            connection.close()


@contextmanager
def _open(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a new database file in a storage format that older readers know."""
    connection = duckdb.connect(":memory:", config=_CONFIGURATION)
    try:
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute(f"set temp_directory = '{_quoted(path)}.spill'")
        connection.execute(f"attach '{_quoted(path)}' as warehouse (storage_version '{STORAGE_VERSION}')")
        connection.execute("use warehouse")
        yield connection
        connection.execute("use memory")
        connection.execute("detach warehouse")
    finally:
        connection.close()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
