"""The trading world on real stand-ins: the same seed gives the same trade, and the trade is plausible."""

import csv
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.clock import Clock
from sandbox.magento import MagentoStandIn
from sandbox.prima import PrimaStandIn
from sandbox.world import Catalogue, Pace, StepReport, TradingWorld, make_catalogue
from sandbox.world.shopping import LONDON, expected_customers, how_many, promotion_on
from tests.sandbox_prima.wire import Line, Order, place

MONDAY = date(2026, 11, 16)
EVE = datetime(2026, 11, 15, 12, tzinfo=UTC)
QUIET = Pace(orders_per_day=40, sales_elsewhere_per_day=25, abroad=0.2)


@dataclass
class Town:
    """Both stand-ins and the world between them, on one clock. The stand-ins serve nothing until they are started."""

    magento: MagentoStandIn
    prima: PrimaStandIn
    clock: Clock
    world: TradingWorld


Settle = Callable[..., Town]


@pytest.fixture
def settle(tmp_path: Path) -> Iterator[Settle]:
    """A function that makes a town of its own."""
    with ExitStack() as stack:
        made = 0

        def make(
            seed: int = 7, *, pace: Pace = QUIET, catalogue: Catalogue | None = None, folder: str | None = None
        ) -> Town:
            nonlocal made
            made += 1
            clock = Clock(EVE)
            where = tmp_path / (folder or f"town{made}")
            magento = stack.enter_context(MagentoStandIn(where / "magento", clock=clock))
            prima = stack.enter_context(PrimaStandIn(where / "prima", clock=clock))
            world = TradingWorld(magento, prima, seed=seed, clock=clock, catalogue=catalogue, pace=pace)
            return Town(magento, prima, clock, world)

        yield make


def test_the_same_seed_gives_the_same_world(settle: Settle) -> None:
    one, other = settle(7), settle(7)
    assert one.world.day(MONDAY) == other.world.day(MONDAY)
    assert one.magento.orders() == other.magento.orders()
    assert one.prima.items() == other.prima.items()
    assert len(one.magento.orders()) > 20


def test_another_seed_gives_another_world(settle: Settle) -> None:
    one, other = settle(7), settle(8)
    one.world.day(MONDAY)
    other.world.day(MONDAY)
    assert [order["grand_total"] for order in one.magento.orders()] != [
        order["grand_total"] for order in other.magento.orders()
    ]


def test_both_systems_open_with_the_same_stock(settle: Settle) -> None:
    town = settle()
    for row in town.prima.items():
        if row["is_stocked"]:
            assert town.magento.source_quantity(row["sku"]) == row["available"]


def test_a_world_that_starts_again_goes_on_with_new_customers(settle: Settle) -> None:
    town = settle()
    first = [town.world.buy(5), TradingWorld(town.magento, town.prima, seed=7, clock=town.clock, pace=QUIET).buy(5)]
    placed = [number for report in first for number in report.placed]
    assert len(placed) == len(set(placed))
    emails = [order["customer_email"] for order in town.magento.orders()]
    assert len(emails) == len(set(emails))


def test_no_address_of_a_customer_is_real(settle: Settle) -> None:
    town = settle()
    town.world.buy(150)
    for order in town.magento.orders():
        assert order["customer_email"].endswith("@example.test")
        for address in addresses(order):
            assert re.fullmatch(r"01632 960\d{3}", address["telephone"])


def test_customers_of_every_kind_come(settle: Settle) -> None:
    town = settle()
    town.world.buy(200)
    orders = town.magento.orders()
    lines = [line for order in orders for line in order["items"] if "parent_item_id" not in line]
    assert {order["customer_is_guest"] for order in orders} == {0, 1}
    assert {line["product_type"] for line in lines} == {"configurable", "simple"}
    assert {line["tax_percent"] for line in lines} >= {0, 20}
    assert {order["payment"]["method"] for order in orders} >= {"checkmo", "banktransfer", "purchaseorder"}
    assert {order["billing_address"]["country_id"] for order in orders} >= {"GB", "IE"}
    assert any(order.get("coupon_code") for order in orders)
    assert any(line["qty_ordered"] > 1 for line in lines)


