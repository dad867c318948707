"""Snapshots and pushes of stock: only what changed and only what can be true is written, and nothing is lost."""

from datetime import UTC, datetime
from typing import Any

import pytest

from flows.inventory import sync_inventory
from flows.orders import sync_orders
from sandbox.magento.search import Limits
from sandbox.prima.items import Item
from schemas.documents import StockLevel
from tasks.errors import SystemUnavailableError
from tasks.post import stock as post
from tests.flows.shopping import (
    PRICE,
    STOCK_WRITE,
    a_line,
    buy,
    by_hand,
    in_prima,
    ship_by_hand,
    stock_both,
    stock_writes,
)
from tests.installation import Installation

SKU = "TEE-NAVY-M"
OTHER = "TEE-NAVY-L"
THIRD = "TEE-NAVY-S"


def test_a_cycle_without_changes_writes_nothing(installation: Installation) -> None:
    stock_both(installation, {SKU: 100, OTHER: 7})
    installation.prima.sell_elsewhere(SKU, 1)
    sync_inventory()
    installation.magento.forget_calls()

    summary = sync_inventory()

    assert stock_writes(installation) == 0
    assert summary.counts["unchanged"] == 2
    asked = [call for call in installation.magento.calls() if "source-items" in call["path"]]
    assert len(asked) == 1, "only the sample is read back"


def test_what_falls_is_written_before_what_rises_and_what_is_sold_out_first(installation: Installation) -> None:
    stock_both(installation, {SKU: 5, OTHER: 5, THIRD: 5})
    installation.configure(overlap_minutes="10\nstock_batch_size = 1")
    installation.prima.receive(SKU, 1)
    installation.prima.sell_elsewhere(OTHER, 1)
    installation.prima.sell_elsewhere(THIRD, 5)

    sync_inventory()

    with installation.ledger() as ledger:
        sent = {sku: ledger.stock_pushes(sku)[-1] for sku in (SKU, OTHER, THIRD)}
    assert {push.state for push in sent.values()} == {"pending"}
    assert sorted(sent, key=lambda sku: sent[sku].id) == [THIRD, OTHER, SKU]
    assert [installation.magento.source_quantity(sku) for sku in (THIRD, OTHER, SKU)] == [0, 4, 6]


def test_a_sku_that_primas_answer_lacks_is_listed_and_left_as_it_is(installation: Installation) -> None:
    stock_both(installation, {SKU: 10, OTHER: 20, THIRD: 30})
    installation.magento.add_product("ONLY-IN-MAGENTO", price=PRICE, quantity=3)
    sync_inventory()
    assert installation.open_codes() == {"sku ONLY-IN-MAGENTO": "STOCK_NOT_IN_PRIMA"}

    installation.configure(concurrency="2\nlargest_stock_shrink_percent = 60")
    installation.prima.change_item(OTHER, is_active=0)
    # Magento's figure of it is in doubt now; even so the absent SKU stays listed.
    installation.prima.sell_elsewhere(SKU, 1)
    sync_inventory()
    sync_inventory()
    assert installation.open_codes() == {
        "sku ONLY-IN-MAGENTO": "STOCK_NOT_IN_PRIMA",
        f"sku {OTHER}": "STOCK_NOT_IN_PRIMA",
    }
    assert installation.magento.source_quantity(OTHER) == 20
    assert installation.magento.source_quantity("ONLY-IN-MAGENTO") == 3

    installation.prima.change_item(OTHER, is_active=1)
    _delete_source_item(installation, "ONLY-IN-MAGENTO")
    sync_inventory()
    assert installation.open_codes() == {}


def test_an_absent_sku_stays_listed_when_magento_ships_some_of_it(installation: Installation) -> None:
    stock_both(installation, {SKU: 10, OTHER: 20})
    order = buy(installation, a_line(OTHER, 2))
    sync_orders()
    sync_inventory()
    installation.configure(concurrency="2\nlargest_stock_shrink_percent = 60")
    installation.prima.change_item(OTHER, is_active=0)
    sync_inventory()

    ship_by_hand(installation, order, 2)
    sync_inventory()

    assert installation.open_codes() == {f"sku {OTHER}": "STOCK_NOT_IN_PRIMA"}
    assert installation.magento.source_quantity(OTHER) == 18


