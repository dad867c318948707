"""A world of orders: every kind of cart that a shop can have, what it becomes, and faults with the code each ends in.

Carts come from hypothesis, or from the trading world's customers without a shop around them.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from sandbox.magento.carts import (
    Algorithm,
    Cart,
    CartLine,
    Coupon,
    CouponAction,
    Customer,
    Ids,
    PostalAddress,
    TaxSettings,
    order_document,
)
from sandbox.magento.totals import collect_totals
from sandbox.world.catalogue import Catalogue
from sandbox.world.shopping import Customers

Order = dict[str, Any]
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
# Every so manieth order of a spoilt world is spoilt, with one fault after the other.
ONE_IN = 9
CUSTOMER = Customer("Ada", "Example", "ada@shop.example")
# Every way in which Magento can work out VAT and discounts.
TAX_SETTINGS = tuple(
    TaxSettings(algorithm, prices, delivery, after, on_gross)
    for algorithm in Algorithm
    for prices in (True, False)
    for delivery in (True, False)
    for after in (True, False)
    for on_gross in (True, False)
)

prices = st.integers(min_value=0, max_value=50_000).map(lambda pence: Decimal(pence) / 100)
cart_lines = st.lists(
    st.builds(
        CartLine,
        sku=st.text("ABCDEFGH", min_size=1, max_size=2),
        quantity=st.integers(min_value=1, max_value=200),
        catalogue_price=prices,
        name=st.just("Goods"),
        vat_class=st.sampled_from(["standard", "reduced", "zero"]),
        product_type=st.sampled_from(["simple", "configurable"]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda line: line.sku,
)
coupons = st.none() | st.builds(
    Coupon,
    code=st.just("ANY"),
    action=st.sampled_from(CouponAction),
    amount=st.integers(min_value=0, max_value=10_000).map(lambda pence: Decimal(pence) / 100),
    step=st.integers(min_value=1, max_value=3),
    applies_to_shipping=st.booleans(),
)
carts = st.builds(
    Cart,
    lines=cart_lines.map(tuple),
    customer=st.just(CUSTOMER),
    address=st.sampled_from(["GB", "IM", "IE", "DE", "FR", "US"]).map(
        lambda country: PostalAddress("Ada", "Example", ("1 Sample Street",), "Sampletown", "ZZ1 1ZZ", country)
    ),
    settings=st.sampled_from(TAX_SETTINGS),
    coupon=coupons,
    shipping_price=prices,
    store_id=st.sampled_from([1, 3, 4]),
)


def document(cart: Cart, number: int, at: datetime = NOON) -> Order | None:
    """Return the order that a cart becomes, under a number; None for a total below zero, which Magento refuses."""
    total = collect_totals(cart).order.grand_total
    if total < 0:
        return None
    if total == 0:
        cart = replace(cart, payment_method="free", purchase_order_number="")
    elif cart.payment_method == "free":
        cart = replace(cart, payment_method="checkmo")
    first = number * 100
    return order_document(cart, Ids(number, f"{number:09d}", number, first, first, first, first, first), at)


def world_orders(catalogue: Catalogue, seed: int, count: int, until: datetime = NOON) -> Iterator[Order]:
    """Yield orders of the trading world's customers, each under tax settings and a moment of its own.

    Every way of working out VAT comes up, and quantities up to 200 units a line. Stock has no end here.
    """
    dice = random.Random(f"{seed}:orders")
    customers = [Customers(catalogue, seed=seed, settings=each, abroad=0.1) for each in TAX_SETTINGS]
    number, made = 0, 0
    while made < count:
        number += 1
        cart = customers[number % len(customers)].cart(number, None, lambda _: Decimal(1_000))
        if cart is None:
            continue
        if dice.random() < 0.1:
            lines = tuple(replace(line, quantity=dice.randint(1, 200)) for line in cart.lines)
            cart = replace(cart, lines=lines)
        order = document(cart, number, until - timedelta(seconds=7 * number))
        if order is not None:
            made += 1
            yield order


def on_the_wire(order: Order) -> Order:
    """Return an order as it comes from REST: amounts as JSON numbers, read as Decimal."""
    return dict(json.loads(json.dumps(order), parse_float=Decimal))


@dataclass(frozen=True)
class Fault:
    """How an order is spoilt, and the code that it must be held or left out under."""

    code: str
    spoil: Callable[[Order], object]


FAULTS = (
    Fault("SKU_CASE", lambda order: order["items"][0].update(sku=order["items"][0]["sku"].lower())),
    Fault("SKU_UNKNOWN", lambda order: order["items"][0].update(sku="NEVER-HEARD-OF")),
    Fault("TOTALS_DISAGREE", lambda order: order.update(grand_total=order["grand_total"] + Decimal("0.01"))),
    Fault("ROW_REJECTED", lambda order: order["items"][0].update(qty_ordered=Decimal("1.5"))),
    Fault("ORDER_CANCELLED", lambda order: order.update(state="canceled")),
    Fault("ORDER_ON_HOLD", lambda order: order.update(state="holded")),
    Fault("STORE_UNMAPPED", lambda order: order.update(store_id=77)),
    Fault("PAYMENT_UNMAPPED", lambda order: order["payment"].update(method="new_wallet")),
    Fault("ADDRESS_INCOMPLETE", lambda order: order["billing_address"].update(city="")),
)


def spoilt_world(orders: Iterator[Order]) -> Iterator[tuple[Order, str]]:
    """Yield each order as it comes over the wire, with the code that it must end in; none for one left as it is."""
    for place, order in enumerate(map(on_the_wire, orders)):
        fault = FAULTS[place // ONE_IN % len(FAULTS)] if place % ONE_IN == 0 else None
        if fault is not None:
            fault.spoil(order)
        yield order, fault.code if fault else ""


def plain(order: Order) -> Order:
    """Return an order with numbers as the Magento stand-in keeps them."""
    return dict(json.loads(json.dumps(order, default=float)))