def test_childrens_sizes_carry_no_vat_and_adult_sizes_twenty_per_cent(settle: Settle) -> None:
    town = settle(pace=Pace(abroad=0))
    town.world.buy(100)
    classes = {variant.sku: variant.vat_class for variant in town.world.catalogue}
    for order in town.magento.orders():
        for line in order["items"]:
            if "parent_item_id" not in line:
                assert line["tax_percent"] == {"standard": 20, "zero": 0}[classes[line["sku"]]]


def test_nobody_buys_what_is_not_there(settle: Settle) -> None:
    town = settle(catalogue=Catalogue(make_catalogue(7).variants[:3]))
    report = town.world.buy(300)
    assert report.turned_away > 100
    bought: Counter[str] = Counter()
    for order in town.magento.orders():
        bought.update({line["sku"]: line["qty_ordered"] for line in order["items"] if "parent_item_id" not in line})
    assert bought == {variant.sku: variant.opening_stock for variant in town.world.catalogue if variant.opening_stock}


def test_the_warehouse_works_on_what_prima_holds_and_invoices_it(settle: Settle) -> None:
    town = settle(pace=Pace(orders_per_day=0, sales_elsewhere_per_day=0, part=0.3, split=0.3))
    place_in_prima(town, 30)
    town.clock.set(datetime(2026, 11, 16, 9, 50, tzinfo=UTC))
    report = town.world.step(30)
    assert len(report.dispatched) >= 30
    assert {order["status"] for order in town.prima.orders()} == {"Despatched", "Part Despatched"}
    assert all(any(line["invoiced"] for line in order["lines"]) for order in town.prima.orders())


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 11, 16, 3, 0, tzinfo=UTC), datetime(2026, 11, 15, 9, 50, tzinfo=UTC)],
    ids=["at night", "on a Sunday"],
)
def test_the_warehouse_rests(settle: Settle, moment: datetime) -> None:
    town = settle(pace=Pace(orders_per_day=0, sales_elsewhere_per_day=0))
    place_in_prima(town, 2)
    town.clock.set(moment)
    assert town.world.step(30).dispatched == []


def test_some_goods_come_back_days_later_and_are_credited(settle: Settle) -> None:
    town = settle(pace=Pace(orders_per_day=0, sales_elsewhere_per_day=0, returned=1.0))
    place_in_prima(town, 6)
    reports = [town.world.day(MONDAY + timedelta(days=number)) for number in range(11)]
    assert [len(report.credited) for report in reports[:2]] == [0, 0]
    assert sum(len(report.credited) for report in reports) == 6


def test_shops_sell_and_deliveries_fill_up_what_runs_low(settle: Settle) -> None:
    town = settle(pace=Pace(orders_per_day=0, sales_elsewhere_per_day=400))
    before = {row["sku"]: row["available"] for row in town.prima.items()}
    report = town.world.day(MONDAY)
    after = {row["sku"]: row["available"] for row in town.prima.items()}
    assert report.sold_elsewhere
    assert report.received
    for sku, units in before.items():
        assert after[sku] == units + report.received.get(sku, 0) - report.sold_elsewhere.get(sku, 0)
        assert after[sku] >= 0


def test_orders_are_placed_inside_the_day_at_rising_times(settle: Settle) -> None:
    town = settle()
    town.world.day(MONDAY)
    times = [order["created_at"] for order in town.magento.orders()]
    assert times == sorted(times)
    assert len(set(times)) > len(times) / 2
    assert {time[:10] for time in times} == {"2026-11-16"}
    assert town.clock.now() == datetime(2026, 11, 17, tzinfo=UTC)


def test_a_day_that_loses_an_hour_to_summer_time_passes_whole(settle: Settle) -> None:
    town = settle()
    town.clock.set(datetime(2026, 3, 28, 12, tzinfo=UTC))
    town.world.day(date(2026, 3, 29))
    assert town.clock.now() == datetime(2026, 3, 29, 23, tzinfo=UTC)