def test_a_sku_that_magento_does_not_know_is_never_written(installation: Installation) -> None:
    stock_both(installation, {SKU: 10})
    installation.prima.add_items([Item(OTHER, "NEWTEE", available=5)])

    sync_inventory()
    sync_inventory()
    assert installation.open_codes() == {f"sku {OTHER}": "STOCK_NOT_IN_MAGENTO"}
    with pytest.raises(KeyError):
        installation.magento.source_quantity(OTHER)

    installation.magento.add_product(OTHER, price=PRICE, quantity=0)
    sync_inventory()
    assert installation.open_codes() == {}
    assert installation.magento.source_quantity(OTHER) == 5


def test_a_product_that_was_deleted_in_magento_is_written_no_more_until_it_is_there_again(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 10, OTHER: 20})
    sync_inventory()
    for sku in (SKU, OTHER):
        installation.prima.sell_elsewhere(sku, 1)
    with by_hand(installation) as magento:  # Magento leaves the source item behind
        magento._transport.write(f"/V1/products/{OTHER}", method="DELETE")

    sync_inventory()
    assert [installation.magento.source_quantity(sku) for sku in (SKU, OTHER)] == [9, 20]
    assert installation.open_codes() == {f"sku {OTHER}": "STOCK_NOT_IN_MAGENTO"}

    installation.magento.add_product(OTHER, price=PRICE, quantity=20)
    sync_inventory()
    assert installation.magento.source_quantity(OTHER) == 19
    assert installation.open_codes() == {}


@pytest.mark.parametrize(
    ("kind", "detail"),
    [("empty_snapshot", {}), ("shrunken_snapshot", {"share": 0.5})],
    ids=["an empty snapshot", "a snapshot of half the rows"],
)
def test_a_snapshot_that_cannot_be_true_is_held_until_the_next_sane_one(
    installation: Installation, kind: Any, detail: dict[str, Any]
) -> None:
    skus = [f"TEE-RED-{size}" for size in range(10)]
    stock_both(installation, dict.fromkeys(skus, 10))
    sync_inventory()
    for sku in skus:
        installation.prima.sell_elsewhere(sku, 4)
    installation.prima.faults.add("ProductAvailableToSell", kind, times=2, **detail)

    assert sync_inventory().held
    assert sync_inventory().held
    assert installation.open_codes() == {"stock snapshot": "STOCK_SNAPSHOT_HELD"}
    assert stock_writes(installation) == 0
    assert {installation.magento.source_quantity(sku) for sku in skus} == {10}

    assert not sync_inventory().held
    assert installation.open_codes() == {}
    assert {installation.magento.source_quantity(sku) for sku in skus} == {6}


def test_the_brake_remembers_the_last_sane_snapshot_behind_any_number_of_held_ones(
    installation: Installation,
) -> None:
    stock_both(installation, {f"TEE-RED-{size}": 10 for size in range(4)})
    sync_inventory()
    with installation.ledger() as ledger:
        for _ in range(120):
            now = datetime.now(UTC)
            ledger.close_batch(ledger.open_batch("stock", now, now), "held", {})
    installation.prima.faults.add("ProductAvailableToSell", "shrunken_snapshot", share=0.5)

    assert "the last one had 4" in sync_inventory().held


