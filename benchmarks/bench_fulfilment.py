"""How much longer the fulfilment flow takes than a bare loop of the same calls, and how much memory it needs.

Magento's stand-in answers each call after the time that a real Magento took (measured: 130 ms to ship, 50 ms to read).
Each dispatch costs four calls: the order before, the shipment, and shipment and order read back. The bare loop makes
the same four with as many connections, records nothing and checks nothing. Both are let off `calls_per_second`, which
would hide the difference. Flow and loop run in processes of their own, the stand-in in another; the flow's time is from
its call to its end, with a Prefect server that is up.

    python benchmarks/bench_fulfilment.py                      5,000 dispatches
    python benchmarks/bench_fulfilment.py --dispatches 200
"""

import argparse
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.bench_orders import documents
from benchmarks.processes import CONTEXT, in_a_process, peak_memory, prefect_server

SECONDS_TO_SHIP = 0.13
SECONDS_TO_READ = 0.05
CONNECTIONS = 2
FAST = 100_000.0
PLENTY = 1_000_000  # units of each SKU in each source: no shipment is to fail for want of stock


def prepare(folder: Path, count: int) -> None:
    """Fill the folder: orders in Magento, the same orders accepted in the ledger, one dispatch of each in PRIMA."""
    from sandbox.magento import MagentoStandIn
    from sandbox.prima import PrimaStandIn
    from tasks.systems.ledger import Ledger

    orders = [order for order in documents(3 * count) if is_unshipped(order)][:count]
    with MagentoStandIn(folder) as magento:
        for start in range(0, count, 500):
            magento.load_orders(orders[start : start + 500])
    with sqlite3.connect(folder / "magento.db") as database:
        database.execute("update source_items set quantity_e4 = ?", (PLENTY * 10_000,))
    with PrimaStandIn(folder):
        pass  # makes the tables
    records = [record_of(order) for order in orders]
    with Ledger(f"sqlite:///{folder / 'ledger.db'}") as ledger:
        ledger.migrate()
        for start in range(0, count, 500):
            ledger.see_orders(records[start : start + 500])
        for record in records:
            ledger.accept_order(record.order_number)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    with sqlite3.connect(folder / "prima.db") as database:
        for place, record in enumerate(records):
            number = f"D{place:06d}"
            database.execute(
                "insert into stand_in_dispatches (dispatch_number, order_number, dispatched_at, carrier, service, "
                "tracking_numbers, updated_at) values (?, ?, ?, 'DPD', 'NEXTDAY', ?, ?)",
                (number, record.order_number_prima, now, f"1550{place:08d}", now),
            )
            for line in record.lines:
                database.execute(
                    "insert into stand_in_dispatch_lines (dispatch_number, line_number, order_number, "
                    "order_line_number, product, mtrx1, mtrx2, mtrx3, mtrx4, quantity, updated_at) "
                    "values (?, ?, ?, ?, 'X', '', '', '', '', ?, ?)",
                    (number, line.line_number, record.order_number_prima, line.line_number, line.quantity, now),
                )


def is_unshipped(order: Mapping[str, Any]) -> bool:
    """Tell whether every unit of an order can still be shipped, and there are goods among its lines."""
    gone = ("qty_shipped", "qty_refunded", "qty_canceled")
    return not order.get("is_virtual") and not any(line.get(name) for line in order["items"] for name in gone)


