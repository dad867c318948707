"""What a customer puts in the cart, when customers come, and which promotions run."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sandbox.magento.carts import Cart, CartLine, Coupon, CouponAction, TaxSettings
from sandbox.magento.deliveries import DESCRIPTIONS, FLAT_RATE, FREE, TABLE_RATE, delivery_price
from sandbox.magento.totals import collect_totals
from sandbox.world.catalogue import Catalogue, Variant
from sandbox.world.people import invent_person

LONDON = ZoneInfo("Europe/London")

# Share of a day's customers in each hour in London: quiet nights, a peak at lunch and one in the evening.
HOURS = (6, 3, 2, 1, 1, 3, 10, 22, 38, 45, 50, 55, 78, 72, 55, 50, 48, 52, 60, 75, 98, 92, 60, 24)
# Monday to Sunday; people shop on Sundays and after payday.
WEEKDAYS = (1.0, 0.9, 0.95, 1.0, 1.05, 0.95, 1.25)

NEWSLETTER = Coupon("HELLO10", CouponAction.PERCENT, Decimal(10), rule_id=11)
VOUCHER = Coupon("THANKS5", CouponAction.FIXED_CART, Decimal(5), rule_id=12)
PROMOTIONS = (
    Coupon("AUTUMN15", CouponAction.PERCENT, Decimal(15), rule_id=21),
    Coupon("THREEFORTWO", CouponAction.BUY_X_GET_Y, Decimal(1), step=2, rule_id=22),
    Coupon("TENOFF", CouponAction.FIXED_CART, Decimal(10), applies_to_shipping=True, rule_id=23),
    Coupon("EVERYTHING20", CouponAction.PERCENT, Decimal(20), applies_to_shipping=True, rule_id=24),
)


@dataclass(frozen=True, slots=True)
class Promotion:
    """A coupon that everybody knows for a day, and how many more customers it brings."""

    coupon: Coupon
    crowd: float


def promotion_on(seed: int, day: date) -> Promotion | None:
    """Return the promotion of a day in London: one weekend (Friday to Sunday) in two, the same for the same seed."""
    year, week, weekday = day.isocalendar()
    dice = random.Random(f"{seed}:promotion:{year}-{week}")
    runs, coupon, crowd = dice.random() < 0.5, dice.choice(PROMOTIONS), dice.uniform(1.8, 3.0)
    return Promotion(coupon, crowd) if runs and weekday >= 5 else None


def expected_customers(per_day: float, moment: datetime, minutes: float, promotion: Promotion | None) -> float:
    """Return how many customers come in some minutes from a moment on, on average."""
    local = moment.astimezone(LONDON)
    hour = HOURS[local.hour] / sum(HOURS)
    crowd = promotion.crowd if promotion else 1.0
    return per_day * hour * minutes / 60 * WEEKDAYS[local.weekday()] * crowd


def how_many(dice: random.Random, expected: float) -> int:
    """Return a number of events that come independently of one another, `expected` on average (Poisson)."""
    limit, product, count = math.exp(-expected), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count


class Customers:
    """Makes carts; customer number N of a seed always wants the same things, whatever happened before."""

    def __init__(self, catalogue: Catalogue, *, seed: int, settings: TaxSettings, abroad: float) -> None:
        self._catalogue = catalogue
        self._weights = catalogue.weights()
        self._seed = seed
        self._settings = settings
        self._abroad = abroad

    def cart(self, number: int, promotion: Promotion | None, salable: Callable[[str], Decimal]) -> Cart | None:
        """Return the cart of a customer, with only what is in stock; None when nothing wanted is."""
        dice = random.Random(f"{self._seed}:customer:{number}")
        person = invent_person(dice, number, abroad=self._abroad)
        wanted = [(variant, self._units(dice)) for variant in self._wanted(dice)]
        coupon = self._coupon(dice, promotion)
        method = dice.choices((FLAT_RATE, TABLE_RATE, FREE), weights=(60, 30, 10))[0]
        paid_by = dice.choices(("checkmo", "banktransfer"), weights=(92, 8))[0]
        lines = [line for variant, units in wanted if (line := _line(variant, units, salable))]
        if not lines:
            return None
        cart = Cart(
            lines=tuple(lines),
            customer=person.customer,
            address=person.address,
            billing_address=person.billing_address,
            settings=self._settings,
            coupon=coupon,
            shipping_method=method,
            shipping_description=DESCRIPTIONS[method],
            payment_method="purchaseorder" if person.address.company else paid_by,
            purchase_order_number=f"PO-{number}" if person.address.company else "",
        )
        return _priced(cart)

    def _wanted(self, dice: random.Random) -> Sequence[Variant]:
        count = dice.choices((1, 2, 3, 4, 6), weights=(42, 28, 16, 9, 5))[0]
        chosen = dice.choices(self._catalogue.variants, weights=self._weights, k=count)
        return list({variant.sku: variant for variant in chosen}.values())

    @staticmethod
    def _units(dice: random.Random) -> int:
        return dice.choices((1, 2, 3, 7), weights=(80, 13, 5, 2))[0]

    @staticmethod
    def _coupon(dice: random.Random, promotion: Promotion | None) -> Coupon | None:
        throw, other = dice.random(), dice.choice((NEWSLETTER, VOUCHER))
        if promotion and throw < 0.6:
            return promotion.coupon
        return other if throw > 0.92 else None


def _line(variant: Variant, units: int, salable: Callable[[str], Decimal]) -> CartLine | None:
    units = min(units, int(salable(variant.sku)))
    if units < 1:
        return None
    by_option = variant.style.is_sold_by_option
    return CartLine(
        sku=variant.sku,
        quantity=units,
        catalogue_price=variant.price,
        name=variant.parent_name if by_option else variant.name,
        vat_class=variant.vat_class,
        product_type="configurable" if by_option else "simple",
        child_name=variant.name if by_option else "",
        options=variant.options if by_option else (),
        weight=variant.style.weight,
    )


def _priced(cart: Cart) -> Cart:
    """Return the cart with its delivery price, and with the free payment method where nothing is left to pay."""
    goods = collect_totals(replace(cart, shipping_price=Decimal(0))).base
    value = goods.subtotal + goods.discount_amount
    cart = replace(cart, shipping_price=delivery_price(cart.shipping_method, value, cart.address.country))
    if collect_totals(cart).order.grand_total == 0:
        cart = replace(cart, payment_method="free", purchase_order_number="")
    return cart
