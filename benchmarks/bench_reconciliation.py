"""How long the nightly comparison takes for 100 thousand, 1 million and 10 million order lines a side, and its memory.

Both sides are generated, with a penny of VAT too much on one line of a thousand and every ten-thousandth line missing
in PRIMA. Each measurement is a process of its own. Three of them do the same work: the staged lines of both sides in,
Parquet with the same whole-number keys, and the keys of the lines that differ out:

    ours      the statement of the night that compares lines, `tasks/reconcile/016_differing_lines.sql` as it is
    pandas    an outer merge on the two keys, and a comparison of every amount
    datacompy its comparison of the same columns, in an environment of its own that this program makes

The fourth is all of the night, without the systems:

    night     staging (pandera, Parquet), load, every SQL file, checks of every mart, and every file that is published

All must find the same lines. The figures are seconds by the clock, seconds of processor (other work on the machine
stretches them less), and the peak of the process's resident memory. Imports are not counted.

    python benchmarks/bench_reconciliation.py                          100 thousand and 1 million
    python benchmarks/bench_reconciliation.py --lines 10000000         takes its time
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import peak_memory

ROOT = Path(__file__).resolve().parents[1]
FIRST_DAY = date(2026, 11, 1)
DAYS = 30
LINES_AN_ORDER = 3
DATACOMPY = ("datacompy==1.1.0", "pyarrow")
COLUMNS = ("quantity", "vat_rate_hundredths", "net_pence", "vat_pence", "gross_pence")
KEYS = ("comparison_id", "line_key")
SIDES = ("magento", "prima")
LAST_OF_CAUSES = 30  # the number of the SQL file that ends with a cause for each document
TARGET_RATIO, TARGET_MEMORY = 10, 2 * 1024**3


def generate(lines: int, folder: Path) -> dict[str, float]:
    """Stage both sides day by day, as the flow does; return the seconds that it takes, without making the rows up."""
    from schemas.reconciliation import STAGED
    from tasks.reconcile.files import stage_table

    orders_a_day = lines // LINES_AN_ORDER // DAYS
    staging = {"seconds": 0.0, "cpu": 0.0}
    hashes: dict[str, str] = {}
    numbers = []
    for day in range(DAYS):
        frames = _day(day * orders_a_day, orders_a_day, FIRST_DAY + timedelta(days=day))
        numbers.append(frames.pop("order_numbers"))
        clock = Clock()
        for name, rows in frames.items():
            hashes |= stage_table(STAGED[name], rows, folder / "staged")
        staging = {name: staging[name] + seconds for name, seconds in clock.read().items()}
    clock = Clock()
    for name, rows in _small_tables(numbers).items():
        hashes |= stage_table(STAGED[name], rows, folder / "staged")
    (folder / "hashes.json").write_text(json.dumps(hashes), encoding="utf-8")
    return {name: staging[name] + seconds for name, seconds in clock.read().items()}


def _day(first: int, orders: int, day: date) -> dict[str, Any]:
    """Return the staged documents and lines of a day."""
    import numpy as np
    import pandas as pd

    from tasks.reconcile.staging import shaped

    order = np.repeat(np.arange(first, first + orders), LINES_AN_ORDER) + 1
    line = np.tile(np.arange(1, LINES_AN_ORDER + 1), orders)
    index = np.arange(first * LINES_AN_ORDER, (first + orders) * LINES_AN_ORDER)
    quantity = index % 4 + 1
    rate = np.where(index % 7 == 0, 0, 2000)
    gross = (index * 7919 % 9_000 + 500) * quantity
    vat = (2 * gross * rate + 10_000 + rate) // (2 * (10_000 + rate))
    made = {}
    for side in SIDES:
        own = order if side == "magento" else order + 30_000_000_000
        side_vat = vat if side == "magento" else vat + (index % 1000 == 999)
        rows = pd.DataFrame(
            {
                "level": "orders",
                "document_number": pd.Series(own).map("{:011d}".format if side == "prima" else "{:09d}".format),
                "line_number": line,
                "document_id": order,
                "comparison_id": order,
                "line_key": line,
                "business_date": day,
                "charge": "goods",
                "order_line_number": line,
                "quantity": quantity,
                "vat_rate_hundredths": rate,
                "net_pence": gross - side_vat,
                "vat_pence": side_vat,
                "gross_pence": gross,
                "sku" if side == "magento" else "product": "SKU",
            }
        )
        if side == "prima":
            rows = rows[index % 10_000 != 5_000].reset_index(drop=True)
        made[f"{side}_documents"] = shaped(f"{side}_documents", _documents(rows, day))
        made[f"{side}_lines"] = shaped(f"{side}_lines", rows)
    ours = made["magento_documents"]["document_number"]
    pairs = pd.DataFrame({"order_number_prima": "30" + ours.astype("str"), "order_number": ours})
    return {**made, "order_numbers": pairs}


def _documents(lines: Any, day: date) -> Any:
    """Return the documents that these lines make."""
    at = datetime.combine(day, datetime.min.time()).replace(hour=12)
    keys = ["document_number", "document_id", "comparison_id"]
    documents = lines.groupby(keys, as_index=False)[["net_pence", "vat_pence", "gross_pence"]].sum()
    return documents.assign(
        level="orders",
        order_number=documents["document_number"],
        order_key=documents["comparison_id"].map("{:09d}".format),
        order_number_prima=documents["document_number"],
        currency="GBP",
        document_at=at,
        updated_at=at,
        business_date=day,
        is_cancelled=False,
        status_prima="dispatched",
        open_qty=0,
        store="uk",
        country="GB",
        postcode_area="M",
        tender_pence=0,
        discount_vat_pence=0,
        **dict.fromkeys(("delivery_net_pence", "delivery_vat_pence", "delivery_gross_pence"), 0),
    )


def _small_tables(numbers: list[Any]) -> dict[str, Any]:
    import pandas as pd

    from schemas.breaks import TolerancePolicy
    from schemas.reconciliation import CAUSES, STAGED, WITHOUT_EXPLANATION
    from tasks.reconcile import inputs
    from tasks.reconcile.staging import shaped

    at = datetime(2026, 12, 5, tzinfo=UTC)
    run = inputs.RunFacts(FIRST_DAY, FIRST_DAY + timedelta(days=DAYS - 1), at, at, at, "reporting", 24, "benchmark")
    causes = [(each.code, each.sentence, each.owner, each.code not in WITHOUT_EXPLANATION) for each in CAUSES.values()]
    empty = ("magento_shipments", "prima_dispatches", "known_breaks", "rejections", "ledger_postings", "ledger_orders")
    empty += ("product_sizes", "settlements", "order_payments", "payment_run")
    return {
        "order_numbers": shaped("order_numbers", pd.concat(numbers, ignore_index=True)),
        **{
            name: shaped(name, pd.DataFrame(columns=[column.name for column in STAGED[name].columns])) for name in empty
        },
        "policy": inputs.policy_row(TolerancePolicy()),
        "run": inputs.run_row(run, 0),
        "causes": shaped("causes", pd.DataFrame(causes, columns=["cause", "sentence", "owner", "is_explained"])),
    }


def night(folder: Path) -> dict[str, Any]:
    """Build, check and publish everything from the staged files, with the files for people; return what it took."""
    from tasks.reconcile import report, run
    from tasks.reconcile.files import StagedFiles
    from tasks.systems.warehouse import Build, Warehouse

    cpu: dict[str, float] = {}
    numbers = {sql: int(name.split("_")[0]) for name, sql in run.sql_files()}
    plain_run, plain_load, plain_check = Build.run, Build.load_parquet, run.check

    def timed_run(build: Build, sql: str) -> None:
        part = "load" if sql not in numbers else "comparison and causes" if numbers[sql] <= LAST_OF_CAUSES else "marts"
        with _timed(cpu, part):
            plain_run(build, sql)

    def timed_load(build: Build, schema: str, name: str, columns: str, pattern: str) -> None:
        with _timed(cpu, "load"):
            plain_load(build, schema, name, columns, pattern)

    def timed_check(build: Build) -> None:
        with _timed(cpu, "checks"):
            plain_check(build)

    Build.run, Build.load_parquet, run.check = timed_run, timed_load, timed_check  # type: ignore[method-assign]
    hashes = json.loads((folder / "hashes.json").read_text(encoding="utf-8"))
    warehouse = Warehouse(folder / "warehouse")
    clock = Clock()
    found = run.publish_staged(StagedFiles(folder / "staged", hashes), warehouse, FIRST_DAY)
    cpu["Parquet and publishing"] = clock.read()["cpu"] - sum(cpu.values())
    with _timed(cpu, "report and workbook"):
        report.write_files(found, warehouse.folder, "benchmark")
    return {**clock.read(), "parts": cpu, **_found(_keys(found.lines)), "count": len(found.breaks)}


def ours(folder: Path) -> dict[str, Any]:
    """Find the differing lines straight from the staged files; return what it took."""
    from tasks.reconcile.run import sql_files
    from tasks.systems.warehouse import Warehouse

    statement = dict(sql_files())["016_differing_lines.sql"]
    clock = Clock()
    with Warehouse(folder / "comparison").build() as build:
        build.run("create schema staged")
        for side in SIDES:
            files = f"{folder}/staged/{side}_lines/*.parquet"
            build.run(f"create view staged.{side}_lines as select * from read_parquet('{files}')")
        build.run(statement)
        keys = build.rows("select comparison_id, line_key from differing_lines order by all")
        took = clock.read()  # the database that the statement ran in is thrown away
    return {**took, **_found([(row["comparison_id"], row["line_key"]) for row in keys])}


class Clock:
    """Seconds by the clock and of the processor since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Return both so far."""
        return {"seconds": time.perf_counter() - self._began[0], "cpu": time.process_time() - self._began[1]}


def _keys(rows: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return sorted((int(row["order_key"]), row["line_key"]) for row in rows)


@contextmanager
def _timed(cpu: dict[str, float], name: str) -> Iterator[None]:
    began = time.process_time()
    yield
    cpu[name] = cpu.get(name, 0) + time.process_time() - began


def with_pandas(folder: Path) -> dict[str, Any]:
    """Compare with an outer merge."""
    import pandas as pd

    clock = Clock()
    columns = [*KEYS, *COLUMNS]
    magento, prima = (pd.read_parquet(folder / "staged" / f"{side}_lines", columns=columns) for side in SIDES)
    merged = magento.merge(prima, on=list(KEYS), how="outer", suffixes=("", "_prima"), indicator=True)
    differs = merged["_merge"] != "both"
    for column in COLUMNS:
        differs |= merged[column] != merged[f"{column}_prima"]
    found = merged.loc[differs, list(KEYS)]
    return {**clock.read(), **_found(sorted(map(tuple, found.to_numpy().tolist())))}


# Runs in datacompy's own environment: nothing of this project is there.
_WITH_DATACOMPY = """
import json, sys, time
folder, backend = sys.argv[1:3]
keys, columns = (names.split(",") for names in sys.argv[3:])
files = [f"{folder}/staged/{side}_lines" for side in ("magento", "prima")]
if backend == "polars":
    import polars as pl
    import datacompy
    began = time.perf_counter(), time.process_time()
    one, two = (pl.read_parquet(f"{each}/*.parquet", columns=[*keys, *columns]) for each in files)
    found = datacompy.PolarsCompare(one, two, join_columns=keys)
    parts = (found.all_mismatch(), found.df1_unq_rows, found.df2_unq_rows)
    rows = pl.concat([part.select(keys) for part in parts])
    listed = rows.unique().rows()
