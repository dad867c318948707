"""What a stock cycle costs beside what cannot be avoided: reading PRIMA's answer, and writing to Magento.

(a) A cycle in which nothing changed, against a bare program that asks for the same answer, parses it with lxml and
takes the seven values of each row out as Python texts; it does no more with them. Two ratios: to answer and parse, and
to the parse alone, where the time that PRIMA took to answer the bare program is taken off the cycle as well. A cycle
also reads a sample of Magento's stock back, in which a bare parse has no part, and Prefect records the run and its
steps: both are in the cycle and shown apart, the latter as a flow of as many steps that do nothing. What one SKU more
costs is told from the smallest and the largest number of SKUs. Beside it a cycle that works everything out although
nothing changed (`stock.work_out_minutes`), and one in which a single SKU changed.

(b) A cycle in which every SKU changed, against a bare loop that posts the same batches with httpx. Magento's stand-in
takes as long for a batch as a real Magento did (45 ms and 3.2 ms an item, magento-rest.md), unless told otherwise.
Stand-ins, flow and bare programs are processes of their own; Prefect's server is up.

    python benchmarks/bench_inventory.py                            1,000 and 10,000 SKUs
    python benchmarks/bench_inventory.py --skus 1000 10000 100000   a quarter of an hour; for docs/scaling.md
    python benchmarks/bench_inventory.py --seconds-a-batch 0.1      a quicker Magento, which shows more of our own cost

The last lines are the tables of docs/scaling.md.
"""

import argparse
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.inventory_figures import STEPS, Bare, Cycle, Measured, show, show_growth, show_tables
from benchmarks.processes import in_a_process, middle, peak_memory, prefect_server, served

BATCH = 250
SECONDS_A_BATCH = 0.045 + BATCH * 0.0032
TIMES = 3
ONE = "STYLE00000-C0-1"
STOCK_WRITE = "POST /V1/inventory/source-items"
REQUEST = (
    '<?xml version="1.0"?><Request RequestType="ProductAvailableToSell"><Data ProductFrom="" ProductTo=""/></Request>'
)


def prepare(folder: Path, count: int) -> None:
    """Fill the folder with so many SKUs: the same units in PRIMA and in Magento."""
    from sandbox.magento import MagentoStandIn
    from sandbox.prima import PrimaStandIn
    from sandbox.prima.items import Item

    skus = [f"STYLE{number // 20:05}-C{number % 20 // 5}-{number % 5}" for number in range(count)]
    with MagentoStandIn(folder) as magento, PrimaStandIn(folder) as prima:
        with magento.at_once():
            for position, sku in enumerate(skus):
                magento.add_product(sku, price=Decimal("19.99"), quantity=position % 40)
        prima.add_items(Item(sku, *sku.split("-"), available=position % 40) for position, sku in enumerate(skus))
    with sqlite3.connect(folder / "magento.db") as database:  # products do not all change in one second
        database.execute("update products set updated_at = datetime('2026-01-01', '+' || entity_id || ' minutes')")


def serve_magento(folder: str, seconds_a_batch: float, pipe: Any) -> None:
    """Serve Magento; each "calls" is answered with the number of stock writes since the last one."""
    from sandbox.magento import MagentoStandIn

    with MagentoStandIn(Path(folder)) as magento:
        magento.faults.add(STOCK_WRITE, "delay", times=None, seconds=seconds_a_batch)
        pipe.send({"magento_url": magento.url, **magento.secrets})
        while pipe.recv() == "calls":
            pipe.send(sum(1 for call in magento.calls() if f"{call['method']} {call['path']}" == STOCK_WRITE))
            magento.forget_calls()


def serve_prima(folder: str, pipe: Any) -> None:
    """Serve PRIMA; "sell" takes a unit off every SKU that has one and adds one to the others, "sell one" of one SKU."""
    from sandbox.prima import PrimaStandIn

    with PrimaStandIn(Path(folder)) as prima:
        addresses = {"wsdl_url": prima.wsdl_url, "reporting_url": prima.reporting_url}
        pipe.send({**addresses, "not_found_text": prima.not_found_text})
        while (wanted := pipe.recv()) in ("sell", "sell one"):
            which = f" where sku = '{ONE}'" if wanted == "sell one" else ""
            with sqlite3.connect(Path(folder) / "prima.db") as database:
                database.execute(f"update stand_in_items set available = available + iif(available > 0, -1, 1){which}")
            pipe.send("sold")


