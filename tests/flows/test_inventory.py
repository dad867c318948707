"""Stock from PRIMA to Magento: the shop sells what PRIMA can really sell, at every moment of an order's life."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from flows.fulfilment import sync_fulfilment
from flows.inventory import sync_inventory
from flows.orders import sync_orders
from sandbox.magento.search import Limits
from sandbox.prima.items import Item
from schemas.documents import ShipmentLine, ShipmentRequest
from schemas.stock import StockRows
from tasks import connect
from tasks.decide import stock as decide
from tasks.errors import SystemUnavailableError
from tasks.extract import items as extract_items
from tasks.extract import stock as extract
from tasks.normalise import stock as normalise
from tasks.post import stock as post
from tasks.validate import split_batch
from tests.flows.shopping import PRICE, a_line, buy, by_hand, in_prima, prima_number, state, stock_both
from tests.installation import Installation
from tests.recorded import RECORDINGS

SKU = "TEE-NAVY-M"
OTHER = "TEE-NAVY-L"
THIRD = "TEE-NAVY-S"
WRITE = "POST /V1/inventory/source-items"

Step = tuple[str, Decimal, Decimal, int]


def test_the_recorded_reservation_story_is_right_at_every_step_and_nothing_is_written_twice(
    installation: Installation,
) -> None:
    for step, source, salable, really in _story(installation, sync_inventory):
        recorded = _recorded_step(step)
        assert (source, salable) == recorded, step
        assert salable == really, step
    assert _writes(installation) == 1  # at the start: all that came later Magento had done itself


def test_pushing_availability_as_it_is_sells_too_little_from_acceptance_until_shipment(
    installation: Installation,
) -> None:
    wrong = {
        step: really - salable
        for step, _, salable, really in _story(installation, lambda: _push_as_it_is(installation))
        if salable != really
    }
    assert wrong == {
        "order invoiced": 10,
        "ERP pushes physical 100 again (10 still unshipped)": 10,
        "4 of 10 shipped": 10,
        "ERP pushes physical 96": 6,
    }


def test_the_last_unit_can_be_shipped_only_when_accepted_units_are_added_again(installation: Installation) -> None:
    stock_both(installation, {SKU: 10})
    order = buy(installation, a_line(SKU, 10))
    sync_orders()
    dispatch = installation.prima.dispatch(prima_number(order))

    _push_as_it_is(installation)
    sync_fulfilment()
    assert installation.open_codes() == {f"dispatch {dispatch}": "SHIPMENT_REFUSED"}
    assert installation.magento.shipments() == []

    sync_inventory()
    sync_fulfilment()
    assert installation.open_codes() == {}
    assert len(installation.magento.shipments()) == 1
    sync_inventory()
    assert (installation.magento.source_quantity(SKU), installation.magento.salable(SKU)) == (0, 0)


def test_an_order_that_prima_has_not_accepted_stays_covered_by_magentos_reservation(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 100})
    buy(installation, a_line(SKU, 10))

    sync_inventory()

    assert (installation.magento.source_quantity(SKU), installation.magento.salable(SKU)) == (100, 90)


def test_an_order_accepted_while_the_snapshot_is_under_way_is_not_counted(installation: Installation) -> None:
    stock_both(installation, {SKU: 100})
    sync_inventory()
    buy(installation, a_line(SKU, 10))

    _run_steps(installation, between=sync_orders)
    # PRIMA's figure was read before it took the order, so 100 already holds the ten units.
    assert (installation.magento.source_quantity(SKU), installation.magento.salable(SKU)) == (100, 90)
    assert _sum(installation, SKU) == (100, 0, 0, 100)

    sync_inventory()
    assert _sum(installation, SKU) == (90, 0, 10, 100)
    assert (installation.magento.source_quantity(SKU), installation.magento.salable(SKU)) == (100, 90)


def test_a_cycle_without_changes_writes_nothing(installation: Installation) -> None:
    stock_both(installation, {SKU: 100, OTHER: 7})
    installation.prima.sell_elsewhere(SKU, 1)
    sync_inventory()
    installation.magento.forget_calls()

    summary = sync_inventory()

    assert _writes(installation) == 0
    assert summary.counts["unchanged"] == 2
    assert not [call for call in installation.magento.calls() if "source-items" in call["path"]]


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

    _ship_by_hand(installation, order, 2)
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
    assert installation.open_codes() == {"stock default": "STOCK_SNAPSHOT_HELD"}
    assert _writes(installation) == 0
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
def test_a_push_whose_answer_is_lost_is_read_back_and_was_right(installation: Installation, kind: Any) -> None:
    stock_both(installation, {SKU: 100, OTHER: 50})
    installation.prima.sell_elsewhere(SKU, 1)
    installation.prima.sell_elsewhere(OTHER, 2)
    installation.magento.faults.add(WRITE, kind)

    summary = sync_inventory()

    assert (summary.counts["posted"], _writes(installation)) == (2, 1)
    assert installation.open_codes() == {}
    assert (installation.magento.source_quantity(SKU), installation.magento.source_quantity(OTHER)) == (99, 48)
    sync_inventory()
    assert _writes(installation) == 1


def test_a_push_that_never_arrived_is_told_and_made_good_with_fresh_figures(installation: Installation) -> None:
    stock_both(installation, {SKU: 100})
    installation.prima.sell_elsewhere(SKU, 1)
    installation.magento.faults.add(WRITE, "reset")

    summary = sync_inventory()
    assert summary.counts["unknown"] == 1
    assert installation.open_codes() == {f"sku {SKU}": "STOCK_PUSH_FAILED"}
    assert installation.magento.source_quantity(SKU) == 100

    installation.prima.sell_elsewhere(SKU, 1)
    sync_inventory()
    assert installation.open_codes() == {}
    assert installation.magento.source_quantity(SKU) == 98


def test_one_item_that_magento_refuses_does_not_keep_the_others_of_its_batch_back(
    installation: Installation,
) -> None:
    skus = [f"TEE-RED-{size}" for size in range(4)]
    stock_both(installation, dict.fromkeys(skus, 10))
    for sku in skus:
        installation.prima.sell_elsewhere(sku, 1)
    # The batch of four, its first half and the first item of it are refused.
    installation.magento.faults.add(WRITE, "status", times=3, status=400)

    sync_inventory()
    assert installation.open_codes() == {f"sku {skus[0]}": "STOCK_PUSH_FAILED"}
    assert [installation.magento.source_quantity(sku) for sku in skus] == [10, 9, 9, 9]

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
    installation.magento.faults.add(WRITE, "status", times=None, status=400)

    summary = sync_inventory()

    assert (summary.counts["to push"], summary.counts["refused"]) == (1, 1)
    assert installation.open_codes() == {f"sku {SKU}": "STOCK_PUSH_FAILED"}


def test_magento_in_maintenance_marks_nothing_as_failed_and_gets_fresh_figures_later(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 100, OTHER: 50})
    installation.prima.sell_elsewhere(SKU, 1)
    installation.magento.faults.add(WRITE, "status", times=None, status=503)

    with pytest.raises(SystemUnavailableError):
        sync_inventory()
    assert installation.open_codes() == {}
    with installation.ledger() as ledger:
        assert [push.state for push in ledger.stock_pushes(SKU)] == ["refused", "pending"]

    installation.magento.faults.clear()
    installation.prima.sell_elsewhere(SKU, 9)
    sync_inventory()
    assert installation.magento.source_quantity(SKU) == 90


def test_the_buffer_is_kept_back_from_what_is_free_and_never_from_what_is_sold(installation: Installation) -> None:
    stock_both(installation, {SKU: 100, OTHER: 100, THIRD: 2})
    installation.add_settings(f'[stock]\nbuffer = 3\n[stock.buffers]\n"{OTHER}" = 10')
    buy(installation, a_line(SKU, 10), a_line(THIRD, 1))
    sync_orders()

    sync_inventory()

    magento = installation.magento
    assert [magento.source_quantity(sku) for sku in (SKU, OTHER, THIRD)] == [97, 90, 1]
    assert [magento.salable(sku) for sku in (SKU, OTHER, THIRD)] == [87, 90, 0]
    assert _sum(installation, SKU) == (90, 3, 10, 97)


def test_goods_shipped_by_hand_in_magento_are_right_again_in_the_next_cycle(installation: Installation) -> None:
    stock_both(installation, {SKU: 100})
    order = buy(installation, a_line(SKU, 10))
    sync_orders()
    sync_inventory()

    _ship_by_hand(installation, order, 4)
    installation.prima.sell_elsewhere(SKU, 4)
    sync_inventory()
    # Magento holds 96 of itself; what the ledger knew (100) counts no more, and 86 + 6 must be written.
    assert (installation.magento.source_quantity(SKU), installation.magento.salable(SKU)) == (92, 86)

    _ship_by_hand(installation, order, 6)
    sync_inventory()
    assert (installation.magento.source_quantity(SKU), installation.magento.salable(SKU)) == (86, 86)


def test_an_order_cancelled_in_magento_after_acceptance_is_sold_again_only_when_prima_frees_it(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 100})
    order = buy(installation, a_line(SKU, 10))
    sync_orders()
    sync_inventory()

    with by_hand(installation) as magento:
        assert magento.cancel(order["entity_id"])
    assert installation.magento.salable(SKU) == 100
    sync_inventory()
    assert (installation.magento.source_quantity(SKU), installation.magento.salable(SKU)) == (90, 90)

    installation.prima.cancel(prima_number(order))
    sync_inventory()
    assert (installation.magento.source_quantity(SKU), installation.magento.salable(SKU)) == (100, 100)


def test_an_order_shipped_while_nobody_knew_whether_prima_has_it_is_not_added_again(
    installation: Installation,
) -> None:
    installation.configure(overlap_minutes="0")
    stock_both(installation, {SKU: 100, OTHER: 100})
    other = buy(installation, a_line(OTHER, 3))
    order = buy(installation, a_line(SKU, 10))
    with by_hand(installation) as magento:
        magento.invoice(order["entity_id"])  # from here on a part of it ships without touching the order
        installation.magento.clock.advance(timedelta(minutes=1))
        magento.invoice(other["entity_id"])
    installation.prima.faults.add("MultiNewOrder", "lose_answer", times=2)
    installation.prima.faults.add("OrderStatus", "status", times=None, status=500)
    sync_orders()
    installation.prima.faults.clear()
    assert state(installation, order) == state(installation, other) == "unknown"
    with installation.ledger() as ledger:  # the other one is clear, so that the streams are followed
        ledger.set_order_state(other["increment_id"], "accepted")
    sync_inventory()

    installation.magento.clock.advance(timedelta(minutes=1))
    _ship_by_hand(installation, order, 4)
    sync_inventory()
    installation.magento.clock.advance(timedelta(minutes=1))
    _ship_by_hand(installation, other, 1)
    sync_inventory()
    sync_orders()
    assert state(installation, order) == "accepted"

    sync_inventory()
    assert _sum(installation, SKU) == (90, 0, 6, 96)
    assert (installation.magento.source_quantity(SKU), installation.magento.salable(SKU)) == (96, 90)


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
    assert (installation.magento.source_quantity(SKU), installation.magento.source_quantity(OTHER)) == (9, 20)

    in_prima(installation, f"update stand_in_items set available = 2 where sku = '{OTHER}'")
    sync_inventory()
    assert installation.open_codes() == {}
    assert installation.magento.source_quantity(OTHER) == 2


def _story(installation: Installation, push: Callable[[], object]) -> Iterator[Step]:
    """Walk the recorded story; yield for each step what Magento holds, what it sells and what can really be sold.

    The steps of the recording on the default stock, with PRIMA living through the same: `push` is the ERP's push of
    the recording, made after every step.
    """
    stock_both(installation, {SKU: 100})
    installation.magento.set_source_quantity(SKU, 40)
    push()
    yield _seen("source item default set to 100", installation)

    order = buy(installation, a_line(SKU, 10))
    number, entity_id = prima_number(order), order["entity_id"]
    (item_id,) = [line["item_id"] for line in order["items"]]
    push()
    yield _seen("order for 10 placed (pending)", installation, not_in_prima=10)

    sync_orders()
    with by_hand(installation) as magento:
        magento.invoice(entity_id)
    push()
    yield _seen("order invoiced", installation)
    push()
    yield _seen("ERP pushes physical 100 again (10 still unshipped)", installation)

    installation.prima.dispatch(number, {1: 4})
    sync_fulfilment()
    yield _seen("4 of 10 shipped", installation)
    push()
    yield _seen("ERP pushes physical 96", installation)
    installation.prima.dispatch(number)
    sync_fulfilment()
    push()
    yield _seen("remaining 6 shipped", installation)

    with by_hand(installation) as magento:
        magento.refund(entity_id, [ShipmentLine(item_id, 1)], delivery=Decimal(0))
    push()
    yield _seen("1 refunded without return_to_stock_items", installation)
    with by_hand(installation) as magento:
        magento.refund(entity_id, [ShipmentLine(item_id, 2)], delivery=Decimal(0), return_to_stock=[item_id])
    installation.prima.receive(SKU, 2)
    push()
    yield _seen("2 refunded with return_to_stock_items", installation)

    second = buy(installation, a_line(SKU, 5))
    push()
    yield _seen("second order for 5 placed", installation, not_in_prima=5)
    with by_hand(installation) as magento:
        magento.cancel(second["entity_id"])
    sync_orders()
    push()
    yield _seen("second order cancelled", installation)

    third = buy(installation, a_line(SKU, 7))
    (item_id,) = [line["item_id"] for line in third["items"]]
    sync_orders()
    with by_hand(installation) as magento:
        magento.invoice(third["entity_id"])
        magento.refund(third["entity_id"], [ShipmentLine(item_id, 7)], delivery=Decimal(0))
    push()
    yield _seen("third order of 7 invoiced and refunded before shipping", installation)


def _seen(step: str, installation: Installation, not_in_prima: int = 0) -> Step:
    """`not_in_prima` are units that Magento has sold and PRIMA does not know of yet."""
    really = installation.prima.available(SKU) - not_in_prima
    return step, installation.magento.source_quantity(SKU), installation.magento.salable(SKU), really


def _recorded_step(step: str) -> tuple[int, int]:
    story = json.loads((RECORDINGS / "inventory" / "reservation-story.json").read_text(encoding="utf-8"))
    (found,) = [each for each in story["steps"] if each["step"] == step]
    return found["source_items"]["default"], found["salable_quantity"]


def _push_as_it_is(installation: Installation) -> None:
    """Push what PRIMA has available to sell, as an integration does that does not think of reservations."""
    with by_hand(installation) as magento:
        magento.write_source_items([(SKU, "default", installation.prima.available(SKU))])


def _run_steps(installation: Installation, *, between: Callable[[], object]) -> None:
    """Run the steps of the flow one by one, with something happening once PRIMA's answer is there."""
    batch_id, snapshot = extract.fetch_stock_snapshot.fn()
    between()
    rows = normalise.stock(snapshot.rows, extract_items.fetch_items.fn())
    evidence = extract.fetch_stock_evidence.fn(list(rows["sku"]), snapshot.asked_at)
    plan = decide.stock(split_batch(StockRows, rows), evidence, connect.stock_rules(installation.settings))
    with installation.ledger() as ledger:
        ledger.record_snapshot(plan.levels)
    post.post_stock.fn(plan.to_push, batch_id)


def _ship_by_hand(installation: Installation, order: dict[str, Any], units: int) -> None:
    """Ship units of an order's first line with a label from Magento's admin."""
    line = ShipmentLine(order["items"][0]["item_id"], units)
    with by_hand(installation) as magento:
        magento.ship(ShipmentRequest("(none)", order["increment_id"], order["entity_id"], (line,), ()))


def _delete_source_item(installation: Installation, sku: str) -> None:
    item = {"sku": sku, "source_code": "default", "quantity": 0, "status": 0}
    with by_hand(installation) as magento:
        magento.bulk("/V1/inventory/source-items-delete", [{"sourceItems": [item]}])
    installation.magento.run_consumer()


def _sum(installation: Installation, sku: str) -> tuple[int | None, ...]:
    with installation.ledger() as ledger:
        (level,) = ledger.stock_level(sku)
    return level.available_to_sell, level.buffer, level.open_units, level.source_qty


def _writes(installation: Installation) -> int:
    return sum(1 for call in installation.magento.calls() if f"{call['method']} {call['path']}" == WRITE)