def record_of(order: Mapping[str, Any]) -> Any:
    """Return an order document as the ledger keeps it, with a number in PRIMA."""
    from tasks.systems.ledger import OrderLineRecord, OrderRecord

    sold = [line for line in order["items"] if not line.get("parent_item_id")]
    at = datetime.strptime(order["updated_at"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return OrderRecord(
        order_number=order["increment_id"],
        entity_id_magento=order["entity_id"],
        store_id=order["store_id"],
        state_magento=order["state"],
        status_magento=order["status"],
        placed_at=at,
        updated_at=at,
        currency="GBP",
        net_pence=0,
        vat_pence=0,
        gross_pence=0,
        order_number_prima=f"30{order['entity_id']:06d}",
        lines=tuple(
            OrderLineRecord(
                place, line["item_id"], line["sku"], line["product_type"], int(line["qty_ordered"]), 0, 0, 0
            )
            for place, line in enumerate(sold, start=1)
        ),
    )


def serve(folder: str, pipe: Any) -> None:
    """Serve both stand-ins until the other end of the pipe says stop; tell their addresses first."""
    from sandbox.magento import MagentoStandIn
    from sandbox.prima import PrimaStandIn

    with MagentoStandIn(Path(folder)) as magento, PrimaStandIn(Path(folder)) as prima:
        magento.faults.add("POST /V1/order/*/ship", "delay", times=None, seconds=SECONDS_TO_SHIP)
        magento.faults.add("GET /V1/*", "delay", times=None, seconds=SECONDS_TO_READ)
        addresses = {"magento_url": magento.url, "wsdl_url": prima.wsdl_url, "not_found_text": prima.not_found_text}
        pipe.send({**addresses, "reporting_url": prima.reporting_url, **magento.secrets})
        pipe.recv()
        pipe.send(len(magento.shipments()))


@contextmanager
def served(folder: Path) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Serve a folder in a process of its own, which says afterwards how many shipments there are."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=serve, args=(str(folder), theirs))
    process.start()
    shipments: list[int] = []
    try:
        yield ours.recv(), shipments
        ours.send("stop")
        shipments.append(ours.recv())
    finally:
        process.join(20)
        process.terminate()


def run_flow(environment: Mapping[str, str], pipe: Any) -> None:
    """Run the flow once and send seconds, the process's peak memory in bytes and CPU seconds."""
    os.environ.update(environment)
    from flows.fulfilment import sync_fulfilment
    from tasks import connect
    from tasks.systems.pacing import Pacer

    connect._pace = lambda *_: Pacer(FAST)  # type: ignore[assignment]
    started, cpu = time.perf_counter(), time.process_time()
    sync_fulfilment()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    pipe.send((seconds, peak_memory(), cpu))


def run_bare(environment: Mapping[str, str], folder: str, pipe: Any) -> None:
    """Make the calls of the same dispatches, four each, and send the seconds that it took."""
    os.environ.update(environment)
    from schemas.documents import ShipmentLine, ShipmentRequest, Track
    from tasks import connect
    from tasks.settings import Settings
    from tasks.systems.magento import MagentoClient
    from tasks.systems.pacing import Pacer

    with sqlite3.connect(Path(folder) / "magento.db") as database:
        rows = database.execute("select document from orders order by entity_id").fetchall()
    items: dict[tuple[int, str], list[int]] = {}
    for order in (json.loads(row[0]) for row in rows):
        items[order["entity_id"], order["increment_id"]] = [
            line["item_id"]
            for line in order["items"]
            if not line.get("parent_item_id") and line["product_type"] not in ("virtual", "downloadable")
        ]
    settings = Settings.from_env()
    with MagentoClient(settings.magento, connect.secrets(), pace=Pacer(FAST)) as magento:

        def tell(order: tuple[int, str]) -> None:
            entity_id, number = order
            found = {line["item_id"]: int(line["qty_ordered"]) for line in magento.order(entity_id)["items"]}
            lines = tuple(ShipmentLine(item_id, found[item_id]) for item_id in items[order])
            request = ShipmentRequest(
                f"D{number}", number, entity_id, lines, (Track(number, "custom", "DPD"),), "default"
            )
            magento.shipment(magento.ship(request))
            magento.order(entity_id)

        with ThreadPoolExecutor(max_workers=settings.magento.max_connections) as pool:
            started = time.perf_counter()
            list(pool.map(tell, items))
            pipe.send(time.perf_counter() - started)


def measure(count: int, api_url: str) -> None:
    """Measure flow and bare loop for so many dispatches and print a line."""
    from sandbox.installation import write_installation

    folder = Path(tempfile.mkdtemp(prefix="bench-fulfilment-"))
    bare = folder / "bare"
    try:
        prepare(folder, count)
        bare.mkdir()
        for name in ("magento.db", "prima.db"):
            # Not a copy of the file: what was written last may still lie in its log.
            with sqlite3.connect(folder / name) as whole, sqlite3.connect(bare / name) as copy:
                whole.backup(copy)
        load = os.getloadavg()[0]
        with served(folder) as (addresses, told):
            seconds, memory, cpu = in_a_process(
                run_flow, environment_of(folder, addresses, api_url, write_installation)
            )
        between = os.getloadavg()[0]
        with served(bare) as (addresses, looped):
            loop = in_a_process(run_bare, environment_of(bare, addresses, api_url, write_installation), str(bare))
        after = os.getloadavg()[0]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if told != looped:
        raise SystemExit(f"the flow made {told[0]} shipments, the loop {looped[0]}")
    print(
        f"{count:>6} dispatches, {told[0]} shipped: flow {seconds:.1f} s ({told[0] / seconds:.1f} a second, CPU "
        f"{cpu:.0f} s, peak memory {memory / 2**20:.0f} MB), bare loop {loop:.1f} s, ratio {seconds / loop:.2f}; "
        f"load before, between, after: {load:.1f}, {between:.1f}, {after:.1f}",
        flush=True,
    )


def environment_of(folder: Path, addresses: Mapping[str, str], api_url: str, write: Any) -> dict[str, str]:
    """Write the settings of a folder and return the environment of a process that works against it."""
    secrets = {name: value for name, value in addresses.items() if name.startswith("MAGENTO_")}
    write(folder, {name: value for name, value in addresses.items() if name not in secrets}, secrets)
    return {"MAGENTO_PRIMA_CONFIG": str(folder / "config.toml"), "PREFECT_API_URL": api_url, **secrets}


def main() -> None:
    """Measure what the command line asks for, against one Prefect server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dispatches", type=int, nargs="+", default=[5000], help="numbers of dispatches")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores; Magento ships in {SECONDS_TO_SHIP * 1000:.0f} ms, {CONNECTIONS} calls at a time")
    with prefect_server() as api_url:
        for count in asked.dispatches:
            measure(count, api_url)


if __name__ == "__main__":
    main()
