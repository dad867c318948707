"""Start the stand-ins: `python -m sandbox magento|prima|up --state DIR`. They listen on 127.0.0.1 only."""

import csv
import itertools
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from sandbox.installation import write_installation
from sandbox.magento import MagentoStandIn
from sandbox.prima import Item, PrimaStandIn
from sandbox.prima.control import work_in_warehouse
from sandbox.world import TradingWorld
from tasks.settings import Settings

ITEM_COLUMNS = ("sku", "product", "mtrx1", "mtrx2", "mtrx3", "mtrx4", "available", "price", "vat_code")
SECONDS_A_STEP = 5.0
MINUTES_A_STEP = 2
STEPS_A_PICK = 12
ORDERS_A_PICK = 10
CARRIERS = (("DPD", "NEXTDAY"), ("RM", "TRACKED48"))
WORLD_SEED = 1

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)

State = Annotated[Path, typer.Option("--state", help="Folder for everything that the sandbox keeps and writes.")]
OrderFiles = Annotated[
    list[Path] | None,
    typer.Option("--orders", help='Recorded orders: a file of the form {"orders": [{"order": ...}]}.'),
]
ItemFile = Annotated[Path | None, typer.Option("--items", help=f"CSV with the columns {','.join(ITEM_COLUMNS)}.")]


@app.command()
def magento(state: State, port: int = 0, orders: OrderFiles = None) -> None:
    """Start the Magento stand-in alone."""
    documents = list(_orders(orders))
    with ExitStack() as stack:
        shop = stack.enter_context(_magento(state, port, documents))
        _run(f"magento ready: {shop.url}")


@app.command()
def prima(
    state: State,
    port: int = 0,
    items: ItemFile = None,
    reporting_url: Annotated[
        str, typer.Option(help="SQLAlchemy URL of PRIMA's reporting database; default DIR/prima.db.")
    ] = "",
) -> None:
    """Start the PRIMA stand-in alone."""
    with ExitStack() as stack:
        erp = stack.enter_context(_prima(state, port, reporting_url or None))
        if items is not None:
            erp.add_items(_items(items))
        _run(f"prima ready: {erp.wsdl_url}")


@app.command()
def up(
    state: State,
    orders: OrderFiles = None,
    items: ItemFile = None,
    magento_port: int = 0,
    prima_port: int = 0,
    reporting_url: str = "",
    customers: Annotated[int, typer.Option(help="Add an invented catalogue and let so many customers buy.")] = 0,
    trade: Annotated[bool, typer.Option(help="Go on trading: customers buy and the warehouse works.")] = False,
) -> None:
    """Start both stand-ins. Without --items PRIMA is given every SKU of the orders."""
    documents = list(_orders(orders))
    with ExitStack() as stack:
        shop = stack.enter_context(_magento(state, magento_port, documents))
        erp = stack.enter_context(_prima(state, prima_port, reporting_url or None))
        if items is not None:
            erp.add_items(_items(items))
        else:
            erp.items_from_orders(documents)
        world = TradingWorld(shop, erp, seed=WORLD_SEED) if customers or trade else None
        if world is not None:
            world.buy(customers)
        _run(
            f"sandbox ready: magento {shop.url} prima {erp.wsdl_url} config {state.resolve() / 'config.toml'}",
            _trading(world, erp) if world is not None and trade else None,
        )


@app.command()
def warehouse(state: State, seed: int = 1) -> None:
    """Let PRIMA's warehouse pack what is open, in a sandbox that is up; print how many dispatches that made."""
    wsdl_url = Settings.from_file(state / "config.toml").prima.wsdl_url
    print(f"PRIMA's warehouse made {work_in_warehouse(wsdl_url, seed)} dispatches")


def _trading(world: TradingWorld, erp: PrimaStandIn) -> Callable[[], object]:
    """Return one step of trade; in every twelfth the warehouse works through a few orders."""
    count = itertools.count(1)

    def step() -> None:
        world.step(MINUTES_A_STEP)
        number = next(count)
        if number % STEPS_A_PICK == 0:
            erp.run_warehouse(seed=number, limit=ORDERS_A_PICK, carriers=CARRIERS)

    return step


def _magento(state: Path, port: int, documents: list[dict[str, Any]]) -> MagentoStandIn:
    state.mkdir(parents=True, exist_ok=True)
    shop = MagentoStandIn(state, port=port)
    shop.start()
    shop.load_orders(documents)
    write_installation(state, {"magento_url": shop.url}, shop.secrets)
    return shop


def _prima(state: Path, port: int, reporting_url: str | None) -> PrimaStandIn:
    state.mkdir(parents=True, exist_ok=True)
    erp = PrimaStandIn(state, port=port, reporting_url=reporting_url)
    erp.start()
    write_installation(
        state,
        {"wsdl_url": erp.wsdl_url, "not_found_text": erp.not_found_text, "reporting_url": erp.reporting_url},
    )
    return erp


class _Stopped(Exception):
    """Somebody asked the process to end."""


def _run(ready: str, step: Callable[[], object] | None = None) -> None:
    """Print the line that says everything listens, then wait for SIGTERM or Ctrl-C; a second one changes nothing."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        raise _Stopped

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    try:
        print(ready, flush=True)
        while True:
            time.sleep(SECONDS_A_STEP)
            if step is not None:
                step()
    except _Stopped:
        return


def _orders(files: list[Path] | None) -> Iterator[dict[str, Any]]:
    for file in files or []:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SystemExit(f"--orders {file} cannot be read as JSON: {error}") from error
        entries = content.get("orders") if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise SystemExit(f'--orders {file}: expected {{"orders": [{{"order": ...}}]}}')
        yield from (entry.get("order", entry) for entry in entries)


def _items(file: Path) -> Iterator[Item]:
    try:
        with file.open(encoding="utf-8", newline="") as content:
            reader = csv.DictReader(content)
            missing = [name for name in ITEM_COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise SystemExit(f"--items {file} has no column {', '.join(missing)}")
            for number, row in enumerate(reader, start=2):
                yield _item(file, number, row)
    except OSError as error:
        raise SystemExit(f"--items {file} cannot be read: {error.strerror}") from error


def _item(file: Path, number: int, row: Mapping[str, str]) -> Item:
    try:
        return Item(
            sku=row["sku"],
            product=row["product"],
            mtrx1=row["mtrx1"] or "",
            mtrx2=row["mtrx2"] or "",
            mtrx3=row["mtrx3"] or "",
            mtrx4=row["mtrx4"] or "",
            available=int(row["available"]),
            price=Decimal(row["price"]),
            vat_code=row["vat_code"],
        )
    except (ValueError, InvalidOperation) as error:
        raise SystemExit(f"--items {file}, line {number}: available must be a whole number, price a decimal") from error


if __name__ == "__main__":
    sys.exit(app())
