"""An installation with orders that PRIMA has accepted, which each schedule of parcels begins with a copy of."""

from pathlib import Path

from sandbox.installation import write_installation
from tests.flows.shopping import JEANS, TEE, a_line, buy, stock_both
from tests.installation import Installation
from tests.stateful.runs import Runner

ORDERS = 6
# What is ordered, by line of the order.
UNITS = {1: 4, 2: 3}


def accept_orders(folder: Path, ledger_url: str) -> None:
    """Leave in a folder both systems with a few orders, and in a migrated ledger that PRIMA has accepted them."""
    installation = Installation(folder)
    installation.start()
    try:
        write_installation(folder, {"ledger_url": ledger_url})
        stock_both(installation, {TEE: 1_000, JEANS: 1_000})
        for _ in range(ORDERS):
            buy(installation, a_line(TEE, UNITS[1]), a_line(JEANS, UNITS[2]))
        log = folder / "runs.log"
        is_completed = Runner("flows.orders:sync_orders", installation.environment, log).start().wait()
        assert is_completed, f"the orders were not accepted: {log.read_text(encoding='utf-8', errors='replace')}"
    finally:
        installation.stop()