@pytest.mark.parametrize("kind", ["lose_answer", "truncate"])
def test_a_push_whose_answer_is_lost_is_read_back_and_was_right_and_the_next_are_smaller(
    installation: Installation, kind: Any
) -> None:
    skus = (SKU, OTHER, THIRD, "TEE-NAVY-XL")
    stock_both(installation, dict.fromkeys(skus, 50))
    installation.configure(overlap_minutes="10\nstock_batch_size = 2")
    for sku in skus:
        installation.prima.sell_elsewhere(sku, 1)
    installation.magento.faults.add(STOCK_WRITE, kind)

    summary = sync_inventory()

    assert (summary.counts["posted"], stock_writes(installation)) == (4, 1 + 2)
    assert installation.open_codes() == {}
    assert {installation.magento.source_quantity(sku) for sku in skus} == {49}
    sync_inventory()
    assert stock_writes(installation) == 1 + 2


def test_a_push_that_never_arrived_is_told_and_made_good_with_fresh_figures(installation: Installation) -> None:
    stock_both(installation, {SKU: 100})
    installation.prima.sell_elsewhere(SKU, 1)
    installation.add_settings("[stock]\npush_pause_seconds = 0")
    installation.magento.faults.add(STOCK_WRITE, "reset", times=4)

    summary = sync_inventory()
    assert summary.counts["unknown"] == 1
    assert installation.open_codes() == {f"sku {SKU}": "STOCK_PUSH_FAILED"}
    assert installation.magento.source_quantity(SKU) == 100

    installation.prima.sell_elsewhere(SKU, 1)
    sync_inventory()
    assert installation.open_codes() == {}
    assert installation.magento.source_quantity(SKU) == 98


def test_the_one_sku_that_magento_refuses_is_found_by_halving_and_told_in_magentos_words(
    installation: Installation,
) -> None:
    skus = [f"TEE-RED-{size:02}" for size in range(16)]
    stock_both(installation, dict.fromkeys(skus, 10))
    for sku in skus:
        installation.prima.sell_elsewhere(sku, 1)
    words = {"message": 'The stock of "%1" is kept by %2.', "parameters": [skus[11], "another system"]}
    installation.magento.faults.add(STOCK_WRITE, "status", times=None, status=400, containing=f'"{skus[11]}"', **words)

    sync_inventory()
    assert installation.open_codes() == {f"sku {skus[11]}": "STOCK_PUSH_FAILED"}
    assert {sku for sku in skus if installation.magento.source_quantity(sku) != 9} == {skus[11]}
    assert stock_writes(installation) == 1 + 2 * 4, "sixteen, then two halves four times over"
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert note.detail == f'The stock of "{skus[11]}" is kept by another system.'

    installation.magento.faults.clear()
    sync_inventory()
    assert installation.open_codes() == {}
    assert {installation.magento.source_quantity(sku) for sku in skus} == {9}


def test_a_shop_that_takes_only_small_batches_gets_small_ones(installation: Installation) -> None:
    skus = [f"TEE-RED-{size}" for size in range(5)]
    stock_both(installation, dict.fromkeys(skus, 10))
    for sku in skus:
        installation.prima.sell_elsewhere(sku, 1)
    installation.magento.settings.limits = Limits(array=2)

    sync_inventory()

    assert installation.open_codes() == {}
    assert {installation.magento.source_quantity(sku) for sku in skus} == {9}


def test_a_source_that_the_shop_does_not_have_fails_each_sku_and_loses_none(installation: Installation) -> None:
    stock_both(installation, {SKU: 10})
    installation.prima.sell_elsewhere(SKU, 1)
    sync_inventory()
    installation.prima.sell_elsewhere(SKU, 1)
    installation.magento.faults.add(STOCK_WRITE, "status", times=None, status=400)

    summary = sync_inventory()

    assert (summary.counts["to push"], summary.counts["refused"]) == (1, 1)
    assert installation.open_codes() == {f"sku {SKU}": "STOCK_PUSH_FAILED"}


