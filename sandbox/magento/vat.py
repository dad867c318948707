"""Magento's VAT arithmetic for one taxable thing at a time: rates, rounding, and the three algorithms.

Source of the rules: the behaviour of Magento 2.4.7 as recorded in `tests/recordings/tax-baskets.json`, which this
module reproduces to the penny. Amounts are Decimal pounds (or another currency with two decimals).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sandbox.magento.baskets import Algorithm, TaxSettings

PENNY = Decimal("0.01")
ZERO = Decimal(0)
# Magento starts every running remainder with this much, so that an exact half always rounds up.
FIRST_REMAINDER = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Rate:
    """A VAT rate in per cent under Magento's rate code."""

    code: str
    percent: Decimal


def _country_rates(country: str, standard: str, reduced: str, zero: str) -> dict[tuple[str, str], Rate]:
    zero_name = f"{country} Zero 0" if zero == "0" else f"{country} Zero class {zero}"
    return {
        (country, "standard"): Rate(f"{country} Standard {standard}", Decimal(standard)),
        (country, "reduced"): Rate(f"{country} Reduced {reduced}", Decimal(reduced)),
        (country, "zero"): Rate(zero_name, Decimal(zero)),
    }


RATES: Mapping[tuple[str, str], Rate] = {
    **_country_rates("GB", "20", "5", "0"),
    **_country_rates("IM", "20", "5", "0"),
    **_country_rates("IE", "23", "13.5", "0"),
    **_country_rates("DE", "19", "7", "19"),
    **_country_rates("FR", "20", "5.5", "20"),
}


def rate_for(country: str, vat_class: str) -> Rate | None:
    """Return the rate that a country charges on a VAT class, or None where no rule matches (export, class `none`)."""
    return RATES.get((country, vat_class))


def rounded(amount: Decimal) -> Decimal:
    """Return the amount in whole pennies, halves away from zero.

    Digits beyond the tenth decimal are noise of a division and are dropped first, as PHP's round() does.
    """
    return amount.quantize(Decimal("1e-10"), ROUND_HALF_UP).quantize(PENNY, ROUND_HALF_UP)


