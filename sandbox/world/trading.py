"""Trade, one stretch of time after the other: customers buy in Magento, PRIMA's shops and warehouse do their work.

Everything that happens is decided by the seed, the number of the customer and the step, and by what is in stock. The
world never touches the integration: it only uses the Python side of the two stand-ins.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Protocol

from sandbox.clock import Clock
from sandbox.magento.carts import Cart, TaxSettings
from sandbox.prima import Item
from sandbox.world.catalogue import Catalogue, make_catalogue
from sandbox.world.shopping import LONDON, Customers, expected_customers, how_many, promotion_on

CARRIERS = (("DPD", "NEXTDAY"), ("DPD", "TWODAY"), ("ROYALMAIL", "TRACKED48"), ("EVRI", "STANDARD"))
REORDER_POINT = 4
DELIVERED_UNITS = (12, 24, 36)
DAY_STEP = timedelta(minutes=30)


class MagentoSide(Protocol):
    """What the world needs of the Magento stand-in."""

    clock: Clock

    def add_product(
        self, sku: str, *, price: Decimal, name: str, type_id: str, vat_class: str, quantity: Decimal
    ) -> Any: ...

    def place_order(self, cart: Cart) -> dict[str, Any]: ...

    def orders(self) -> list[dict[str, Any]]: ...

    def salable(self, sku: str) -> Decimal: ...


class PrimaSide(Protocol):
    """What the world needs of the PRIMA stand-in."""

    def add_items(self, rows: Iterable[Item]) -> None: ...

    def items(self) -> list[dict[str, Any]]: ...

    def orders(self) -> list[dict[str, Any]]: ...

    def receive(self, sku: str, n: int) -> None: ...

    def sell_elsewhere(self, sku: str, n: int) -> None: ...

    def credit(self, number: str, lines: Mapping[int, int]) -> str: ...

    def run_warehouse(
        self,
        *,
        seed: int,
        part: float,
        split: float,
        several_parcels: float,
        cancel: float,
        carriers: Sequence[tuple[str, str]],
    ) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How much happens: per day on average, and as shares of orders or customers."""

    orders_per_day: float = 200.0
    sales_elsewhere_per_day: float = 120.0
    abroad: float = 0.04
    part: float = 0.15
    split: float = 0.1
    several_parcels: float = 0.15
    cancel: float = 0.01
    returned: float = 0.05
    warehouse_hours: tuple[int, ...] = (10, 13, 16)


@dataclass(slots=True)
class StepReport:
    """What happened in a step: numbers of orders placed and dispatches made, units by SKU that came or went."""

    placed: list[str] = field(default_factory=list)
    turned_away: int = 0
    dispatched: list[str] = field(default_factory=list)
    received: dict[str, int] = field(default_factory=dict)
    sold_elsewhere: dict[str, int] = field(default_factory=dict)
    credited: list[str] = field(default_factory=list)

    def add(self, other: "StepReport") -> None:
        """Add what happened in another step."""
        self.placed += other.placed
        self.turned_away += other.turned_away
        self.dispatched += other.dispatched
        self.credited += other.credited
        for mine, its in ((self.received, other.received), (self.sold_elsewhere, other.sold_elsewhere)):
            for sku, units in its.items():
                mine[sku] = mine.get(sku, 0) + units