def test_a_day_needs_a_clock(settle: Settle) -> None:
    town = settle()
    world = TradingWorld(town.magento, town.prima, seed=7)
    with pytest.raises(ValueError, match="given its clock"):
        world.day(MONDAY)
    assert isinstance(world.step(10), StepReport)


def test_evenings_are_busier_than_nights_and_promotions_busier_still() -> None:
    evening = datetime(2026, 11, 16, 20, tzinfo=LONDON)
    night = datetime(2026, 11, 16, 3, tzinfo=LONDON)
    promotion = next(found for day in range(60) if (found := promotion_on(7, MONDAY + timedelta(days=day))))
    assert expected_customers(200, evening, 60, None) > 20 * expected_customers(200, night, 60, None)
    assert expected_customers(200, evening, 60, promotion) > 1.7 * expected_customers(200, evening, 60, None)


def test_promotions_run_at_weekends_and_bring_their_coupon(settle: Settle) -> None:
    days = [MONDAY + timedelta(days=number) for number in range(70)]
    running = {day: promotion for day in days if (promotion := promotion_on(7, day))}
    assert {day.weekday() for day in running} == {4, 5, 6}
    day, promotion = next(iter(running.items()))
    town = settle(pace=Pace(orders_per_day=60))
    town.clock.set(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    town.world.buy(40)
    used = Counter(order.get("coupon_code") for order in town.magento.orders())
    assert used[promotion.coupon.code] > 15


def test_the_number_of_customers_follows_the_average() -> None:
    counts = [how_many(random.Random(number), 3.0) for number in range(2000)]
    assert 2.85 < sum(counts) / len(counts) < 3.15
    assert how_many(random.Random(1), 0.0) == 0


def test_every_variant_has_its_own_place_in_both_systems() -> None:
    catalogue = make_catalogue(7)
    assert len({variant.sku for variant in catalogue}) == len(catalogue) > 250
    assert len({variant.item.codes for variant in catalogue}) == len(catalogue)
    for variant in catalogue:
        codes = [code for code in variant.item.codes if code]
        assert variant.sku == "-".join(codes)
        assert all(re.fullmatch(r"[A-Z0-9]{1,16}", code) for code in codes)
        assert variant.price > 0
        assert variant.price == variant.price.quantize(Decimal("0.01"))


def test_a_catalogue_is_the_same_for_the_same_seed_and_can_be_cut_short() -> None:
    assert make_catalogue(7) == make_catalogue(7) != make_catalogue(8)
    short = make_catalogue(7, styles=2)
    assert short.variants == make_catalogue(7).variants[: len(short)]


def test_the_mapping_file_names_the_tuple_of_every_sku(tmp_path: Path) -> None:
    catalogue = make_catalogue(7, styles=2)
    catalogue.write_mapping(tmp_path / "skus.csv")
    with (tmp_path / "skus.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(catalogue)
    assert rows[0] == {
        "sku": catalogue.variants[0].sku,
        "product": "HARBOUR",
        "mtrx1": catalogue.variants[0].colour,
        "mtrx2": "8",
        "mtrx3": "",
        "mtrx4": "",
    }


def place_in_prima(town: Town, count: int) -> None:
    """Have PRIMA take orders of three units of the best stocked variants."""
    stocked = sorted(town.world.catalogue, key=lambda variant: -variant.opening_stock)
    for number, variant in enumerate(stocked[:count]):
        line = Line(variant.style.code, variant.colour, variant.size, quantity="3", price="59.97", locked_vat="9.99")
        place(town.prima, Order(number=f"3000{number:04d}", lines=[line]))


def addresses(order: dict[str, Any]) -> list[dict[str, Any]]:
    shipping = order["extension_attributes"]["shipping_assignments"][0]["shipping"]
    return [order["billing_address"], shipping["address"]]
