"""Order totals as Magento's quote collectors work them out: goods, delivery, discount, VAT, grand total.

Pure: a cart in, figures out, every amount a Decimal with two decimals. The same steps run in the base currency and in
the order currency, each rounding by itself, because Magento never converts a finished figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from sandbox.magento.baskets import Cart, CartLine
from sandbox.magento.discounts import (
    Discountable,
    LineDiscount,
    Pair,
    delivery_discount,
    line_discounts,
)
from sandbox.magento.vat import PENNY, ZERO, Rate, Taxable, Taxed, VatCalculator

DELIVERY_VAT_CLASS = "standard"
FOUR_DECIMALS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class LineFigures:
    """One order line. `row_total` and `row_total_incl_tax` are the stored figures, before discount."""

    price: Decimal
    price_incl_tax: Decimal
    original_price: Decimal
    row_total: Decimal
    row_total_incl_tax: Decimal
    tax_amount: Decimal
    tax_percent: Decimal
    discount_amount: Decimal
    discount_percent: Decimal
    discount_tax_compensation_amount: Decimal
    rate: Rate | None

    @property
    def shown_row_total(self) -> Decimal:
        """What REST shows as `row_total`: the stored one less the discount, never below zero."""
        return max(self.row_total - self.discount_amount, ZERO)

    @property
    def shown_row_total_incl_tax(self) -> Decimal:
        """What REST shows as `row_total_incl_tax`: the gross line after discount, never below zero."""
        return max(self.gross_after_discount, ZERO)

    @property
    def gross_after_discount(self) -> Decimal:
        """What the customer pays for the line; below zero when a discount exceeds a net price."""
        return self.row_total - self.discount_amount + self.tax_amount + self.discount_tax_compensation_amount


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """The delivery charge: net amount and gross before discount, VAT as charged."""

    amount: Decimal
    incl_tax: Decimal
    tax_amount: Decimal
    discount_amount: Decimal
    discount_tax_compensation_amount: Decimal
    rate: Rate | None


@dataclass(frozen=True, slots=True)
class AppliedTax:
    """VAT charged at one rate, over lines and delivery."""

    rate: Rate
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of an order in one currency. `discount_amount` is negative, as in the order header."""

    lines: tuple[LineFigures, ...]
    delivery: DeliveryFigures

    @property
    def subtotal(self) -> Decimal:
        """Net goods before discount."""
        return sum((line.row_total for line in self.lines), ZERO)

    @property
    def subtotal_incl_tax(self) -> Decimal:
        """Gross goods before discount."""
        return sum((line.row_total_incl_tax for line in self.lines), ZERO)

    @property
    def discount_amount(self) -> Decimal:
        """Minus the discounts of lines and delivery."""
        return -(sum((line.discount_amount for line in self.lines), ZERO) + self.delivery.discount_amount)

    @property
    def discount_tax_compensation_amount(self) -> Decimal:
        """VAT inside the gross discounts of the lines."""
        return sum((line.discount_tax_compensation_amount for line in self.lines), ZERO)

    @property
    def tax_amount(self) -> Decimal:
        """VAT of lines and delivery."""
        return sum((line.tax_amount for line in self.lines), ZERO) + self.delivery.tax_amount

    @property
    def grand_total(self) -> Decimal:
        """What the customer pays."""
        return (
            self.subtotal
            + self.delivery.amount
            + self.tax_amount
            + self.discount_amount
            + self.discount_tax_compensation_amount
            + self.delivery.discount_tax_compensation_amount
        )

    @property
    def applied_taxes(self) -> tuple[AppliedTax, ...]:
        """VAT by rate code, in order of appearance; a rate under which nothing was charged is left out."""
        amounts: dict[str, AppliedTax] = {}
        charged = [(line.rate, line.tax_amount) for line in self.lines]
        charged.append((self.delivery.rate, self.delivery.tax_amount))
        for rate, amount in charged:
            if rate is None or not rate.percent:
                continue
            before = amounts[rate.code].amount if rate.code in amounts else ZERO
            if amount or before:
                amounts[rate.code] = AppliedTax(rate, before + amount)
        return tuple(amounts.values())


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of an order in the website's base currency and in the currency of the order."""

    base: Figures
    order: Figures


def merged_lines(lines: Sequence[CartLine]) -> tuple[CartLine, ...]:
    """Return the lines with the units of equal products in one line, as Magento keeps its carts."""
    merged: dict[tuple[str, str], CartLine] = {}
    for line in lines:
        key = (line.sku, line.product_type)
        if key in merged:
            merged[key] = replace(merged[key], quantity=merged[key].quantity + line.quantity)
        else:
            merged[key] = line
    return tuple(merged.values())