class TradingWorld:
    """Customers, shops and a warehouse around the two stand-ins.

    The first use fills both with the catalogue. With a `clock` (the one that the stand-ins share) time passes as the
    world trades; without one it trades at whatever time the Magento stand-in has. Two worlds with the same seed and
    pace on fresh stand-ins at the same time do the same.
    """

    def __init__(
        self,
        magento: MagentoSide,
        prima: PrimaSide,
        *,
        seed: int,
        clock: Clock | None = None,
        catalogue: Catalogue | None = None,
        pace: Pace | None = None,
        settings: TaxSettings | None = None,
    ) -> None:
        self.magento = magento
        self.prima = prima
        self.seed = seed
        self.pace = pace or Pace()
        self.catalogue = catalogue or make_catalogue(seed)
        self._clock = clock
        tax = settings or TaxSettings()
        self._customers = Customers(self.catalogue, seed=seed, settings=tax, abroad=self.pace.abroad)
        self._skus = [variant.sku for variant in self.catalogue]
        self._steps = 0
        self._fill()
        # Orders that are there already count as customers, so that a world that starts again goes on with new ones.
        self._next_customer = len(magento.orders()) + 1

    def _fill(self) -> None:
        """Add the catalogue to both systems with the same opening stock; what PRIMA has already is left alone."""
        there = {row["sku"] for row in self.prima.items()}
        new = [variant for variant in self.catalogue if variant.sku not in there]
        self.prima.add_items([variant.item for variant in new])
        for variant in new:
            self.magento.add_product(
                variant.sku,
                price=variant.price,
                name=variant.name,
                type_id="simple",
                vat_class=variant.vat_class,
                quantity=Decimal(variant.opening_stock),
            )

    def now(self) -> datetime:
        """Return the time of the world, aware, in UTC."""
        return (self._clock or self.magento.clock).now()

    def step(self, minutes: float) -> StepReport:
        """Let some minutes of trade happen and return what happened.

        Customers come by the hour, the weekday and the promotion of the day; the warehouse works at its hours on
        weekdays (a step that crosses such an hour runs it once).
        """
        start = self.now()
        end = start + timedelta(minutes=minutes)
        self._steps += 1
        dice = random.Random(f"{self.seed}:step:{self._steps}:{start:%Y%m%d%H%M%S}")
        report = StepReport()
        self._sell_online(dice, start, minutes, report)
        self._move_clock(end)
        self._trade_elsewhere(dice, minutes, report)
        if self._is_warehouse_time(start, end):
            report.dispatched += self._work_in_warehouse()
        return report

    def day(self, on: date) -> StepReport:
        """Let a whole day in London happen, midnight to midnight, in half-hour steps.

        Needs a clock; the clock stands at the day's end afterwards. Raises ValueError without one.
        """
        if self._clock is None:
            raise ValueError("a day can only pass in a world that was given its clock")
        moment = datetime.combine(on, time(), LONDON).astimezone(UTC)
        end = datetime.combine(on + timedelta(days=1), time(), LONDON).astimezone(UTC)
        report = StepReport()
        while moment < end:
            self._clock.set(moment)
            report.add(self.step(DAY_STEP.total_seconds() / 60))
            moment += DAY_STEP
        self._take_returns(on, report)
        return report

    def buy(self, customers: int) -> StepReport:
        """Let a number of customers buy at once, for a rehearsal that wants a known load."""
        report = StepReport()
        promotion = promotion_on(self.seed, self.now().astimezone(LONDON).date())
        for _ in range(customers):
            cart = self._customers.cart(self._next_customer, promotion, self.magento.salable)
            self._next_customer += 1
            if cart is None:
                report.turned_away += 1
            else:
                report.placed.append(str(self.magento.place_order(cart)["increment_id"]))
        return report

    def _sell_online(self, dice: random.Random, start: datetime, minutes: float, report: StepReport) -> None:
        promotion = promotion_on(self.seed, start.astimezone(LONDON).date())
        count = how_many(dice, expected_customers(self.pace.orders_per_day, start, minutes, promotion))
        seconds = sorted(dice.randrange(max(1, int(minutes * 60))) for _ in range(count))
        for second in seconds:
            self._move_clock(start + timedelta(seconds=second))
            report.add(self.buy(1))

    def _trade_elsewhere(self, dice: random.Random, minutes: float, report: StepReport) -> None:
        available = {row["sku"]: int(row["available"]) for row in self.prima.items()}
        sales = how_many(dice, self.pace.sales_elsewhere_per_day * minutes / 1440)
        for sku in dice.choices(self._skus, weights=self.catalogue.weights(), k=sales):
            if available.get(sku, 0) > 0:
                self.prima.sell_elsewhere(sku, 1)
                available[sku] -= 1
                report.sold_elsewhere[sku] = report.sold_elsewhere.get(sku, 0) + 1
        # What runs low comes in again after about a day; the dice are thrown for every SKU so that they stay in step.
        for sku in self._skus:
            arrives, units = dice.random() < minutes / 1440, dice.choice(DELIVERED_UNITS)
            if arrives and available[sku] <= REORDER_POINT:
                self.prima.receive(sku, units)
                report.received[sku] = units

    def _is_warehouse_time(self, start: datetime, end: datetime) -> bool:
        local = start.astimezone(LONDON)
        if local.weekday() >= 5:
            return False
        hours = (local.replace(hour=hour, minute=0, second=0) for hour in self.pace.warehouse_hours)
        return any(start < hour <= end for hour in hours)

    def _work_in_warehouse(self) -> list[str]:
        return self.prima.run_warehouse(
            seed=self.seed,
            part=self.pace.part,
            split=self.pace.split,
            several_parcels=self.pace.several_parcels,
            cancel=self.pace.cancel,
            carriers=CARRIERS,
        )

    def _take_returns(self, on: date, report: StepReport) -> None:
        """Credit one unit of some orders that are completely invoiced, a few days after they were taken."""
        for order in self.prima.orders():
            dice = random.Random(f"{self.seed}:return:{order['order_number']}")
            comes_back, after = dice.random() < self.pace.returned, dice.randint(3, 9)
            if not comes_back or _business_date(order["ordered_at"]) + timedelta(days=after) != on:
                continue
            lines = [line for line in order["lines"] if line["invoiced"] > line["credited"]]
            if lines:
                line = dice.choice(lines)
                report.credited.append(self.prima.credit(order["order_number"], {line["line_number"]: 1}))

    def _move_clock(self, moment: datetime) -> None:
        if self._clock is not None and moment > self._clock.now():
            self._clock.set(moment)


def _business_date(moment: datetime) -> date:
    return moment.replace(tzinfo=UTC).astimezone(LONDON).date()
