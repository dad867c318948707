"""Whatever happens and in whatever order: no push sells what is not there, and in the end the shop sells all there is.

`--stock-walks N` plays more random walks, `--stock-days N` more of the trading world.
"""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from sandbox.world.catalogue import make_catalogue
from sandbox.world.trading import Pace, TradingWorld
from tasks.systems.ledger import Ledger
from tests.simulation.conftest import Opened
from tests.simulation.trade import SKUS, STOCK_WRITE, Trade, walk

WALK_STEPS = 20
CYCLES_A_DAY = 6
# Far above what a quiet machine needs: how long a walk takes says something about the load only.
SECONDS = 1_800
skus, few = st.sampled_from(SKUS), st.integers(1, 4)
faults = st.none() | st.integers(0, 4)


@pytest.mark.timeout(SECONDS)
def test_after_any_walk_the_shop_sells_exactly_what_prima_can_sell(open_trade: Opened, walk_seed: int) -> None:
    walk(open_trade(), walk_seed, WALK_STEPS)


@pytest.mark.timeout(SECONDS)
def test_without_open_units_a_walk_goes_wrong(open_trade: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "open_units", lambda self, accepted_before: {})
    trade = open_trade()
    trade.buy(SKUS[1], 3)
    trade.settle()
    with pytest.raises(AssertionError, match="sold 2, really 5"):
        trade.check_settled()


def test_a_unit_sold_elsewhere_while_a_push_is_under_way_is_oversold_no_longer_than_until_the_next_one(
    open_trade: Opened,
) -> None:
    trade = open_trade()
    trade.receive(SKUS[0], 5)
    trade.run("inventory", meanwhile=(STOCK_WRITE, lambda: trade.sell_elsewhere(SKUS[0], 2)))
    assert int(trade.magento.salable(SKUS[0])) == trade.really()[SKUS[0]] + 2
    trade.check_always()
    trade.run("inventory")
    trade.check_settled()


@pytest.mark.timeout(SECONDS)
def test_pushes_and_shipments_of_one_sku_beside_one_another_leave_the_right_figure(open_trade: Opened) -> None:
    trade = open_trade()
    for units in (4, 2, 1):
        trade.buy(SKUS[2], units)
    trade.run("orders")
    for place in (0, 0, 0):
        trade.sell_elsewhere(SKUS[2], 1)
        trade.dispatch(place, in_part=False)
        trade.push_and_ship_at_once()
        trade.check_always()
    trade.settle()
    trade.check_settled()
    assert len(trade.magento.shipments()) == 3


class Machine(RuleBasedStateMachine):
    """People, warehouse and flows in any order that hypothesis thinks of; what it finds wrong it makes short."""

    opened: Opened

    @initialize()
    def open(self) -> None:
        """Begin on fresh systems."""
        self.trade: Trade = type(self).opened()

    @rule(sku=skus, units=few, other=st.none() | skus)
    def buy(self, sku: str, units: int, other: str | None) -> None:
        self.trade.buy(sku, units, other)

    @rule(sku=skus, units=few)
    def sell_elsewhere(self, sku: str, units: int) -> None:
        self.trade.sell_elsewhere(sku, units)

    @rule(sku=skus, units=few)
    def receive(self, sku: str, units: int) -> None:
        self.trade.receive(sku, units)

    @rule(place=st.integers(0, 5), in_part=st.booleans())
    def dispatch(self, place: int, in_part: bool) -> None:
        self.trade.dispatch(place, in_part=in_part)

    @rule(place=st.integers(0, 5))
    def cancel(self, place: int) -> None:
        self.trade.cancel_in_magento(place)

    @rule(flow=st.sampled_from(["orders", "inventory", "fulfilment"]), fault=faults)
    def run(self, flow: str, fault: int | None) -> None:
        self.trade.run(flow, fault)

    @rule(sku=skus, fault=faults)
    def push_while_a_customer_buys(self, sku: str, fault: int | None) -> None:
        self.trade.run("inventory", fault, (STOCK_WRITE, lambda: self.trade.buy(sku, 1)))

    @rule(place=st.integers(0, 5))
    def push_while_a_dispatch_is_told(self, place: int) -> None:
        self.trade.dispatch(place, in_part=False)
        self.trade.push_and_ship_at_once()

    @invariant()
    def nothing_is_oversold_by_a_push(self) -> None:
        if hasattr(self, "trade"):
            self.trade.check_always()

    def teardown(self) -> None:
        """Let all queues run empty: then the figures must be the same."""
        if hasattr(self, "trade"):
            self.trade.settle()
            self.trade.check_settled()


@pytest.mark.timeout(SECONDS)
def test_no_order_of_events_leads_to_another_figure(open_trade: Opened, walks: int) -> None:
    machine: Any = type("OpenedMachine", (Machine,), {"opened": staticmethod(open_trade)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=walks,
            stateful_step_count=12,
            deadline=None,
            derandomize=walks <= 3,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(SECONDS)
def test_through_days_of_the_trading_world_the_figures_stay_right_and_no_snapshot_is_held(
    open_trade: Opened, world_days: int
) -> None:
    dice = random.Random("world")
    worlds: list[TradingWorld] = []

    def fill(trade: Trade) -> list[str]:
        pace = Pace(orders_per_day=120, sales_elsewhere_per_day=120)
        worlds.append(TradingWorld(trade.magento, trade.prima, seed=7, catalogue=make_catalogue(7, 120), pace=pace))
        return [variant.sku for variant in worlds[0].catalogue]

    trade = open_trade(fill)
    for cycle in range(world_days * CYCLES_A_DAY):
        worlds[0].buy(dice.randint(2, 6))
        for sku in dice.choices(trade.skus, k=6):
            trade.sell_elsewhere(sku, 1)
        for flow in dice.sample(["orders", "inventory", "fulfilment"], 3):
            trade.run(flow, dice.randrange(5) if dice.random() < 0.4 else None)
        if cycle % 2:
            trade.dispatched += trade.prima.run_warehouse(seed=cycle, part=0.3, split=0.2)
        trade.check_always()
        if cycle % 3 == 2:
            trade.settle()
            trade.check_settled()
            assert trade.installation.open_codes(["STOCK_SNAPSHOT_HELD"]) == {}
    assert trade.pushes > world_days