def collect_totals(cart: Cart) -> Totals:
    """Return every figure of the order that the cart would become, one line per product (see `merged_lines`).

    Steps, as Magento's collectors run: prices without discount, delivery, discounts on those, and VAT on what is left.
    Raises ValueError for an empty cart.
    """
    lines = merged_lines(cart.lines)
    if not lines:
        raise ValueError("a cart without lines has no totals")
    base, order = _Currency(cart, lines, Decimal(1)), _Currency(cart, lines, cart.store.rate)
    goods_base, goods_order = base.goods_before_discount(), order.goods_before_discount()
    charge_base, charge_order = base.delivery_before_discount(), order.delivery_before_discount()
    discountable = [
        Discountable(
            quantity=line.quantity,
            price=Pair(_discount_price(cart, taxed_base), _discount_price(cart, taxed_order)),
            row_gross=Pair(taxed_base.row_total_incl_tax, taxed_order.row_total_incl_tax),
            is_free=not taxed_order.row_total > 0,
        )
        for line, taxed_base, taxed_order in zip(lines, goods_base, goods_order, strict=True)
    ]
    gross_charge = cart.settings.discount_tax
    spread_charge = charge_base.row_total_incl_tax if gross_charge else cart.shipping_price
    discounts = line_discounts(cart.coupon, discountable, spread_charge, cart.store.rate)
    delivery = delivery_discount(
        cart.coupon,
        [line.quantity for line in lines],
        charge=Pair(_charge(charge_base, gross_charge), _charge(charge_order, gross_charge)),
        net_charge=Pair(charge_base.row_total, charge_order.row_total),
        net_goods=Pair(_net(goods_base), _net(goods_order)),
    )
    return Totals(
        base=base.figures([discount.amount.base for discount in discounts], discounts, delivery.base),
        order=order.figures([discount.amount.order for discount in discounts], discounts, delivery.order),
    )


class _Currency:
    """The VAT runs of one cart in one currency."""

    def __init__(self, cart: Cart, lines: Sequence[CartLine], rate: Decimal) -> None:
        self._cart = cart
        self._lines = lines
        self._rate = rate

    def goods_before_discount(self) -> list[Taxed]:
        calculator = self._calculator()
        return [calculator.tax(self._goods(position, ZERO)) for position in range(len(self._lines))]

    def delivery_before_discount(self) -> Taxed:
        return self._calculator().tax(self._delivery(ZERO))

    def figures(
        self, amounts: Sequence[Decimal], discounts: Sequence[LineDiscount], delivery_amount: Decimal
    ) -> Figures:
        calculator = self._calculator()
        lines = []
        for position, (amount, discount) in enumerate(zip(amounts, discounts, strict=True)):
            taxed = calculator.tax(self._goods(position, amount))
            original = (self._lines[position].catalogue_price * self._rate).quantize(FOUR_DECIMALS, ROUND_HALF_UP)
            lines.append(_line_figures(taxed, original, amount, discount.percent))
        taxed = calculator.tax(self._delivery(delivery_amount))
        delivery = DeliveryFigures(
            amount=_money(taxed.row_total),
            incl_tax=_money(taxed.row_total_incl_tax),
            tax_amount=_money(taxed.tax),
            discount_amount=_money(delivery_amount),
            discount_tax_compensation_amount=_money(taxed.compensation),
            rate=taxed.rate,
        )
        return Figures(tuple(lines), delivery)

    def _calculator(self) -> VatCalculator:
        return VatCalculator(self._cart.settings, self._cart.address.country)

    def _goods(self, position: int, discount: Decimal) -> Taxable:
        line = self._lines[position]
        return Taxable(
            key=str(position),
            unit_price=line.catalogue_price * self._rate,
            quantity=line.quantity,
            vat_class=line.vat_class,
            includes_tax=self._cart.settings.price_includes_tax,
            discount=discount,
        )

    def _delivery(self, discount: Decimal) -> Taxable:
        price = ZERO if self._cart.is_virtual else self._cart.shipping_price * self._rate
        includes_tax = self._cart.settings.shipping_includes_tax
        return Taxable("delivery", price, 1, DELIVERY_VAT_CLASS, includes_tax, discount)


def _line_figures(taxed: Taxed, original: Decimal, discount: Decimal, percent: Decimal) -> LineFigures:
    return LineFigures(
        price=_money(taxed.price),
        price_incl_tax=_money(taxed.price_incl_tax),
        original_price=original,
        row_total=_money(taxed.row_total),
        row_total_incl_tax=_money(taxed.row_total_incl_tax),
        tax_amount=_money(taxed.tax),
        tax_percent=taxed.percent,
        discount_amount=_money(discount),
        discount_percent=percent,
        discount_tax_compensation_amount=_money(taxed.compensation),
        rate=taxed.rate,
    )


def _money(amount: Decimal) -> Decimal:
    """Return the amount with two decimals; every figure is whole pennies by now, so this rounds nothing."""
    exact = amount.quantize(PENNY)
    if exact != amount:
        raise ArithmeticError(f"{amount} is not whole pennies")
    return exact


def _net(goods: Sequence[Taxed]) -> Decimal:
    return sum((taxed.row_total for taxed in goods), ZERO)


def _discount_price(cart: Cart, taxed: Taxed) -> Decimal:
    return taxed.price_incl_tax if cart.settings.discount_tax else taxed.price


def _charge(taxed: Taxed, gross: bool) -> Decimal:
    return taxed.row_total_incl_tax if gross else taxed.row_total
