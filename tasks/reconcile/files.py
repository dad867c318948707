"""The staged tables as Parquet: validated, one folder a stream, one file a business date, and the hash of it all."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow
from pyarrow import parquet

from schemas.reconciliation import STAGED
from schemas.reconciliation.staged import RUN_NUMBERS
from schemas.tables import Table, arrow_schema_of, schema_of

# Facts of the run itself: the same inputs give the same hash, whenever and under whatever batch they were read.
NOT_HASHED = ("run", "known_breaks")


@dataclass(frozen=True, slots=True)
class StagedFiles:
    """A folder `<stream>/<date>.parquet` of validated rows; `hashes` are the SHA-256 of the rows of each file."""

    folder: Path
    hashes: Mapping[str, str]

    @property
    def input_hash(self) -> str:
        """SHA-256 over all files: the same rows give the same hash."""
        digest = hashlib.sha256()
        for name, value in sorted(self.hashes.items()):
            if name.split("/")[0] not in NOT_HASHED:
                digest.update(f"{name} {value}\n".encode())
        return digest.hexdigest()

    def pattern(self, stream: str) -> str:
        """The files of a stream, as DuckDB reads them."""
        return f"{self.folder / stream}/*.parquet"


def stage(tables: Mapping[str, pd.DataFrame], folder: Path) -> StagedFiles:
    """Validate the staged tables and write them; raises pandera's SchemaErrors for rows that are not as described."""
    hashes: dict[str, str] = {}
    for name in STAGED:
        hashes |= stage_table(STAGED[name], tables[name], folder)
    return StagedFiles(folder, hashes)


def stage_table(table: Table, rows: pd.DataFrame, folder: Path) -> dict[str, str]:
    """Validate one table and write its files; return the hash of each. Every stream has at least one file."""
    frame = schema_of(table).validate(rows, lazy=True)
    target = folder / table.name
    target.mkdir(parents=True, exist_ok=True)
    hashes = {}
    for label, part in _parts(table, frame):
        content = pyarrow.Table.from_pandas(part, schema=arrow_schema_of(table), preserve_index=False)
        _write(content, target / f"{label}.parquet")
        # the numbers of a run depend on what else it holds: a day's hash is of the day alone
        facts = part.drop(columns=list(RUN_NUMBERS), errors="ignore")
        digest: bytes = pd.util.hash_pandas_object(facts, index=False).to_numpy().tobytes()
        hashes[f"{table.name}/{label}"] = hashlib.sha256(digest).hexdigest()
    return hashes


def _write(content: pyarrow.Table, path: Path) -> None:
    """Write the file; numbers that count upwards are kept as steps: half the size, and a fifth less work to compare."""
    counting = [name for name in RUN_NUMBERS if name in content.column_names]
    parquet.write_table(
        content,
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=[name for name in content.column_names if name not in counting],
        column_encoding=dict.fromkeys(counting, "DELTA_BINARY_PACKED"),
    )


def _parts(table: Table, frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    if not table.dated_by or frame.empty:
        yield "all", frame
        return
    for day, part in frame.groupby(table.dated_by, sort=True):
        yield str(day), part
