"""How much longer the orders flow takes than a bare loop that posts the same envelopes, and how that grows.

PRIMA's stand-in answers an order 50 ms after it took it. The flow reads the orders from Magento's stand-in, posts them
with `prima.concurrency` calls in flight, and records everything; the bare loop posts the envelopes of the same orders,
made beforehand, with as many threads. Each runs in a process of its own, the stand-ins in others, on a PRIMA that has
the items and no orders. The flow's time is from its call to its end, with a Prefect server that is up.

    python benchmarks/bench_orders.py                       5,000 orders
    python benchmarks/bench_orders.py --orders 1000 5000 20000
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import CONTEXT, in_a_process, peak_memory, prefect_server

SECONDS_TO_ANSWER = 0.05
TARGET = 1.15
FIRST_ENTITY = 100_000
OPERATION = "wsomhandler"


def documents(count: int) -> list[dict[str, Any]]:
    """Return order documents: the recorded ones that reach PRIMA, each under numbers and times of its own."""
    from tests.recorded import sample_orders

    pool = [order for order in sample_orders() if order["state"] in ("new", "processing") and order["grand_total"]]
    text = json.dumps(pool, default=float)
    start = datetime.now(UTC) - timedelta(seconds=10 * count)
    made: list[dict[str, Any]] = []
    while len(made) < count:
        for order in json.loads(text)[: count - len(made)]:
            entity_id = FIRST_ENTITY + len(made)
            placed = (start + timedelta(seconds=10 * len(made))).strftime("%Y-%m-%d %H:%M:%S")
            order |= {"entity_id": entity_id, "increment_id": f"{entity_id:09d}"}
            order |= {"created_at": placed, "updated_at": placed}
            for line in lines_of(order):
                line["order_id"] = entity_id
            made.append(order)
    return made


def lines_of(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the lines of an order document wherever it repeats them."""
    assignments = order["extension_attributes"].get("shipping_assignments", [])
    for line in chain(order["items"], *(assignment.get("items", []) for assignment in assignments)):
        yield line
        if "parent_item" in line:
            yield line["parent_item"]


def prepare(folder: Path, count: int) -> None:
    """Fill the folder with the state of both systems: orders in Magento, items in PRIMA."""
    from sandbox.magento import MagentoStandIn
    from sandbox.prima import PrimaStandIn

    orders = documents(count)
    with MagentoStandIn(folder) as magento, PrimaStandIn(folder) as prima:
        for start in range(0, count, 500):
            magento.load_orders(orders[start : start + 500])
        prima.items_from_orders(orders)


def serve(kind: str, folder: str, pipe: Any) -> None:
    """Serve one stand-in until the other end of the pipe says stop; tell its address first."""
    from sandbox.magento import MagentoStandIn
    from sandbox.prima import PrimaStandIn

    if kind == "magento":
        with MagentoStandIn(Path(folder)) as magento:
            pipe.send({"magento_url": magento.url, **magento.secrets})
            pipe.recv()
        return
    with PrimaStandIn(Path(folder)) as prima:
        prima.faults.add("MultiNewOrder", "delay", times=None, rate=1.0, seconds=SECONDS_TO_ANSWER)
        pipe.send(
            {
                "wsdl_url": prima.wsdl_url,
                "not_found_text": prima.not_found_text,
                "reporting_url": prima.reporting_url,
            }
        )
        pipe.recv()
        pipe.send(len(prima.order_numbers()))


@contextmanager
def served(kind: str, folder: Path) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Serve a stand-in in a process of its own; PRIMA's says afterwards how many orders it has."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=serve, args=(kind, str(folder), theirs))
    process.start()
    counts: list[int] = []
    try:
        yield ours.recv(), counts
        ours.send("stop")
        if kind == "prima":
            counts.append(ours.recv())
    finally:
        process.join(20)
        process.terminate()


def run_flow(environment: Mapping[str, str], pipe: Any) -> None:
    """Run the flow once and send seconds, the process's peak memory in bytes and CPU seconds."""
    os.environ.update(environment)
    from flows.orders import sync_orders

    started, cpu = time.perf_counter(), time.process_time()
    sync_orders()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    pipe.send((seconds, peak_memory(), cpu))


