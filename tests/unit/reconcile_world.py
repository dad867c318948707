"""A world of orders of a week, most of which agree to the penny, with every kind of defect planted several times.

What is planted is written down when it is planted: `expected` holds status and cause by level and order key. Baskets
for a defect are drawn until no other explanation gives the same figures, so that one cause is the right answer.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd

from schemas.money import vat_in_gross
from tasks.normalise.set_apart import SET_APART_TYPES
from tests.unit.reconcile_cases import NOON, Case, Line

FIRST, LAST = date(2026, 11, 18), date(2026, 11, 24)
OLD = NOON - timedelta(days=4)
VERIFIED_AT = NOON + timedelta(hours=1)
NO_DELIVERY = (0, 0)
Key = tuple[str, str]
Kind = Callable[["World", int], None]


def vat_by_row(rate: str, gross: int) -> int:
    return vat_in_gross(gross, Decimal(rate))


def vat_by_unit(rate: str, gross: int, quantity: int) -> int:
    return quantity * vat_in_gross(gross // quantity, Decimal(rate))


def vat_down(rate: str, gross: int) -> int:
    return gross * int(rate) // (100 + int(rate))


def total_vat(lines: list[Line]) -> int:
    """Return the VAT of the whole basket, rounded once for each rate."""
    rates = {line[0] for line in lines}
    return sum(vat_by_row(rate, sum(line[1] for line in lines if line[0] == rate)) for rate in rates)


def row_vat(lines: list[Line]) -> int:
    return sum(vat_by_row(line[0], line[1]) for line in lines)


def unit_vat(lines: list[Line]) -> int:
    return sum(vat_by_unit(line[0], line[1], line[3]) for line in lines)


def net_vats(lines: list[Line]) -> set[int]:
    """Return the VAT on the net that Magento charged, by rate and by row; half a penny rounds up."""
    nets = [(line[0], line[1] - line[2]) for line in lines]
    by_rate = sum(on_net(rate, sum(net for each, net in nets if each == rate)) for rate in {line[0] for line in lines})
    return {by_rate, sum(on_net(rate, net) for rate, net in nets)}


def on_net(rate: str, net: int) -> int:
    return (2 * net * int(rate) + 100) // 200


def carried(lines: list[Line]) -> int:
    return sum(line[2] for line in lines)


def with_vat(lines: list[Line], vat: int) -> list[Line]:
    """Return the lines with this VAT in all, the difference on the first taxed line."""
    first = next(position for position, line in enumerate(lines) if line[0] != "0")
    changed = list(lines)
    rate, gross, old, quantity = lines[first]
    changed[first] = (rate, gross, old + vat - carried(lines), quantity)
    return changed


class World(Case):
    """`plant()` adds agreeing orders and each kind of defect several times; `expected` is all that may be found."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder)
        self.run = replace(self.run, from_date=FIRST, to_date=LAST)
        self.chance = random.Random(seed)
        self.expected: dict[Key, tuple[str, str]] = {}
        self.number = 0
        self.set_apart_rows: list[dict[str, object]] = []

    def plant(self, kinds: Sequence[Kind], agreeing: int, each: int) -> None:
        for _ in range(agreeing):
            self.agreeing()
        for kind in kinds:
            for _ in range(each):
                self.number += 1
                kind(self, self.number)
        frame = pd.DataFrame(self.set_apart_rows, columns=list(SET_APART_TYPES)).astype(SET_APART_TYPES)
        self.set_apart = {"orders": frame}

    def agreeing(self) -> None:
        self.number += 1
        lines = self.basket(self.chance.choice(("row", "unit")))
        at = self.moment()
        place = {"country": self.chance.choice(("GB", "GB", "GB", "IE", "US")), "postcode_area": "M"}
        if place["country"] == "GB" and self.chance.random() < 0.1:
            place["postcode_area"] = "BT"
        currency = "EUR" if place["country"] == "IE" else "GBP"
        self.magento(self.number, *lines, placed_at=at, currency=currency, **place)
        self.prima(self.number, *lines, ordered_at=at + timedelta(minutes=5), currency=currency)
        if currency == "GBP" and self.chance.random() < 0.3:
            self.magento_invoice(f"M{self.number}", self.number, *lines, at=at)
            self.prima_invoice(f"I{self.number}", self.number, *lines, at=at)
            if self.chance.random() < 0.2:
                self.magento_refund(f"R{self.number}", self.number, lines[0], at=at)
                self.prima_refund(f"C{self.number}", self.number, lines[0][1], lines[0][2], at=at)

    def anything(self) -> None:
        """Add an order that either side holds as chance has it: changed, cancelled, twice, elsewhere or not at all."""
        self.number += 1
        chance, at = self.chance, self.moment()
        lines = self.basket(chance.choice(("row", "unit")))
        other = lines if chance.random() < 0.4 else [self.spoilt(line) for line in lines[: chance.randrange(1, 5)]]
        currency = chance.choice(("GBP", "GBP", "EUR"))
        if chance.random() < 0.9:
            state = chance.choice(("processing", "processing", "canceled"))
            country = chance.choice(("GB", "IE", "US", ""))
            self.magento(self.number, *lines, placed_at=at, currency=currency, state_magento=state, country=country)
        if chance.random() < 0.9:
            status = chance.choice(("Despatched", "Despatched", "New", "Cancelled"))
            held_in = currency if chance.random() < 0.9 else "USD"
            self.prima(self.number, *other, ordered_at=at, status=status, currency=held_in)
        for copy in range(chance.randrange(3)):
            self.magento_invoice(f"M{self.number}-{copy}", self.number, *lines, at=self.moment())
        for copy in range(chance.randrange(3)):
            self.prima_invoice(f"I{self.number}-{copy}", self.number, *other, at=self.moment())
        if chance.random() < 0.3:
            self.magento_refund(f"R{self.number}", self.number, lines[0], at=self.moment())
        if chance.random() < 0.3:
            self.prima_refund(f"C{self.number}", self.number, *other[0][1:3], at=self.moment())

    def spoilt(self, line: Line) -> Line:
        """Return the line with another rate, gross, VAT or quantity, or as it is."""
        rate, gross, vat, quantity = line
        return self.chance.choice(
            (
                line,
                (self.chance.choice(("20", "5", "0")), gross, vat, quantity),
                (rate, gross + self.chance.randrange(-100, 100), vat, quantity),
                (rate, gross, vat + self.chance.choice((-1, 1)), quantity),
                (rate, -gross, -vat, quantity),
                (rate, gross, vat, quantity + 1),
            )
        )

    def moment(self) -> datetime:
        """Return an instant of the week that is old enough for everything to have arrived."""
        return OLD + timedelta(minutes=self.chance.randrange(5 * 24 * 60))

    def basket(self, method: str = "row", lines: int = 0) -> list[Line]:
        """Return lines of rate, gross, VAT and quantity, VAT rounded by row or by unit as Magento charges it."""
        made: list[Line] = []
        for _ in range(lines or self.chance.randrange(1, 5)):
            rate = self.chance.choice(("20", "20", "20", "5", "0"))
            quantity = self.chance.randrange(1, 5)
            gross = quantity * self.chance.randrange(101, 9_000)
            vat = vat_by_row(rate, gross) if method == "row" else vat_by_unit(rate, gross, quantity)
            made.append((rate, gross, vat, quantity))
        return made

    def basket_where(self, fits: Callable[[list[Line]], bool], method: str = "row", lines: int = 0) -> list[Line]:
        while True:
            made = self.basket(method, lines)
            if fits(made) and any(line[0] != "0" for line in made):
                return made

    def both(self, number: int, magento: list[Line], prima: list[Line], status: str, cause: str, **more: object) -> str:
        """Add an order that the sides hold differently, without delivery, and write down what must be found."""
        order_number = self.magento(number, *magento, delivery=NO_DELIVERY)
        self.prima(number, *prima, delivery=NO_DELIVERY, **more)
        self.expected["orders", order_number] = (status, cause)
        return order_number

    def explained_otherwise(self, lines: list[Line], vat: int) -> bool:
        """Tell whether any way of rounding gives this VAT."""
        return vat in {total_vat(lines), row_vat(lines), unit_vat(lines), *net_vats(lines)}
