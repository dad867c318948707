"""Stage the tables, load them, run the SQL files in order, check the marts, publish. Needs no system but DuckDB."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from typing import Any

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.reconciliation import MARTS, STAGED
from schemas.tables import ColumnType, Table
from tasks.errors import IntegrationError
from tasks.reconcile.files import StagedFiles, stage
from tasks.systems.warehouse import Build, Reader, Row, Warehouse

_DUCKDB_TYPES: dict[ColumnType, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "pence": "BIGINT",
    "rate": "DECIMAL(6,2)",
    "date": "DATE",
    "instant": "TIMESTAMP",
    "flag": "BOOLEAN",
}
# How many rows of a table reports show at most; the published file has all of them.
SHOWN = 5000


class ReconciliationError(IntegrationError):
    """The reconciliation contradicts itself: nothing was published."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a run found, as plain rows: the tables of the published file, without the agreeing orders.

    `compared` holds level and order key of the breaks of earlier nights that this run looked at again. `lines` are the
    differing lines of the first breaks. `money_seen` are, by order, the statuses of money an open exception is about.
    """

    run: Row
    policy: Row
    control_totals: list[Row]
    day_totals: list[Row]
    differences: list[Row]
    vat_by_rate: list[Row]
    tie_out: list[Row]
    breaks: list[Row]
    lines: list[Row]
    settled_breaks: list[Row]
    open_breaks: list[Row]
    ageing: list[Row]
    dispatch_variances: list[Row]
    vat_boxes: list[Row]
    vat_return: list[Row]
    vat_by_size: list[Row]
    delivery_vat: list[Row]
    settlement_totals: list[Row]
    payment_ties: list[Row]
    not_reconciled: list[Row]
    compared: list[tuple[str, str]] = field(repr=False)
    money_seen: dict[str, list[str]] = field(default_factory=dict, repr=False)

    @property
    def is_agreed(self) -> bool:
        """Tell whether there is nothing to act on: no break, and everything could be reconciled."""
        return not self.breaks and not self.run["rejected_count"]


def sql_files() -> list[tuple[str, str]]:
    """Return name and text of the SQL files, in the order in which they run."""
    found = [entry for entry in files("tasks.reconcile").iterdir() if entry.name.endswith(".sql")]
    return [(entry.name, entry.read_text(encoding="utf-8")) for entry in sorted(found, key=lambda entry: entry.name)]


def publish(staged: Mapping[str, pd.DataFrame], warehouse: Warehouse, run_date: date) -> Reconciliation:
    """Stage and build every table, check it, and publish the DuckDB file and the Parquet files of `run_date`.

    Raises pandera's SchemaErrors when a staged table is not what `schemas/reconciliation` says, ReconciliationError
    when a built one is not or the control totals do not add up. Either way the published files stay as they were.
    """
    with warehouse.staging(run_date) as folder:
        return publish_staged(stage(staged, folder), warehouse, run_date)


def publish_staged(staged: StagedFiles, warehouse: Warehouse, run_date: date) -> Reconciliation:
    """Build every table from staged files, check it, and publish; see `publish`."""
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


def load(staged: StagedFiles, build: Build) -> None:
    """Load the staged files into the schema `staged`, with the hash of all of them in `run`."""
    for name, table in STAGED.items():
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        build.load_parquet("staged", name, columns, staged.pattern(name))
    build.run(f"update staged.run set input_hash = '{staged.input_hash}'")


def check(build: Build) -> None:
    """Check every mart against its schema, and that the control totals add up."""
    for table in MARTS.values():
        _check_mart(build, table)
    wrong = build.rows(
        "select distinct level, currency from control_totals where not is_adding_up"
        " union select distinct level, currency from day_totals where not is_adding_up order by all"
    )
    if wrong:
        named = ", ".join(f"{row['level']} in {row['currency']}" for row in wrong)
        raise ReconciliationError(
            f"Magento's total plus the variances is not PRIMA's total: {named}.",
            system="warehouse",
            operation="reconcile",
            next_step="This is a defect of the reconciliation: report it with the staged tables.",
        )


def _check_mart(build: Build, table: Table) -> None:
    """Raise ReconciliationError, with everything that is wrong, when a table is not what the dictionary says of it.

    DuckDB does it in one pass over the table: no row of it comes into Python, however large the period.
    """
    types = build.rows(
        "select column_name, data_type from duckdb_columns() where schema_name = 'main' and table_name = ?"
        " and database_name = current_database()",
        [table.name],
    )
    found = {row["column_name"]: row["data_type"] for row in types}
    wrong = [
        f"{column.name} is {found.get(column.name, 'missing')}, not {_DUCKDB_TYPES[column.type]}"
        for column in table.columns
        if found.get(column.name) != _DUCKDB_TYPES[column.type]
    ]
    if not wrong:
        rules = _rules(table)
        counted = ", ".join(f'count(*) filter (where {sql}) as "{name}"' for name, sql in rules.items())
        (counts,) = build.rows(f'select {counted or "0 as nothing"} from "{table.name}"')
        wrong = [f"{name} in {count} rows" for name, count in counts.items() if count]
    keys = ", ".join(f'"{name}"' for name in table.keys)
    # a hash of the key is one number to group by; only where one stands twice are the keys themselves grouped
    twice = f'select 1 from "{table.name}" group by {{}} having count(*) > 1 limit 1'
    if keys and not wrong and build.rows(twice.format(f"hash({keys})")) and build.rows(twice.format(keys)):
        wrong = [f"a key ({keys}) stands more than once"]
    if wrong:
        raise ReconciliationError(
            f"{table.name} is not what the dictionary says: {'; '.join(wrong)}.",
            system="warehouse",
            operation="reconcile",
            next_step="This is a defect of the reconciliation: report it with the staged tables.",
        )


def _rules(table: Table) -> dict[str, str]:
    """Return what no row of a table may be, by the words that say so."""
    rules = {f"{column.name} is empty": f'"{column.name}" is null' for column in table.columns if column.is_required}
    for column in table.columns:
        if column.values:
            known = ", ".join("'" + value.replace("'", "''") + "'" for value in column.values)
            rules[f"{column.name} is not one of its values"] = f'"{column.name}" not in ({known})'
    for prefix in table.adds_up:
        net, vat, gross = (f'"{prefix}{amount}_pence"' for amount in ("net", "vat", "gross"))
        rules[f"{prefix}net and {prefix}vat do not make {prefix}gross"] = f"{net} + {vat} <> {gross}"
    return rules


_QUERIES = {
    "control_totals": "select * from control_totals order by level, currency",
    "day_totals": "select * from day_totals order by level, currency, business_date, vat_rate_percent desc nulls last",
    "differences": (
        "select * from differences where status <> 'MATCHED' order by level, currency, cause <> 'UNEXPLAINED',"
        " abs(variance_pence) desc, status, cause"
    ),
    "vat_by_rate": "select * from vat_by_rate order by level, currency, destination, vat_rate_percent desc nulls last",
    "tie_out": (
        "select * from tie_out order by level, currency, business_date, store, destination,"
        " vat_rate_percent desc nulls last"
    ),
    "breaks": "select * from breaks order by rank",
    "lines": (
        "select lines.* from line_variances as lines semi join (select * from breaks where rank <= 500) as breaks"
        " on breaks.level = lines.level and breaks.order_key = lines.order_key and breaks.currency = lines.currency"
        f" order by lines.level, lines.order_key, lines.currency, lines.line_key limit {SHOWN}"
    ),
    "settled_breaks": "select * from settled_breaks order by level, order_key, currency",
    "open_breaks": "select * from open_breaks order by value_pence desc, level, order_key, currency",
    "ageing": "select * from ageing order by currency, list_position(['0-1', '2-7', '8-30', '31+'], age_band)",
    "dispatch_variances": f"select * from dispatch_variances order by order_key limit {SHOWN}",
    "vat_boxes": "select * from vat_boxes order by currency",
    "vat_return": "select * from vat_return order by currency, destination, vat_rate_percent desc nulls last",
    "vat_by_size": f"select * from vat_by_size order by side, level, document_number, line_number limit {SHOWN}",
    "delivery_vat": (
        "select * from delivery_vat"
        " order by side, level, currency, destination, goods, delivery_rate_percent desc nulls last, policy"
    ),
    "settlement_totals": "select * from settlement_totals order by provider, currency, kind, tie",
    "payment_ties": (
        "select * from payment_ties where status not in ('MATCHED', 'NOT_BY_PROVIDER', 'NOT_DUE') or not is_three_way"
        f" and status = 'MATCHED' order by status, currency, order_key limit {SHOWN}"
    ),
    "not_reconciled": "select * from not_reconciled order by subject",
}


def read(reader: Reader) -> Reconciliation:
    """Return what a database holds, from one under construction or a published one."""
    found: dict[str, Any] = {name: reader.rows(sql) for name, sql in _QUERIES.items()}
    return Reconciliation(
        run=reader.rows("select * from reconciliation_run")[0],
        policy=reader.rows("select * from tolerance_policy")[0],
        compared=[
            (row["level"], row["order_key"])
            for row in reader.rows(
                "select level, order_key from population semi join staged.known_breaks as known"
                " using (level, order_key) order by level, order_key"
            )
        ],
        money_seen={
            row["order_number"]: row["statuses"]
            for row in reader.rows(
                "select order_number, list(distinct status order by status) as statuses from payment_ties"
                " semi join (from staged.order_payments where is_again) as again using (order_number)"
                " group by order_number order by order_number"
            )
        },
        **found,
    )
