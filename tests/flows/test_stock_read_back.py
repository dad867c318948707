"""Magento's stock read back: a sample after each push, all of it at night; each drift has a cause and is repaired."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from flows.fulfilment import sync_fulfilment
from flows.inventory import sync_inventory
from flows.orders import sync_orders
from flows.stock_check import check_stock
from flows.stock_repair import repair_stock
from schemas.documents import Watermark
from tests.flows.shopping import (
    STOCK_WRITE,
    a_line,
    buy,
    by_hand,
    levels,
    prima_number,
    ship_by_hand,
    stock_both,
    stock_writes,
)
from tests.installation import Installation

SKUS = [f"TEE-RED-{number}" for number in range(10)]


@contextmanager
def magentos_tables(installation: Installation) -> Iterator[sqlite3.Connection]:
    """Change Magento's own tables, as an extension does that goes past its interfaces."""
    database = sqlite3.connect(installation.folder / "magento.db", isolation_level=None)
    yield database
    database.close()


def test_batches_that_magento_drops_in_silence_are_all_found_at_once_and_made_good_by_the_next_run(
    installation: Installation,
) -> None:
    skus = [f"JEANS-{number}" for number in range(600)]
    stock_both(installation, dict.fromkeys(skus, 9))
    installation.configure(calls_per_second="15\nstock_batch_size = 6")
    sync_inventory()
    for sku in skus:
        installation.prima.sell_elsewhere(sku, 2)
    installation.magento.faults.add(STOCK_WRITE, "no_effect", times=None, rate=0.01)

    sync_inventory()
    dropped = {sku for sku in skus if installation.magento.source_quantity(sku) != 7}
    assert 0 < len(dropped) < 60, "about one call in a hundred was to be dropped"
    assert len(dropped) % 6 == 0
    assert installation.open_codes() == {f"sku {sku}": "STOCK_PUSH_MISSED" for sku in dropped}
    with installation.ledger() as ledger:
        note = ledger.exceptions(code="STOCK_PUSH_MISSED")[0]
    assert "missed push (critical): 7 was written at" in note.detail
    assert note.value_at_risk_pence == 2 * 1200

    installation.magento.faults.clear()
    sync_inventory()
    assert {installation.magento.source_quantity(sku) for sku in skus} == {7}
    assert installation.open_codes() == {}


def test_an_honest_day_of_trade_has_no_drift(installation: Installation) -> None:
    stock_both(installation, dict.fromkeys(SKUS, 20))
    orders = [buy(installation, a_line(sku, 3), a_line(SKUS[0], 1)) for sku in SKUS[1:7]]
    sync_orders()
    sync_inventory()
    buy(installation, a_line(SKUS[8], 2))  # not in PRIMA yet
    ship_by_hand(installation, orders[0], 2)
    installation.prima.dispatch(prima_number(orders[1]), {1: 1})
    installation.prima.dispatch(prima_number(orders[2]))
    installation.prima.sell_elsewhere(SKUS[9], 4)
    sync_fulfilment()
    with by_hand(installation) as magento:
        magento.cancel(orders[3]["entity_id"])

    summary = check_stock()
    assert summary.found == []
    assert summary.counts["source items"] == summary.counts["products"] == summary.counts["salable quantities"] == 10
    assert installation.open_codes(["STOCK_DRIFT", "STOCK_RESERVATIONS_OFF", "STOCK_OPEN_UNITS_OFF"]) == {}


