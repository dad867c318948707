"""Exact arithmetic of the stand-in: whole pence, half up."""

from decimal import ROUND_HALF_UP, Decimal

from schemas.money import vat_in_gross


def half_up(pence: Decimal) -> int:
    """Return an amount in pence as whole pence, rounded half up (away from zero)."""
    return int(pence.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def vat_on_net(net_pence: int, rate_percent: Decimal) -> int:
    """Return the VAT to add to a net amount, rounded half up."""
    return half_up(Decimal(net_pence) * rate_percent / 100)


def part_of(total_pence: int, before: int, units: int, of: int) -> int:
    """Return what `units` out of `of` carry of a total after `before` units; all parts together give the total."""
    return half_up(Decimal(total_pence) * (before + units) / of) - half_up(Decimal(total_pence) * before / of)


def spread_vat(amounts: list[int], rate_percent: Decimal, *, amounts_are_net: bool) -> list[int]:
    """Return VAT for each of several amounts at one rate so that the sum is the VAT of their total."""
    vat_of = vat_on_net if amounts_are_net else vat_in_gross
    running = before = 0
    shares = []
    for amount in amounts:
        running += amount
        so_far = vat_of(running, rate_percent)
        shares.append(so_far - before)
        before = so_far
    return shares
