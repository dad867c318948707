"""A world of orders of a week, most of which agree to the penny, with every kind of defect planted several times.

What is planted is written down when it is planted: `expected` holds status and cause by level and order key. Baskets
for a defect are drawn until no other explanation gives the same figures, so that one cause is the right answer.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd

from schemas.money import vat_in_gross
from tasks.normalise.set_apart import SET_APART_TYPES
from tasks.reconcile.inputs import LedgerOrder
from tests.unit.reconcile_cases import NOON, READ_AT, Case, Line

FIRST, LAST = date(2026, 11, 18), date(2026, 11, 24)
OLD = NOON - timedelta(days=4)
VERIFIED_AT = NOON + timedelta(hours=1)
NO_DELIVERY = (0, 0)
Key = tuple[str, str]


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
    """`plant()` adds the agreeing orders and every kind of defect; `expected` is all that may be found."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder)
        self.run = replace(self.run, from_date=FIRST, to_date=LAST)
        self.chance = random.Random(seed)
        self.expected: dict[Key, tuple[str, str]] = {}
        self.number = 0
        self.set_apart_rows: list[dict[str, object]] = []

    def plant(self, agreeing: int, each: int) -> None:
        for _ in range(agreeing):
            self.agreeing()
        for kind in KINDS:
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


def recalculated_on_the_total(world: World, number: int) -> None:
    lines = world.basket_where(lambda each: total_vat(each) != carried(each), "unit", 4)
    world.both(number, lines, with_vat(lines, total_vat(lines)), "VAT_VARIANCE", "VAT_RECALCULATED_ON_ORDER_TOTAL")


def rounded_by_row(world: World, number: int) -> None:
    lines = world.basket_where(lambda each: row_vat(each) not in (carried(each), total_vat(each)), "unit", 4)
    prima = [(rate, gross, vat_by_row(rate, gross), quantity) for rate, gross, _, quantity in lines]
    world.both(number, lines, prima, "VAT_VARIANCE", "ROUNDING_METHOD")


def rounded_by_unit(world: World, number: int) -> None:
    lines = world.basket_where(lambda each: unit_vat(each) not in (carried(each), total_vat(each)), "row", 4)
    prima = [(rate, gross, vat_by_unit(rate, gross, quantity), quantity) for rate, gross, _, quantity in lines]
    world.both(number, lines, prima, "VAT_VARIANCE", "ROUNDING_METHOD")


def rounded_on_the_net(world: World, number: int) -> None:
    """Magento by unit; PRIMA keeps each net and works VAT out on it, so that the total differs by pennies."""

    def prima_of(lines: list[Line]) -> list[Line]:
        nets = [(rate, gross - vat, quantity) for rate, gross, vat, quantity in lines]
        return [(rate, net + on_net(rate, net), on_net(rate, net), quantity) for rate, net, quantity in nets]

    lines = world.basket_where(lambda each: carried(prima_of(each)) != carried(each), "unit", 4)
    world.both(number, lines, prima_of(lines), "TOTAL_VARIANCE", "ROUNDING_METHOD")


def rounded_down(world: World, number: int) -> None:
    def prima_of(lines: list[Line]) -> list[Line]:
        return [(rate, gross, vat_down(rate, gross), quantity) for rate, gross, _, quantity in lines]

    lines = world.basket_where(
        lambda each: (
            carried(prima_of(each)) != carried(each) and not world.explained_otherwise(each, carried(prima_of(each)))
        ),
        "row",
        4,
    )
    world.both(number, lines, prima_of(lines), "VAT_VARIANCE", "VAT_ROUNDED_DOWN")


def delivery_vat(world: World, number: int) -> None:
    lines = world.basket()
    order_number = world.magento(number, *lines, delivery=(395, 66))
    world.prima(number, *lines, delivery=(395, 0))
    world.expected["orders", order_number] = ("VAT_VARIANCE", "DELIVERY_VAT")


def discount_split_otherwise(world: World, number: int) -> None:
    """Five pounds of discount stand on the zero-rated line in PRIMA instead of the taxed one."""
    magento: list[Line] = [("20", 6000, 1000, 1), ("0", 4000, 0, 1)]
    prima: list[Line] = [("20", 6500, 1083, 1), ("0", 3500, 0, 1)]
    world.both(number, magento, prima, "VAT_VARIANCE", "DISCOUNT_SPLIT")


def discount_vat_left_out(world: World, number: int) -> None:
    lines = world.basket_where(lambda each: each[0][1] > 1000)
    rate, gross, vat, quantity = lines[0]
    compensation = 83
    prima = [(rate, gross - compensation, vat, quantity), *lines[1:]]
    order_number = world.both(number, lines, prima, "TOTAL_VARIANCE", "DISCOUNT_VAT_COMPENSATION")
    world.set_apart_rows.append(
        {"document_number": order_number, "tender_pence": 0, "discount_vat_pence": compensation}
    )