else:
    import pandas as pd
    import datacompy
    began = time.perf_counter(), time.process_time()
    one, two = (pd.read_parquet(each, columns=[*keys, *columns]) for each in files)
    compare = getattr(datacompy, "PandasCompare", None) or datacompy.Compare
    found = compare(one, two, join_columns=keys)
    parts = [found.all_mismatch()[keys], found.df1_unq_rows[keys], found.df2_unq_rows[keys]]
    listed = pd.concat(parts).drop_duplicates().to_numpy().tolist()
seconds, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
listed = sorted((int(order), int(line)) for order, line in listed)
memory = 1024 * int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
print(json.dumps({"seconds": seconds, "cpu": cpu, "keys": listed, "memory": memory}))
"""


def with_datacompy(folder: Path, home: Path, backend: str) -> dict[str, Any]:
    """Compare with datacompy in its environment; `failed` says why a backend did not finish."""
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "-q", "install", *DATACOMPY], check=True)
    arguments = [str(folder), backend, ",".join(KEYS), ",".join(COLUMNS)]
    ended = subprocess.run([python, "-c", _WITH_DATACOMPY, *arguments], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        reason = ended.stderr.strip().splitlines()
        return {"failed": f"exit {ended.returncode}: {reason[-1] if reason else 'no word'}"}
    answer: dict[str, Any] = json.loads(ended.stdout)
    return {**answer, **_found([tuple(key) for key in answer.pop("keys")])}


def _found(keys: list[tuple[int, int]]) -> dict[str, Any]:
    return {"count": len(keys), "hash": hashlib.sha256(json.dumps(keys).encode()).hexdigest()[:16]}


def in_own_process(what: str, folder: Path) -> dict[str, Any]:
    """Run one measurement in a process of its own, so that its peak of memory is its own."""
    ended = subprocess.run(
        [sys.executable, __file__, "--measure", what, "--folder", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if ended.returncode != 0:
        return {"failed": f"exit {ended.returncode}: {(ended.stderr.strip().splitlines() or ['no word'])[-1]}"}
    answer: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return answer


def measure(what: str, folder: Path) -> None:
    """Print one measurement as JSON, and leave before DuckDB's binding says goodbye at length."""
    answer = {"ours": ours, "night": night, "pandas": with_pandas}[what](folder)
    answer["memory"] = peak_memory()
    print(json.dumps(answer), flush=True)
    os._exit(0)


