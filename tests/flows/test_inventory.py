"""Stock from PRIMA to Magento: the shop sells what PRIMA can really sell, at every moment of an order's life."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from flows.fulfilment import sync_fulfilment
from flows.inventory import sync_inventory
from flows.orders import sync_orders
from schemas.documents import ShipmentLine
from schemas.stock import StockRows
from tasks import connect
from tasks.decide import stock as decide
from tasks.errors import CallRefusedError
from tasks.extract import items as extract_items
from tasks.extract import stock as extract
from tasks.normalise import stock as normalise
from tasks.post import stock as post
from tasks.validate import split_batch
from tests.flows.shopping import (
    a_line,
    buy,
    by_hand,
    levels,
    prima_number,
    ship_by_hand,
    state,
    stock_both,
    stock_writes,
)
from tests.installation import Installation
from tests.recorded import RECORDINGS

SKU = "TEE-NAVY-M"
OTHER = "TEE-NAVY-L"
THIRD = "TEE-NAVY-S"

Step = tuple[str, Decimal, Decimal, int]


def test_the_recorded_reservation_story_is_right_at_every_step_and_nothing_is_written_twice(
    installation: Installation,
) -> None:
    for step, source, salable, really in _story(installation, sync_inventory):
        recorded = _recorded_step(step)
        assert [source, salable] == list(recorded), step
        assert salable == really, step
    assert stock_writes(installation) == 1  # at the start: all that came later Magento had done itself


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
    installation.prima.dispatch(prima_number(order))

    _push_as_it_is(installation)
    with pytest.raises(CallRefusedError, match="Could not save a shipment"):
        ship_by_hand(installation, order, 10)
    assert installation.magento.shipments() == []

    sync_inventory()
    sync_fulfilment()
    assert installation.open_codes() == {}
    assert len(installation.magento.shipments()) == 1
    sync_inventory()
    assert levels(installation, SKU) == (0, 0)


def test_an_order_that_prima_has_not_accepted_stays_covered_by_magentos_reservation(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 100})
    buy(installation, a_line(SKU, 10))

    sync_inventory()

    assert levels(installation, SKU) == (100, 90)


def test_an_order_accepted_while_the_snapshot_is_under_way_is_not_counted(installation: Installation) -> None:
    stock_both(installation, {SKU: 100})
    sync_inventory()
    buy(installation, a_line(SKU, 10))

    _run_steps(installation, between=sync_orders)
    # PRIMA's figure was read before it took the order, so 100 already holds the ten units.
    assert levels(installation, SKU) == (100, 90)
    assert stock_sum(installation, SKU) == (100, 0, 0, 100)

    sync_inventory()
    assert stock_sum(installation, SKU) == (90, 0, 10, 100)
    assert levels(installation, SKU) == (100, 90)


def test_the_buffer_is_kept_back_from_what_is_free_and_never_from_what_is_sold(installation: Installation) -> None:
    stock_both(installation, {SKU: 100, OTHER: 100, THIRD: 2})
    installation.add_settings(f'[stock]\nbuffer = 3\n[stock.buffers]\n"{OTHER}" = 10')
    buy(installation, a_line(SKU, 10), a_line(THIRD, 1))
    sync_orders()

    sync_inventory()

    magento = installation.magento
    assert [magento.source_quantity(sku) for sku in (SKU, OTHER, THIRD)] == [97, 90, 1]
    assert [magento.salable(sku) for sku in (SKU, OTHER, THIRD)] == [87, 90, 0]
    assert stock_sum(installation, SKU) == (90, 3, 10, 97)


def test_goods_shipped_by_hand_in_magento_are_right_again_in_the_next_cycle(installation: Installation) -> None:
    stock_both(installation, {SKU: 100})
    order = buy(installation, a_line(SKU, 10))
    sync_orders()
    sync_inventory()

    ship_by_hand(installation, order, 4)
    installation.prima.receive(SKU, 4)
    sync_inventory()
    # The sum is 94 + 6 = 100, as it was; but Magento holds 96 by now, so what the ledger knew counts no more.
    assert levels(installation, SKU) == (100, 94)

    ship_by_hand(installation, order, 6)
    sync_inventory()
    assert levels(installation, SKU) == (94, 94)


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
    assert levels(installation, SKU) == (90, 90)

    installation.prima.cancel(prima_number(order))
    sync_inventory()
    assert levels(installation, SKU) == (100, 100)


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
    ship_by_hand(installation, order, 4)
    sync_inventory()
    installation.magento.clock.advance(timedelta(minutes=1))
    ship_by_hand(installation, other, 1)
    sync_inventory()
    sync_orders()
    assert state(installation, order) == "accepted"

    sync_inventory()
    assert stock_sum(installation, SKU) == (90, 0, 6, 96)
    assert levels(installation, SKU) == (96, 90)


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
    batch_id, asked = extract.fetch_stock_answer.fn()
    snapshot = asked.snapshot
    between()
    rules = connect.stock_rules(installation.settings)
    rows = normalise.stock(snapshot.rows, extract_items.fetch_items.fn(), rules)
    keys = list(zip(rows["sku"], rows["source_code"], strict=True))
    evidence = extract.fetch_stock_evidence.fn(keys, snapshot.asked_at)
    plan = decide.stock(split_batch(StockRows, rows), evidence, rules)
    with installation.ledger() as ledger:
        ledger.record_snapshot(plan.levels)
    post.post_stock.fn(plan.to_push, batch_id)


def stock_sum(installation: Installation, sku: str) -> tuple[int | None, ...]:
    with installation.ledger() as ledger:
        (level,) = ledger.stock_level(sku)
    return level.available_to_sell, level.buffer, level.open_units, level.source_qty