def test_every_kind_of_drift_is_told_with_its_cause_and_repaired_where_that_is_ours_to_do(
    installation: Installation,
) -> None:
    stock_both(installation, dict.fromkeys(SKUS, 20))
    order = buy(installation, a_line(SKUS[7], 5))
    sync_orders()
    sync_inventory()
    _plant(installation)
    ship_by_hand(installation, order, 2)
    installation.magento.faults.add(
        f"GET /V1/inventory/get-product-salable-quantity/{SKUS[9]}/*", "status", times=None, status=500
    )

    expected = {
        f"sku {SKUS[0]}": "changed in Magento (critical)",
        f"sku {SKUS[1]}": "negative quantity (warning)",
        f"sku {SKUS[2]}": "fraction of a unit (critical)",
        f"sku {SKUS[3]}": "switched off (warning)",
        f"sku {SKUS[4]}": "source item gone (warning)",
        f"sku {SKUS[5]} in stock 1": "reservations (problem)",
        f"sku {SKUS[6]} at wh_dub": "unmapped source (problem)",
        "sku GHOST at default": "orphan (info)",
        f"order {order['increment_id']} line {order['items'][0]['item_id']}": "open units (critical)",
        f"sku {SKUS[7]}": "changed in Magento (warning)",
    }
    known, writes = _confirmed(installation), stock_writes(installation)
    dry = repair_stock(dry_run=True)
    assert {line.split(": ")[0]: line.split(": ")[1] for line in dry.found} == expected
    assert installation.open_codes() == {}
    assert (_confirmed(installation), stock_writes(installation)) == (known, writes), "a dry run changes nothing"

    summary = check_stock()
    assert {line.split(": ")[0] for line in summary.found} == set(expected)
    assert set(installation.open_codes()) == set(expected)
    with installation.ledger() as ledger:
        (reservations,) = ledger.exceptions(code="STOCK_RESERVATIONS_OFF")
    assert "20 at default, less 0 reserved by open orders, make 20; Magento sells 16" in reservations.detail

    repaired = repair_stock(dry_run=False, delete_orphans=True)
    assert repaired.repaired > 0
    for sku in (*SKUS[:5], *SKUS[8:]):
        assert levels(installation, sku) == (20, 20), sku
    assert levels(installation, SKUS[7]) == (18, 15)

    left = check_stock()
    assert {line.split(": ")[0] for line in left.found} == {f"sku {SKUS[5]} in stock 1", f"sku {SKUS[6]} at wh_dub"}
    assert installation.magento.source_quantity(SKUS[5]) == 20, "reservations are never made good by bending stock"
    assert installation.open_codes() == {
        f"sku {SKUS[5]} in stock 1": "STOCK_RESERVATIONS_OFF",
        f"sku {SKUS[6]} at wh_dub": "STOCK_SOURCE_UNMAPPED",
    }


def test_the_command_line_checks_stock_and_repairs_it_after_a_dry_run(installation: Installation) -> None:
    stock_both(installation, dict.fromkeys(SKUS[:3], 20))
    sync_inventory()
    installation.magento.set_source_quantity(SKUS[0], 33)
    installation.magento.set_source_quantity("GHOST", 8)

    checked = installation.command("run", "stock-check", "--json")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["by_cause"] == {"changed in Magento": 1, "orphan": 1}
    view = json.loads(installation.command("stock", SKUS[0], "--json").stdout)
    assert (view["read_backs"][0]["quantity"], view["read_backs"][0]["expected"]) == ("33", 20)
    assert view["read_backs"][0]["cause"] == "changed in Magento"
    assert view["last_check_at"] is not None

    dry = installation.command("stock-repair")
    assert dry.returncode == 0
    assert "orphan" in dry.stdout
    assert installation.magento.source_quantity(SKUS[0]) == 33, "without --write nothing is written"
    misused = installation.command("stock-repair", "--delete-orphans")
    assert misused.returncode == 2
    assert "needs --write" in misused.stderr

    repaired = installation.command("stock-repair", "--write", "--delete-orphans", "--json")
    assert json.loads(repaired.stdout)["repaired"] == 2
    assert installation.magento.source_quantity(SKUS[0]) == 20
    assert json.loads(installation.command("run", "stock-check", "--json").stdout)["by_cause"] == {}


def _confirmed(installation: Installation) -> dict[tuple[str, str], int]:
    with installation.ledger() as ledger:
        return ledger.confirmed_levels()


def _plant(installation: Installation) -> None:
    """Let others than this product have a hand in Magento's stock, and the ledger miss the shipments to come."""
    magento = installation.magento
    magento.set_source_quantity(SKUS[0], 33)
    magento.set_source_quantity(SKUS[1], -3)
    magento.set_source_quantity(SKUS[2], Decimal("20.5"))
    magento.set_source_quantity(SKUS[6], 4, "wh_dub")
    magento.set_source_quantity("GHOST", 8)
    with magentos_tables(installation) as database:
        database.execute("update source_items set status = 0 where sku = ?", (SKUS[3],))
        database.execute("delete from source_items where sku = ?", (SKUS[4],))
        database.execute(
            "insert into reservations (stock_id, sku, quantity_e4, event, order_id) values (1, ?, -40000, 'stuck', 0)",
            (SKUS[5],),
        )
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with installation.ledger() as ledger:
        for stream in ("orders", "shipments", "creditmemos"):
            ledger.set_watermark(Watermark(f"progress {stream}", tomorrow), "")
