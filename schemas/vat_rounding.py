"""How VAT of an order may have been rounded: to the nearest penny by one of Magento's three methods, or cut off.

A retailer may not round VAT down to whole pennies (HMRC VATREC12010 and VATREC12020; Notice 700, 17.5 and 17.6).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """A line, or the delivery, at one VAT rate: units, and pence of all units together."""

    quantity: int
    net_pence: int
    vat_pence: int
    gross_pence: int


def is_rounded_down(charges: Sequence[Charge], rate_percent: Decimal) -> bool:
    """Tell whether the VAT of each charge at a rate is cut off, and the sum is what no rounding to nearest gives.

    Magento rounds by unit, by row or once for the total; prices hold VAT or not. Any of these explains a penny either
    way, so only VAT that none of them gives is called rounded down.
    """
    if sum(charge.vat_pence for charge in charges) in _sums(charges, rate_percent, _nearest):
        return False
    return all(charge.vat_pence in _sums([charge], rate_percent, _cut_off) for charge in charges)


def _sums(charges: Sequence[Charge], rate: Decimal, rounded: Callable[[Decimal], int]) -> set[int]:
    """Return the VAT by unit, by row and by total, from gross amounts and from net ones."""
    found: set[int] = set()
    for share, amounts in (
        (rate / (100 + rate), [charge.gross_pence for charge in charges]),
        (rate / 100, [charge.net_pence for charge in charges]),
    ):
        units = [charge.quantity for charge in charges]
        found.add(sum(rounded(amount * share) for amount in amounts))
        found.add(rounded(sum(amounts) * share))
        found.add(sum(n * rounded(Decimal(amount) / n * share) for n, amount in zip(units, amounts, strict=True)))
    return found


def _nearest(pence: Decimal) -> int:
    return int(pence.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _cut_off(pence: Decimal) -> int:
    return int(pence.quantize(Decimal(1), rounding=ROUND_FLOOR))
