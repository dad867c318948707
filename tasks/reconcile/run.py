"""Load the staged tables, run the SQL files in order, check the marts, publish. Needs no system but DuckDB."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from typing import Any

import pandas as pd
import pyarrow
from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.reconciliation import MARTS, STAGED
from schemas.tables import arrow_schema_of, schema_of
from tasks.errors import IntegrationError
from tasks.systems.warehouse import Build, Reader, Row, Warehouse


class ReconciliationError(IntegrationError):
    """The reconciliation contradicts itself: nothing was published."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a run found, as plain rows: the tables of the published file, without the agreeing orders.

    `compared` holds level and order key of everything that was compared.
    """

    run: Row
    control_totals: list[Row]
    differences: list[Row]
    vat_by_rate: list[Row]
    breaks: list[Row]
    compared: list[tuple[str, str]] = field(repr=False)

    @property
    def is_agreed(self) -> bool:
        """Tell whether there is nothing to act on: no break, and every record could be read."""
        return not self.breaks and not self.run["rejected_count"]


def sql_files() -> list[tuple[str, str]]:
    """Return name and text of the SQL files, in the order in which they run."""
    found = [entry for entry in files("tasks.reconcile").iterdir() if entry.name.endswith(".sql")]
    return [(entry.name, entry.read_text(encoding="utf-8")) for entry in sorted(found, key=lambda entry: entry.name)]


def publish(staged: Mapping[str, pd.DataFrame], warehouse: Warehouse, run_date: date) -> Reconciliation:
    """Build every table, check it, and publish the DuckDB file and the Parquet files of `run_date`.

    Raises pandera's SchemaErrors when a table is not what `schemas/reconciliation.py` says, ReconciliationError when
    the control totals do not add up. Either way the published files stay as they were.
    """
    with warehouse.build() as build:
        load(staged, build)
        for _, sql in sql_files():
            build.run(sql)
        check(build)
        folder = warehouse.parquet_folder(run_date)
        for name in MARTS:
            build.export(name, folder / f"{name}.parquet")
        return read(build)


@task(cache_policy=NO_CACHE)
def publish_tables(staged: Mapping[str, pd.DataFrame], folder: str, run_date: date) -> Reconciliation:
    """Build, check and publish the tables in the warehouse folder; see `publish`."""
    return publish(staged, Warehouse(folder), run_date)


def load(staged: Mapping[str, pd.DataFrame], build: Build) -> None:
    """Validate the staged tables and load them into the schema `staged`, with the hash of all of them in `run`."""
    tables: dict[str, Any] = {}
    digest = hashlib.sha256()
    for name, table in STAGED.items():
        frame = schema_of(table).validate(staged[name], lazy=True)
        if name == "run":
            frame = frame.assign(input_hash=digest.hexdigest())
        content = pyarrow.Table.from_pandas(frame, schema=arrow_schema_of(table), preserve_index=False)
        # Frames put together from many parts keep as many chunks, and DuckDB is slow on those.
        tables[name] = content.combine_chunks()
        digest.update(_content(name, frame))
    for name in STAGED:
        build.load("staged", name, tables[name])


def _content(name: str, frame: pd.DataFrame) -> bytes:
    rows: bytes = pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()
    return name.encode() + rows


def check(build: Build) -> None:
    """Check every mart against its schema, and that the control totals add up."""
    for name, table in MARTS.items():
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        rows = build.arrow(f'select {names} from "{name}"').cast(arrow_schema_of(table))
        schema_of(table).validate(_pandas(rows), lazy=True)
    wrong = build.rows("select level, currency from control_totals where not is_adding_up")
    if wrong:
        named = ", ".join(f"{row['level']} in {row['currency']}" for row in wrong)
        raise ReconciliationError(
            f"Magento's total plus the variances is not PRIMA's total: {named}.",
            system="warehouse",
            operation="reconcile",
            next_step="This is a defect of the reconciliation: report it with the staged tables.",
        )


def _pandas(rows: pyarrow.Table) -> pd.DataFrame:
    types = {pyarrow.int64(): pd.Int64Dtype(), pyarrow.string(): pd.StringDtype(na_value=float("nan"))}
    frame: pd.DataFrame = rows.to_pandas(types_mapper=types.get, date_as_object=True)
    return frame


def read(reader: Reader) -> Reconciliation:
    """Return what a database holds, from one under construction or a published one."""
    return Reconciliation(
        run=reader.rows("select * from reconciliation_run")[0],
        control_totals=reader.rows("select * from control_totals order by level, currency"),
        differences=reader.rows(
            "select * from differences where status <> 'MATCHED' order by level, currency, cause <> 'UNEXPLAINED',"
            " abs(variance_pence) desc, status, cause"
        ),
        vat_by_rate=reader.rows(
            "select * from vat_by_rate order by level, currency, destination, vat_rate_percent desc nulls last"
        ),
        breaks=reader.rows("select * from breaks order by rank"),
        compared=[
            (row["level"], row["order_key"])
            for row in reader.rows("select level, order_key from population order by level, order_key")
        ],
    )