def run_bare(wsdl_url: str, ledger_url: str, concurrency: int, pipe: Any) -> None:
    """Post the envelopes of the orders that the flow posted, and send the seconds that it took."""
    import httpx
    import zeep
    from lxml import etree
    from sqlalchemy import create_engine, text

    from tasks.systems.ledger import Ledger

    with create_engine(ledger_url).connect() as connection:
        query = text("select request_evidence_id from postings where system = 'prima' and state = 'posted' order by id")
        evidence_ids = list(connection.execute(query).scalars())
    client: Any = zeep.Client(wsdl_url)  # type: ignore[no-untyped-call]
    with Ledger(ledger_url) as ledger:
        messages = [
            etree.tostring(client.create_message(client.service, OPERATION, xmlIn=ledger.evidence(number).decode()))
            for number in evidence_ids
        ]
    address = client.service._binding_options["address"]
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    with httpx.Client(limits=limits, timeout=60) as http, ThreadPoolExecutor(max_workers=concurrency) as pool:
        started = time.perf_counter()
        answers = list(pool.map(lambda message: http.post(address, content=message, headers=headers), messages))
        seconds = time.perf_counter() - started
    refused = [answer for answer in answers if "OK" not in answer.text]
    pipe.send((seconds, len(answers), len(refused)))


def measure(count: int, concurrency: int, api_url: str) -> None:
    """Measure flow and bare loop for so many orders and print a line."""
    from sandbox.installation import write_installation
    from tasks.systems.ledger import Ledger

    folder = Path(tempfile.mkdtemp(prefix="bench-orders-"))
    bare_folder = folder / "bare"
    try:
        prepare(folder, count)
        bare_folder.mkdir()
        shutil.copy(folder / "prima.db", bare_folder / "prima.db")
        load = os.getloadavg()[0]
        with served("magento", folder) as (magento, _), served("prima", folder) as (prima, taken):
            secrets = {name: value for name, value in magento.items() if name.startswith("MAGENTO_")}
            write_installation(folder, {"magento_url": magento["magento_url"], **prima}, secrets)
            config = folder / "config.toml"
            config.write_text(
                config.read_text(encoding="utf-8").replace("concurrency = 2", f"concurrency = {concurrency}"),
                encoding="utf-8",
            )
            ledger_url = f"sqlite:///{folder / 'ledger.db'}"
            with Ledger(ledger_url) as ledger:
                ledger.migrate()
            environment = {"MAGENTO_PRIMA_CONFIG": str(config), "PREFECT_API_URL": api_url, **secrets}
            seconds, memory, cpu = in_a_process(run_flow, environment)
        between = os.getloadavg()[0]
        with served("prima", bare_folder) as (prima, _):
            bare, sent, refused = in_a_process(run_bare, prima["wsdl_url"], ledger_url, concurrency)
        after = os.getloadavg()[0]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if taken != [sent] or refused:
        raise SystemExit(f"the flow posted {taken[0]} orders, the loop {sent}, of which {refused} were refused")
    print(
        f"{count:>6} orders, {sent} posted: flow {seconds:.1f} s ({sent / seconds:.1f} orders/s, CPU {cpu:.0f} s, "
        f"peak memory {memory / 2**20:.0f} MB), bare loop {bare:.1f} s ({sent / bare:.1f} orders/s), "
        f"ratio {seconds / bare:.2f} (target {TARGET}); load before, between, after: "
        f"{load:.1f}, {between:.1f}, {after:.1f}",
        flush=True,
    )


def main() -> None:
    """Measure what the command line asks for, against one Prefect server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, nargs="+", default=[5000], help="numbers of orders")
    parser.add_argument("--concurrency", type=int, default=3, help="calls that PRIMA takes at a time")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, PRIMA answers in {SECONDS_TO_ANSWER * 1000:.0f} ms, {asked.concurrency} at a time")
    with prefect_server() as api_url:
        for count in asked.orders:
            measure(count, asked.concurrency, api_url)


if __name__ == "__main__":
    main()
