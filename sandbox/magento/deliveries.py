"""Delivery methods of the shop and what they cost, as the recorded shop had them."""

from dataclasses import dataclass
from decimal import Decimal

FLAT_RATE = "flatrate_flatrate"
TABLE_RATE = "tablerate_bestway"
FREE = "freeshipping_freeshipping"

DESCRIPTIONS = {
    FLAT_RATE: "Flat Rate - Fixed",
    TABLE_RATE: "Best Way - Table Rate",
    FREE: "Free Shipping - Free",
}


@dataclass(frozen=True, slots=True)
class _Step:
    from_value: Decimal
    price: Decimal


# Net goods after discount decide the step within Great Britain; everywhere else costs the same.
_HOME_STEPS = (
    _Step(Decimal(100), Decimal(0)),
    _Step(Decimal(50), Decimal("2.49")),
    _Step(Decimal(0), Decimal("4.95")),
)
_ABROAD = Decimal("14.99")


def delivery_price(method: str, goods_net_after_discount: Decimal, country: str) -> Decimal:
    """Return the price of a delivery as entered in the shop's settings; raises KeyError for an unknown method."""
    if method == TABLE_RATE:
        if country != "GB":
            return _ABROAD
        return next(step.price for step in _HOME_STEPS if goods_net_after_discount >= step.from_value)
    return {FLAT_RATE: Decimal("3.95"), FREE: Decimal(0)}[method]
