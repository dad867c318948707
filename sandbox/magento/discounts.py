"""Cart price rules: the discount of each line and of the delivery, in the base and in the order currency.

A discount is positive. Percentages carry what rounding left over from line to line; a fixed amount for the cart is
spread by value, again with a carried remainder, so that the shares add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sandbox.magento.baskets import Coupon, CouponAction
from sandbox.magento.vat import ZERO, Remainders, rounded


@dataclass(frozen=True, slots=True)
class Pair:
    """The same figure in the base currency and in the order currency, each rounded by itself."""

    base: Decimal
    order: Decimal


NOTHING = Pair(ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Discountable:
    """A line as the rules see it. `price` is gross or net as `discount_tax` says; `row_gross` limits a 100 % rule."""

    quantity: int
    price: Pair
    row_gross: Pair
    is_free: bool


@dataclass(frozen=True, slots=True)
class LineDiscount:
    """The discount of one line, and the per cent that the order line shows (0 unless the rule is a percentage)."""

    amount: Pair
    percent: Decimal


def line_discounts(
    coupon: Coupon | None, lines: Sequence[Discountable], delivery: Decimal, rate: Decimal
) -> list[LineDiscount]:
    """Return one discount per line, in order. `delivery` is the delivery charge that a fixed amount also covers."""
    if coupon is None:
        return [LineDiscount(NOTHING, ZERO) for _ in lines]
    if coupon.action is CouponAction.PERCENT:
        return _percent(coupon, lines)
    if coupon.action is CouponAction.FIXED_CART:
        return _fixed_cart(coupon, lines, delivery, rate)
    return [_per_line(coupon, line, rate) for line in lines]


def _percent(coupon: Coupon, lines: Sequence[Discountable]) -> list[LineDiscount]:
    percent = min(Decimal(100), coupon.amount)
    left_base = left_order = ZERO
    result = []
    for line in lines:
        exact_base = line.price.base * line.quantity * percent / 100
        exact_order = line.price.order * line.quantity * percent / 100
        if percent and not line.is_free:
            exact_base, exact_order = exact_base + left_base, exact_order + left_order
            left_base, left_order = exact_base - rounded(exact_base), exact_order - rounded(exact_order)
        if percent == 100:
            exact_base = min(exact_base, line.row_gross.base)
            exact_order = min(exact_order, line.row_gross.order)
        result.append(LineDiscount(_limited(line, rounded(exact_base), rounded(exact_order)), percent))
    return result


def _fixed_cart(coupon: Coupon, lines: Sequence[Discountable], delivery: Decimal, rate: Decimal) -> list[LineDiscount]:
    goods = sum((line.price.base * line.quantity for line in lines), ZERO)
    whole = goods + (delivery if coupon.applies_to_shipping else ZERO)
    remainders = Remainders()
    available = coupon.amount
    result = []
    for position, line in enumerate(lines, start=1):
        if available <= 0:
            result.append(LineDiscount(NOTHING, ZERO))
            continue
        value = line.price.base * line.quantity
        share = value / whole if whole else ZERO
        if not coupon.applies_to_shipping:
            share = min(share, Decimal(1))
        amount = remainders.rounded(coupon.amount * share, "cart", "")
        base = min(value, amount)
        if position == len(lines):
            base = min(base, available)
        available -= rounded(base)
        result.append(LineDiscount(_limited(line, rounded(base), rounded(amount * rate)), ZERO))
    return result


def _per_line(coupon: Coupon, line: Discountable, rate: Decimal) -> LineDiscount:
    if coupon.action is CouponAction.FIXED_EACH:
        base = coupon.amount * line.quantity
        return LineDiscount(_limited(line, rounded(base), rounded(base * rate)), ZERO)
    units = free_units(line.quantity, coupon.step, int(coupon.amount))
    return LineDiscount(_limited(line, rounded(line.price.base * units), rounded(line.price.order * units)), ZERO)


def free_units(quantity: int, step: int, free: int) -> int:
    """Return how many of the units are free when `free` follow every `step` that are paid for."""
    if not step or free > step or step >= quantity:
        return 0
    whole, rest = divmod(quantity, step + free)
    return whole * free + max(0, rest - step)


def _limited(line: Discountable, base: Decimal, order: Decimal) -> Pair:
    return Pair(min(base, line.price.base * line.quantity), min(order, line.price.order * line.quantity))


def delivery_discount(
    coupon: Coupon | None, quantities: Sequence[int], charge: Pair, net_charge: Pair, net_goods: Pair
) -> Pair:
    """Return the discount of the delivery charge; nothing unless the rule applies to shipping.

    `charge` is the delivery as discounts see it (gross when `discount_tax`). A fixed amount for the cart gives the
    delivery its share of the *net* values, so that the shares of goods and delivery may miss the amount by pennies.
    """
    if coupon is None or not coupon.applies_to_shipping:
        return NOTHING
    share = Decimal(0)
    if coupon.action is CouponAction.PERCENT:
        percent = min(Decimal(100), coupon.amount)
        return _capped(charge, charge.base * percent / 100, charge.order * percent / 100)
    if coupon.action is CouponAction.FIXED_CART:
        whole = net_goods.order + net_charge.order
        share = rounded(coupon.amount * net_charge.order / whole) if whole else ZERO
    elif coupon.action is CouponAction.FIXED_EACH:
        share = coupon.amount
    else:
        free = sum(free_units(quantity, coupon.step, int(coupon.amount)) for quantity in quantities)
        share = net_charge.base / sum(quantities) * free
    return _capped(charge, share, share)


def _capped(charge: Pair, base: Decimal, order: Decimal) -> Pair:
    return Pair(rounded(min(base, charge.base)), rounded(min(order, charge.order)))