def gift_card_as_discount(world: World, number: int) -> None:
    lines = world.basket_where(lambda each: each[0][1] > 2500 and each[0][0] == "20")
    rate, gross, vat, quantity = lines[0]
    prima = [(rate, gross - 2000, vat, quantity), *lines[1:]]
    order_number = world.both(number, lines, prima, "TOTAL_VARIANCE", "GIFT_CARD_AS_DISCOUNT")
    world.set_apart_rows.append({"document_number": order_number, "tender_pence": 2000, "discount_vat_pence": 0})


def wrong_rate(world: World, number: int) -> None:
    """A child's coat at 20 % in PRIMA: the VAT is inside the same price."""
    lines: list[Line] = [("0", 2 * world.chance.randrange(1500, 9000), 0, 2), *world.basket()]
    prima: list[Line] = [("20", lines[0][1], vat_by_row("20", lines[0][1]), 2), *lines[1:]]
    world.both(number, lines, prima, "VAT_VARIANCE", "WRONG_RATE")


def wrong_rate_on_the_net(world: World, number: int) -> None:
    """The rate is added to the net that was carried, so that the total differs as well."""
    lines: list[Line] = [("0", 2 * world.chance.randrange(1500, 9000), 0, 2), *world.basket()]
    net = lines[0][1]
    prima: list[Line] = [("20", net + on_net("20", net), on_net("20", net), 2), *lines[1:]]
    world.both(number, lines, prima, "TOTAL_VARIANCE", "WRONG_RATE")


def missing_line(world: World, number: int) -> None:
    lines = world.basket(lines=3)
    world.both(number, lines, lines[:2], "TOTAL_VARIANCE", "MISSING_OR_EXTRA_LINE")


def extra_line(world: World, number: int) -> None:
    lines = world.basket(lines=2)
    world.both(number, lines, [*lines, ("20", 1999, 333, 1)], "TOTAL_VARIANCE", "MISSING_OR_EXTRA_LINE")


def other_quantity(world: World, number: int) -> None:
    price = world.chance.randrange(500, 5000)
    magento: list[Line] = [("20", 3 * price, vat_by_row("20", 3 * price), 3), *world.basket(lines=1)]
    prima: list[Line] = [("20", 2 * price, vat_by_row("20", 2 * price), 2), *magento[1:]]
    world.both(number, magento, prima, "TOTAL_VARIANCE", "QUANTITY")


def price_entered(world: World, number: int) -> None:
    price = world.chance.randrange(500, 5000)
    magento: list[Line] = [("20", 2 * price, vat_by_row("20", 2 * price), 2), *world.basket(lines=1)]
    listed = 2 * (price + world.chance.randrange(50, 400))
    world.both(
        number, magento, [("20", listed, vat_by_row("20", listed), 2), *magento[1:]], "TOTAL_VARIANCE", "PRICE_ENTERED"
    )


def other_currency(world: World, number: int) -> None:
    lines = world.basket()
    world.both(number, lines, lines, "TOTAL_VARIANCE", "CURRENCY", currency="EUR")


def other_sign(world: World, number: int) -> None:
    lines = world.basket()
    prima = [(rate, -gross, -vat, quantity) for rate, gross, vat, quantity in lines]
    world.both(number, lines, prima, "TOTAL_VARIANCE", "SIGN")


def edited_in_prima(world: World, number: int) -> None:
    lines = world.basket(lines=2)
    later = {"updated_at": VERIFIED_AT + timedelta(days=1)}
    order_number = world.both(number, lines, lines[:1], "TOTAL_VARIANCE", "EDITED_AFTER_POSTING", **later)
    world.ledger.append(LedgerOrder(order_number, state="accepted", posted_at=NOON, verified_at=VERIFIED_AT))


def edited_in_magento(world: World, number: int) -> None:
    lines = world.basket(lines=2)
    order_number = world.both(number, lines[:1], lines, "TOTAL_VARIANCE", "EDITED_AFTER_POSTING", updated_at=NOON)
    world.ledger.append(LedgerOrder(order_number, state="accepted", posted_at=NOON, verified_at=VERIFIED_AT))


def posted_twice(world: World, number: int) -> None:
    lines = world.basket()
    order_number = world.magento(number, *lines)
    world.prima(number, *lines)
    world.prima(f"9{number:07d}", *lines)
    world.ledger.append(LedgerOrder(order_number, f"9{number:07d}", state="accepted", posted_at=NOON))
    world.expected["orders", order_number] = ("DUPLICATE_IN_PRIMA", "POSTED_TWICE")


def late(world: World, number: int) -> None:
    order_number = world.magento(number, *world.basket(), placed_at=READ_AT - timedelta(hours=6))
    world.expected["orders", order_number] = ("TIMING", "LATE_POSTING")


def refund_without_credit_note(world: World, number: int) -> None:
    lines = world.basket()
    order_number = world.magento(number, *lines)
    world.prima(number, *lines)
    world.magento_refund(f"R{number}", number, lines[0])
    world.expected["refunds", order_number] = ("MISSING_IN_PRIMA", "REFUND_WITHOUT_CREDIT_NOTE")