def test_a_magento_that_refuses_every_level_is_asked_no_more_after_some_of_them(installation: Installation) -> None:
    skus = [f"TEE-{number}" for number in range(28)]
    stock_both(installation, dict.fromkeys(skus, 10))
    installation.configure(calls_per_second="15\nstock_batch_size = 1")
    installation.magento.faults.add(STOCK_WRITE, "status", times=None, status=400)
    levels = [StockLevel(sku, "default", 9, 0, 0, 9, datetime.now(UTC)) for sku in skus]

    results = post.post_stock.fn(levels, "stock-1")

    assert [result.state for result in results] == ["refused"] * 25 + ["waiting"] * 3
    assert stock_writes(installation) == 25
    assert "Magento refused 25 levels one after another" in results[-1].detail


def test_magento_in_maintenance_marks_nothing_as_failed_and_gets_fresh_figures_later(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 100, OTHER: 50})
    installation.prima.sell_elsewhere(SKU, 1)
    installation.add_settings("[stock]\npush_attempts = 1")
    installation.magento.faults.add(STOCK_WRITE, "status", times=None, status=503)

    with pytest.raises(SystemUnavailableError):
        sync_inventory()
    assert installation.open_codes() == {}
    with installation.ledger() as ledger:
        assert [push.state for push in ledger.stock_pushes(SKU)] == ["refused", "pending"]

    installation.magento.faults.clear()
    installation.prima.sell_elsewhere(SKU, 9)
    sync_inventory()
    assert installation.magento.source_quantity(SKU) == 90


def test_a_row_without_a_whole_quantity_is_rejected_alone_and_its_sku_stays_as_it_is(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 10, OTHER: 20})
    sync_inventory()
    installation.prima.sell_elsewhere(SKU, 1)
    in_prima(installation, f"update stand_in_items set available = 2.5 where sku = '{OTHER}'")
    installation.configure(concurrency="2\nlargest_stock_shrink_percent = 60")

    sync_inventory()
    assert installation.open_codes() == {"item TEENAVYL////": "STOCK_ROW_REJECTED"}
    assert [installation.magento.source_quantity(sku) for sku in (SKU, OTHER)] == [9, 20]

    in_prima(installation, f"update stand_in_items set available = 2 where sku = '{OTHER}'")
    sync_inventory()
    assert installation.open_codes() == {}
    assert installation.magento.source_quantity(OTHER) == 2


def test_the_next_batch_is_recorded_while_magento_answers_and_withdrawn_where_it_does_not_leave(
    installation: Installation,
) -> None:
    skus = [f"TEE-{number}" for number in range(8)]
    stock_both(installation, dict.fromkeys(skus, 10))
    installation.configure(overlap_minutes="10\nstock_batch_size = 2")
    installation.add_settings("[stock]\npush_pause_seconds = 0")
    levels = [StockLevel(sku, "default", 9, 0, 0, 9, datetime.now(UTC)) for sku in skus]
    recorded: list[list[str]] = []

    def before_each_call() -> None:
        with installation.ledger() as ledger:
            recorded.append([ledger.stock_pushes(sku)[0].state if ledger.stock_pushes(sku) else "" for sku in skus])
        if len(recorded) == 3:
            installation.magento.faults.add(STOCK_WRITE, "status", times=1, status=503)

    results = post.post_stock.fn(levels, "stock-1", keep_lane=before_each_call)

    assert [result.state for result in results] == ["posted"] * 8
    assert {installation.magento.source_quantity(sku) for sku in skus} == {9}
    assert recorded[2] == ["posted"] * 2 + ["pending"] * 4 + [""] * 2, "the third call finds itself recorded"
    with installation.ledger() as ledger:
        histories = {tuple(push.state for push in reversed(ledger.stock_pushes(sku))) for sku in skus}
        assert set(ledger.confirmed_levels().values()) == {9}
    assert histories == {
        ("pending", "posted"),
        ("pending", "refused", "pending", "posted"),
        ("pending", "withdrawn", "pending", "posted"),
    }


def _delete_source_item(installation: Installation, sku: str) -> None:
    item = {"sku": sku, "source_code": "default", "quantity": 0, "status": 0}
    with by_hand(installation) as magento:
        magento.bulk("/V1/inventory/source-items-delete", [{"sourceItems": [item]}])
    installation.magento.run_consumer()
