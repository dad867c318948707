"""Bulks of stock: each operation has an end of its own, and a bulk is known as long as Magento may still perform it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from flows.inventory import sync_inventory
from schemas.documents import StockLevel
from tasks.post import stock as post
from tests.flows.shopping import STOCK_WRITE, stock_both
from tests.installation import Installation

SKU = "TEE-NAVY-M"
OTHER = "TEE-NAVY-L"
REDS = [f"TEE-RED-{size}" for size in range(6)]
BULK = "POST /async/bulk/V1/inventory/source-items"
STATUS = "GET /V1/bulk/*/status"


class KilledError(BaseException):
    """What nobody catches: the worker is gone."""


def writes(installation: Installation) -> tuple[int, int]:
    """Return how many bulks were sent, and how often stock was written directly."""
    named = [f"{call['method']} {call['path']}" for call in installation.magento.calls()]
    return named.count(BULK), named.count(STOCK_WRITE)


def a_level(sku: str, source_code: str = "default") -> StockLevel:
    return StockLevel(sku, source_code, 9, 0, 0, 9, datetime.now(UTC))


def killed_at_the_first_look(installation: Installation) -> Callable[[], None]:
    def keep_lane() -> None:
        if writes(installation)[0]:
            raise KilledError

    return keep_lane


def test_bulks_are_followed_to_the_end_and_nothing_is_written_a_second_time(installation: Installation) -> None:
    stock_both(installation, dict.fromkeys(REDS, 10))
    for sku in REDS:
        installation.prima.sell_elsewhere(sku, 1)
    installation.configure(overlap_minutes="10\nstock_batch_size = 2")
    installation.add_settings('[stock]\npush_by = "bulk"')

    summary = sync_inventory()

    assert summary.counts["posted"] == 6
    assert writes(installation) == (1, 0)
    assert {installation.magento.source_quantity(sku) for sku in REDS} == {9}
    assert sync_inventory().counts["unchanged"] == 6


def test_a_bulk_that_nobody_performs_is_replaced_and_its_old_figures_are_corrected_when_it_comes_late(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 10, OTHER: 20})
    installation.magento.settings.consumer = "stepped"
    installation.add_settings('[stock]\npush_by = "bulk"\nbulk_deadline_seconds = 0.01')
    installation.prima.sell_elsewhere(SKU, 1)

    sync_inventory()
    assert writes(installation) == (1, 1)
    assert installation.magento.source_quantity(SKU) == 9
    installation.prima.sell_elsewhere(SKU, 5)
    sync_inventory()
    assert writes(installation) == (1, 2)  # no second bulk behind one that is stuck
    assert installation.magento.source_quantity(SKU) == 4

    installation.magento.run_consumer()  # two days later, so to speak
    assert installation.magento.source_quantity(SKU) == 9
    sync_inventory()
    assert installation.magento.source_quantity(SKU) == 4


def test_each_operation_of_a_bulk_has_its_own_end_and_only_what_did_not_arrive_is_written_directly(
    installation: Installation,
) -> None:
    stock_both(installation, dict.fromkeys(REDS, 10))
    installation.configure(overlap_minutes="10\nstock_batch_size = 2")
    installation.add_settings('[stock]\npush_by = "bulk"')
    levels = [a_level(sku, "nowhere" if sku == REDS[2] else "default") for sku in REDS]

    results = {result.subject: result for result in post.post_stock.fn(levels, "stock-1")}

    assert {sku: result.state for sku, result in results.items()} == {
        sku: "refused" if sku == REDS[2] else "posted" for sku in REDS
    }
    assert results[REDS[2]].code == "STOCK_SOURCE_UNKNOWN"
    assert [installation.magento.source_quantity(sku) for sku in REDS] == [9, 9, 10, 9, 9, 9]
    assert writes(installation) == (1, 2), "the two levels of the failed operation, then the one with a source"
    with installation.ledger() as ledger:
        states = {sku: [push.state for push in reversed(ledger.stock_pushes(sku))] for sku in REDS}
        assert ledger.open_bulks() == {}
    assert states[REDS[0]] == states[REDS[5]] == ["pending", "posted"]
    assert states[REDS[3]] == ["pending", "refused"] * 2 + ["pending", "posted"]


def test_a_bulk_is_known_from_the_moment_magento_took_it_whatever_becomes_of_the_run(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 10})
    installation.magento.settings.consumer = "stepped"
    installation.add_settings('[stock]\npush_by = "bulk"\nbulk_deadline_seconds = 60')
    with pytest.raises(KilledError):
        post.post_stock.fn([a_level(SKU)], "stock-1", keep_lane=killed_at_the_first_look(installation))
    installation.configure(bulk_deadline_seconds="0.01")

    installation.prima.sell_elsewhere(SKU, 6)
    sync_inventory()
    assert writes(installation) == (1, 1), "no second bulk behind one that may come at any time"
    installation.magento.run_consumer()
    assert installation.magento.source_quantity(SKU) == 9
    sync_inventory()
    assert installation.magento.source_quantity(SKU) == 4
    installation.magento.run_consumer()  # the one that the last run sent
    sync_inventory()
    with installation.ledger() as ledger:
        assert ledger.open_bulks() == {}

    installation.magento.faults.add(STATUS, "status", times=None, status=500)
    for units in (5, 6):  # what became of the bulk cannot be read: its levels are, and the next run finds it open still
        installation.prima.receive(SKU, 1)
        sync_inventory()
        assert installation.magento.source_quantity(SKU) == units
    assert writes(installation)[0] == 3
    installation.magento.faults.clear()
    installation.magento.run_consumer()
    assert installation.magento.source_quantity(SKU) == 5
    sync_inventory()
    assert installation.magento.source_quantity(SKU) == 6