class Remainders:
    """What rounding left over, carried to the next amount under the same key."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], Decimal] = {}

    def rounded(self, amount: Decimal, kind: str, rate_key: str) -> Decimal:
        """Return the amount plus what is left under the key, rounded; keep the new remainder. Zero changes nothing."""
        if not amount:
            return amount
        exact = amount + self._left.get((kind, rate_key), FIRST_REMAINDER)
        result = rounded(exact)
        self._left[kind, rate_key] = exact - result
        return result


@dataclass(frozen=True, slots=True)
class Taxable:
    """A line or the delivery as the VAT calculation sees it: unit price as entered, discount of the whole line."""

    key: str
    unit_price: Decimal
    quantity: int
    vat_class: str
    includes_tax: bool
    discount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Taxed:
    """The figures of one taxable. `row_*` are before discount, `tax` is what is charged.

    `compensation` is the VAT inside a gross discount (`discount_tax_compensation_amount`).
    """

    price: Decimal
    price_incl_tax: Decimal
    row_total: Decimal
    row_total_incl_tax: Decimal
    tax: Decimal
    compensation: Decimal
    percent: Decimal
    rate: Rate | None


class VatCalculator:
    """One run over the lines of a cart in one currency, for one destination. It carries the remainders of that run."""

    def __init__(self, settings: TaxSettings, country: str) -> None:
        self._settings = settings
        self._country = country
        self._remainders = Remainders()

    def tax(self, item: Taxable) -> Taxed:
        """Return the figures of the next item; the order of the calls matters for TOTAL_BASE."""
        rate = rate_for(self._country, item.vat_class)
        if item.includes_tax:
            return self._by_gross_unit(item, rate) if self._is_per_unit else self._by_gross_row(item, rate)
        return self._by_net_unit(item, rate) if self._is_per_unit else self._by_net_row(item, rate)

    @property
    def _is_per_unit(self) -> bool:
        return self._settings.algorithm is Algorithm.UNIT_BASE

    def _round_tax(self, amount: Decimal, item: Taxable, rate_key: str, *, before_discount: bool) -> Decimal:
        """Round VAT as the algorithm wants it: rows by themselves, or with a remainder per line or per rate."""
        if self._settings.algorithm is Algorithm.ROW_BASE:
            return rounded(amount)
        kind = "before discount" if before_discount and self._settings.apply_after_discount else "charged"
        if self._is_per_unit:
            kind += f" {item.key}"
        return self._remainders.rounded(amount, kind, rate_key)

    def _gross_price(self, item: Taxable, percent: Decimal) -> Decimal:
        """Return the gross unit price at the destination: home VAT taken out and the destination's put in."""
        price = rounded(item.unit_price)
        home = rate_for(self._settings.home_country, item.vat_class)
        home_percent = home.percent if home else ZERO
        if self._settings.cross_border_trade_enabled or home_percent == percent:
            return price
        net = price - _tax_inside(price, home_percent)
        return rounded(net + _tax_on(net, percent))

    def _by_gross_unit(self, item: Taxable, rate: Rate | None) -> Taxed:
        percent = rate.percent if rate else ZERO
        price_incl_tax = self._gross_price(item, percent)
        unit_tax = self._round_tax(_tax_inside(price_incl_tax, percent), item, str(percent), before_discount=True)
        price = price_incl_tax - unit_tax
        compensation = ZERO
        if self._settings.apply_after_discount:
            taxable = max(price_incl_tax - item.discount / item.quantity, ZERO)
            charged = self._round_tax(_tax_inside(taxable, percent), item, str(percent), before_discount=False)
            compensation = (unit_tax - charged) * item.quantity
            unit_tax = charged
        return Taxed(
            price=price,
            price_incl_tax=price_incl_tax,
            row_total=price * item.quantity,
            row_total_incl_tax=price_incl_tax * item.quantity,
            tax=unit_tax * item.quantity,
            compensation=compensation,
            percent=percent,
            rate=rate,
        )

    def _by_gross_row(self, item: Taxable, rate: Rate | None) -> Taxed:
        percent = rate.percent if rate else ZERO
        price_incl_tax = self._gross_price(item, percent)
        row_total_incl_tax = price_incl_tax * item.quantity
        tax = self._round_tax(_tax_inside(row_total_incl_tax, percent), item, str(percent), before_discount=True)
        row_total = row_total_incl_tax - tax
        compensation = ZERO
        if self._settings.apply_after_discount:
            taxable = max(row_total_incl_tax - item.discount, ZERO)
            charged = self._round_tax(_tax_inside(taxable, percent), item, str(percent), before_discount=False)
            compensation = tax - charged
            tax = charged
        return Taxed(
            price=rounded(row_total / item.quantity),
            price_incl_tax=price_incl_tax,
            row_total=row_total,
            row_total_incl_tax=row_total_incl_tax,
            tax=tax,
            compensation=compensation,
            percent=percent,
            rate=rate,
        )

    def _by_net_unit(self, item: Taxable, rate: Rate | None) -> Taxed:
        price = rounded(item.unit_price)
        taxable = max(price - item.discount / item.quantity, ZERO)
        before, charged = self._net_taxes(price, taxable, item, rate)
        return Taxed(
            price=price,
            price_incl_tax=price + before,
            row_total=price * item.quantity,
            row_total_incl_tax=(price + before) * item.quantity,
            tax=charged * item.quantity,
            compensation=ZERO,
            percent=rate.percent if rate else ZERO,
            rate=rate,
        )

    def _by_net_row(self, item: Taxable, rate: Rate | None) -> Taxed:
        price = rounded(item.unit_price)
        row_total = price * item.quantity
        before, charged = self._net_taxes(row_total, max(row_total - item.discount, ZERO), item, rate)
        return Taxed(
            price=price,
            price_incl_tax=rounded((row_total + before) / item.quantity),
            row_total=row_total,
            row_total_incl_tax=row_total + before,
            tax=charged,
            compensation=ZERO,
            percent=rate.percent if rate else ZERO,
            rate=rate,
        )

    def _net_taxes(self, net: Decimal, taxable: Decimal, item: Taxable, rate: Rate | None) -> tuple[Decimal, Decimal]:
        """Return the VAT before discount and the VAT charged, on net amounts."""
        if rate is None:
            return ZERO, ZERO
        before = self._round_tax(_tax_on(net, rate.percent), item, rate.code, before_discount=True)
        if not self._settings.apply_after_discount:
            return before, before
        return before, self._round_tax(_tax_on(taxable, rate.percent), item, rate.code, before_discount=False)


def _tax_on(net: Decimal, percent: Decimal) -> Decimal:
    return net * percent / 100


def _tax_inside(gross: Decimal, percent: Decimal) -> Decimal:
    return gross * percent / (100 + percent)