def bench(lines: int, home: Path, work: Path) -> None:
    """Measure one size and print it."""
    print(f"\n{lines:,} order lines a side, load {os.getloadavg()[0]:.1f}", flush=True)
    staging = generate(lines, work)
    found = {"ours": in_own_process("ours", work)}
    _show("ours", found["ours"])
    whole = in_own_process("night", work)
    if "failed" in whole:
        print(f"  whole night: did not finish ({whole['failed']})", flush=True)
    else:
        memory = f"{whole['memory'] / 1024**2:,.0f} MiB, {whole['memory'] / TARGET_MEMORY:.0%} of what is allowed"
        both = {name: staging[name] + whole[name] for name in ("seconds", "cpu")}
        print(f"  whole night {both['seconds']:.1f} s ({both['cpu']:.1f} s of processor), {memory}", flush=True)
        parts = ", ".join(f"{name} {cpu:.1f}" for name, cpu in {"staging": staging["cpu"], **whole["parts"]}.items())
        print(f"    of the processor: {parts}", flush=True)
    found["pandas"] = in_own_process("pandas", work)
    _show("pandas merge", found["pandas"])
    for backend in ("polars", "pandas"):
        found[f"datacompy {backend}"] = with_datacompy(work, home, backend)
        _show(f"datacompy, {backend}", found[f"datacompy {backend}"])
    finished = {name: each for name, each in found.items() if "seconds" in each}
    agreed = len({(each["count"], each["hash"]) for each in finished.values()}) == 1
    print(f"  same differences found by all that finished: {'yes' if agreed else 'NO'}")
    theirs = [each for name, each in finished.items() if name.startswith("datacompy")]
    if theirs and "seconds" in found["ours"]:
        by_clock, by_cpu = (min(each[name] for each in theirs) / found["ours"][name] for name in ("seconds", "cpu"))
        print(f"  datacompy's fastest takes {by_clock:.1f} times as long, {by_cpu:.1f} times the processor", end=" ")
        print(f"(target {TARGET_RATIO} at 10,000,000)")


def _show(name: str, found: dict[str, Any]) -> None:
    if "failed" in found:
        print(f"  {name}: did not finish ({found['failed']})", flush=True)
        return
    took = f"{found['seconds']:.2f} s ({found['cpu']:.2f} s of processor), {found['memory'] / 1024**2:,.0f} MiB"
    print(f"  {name}: {took}, {found['count']:,} lines differ", flush=True)


def main() -> None:
    """Read the arguments and measure each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--datacompy", type=Path, help="its environment; made when it is not there")
    parser.add_argument("--measure", choices=("ours", "night", "pandas"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="where to work; the files stay when it is given")
    given = parser.parse_args()
    if given.measure:
        measure(given.measure, given.folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        home = given.datacompy or Path(temporary) / "datacompy"
        for lines in given.lines:
            bench(lines, home, (given.folder or Path(temporary)) / str(lines))


if __name__ == "__main__":
    main()