def credit_note_twice(world: World, number: int) -> None:
    lines = world.basket()
    order_number = world.magento(number, *lines)
    world.prima(number, *lines)
    world.magento_refund(f"R{number}", number, lines[0])
    for document in ("C", "D"):
        world.prima_refund(f"{document}{number}", number, lines[0][1], lines[0][2])
    world.expected["refunds", order_number] = ("DUPLICATE_IN_PRIMA", "POSTED_TWICE")


def refund_vat_recalculated(world: World, number: int) -> None:
    """Two lines of 10.01 were charged 1.66 each by Magento; PRIMA credits the VAT of 20.02."""
    lines: list[Line] = [("20", 1001, 166, 1), ("20", 1001, 166, 1)]
    order_number = world.magento(number, *lines)
    world.prima(number, *lines)
    world.magento_refund(f"R{number}", number, *lines)
    world.prima_refund(f"C{number}", number, 2002, 334)
    world.expected["refunds", order_number] = ("VAT_VARIANCE", "VAT_RECALCULATED_ON_ORDER_TOTAL")


def invoice_recalculated(world: World, number: int) -> None:
    lines: list[Line] = [("20", 1001, 166, 1), ("20", 1001, 166, 1)]
    order_number = world.magento(number, *lines)
    world.prima(number, *lines)
    world.magento_invoice(f"M{number}", number, *lines)
    world.prima_invoice(f"I{number}", number, *with_vat(lines, 334))
    world.expected["invoices", order_number] = ("VAT_VARIANCE", "VAT_RECALCULATED_ON_ORDER_TOTAL")


def awaiting_dispatch(world: World, number: int) -> None:
    lines = world.basket()
    order_number = world.magento(number, *lines)
    world.prima(number, *lines, status="New")
    world.magento_invoice(f"M{number}", number, *lines)
    world.expected["invoices", order_number] = ("TIMING", "AWAITING_DISPATCH")


def only_in_magento(world: World, number: int) -> None:
    order_number = world.magento(number, *world.basket())
    world.expected["orders", order_number] = ("MISSING_IN_PRIMA", "UNEXPLAINED")


def only_in_prima(world: World, number: int) -> None:
    own = world.prima(number, *world.basket())
    world.expected["orders", f"PRIMA {own}"] = ("MISSING_IN_MAGENTO", "UNEXPLAINED")


def cancelled_in_prima(world: World, number: int) -> None:
    lines = world.basket()
    order_number = world.magento(number, *lines)
    world.prima(number, *lines, status="Cancelled")
    world.expected["orders", order_number] = ("TOTAL_VARIANCE", "CANCELLED_IN_PRIMA")


def cancelled_in_magento(world: World, number: int) -> None:
    lines = world.basket()
    order_number = world.magento(number, *lines, state_magento="canceled")
    world.prima(number, *lines)
    world.expected["orders", order_number] = ("TOTAL_VARIANCE", "CANCELLED_IN_MAGENTO")


def held(world: World, number: int) -> None:
    order_number = world.magento(number, *world.basket())
    world.ledger.append(LedgerOrder(order_number, state="held", exception_code="SKU_UNKNOWN"))
    world.expected["orders", order_number] = ("EXCLUDED", "NOT_YET_POSTED")


def kept_out_by_a_rule(world: World, number: int) -> None:
    order_number = world.magento(number, *world.basket())
    world.ledger.append(LedgerOrder(order_number, state="held", exception_code="STORE_NOT_IMPORTED"))
    world.expected["orders", order_number] = ("EXCLUDED", "EXCLUDED_BY_RULE")


def nobody_knows_why(world: World, number: int) -> None:
    lines = world.basket_where(lambda each: each[0][1] > 1500 and each[0][0] == "20", "row", 2)
    rate, gross, vat, quantity = lines[0]
    world.both(number, lines, [(rate, gross, vat - 101, quantity), *lines[1:]], "VAT_VARIANCE", "UNEXPLAINED")


KINDS: tuple[Callable[[World, int], None], ...] = (
    recalculated_on_the_total,
    rounded_by_row,
    rounded_by_unit,
    rounded_on_the_net,
    rounded_down,
    delivery_vat,
    discount_split_otherwise,
    discount_vat_left_out,
    gift_card_as_discount,
    wrong_rate,
    wrong_rate_on_the_net,
    missing_line,
    extra_line,
    other_quantity,
    price_entered,
    other_currency,
    other_sign,
    edited_in_prima,
    edited_in_magento,
    posted_twice,
    late,
    refund_without_credit_note,
    credit_note_twice,
    refund_vat_recalculated,
    invoice_recalculated,
    awaiting_dispatch,
    only_in_magento,
    only_in_prima,
    cancelled_in_prima,
    cancelled_in_magento,
    held,
    kept_out_by_a_rule,
    nobody_knows_why,
)
