"""A stock snapshot that cannot be true is held with its figures; a person releases it, and what is pushed is fresh."""

import json
from decimal import Decimal
from typing import Any

import pytest

from flows.inventory import sync_inventory
from flows.stock_brake import decide_hold
from sandbox.prima.items import Item
from schemas.brakes import StockHold
from tasks.errors import ConfigurationError
from tasks.systems.ledger import LedgerStateError
from tests.flows.shopping import stock_writes
from tests.installation import Installation

SIZES = ("28", "30", "32", "S", "M", "L")
PRICE = Decimal("20.00")
SNAPSHOT = "ProductAvailableToSell"
WRONG: dict[str, tuple[Any, dict[str, Any]]] = {
    "empty": ("empty_snapshot", {}),
    "half of the rows": ("shrunken_snapshot", {"share": 0.5}),
    "half of each quantity": ("multiplied_snapshot", {"factor": 0.5}),
    "times ten": ("multiplied_snapshot", {"factor": 10}),
    "all zero": ("multiplied_snapshot", {"factor": 0}),
    "sizes as quantities": ("shifted_snapshot", {"column": "MtrxCode2"}),
    "colours as quantities": ("shifted_snapshot", {"column": "MtrxCode1"}),
}


def opened(installation: Installation) -> dict[str, int]:
    """Give both systems 60 SKUs with 5 to 64 units each, and synchronise them once."""
    shelf = {
        f"JEANS{number}-{size}": 5 + number * 6 + place for number in range(10) for place, size in enumerate(SIZES)
    }
    for sku, units in shelf.items():
        style, size = sku.split("-")
        installation.prima.add_items([Item(sku, style, "BLUE", size, available=units, price=PRICE)])
        installation.magento.add_product(sku, price=PRICE, quantity=units)
    assert not sync_inventory().held
    return shelf


def the_hold(installation: Installation) -> StockHold:
    with installation.ledger() as ledger:
        found = ledger.open_hold()
    assert found is not None
    return found


def test_every_wrong_snapshot_is_held_and_a_sale_day_before_and_after_is_not(installation: Installation) -> None:
    shelf = opened(installation)
    for sku in list(shelf)[::2]:
        installation.prima.sell_elsewhere(sku, 3)
    assert not sync_inventory().held
    writes = stock_writes(installation)

    for name, (kind, detail) in WRONG.items():
        installation.prima.faults.add(SNAPSHOT, kind, **detail)
        assert sync_inventory().held, name
        assert the_hold(installation).times_held == 1, name
    assert installation.open_codes(["STOCK_SNAPSHOT_HELD"]) == {"stock snapshot": "STOCK_SNAPSHOT_HELD"}
    assert stock_writes(installation) == writes

    for sku in list(shelf)[1::2]:
        installation.prima.sell_elsewhere(sku, 2)
    assert not sync_inventory().held
    assert installation.open_codes() == {}
    assert {sku: installation.magento.source_quantity(sku) for sku in shelf} == {
        sku: installation.prima.available(sku) for sku in shelf
    }
    with installation.ledger() as ledger:
        assert ledger.open_hold() is None


def test_a_released_snapshot_is_read_again_and_pushed_as_it_is_then(installation: Installation) -> None:
    shelf = opened(installation)
    for sku, units in shelf.items():
        installation.prima.sell_elsewhere(sku, units - 2)
    assert sync_inventory().held
    hold = the_hold(installation)
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code="STOCK_SNAPSHOT_HELD")
    gone = sum(shelf.values()) - 2 * len(shelf)
    assert note.value_at_risk_pence == gone * 2000
    assert hold.hold_id in note.detail
    assert hold.top[0] in note.detail

    with pytest.raises(ConfigurationError, match="why must be given"):
        decide_hold(hold.hold_id, "release", "ann", " ")
    decide_hold(hold.hold_id, "release", "ann", "end of the season")
    writes = stock_writes(installation)
    installation.prima.sell_elsewhere("JEANS0-28", 1)  # after the snapshot that ann has seen
    assert not sync_inventory().held

    assert stock_writes(installation) > writes
    assert {sku: installation.magento.source_quantity(sku) for sku in shelf} == {
        sku: 1 if sku == "JEANS0-28" else 2 for sku in shelf
    }
    assert installation.open_codes() == {}
    with installation.ledger() as ledger:
        events = [(each.event, each.actor.partition(" ")[0]) for each in ledger.stock_hold_events(hold.hold_id)]
        history = [(each.actor, each.text) for each in ledger.exception_events(note.id)]
    assert events == [("held", "batch"), ("released", "ann"), ("passed", "batch")]
    assert ("ann", f"release of hold {hold.hold_id}: end of the season") in history
    with pytest.raises(LedgerStateError, match="over"):
        decide_hold(hold.hold_id, "release", "ann", "again")


def test_a_release_does_not_let_another_wrong_snapshot_pass(installation: Installation) -> None:
    opened(installation)
    installation.prima.faults.add(SNAPSHOT, "multiplied_snapshot", factor=0)
    sync_inventory()
    first = the_hold(installation)
    decide_hold(first.hold_id, "release", "ann", "stocktaking")
    writes = stock_writes(installation)

    installation.prima.faults.add(SNAPSHOT, "multiplied_snapshot", factor=10)
    assert sync_inventory().held

    assert stock_writes(installation) == writes
    assert the_hold(installation).hold_id != first.hold_id
    with installation.ledger() as ledger:
        replaced = ledger.stock_hold(first.hold_id)
    assert replaced is not None
    assert replaced.state == "replaced"


def test_the_command_line_shows_releases_and_refuses_a_hold(installation: Installation) -> None:
    opened(installation)
    assert "No stock snapshot is held." in installation.command("stock-brake", "show").stdout
    installation.prima.faults.add(SNAPSHOT, "multiplied_snapshot", factor=10)
    sync_inventory()
    hold_id = the_hold(installation).hold_id

    shown = installation.command("stock-brake", "show").stdout
    assert hold_id in shown
    assert "more than 100% more" in shown
    refused = installation.command("stock-brake", "refuse", hold_id, "--by", "ann", "--why", "broken export")
    assert (refused.returncode, refused.stdout.strip()) == (
        0,
        f"Hold {hold_id} is refused by ann. It stays until a sane snapshot follows.",
    )
    view = json.loads(installation.command("stock-brake", "show", hold_id, "--json").stdout)
    assert [each["event"] for each in view["history"]] == ["held", "refused"]
    unknown = installation.command("stock-brake", "release", "nothing", "--by", "ann", "--why", "x")
    assert unknown.returncode == 1
    assert "there is no such hold" in unknown.stderr
    assert "Traceback" not in unknown.stderr