def run_flow(environment: Mapping[str, str], times: int, pipe: Any) -> None:
    """Run the flow so often and send what it took."""
    os.environ.update(environment)
    from flows import read_back
    from flows.inventory import sync_inventory
    from tasks.post.stock_batches import StockWriter

    reading: list[float] = []
    writing: list[float] = []
    read_back.read_sample_back = timed(read_back.read_sample_back, reading)
    StockWriter.write = timed(StockWriter.write, writing)  # type: ignore[method-assign]
    seconds, cpu = [], []
    for _ in range(times):
        started, cpu_started = time.perf_counter(), time.process_time()
        summary = sync_inventory()
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - cpu_started)
    pipe.send(
        Cycle(
            middle(seconds),
            middle(reading),
            middle(writing) if writing else 0.0,
            middle(cpu),
            peak_megabytes(),
            dict(summary.counts),
        )
    )


def run_engine(environment: Mapping[str, str], times: int, pipe: Any) -> None:
    """Run a flow of as many steps that do nothing; send its seconds and CPU seconds."""
    os.environ.update(environment)
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE

    from flows.slots import slots_of_both_systems

    @task(cache_policy=NO_CACHE)
    def nothing() -> None: ...

    @flow
    @slots_of_both_systems()
    def steps_alone() -> None:
        for _ in range(STEPS):
            nothing()

    seconds, cpu = [], []
    for _ in range(times):
        started, cpu_started = time.perf_counter(), time.process_time()
        steps_alone()
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - cpu_started)
    pipe.send((middle(seconds), middle(cpu)))


def peak_megabytes() -> float:
    """Return the most memory that this process has had, in MB."""
    return peak_memory() / 2**20


def timed(function: Callable[..., None], seconds: list[float]) -> Callable[..., None]:
    """Return the function; what each call of it takes is added to the list."""

    def measured(*arguments: Any) -> None:
        started = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - started)

    return measured


def run_bare_parse(wsdl_url: str, times: int, pipe: Any) -> None:
    """Ask for the snapshot and parse it so often, and send what it took."""
    import httpx
    import zeep
    from lxml import etree

    client: Any = zeep.Client(wsdl_url)  # type: ignore[no-untyped-call]
    message = etree.tostring(client.create_message(client.service, "wsomhandler", xmlIn=REQUEST))
    address = client.service._binding_options["address"]
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    names = ("Product", "MtrxCode1", "MtrxCode2", "MtrxCode3", "MtrxCode4", "AvailableQuantity", "AvailableDate")
    huge = etree.XMLParser(huge_tree=True)
    whole, parsing, cpu = [], [], []
    with httpx.Client(timeout=600) as http:
        for _ in range(times):
            started, cpu_started = time.perf_counter(), time.process_time()
            answer = http.post(address, content=message, headers=headers)
            answered = time.perf_counter()
            text = etree.fromstring(answer.content, huge).xpath("string(//*[local-name()='Body'])")
            data = etree.fromstring(text.strip().encode("latin-1"), huge)[0]
            rows = [tuple(element.get(name) for name in names) for element in data]
            ended = time.perf_counter()
            whole.append(ended - started)
            parsing.append(ended - answered)
            cpu.append(time.process_time() - cpu_started)
    pipe.send(Bare(middle(whole), middle(parsing), middle(cpu), peak_megabytes(), len(rows)))


def run_bare_push(environment: Mapping[str, str], pipe: Any) -> None:
    """Post the levels that the flow posted, in its batches, one after another; send the seconds and the refusals."""
    os.environ.update(environment)
    import httpx
    from sqlalchemy import create_engine, text

    from tasks import connect
    from tasks.settings import Settings
    from tasks.systems.magento.answers import encode_body
    from tasks.systems.magento.signing import signer

    settings = Settings.from_env()
    query = text(
        "select sku, source_qty from stock_pushes where state = 'posted' and batch_id ="
        " (select batch_id from stock_pushes order by id desc limit 1) order by id"
    )
    with create_engine(settings.ledger.url).connect() as connection:
        levels = [tuple(row) for row in connection.execute(query)]
    batches = [
        encode_body(
            {
                "sourceItems": [
                    {"sku": sku, "source_code": "default", "quantity": units, "status": int(units > 0)}
                    for sku, units in levels[start : start + BATCH]
                ]
            }
        )
        for start in range(0, len(levels), BATCH)
    ]
    address = f"{settings.magento.base_url}/rest/V1/inventory/source-items"
    with httpx.Client(auth=signer(settings.magento, connect.secrets()), timeout=600) as http:
        started = time.perf_counter()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        answers = [http.post(address, content=batch, headers=headers) for batch in batches]
        seconds = time.perf_counter() - started
    pipe.send((seconds, len(levels), sum(answer.status_code != 200 for answer in answers)))


