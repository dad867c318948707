"""What a period holds, frozen in a folder: its figures and their hash, and how later figures differ from them.

The folder `periods/<name>/r<revision>` of the warehouse is written anew by each preview and left alone after the lock.
"""

import hashlib
import io
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from pyarrow import csv

from schemas.periods import Change, ClosingPeriod, Figures
from schemas.reconciliation import MARTS, STAGED
from tasks.errors import ConfigurationError, UnexpectedResponseError
from tasks.systems.warehouse import Reader, Row, Warehouse

CHARGES = "vat_charges"
FIGURES = "figures.json"
HASHED_AT_A_TIME = 100_000


@dataclass(frozen=True, slots=True)
class Frozen:
    """A period as a run found it: the hash of its figures, a summary of them, and the folder that holds them."""

    figures_hash: str
    figures: Mapping[str, Any]
    folder: Path


def folder_of(warehouse: Warehouse, name: str, revision: int) -> Path:
    """Return where a period of a revision is frozen."""
    return warehouse.folder / "periods" / name / f"r{revision}"


def freeze(
    warehouse: Warehouse, period: ClosingPeriod, run_id: str, revision: int, reports: Mapping[str, Path]
) -> Frozen:
    """Copy the tables of a run, its reports and the summary into the period's folder; replace what was there.

    `reports` are files by the name that they get. Raises UnexpectedResponseError when another run was published
    meanwhile.
    """
    target = folder_of(warehouse, period.name, revision)
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        for part in ("tables", "staged"):
            (unfinished / part).mkdir(parents=True)
        with warehouse.read() as reader:
            check_run(reader, period, run_id)
            for name in MARTS:
                reader.export(name, unfinished / "tables" / f"{name}.parquet")
            for name in STAGED:
                reader.export(name, unfinished / "staged" / f"{name}.parquet", "staged")
            figures_hash = hash_of(reader, period, CHARGES)
            figures = summary(reader)
        for name, path in reports.items():
            shutil.copyfile(path, unfinished / name)
        content = {"period": period.name, "run_id": run_id, "figures_hash": figures_hash, **figures}
        (unfinished / FIGURES).write_text(json.dumps(content, indent=2, default=str) + "\n", encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        os.replace(unfinished, target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Frozen(figures_hash, figures, target)


def check_run(reader: Reader, period: ClosingPeriod, run_id: str) -> None:
    """Raise UnexpectedResponseError when the published file is not that run, or is of other dates."""
    run = reader.rows("select run_id, from_date, to_date from reconciliation_run")[0]
    if (run["run_id"], run["from_date"], run["to_date"]) != (run_id, period.from_date, period.to_date):
        raise UnexpectedResponseError(
            f"run {run['run_id']} of {run['from_date']} to {run['to_date']} was published meanwhile.",
            system="warehouse",
            operation="close period",
            reference=period.name,
            next_step="Run it again.",
        )


def hash_of(reader: Reader, period: ClosingPeriod, source: str) -> str:
    """Return the SHA-256 of the figures of a period: the same documents and amounts give the same hash, always."""
    digest = hashlib.sha256(f"{period.name} {period.from_date} {period.to_date}\n".encode())
    names = ", ".join(column.name for column in MARTS[CHARGES].columns)
    for batch in reader.batches(f"select {names} from {source} order by all", HASHED_AT_A_TIME):
        text = io.BytesIO()
        csv.write_csv(batch, text, csv.WriteOptions(include_header=False))
        digest.update(text.getvalue())
    return digest.hexdigest()


def summary(reader: Reader) -> dict[str, Any]:
    """Return what a person looks at before signing: totals by side, breaks that stay open, what was not reconciled."""
    run = reader.rows("select * from reconciliation_run")[0]
    breaks = reader.rows(
        "select count(*) as open_breaks, coalesce(sum(value_pence), 0)::bigint as open_value_pence,"
        " count(*) filter (where cause in ('UNEXPLAINED', 'NOT_RECONCILED')) as unexplained from breaks"
    )[0]
    totals = reader.rows(
        "select side, level, currency, count(distinct document_number) as documents, sum(net_pence)::bigint as"
        " net_pence, sum(vat_pence)::bigint as vat_pence, sum(gross_pence)::bigint as gross_pence"
        f" from {CHARGES} group by all order by level, currency, side"
    )
    return {
        **breaks,
        "not_reconciled": run["rejected_count"],
        "prima_evidence": run["prima_evidence"],
        "input_hash": run["input_hash"],
        "totals": totals,
        "vat_boxes": reader.rows("select * from vat_boxes order by currency"),
    }


def changes(warehouse: Warehouse, period: ClosingPeriod, run_id: str, locked: Path) -> tuple[str, list[Change]]:
    """Return the hash of the figures that a run found, and each figure that differs from those of a locked folder.

    Raises UnexpectedResponseError when another run was published meanwhile.
    """
    source = f"read_parquet('{_quoted(charges_file(locked))}')"
    with warehouse.read() as reader:
        check_run(reader, period, run_id)
        return hash_of(reader, period, CHARGES), [_change(row) for row in reader.rows(_DIFFERENCES.format(source))]


def charges_file(folder: Path) -> Path:
    """Return the file of a frozen folder that holds the figures."""
    return folder / "tables" / f"{CHARGES}.parquet"


def check_frozen(folder: Path, period: ClosingPeriod, figures_hash: str) -> None:
    """Raise ConfigurationError when the frozen figures are gone or are not those of the hash."""
    path = charges_file(folder)
    found = ""
    if path.is_file():
        with duckdb.connect(":memory:") as connection:
            found = hash_of(Reader(connection), period, f"read_parquet('{_quoted(path)}')")
    if found != figures_hash:
        raise ConfigurationError(
            f"{path} {'does not hold the figures that were signed' if found else 'is not there'}.",
            system="warehouse",
            operation="close period",
            reference=period.name,
            next_step="Restore the folder from a backup or from the evidence pack, or reopen the period.",
        )


_DIFFERENCES = """
select
    coalesce(now.side, locked.side) as side,
    coalesce(now.level, locked.level) as level,
    coalesce(now.document_number, locked.document_number) as document_number,
    coalesce(now.vat_rate_percent, locked.vat_rate_percent) as vat_rate_percent,
    coalesce(now.order_key, locked.order_key) as order_key,
    coalesce(now.currency, locked.currency) as currency,
    locked.side is not null as was_there,
    locked.net_pence as before_net_pence,
    locked.vat_pence as before_vat_pence,
    locked.destination as before_destination,
    locked.business_date as before_date,
    now.side is not null as is_there,
    now.net_pence as now_net_pence,
    now.vat_pence as now_vat_pence,
    now.destination as now_destination,
    now.business_date as now_date
from vat_charges as now
full outer join {} as locked
    on
        now.side = locked.side
        and now.level = locked.level
        and now.document_number = locked.document_number
        and coalesce(now.vat_rate_percent, -1) = coalesce(locked.vat_rate_percent, -1)
where
    (now.net_pence, now.vat_pence, now.destination, now.business_date, now.order_key, now.currency)
    is distinct from
    (
        locked.net_pence, locked.vat_pence, locked.destination, locked.business_date, locked.order_key,
        locked.currency
    )
order by 1, 2, 3, 4
"""


def _change(row: Row) -> Change:
    before, now = (
        Figures(*(row[f"{when}_{name}"] for name in ("net_pence", "vat_pence", "destination", "date")))
        if row[there]
        else None
        for when, there in (("before", "was_there"), ("now", "is_there"))
    )
    rate = "" if row["vat_rate_percent"] is None else str(row["vat_rate_percent"])
    return Change(
        row["side"], row["level"], row["document_number"], rate, row["order_key"], row["currency"], before, now
    )


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