def without_change(environment: Mapping[str, str], wsdl_url: str) -> tuple[Bare, tuple[float, float], Cycle, Cycle]:
    """Measure the bare parse, Prefect alone, and cycles without a change: recognised as such, and worked out."""
    bare: Bare = in_a_process(run_bare_parse, wsdl_url, TIMES)
    engine: tuple[float, float] = in_a_process(run_engine, environment, TIMES)
    unchanged: Cycle = in_a_process(run_flow, environment, TIMES)
    config = Path(environment["MAGENTO_PRIMA_CONFIG"])
    text = config.read_text(encoding="utf-8")
    config.write_text(f"{text}\n[stock]\nwork_out_minutes = 0\n", encoding="utf-8")
    worked_out: Cycle = in_a_process(run_flow, environment, TIMES)
    config.write_text(text, encoding="utf-8")
    for cycle in (unchanged, worked_out):
        if bare.rows != cycle.counts["unchanged"]:
            raise SystemExit(f"{bare.rows} rows came, {cycle.counts} were counted")
    return bare, engine, unchanged, worked_out


def asked(pipe: Any, words: str) -> Any:
    """Return what a stand-in answers."""
    pipe.send(words)
    return pipe.recv()


def measure(count: int, seconds_a_batch: float, api_url: str) -> Measured:
    """Measure all cycles for so many SKUs."""
    from sandbox.installation import write_installation
    from tasks.systems.ledger import Ledger

    folder = Path(tempfile.mkdtemp(prefix="bench-inventory-"))
    try:
        prepare(folder, count)
        with (
            served(serve_magento, str(folder), seconds_a_batch) as (magento, to_magento),
            served(serve_prima, str(folder)) as (prima, to_prima),
        ):
            secrets = {name: value for name, value in magento.items() if name.startswith("MAGENTO_")}
            write_installation(folder, {"magento_url": magento["magento_url"], **prima}, secrets)
            config = folder / "config.toml"
            faster = f"page_size = 300\nstock_batch_size = {BATCH}\noverlap_minutes = 0"
            text = config.read_text(encoding="utf-8").replace("overlap_minutes = 10", faster)
            config.write_text(text, encoding="utf-8")
            with Ledger(f"sqlite:///{folder / 'ledger.db'}") as ledger:
                ledger.migrate()
            environment = {"MAGENTO_PRIMA_CONFIG": str(config), "PREFECT_API_URL": api_url, **secrets}
            in_a_process(run_flow, environment, 1)  # learns what Magento has
            asked(to_magento, "calls")
            steady = without_change(environment, prima["wsdl_url"])
            if writes := asked(to_magento, "calls"):
                raise SystemExit(f"{writes} writes were made although nothing had changed")
            asked(to_prima, "sell one")
            one: Cycle = in_a_process(run_flow, environment, 1)
            asked(to_prima, "sell")
            pushed: Cycle = in_a_process(run_flow, environment, 1)
            seconds, sent, refused = in_a_process(run_bare_push, environment)
            if refused or one.counts["posted"] != 1 or not sent == pushed.counts["posted"] == count:
                raise SystemExit(f"{one.counts}, {pushed.counts} by the flow, {sent} by the loop, {refused} refused")
            return Measured(count, *steady, one, pushed, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure what the command line asks for, against one Prefect server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skus", type=int, nargs="+", default=[1_000, 10_000], help="numbers of SKUs")
    parser.add_argument("--seconds-a-batch", type=float, default=SECONDS_A_BATCH, help="what Magento takes for one")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, batches of {BATCH}, {arguments.seconds_a_batch:.3f} s each")
    found = []
    with prefect_server() as api_url:
        for count in sorted(arguments.skus):
            load = os.getloadavg()[0]
            found.append(measure(count, arguments.seconds_a_batch, api_url))
            show(found[-1], load)
    if len(found) > 1:
        show_growth(found[0], found[-1])
    show_tables(found)


if __name__ == "__main__":
    main()
