"""Orders of every kind through the pure line: the sums agree to the penny, or the order is held under the right code.

10,000 orders of a generated world (`tests/order_world.py`) and carts that hypothesis makes up. The same world through
both stand-ins, over HTTP, is `tests/flows/test_order_world.py`.
"""

from collections import Counter
from decimal import Decimal
from itertools import islice
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.magento.carts import Cart
from sandbox.world.catalogue import make_catalogue
from schemas.batches import rows_of, totals_of
from schemas.documents import SalesOrder, StockTuple
from schemas.items import ItemIndex
from schemas.money import to_pence
from schemas.reasons import REASONS
from schemas.rules import DeliveryRule, OrderRules, PaymentRule, StoreRule, VatPeriod
from tasks import validate
from tasks.decide import orders as decide
from tasks.normalise import orders as normalise
from tests.builders import order_rules
from tests.order_world import Order, carts, document, on_the_wire, spoilt_world, world_orders

SEED, COUNT, BATCH = 20261123, 10_000, 500
RATES = {"GB": (20, 5, 0), "IM": (20, 5, 0), "IE": (23, "13.5", 0), "DE": (19, 7), "FR": (20, "5.5")}


def rules() -> OrderRules:
    """Return rules that import all that the world's customers order."""
    return order_rules(
        stores={number: StoreRule(f"store{number}", True, "MailOrder", "") for number in (1, 3, 4)},
        payments={
            code: PaymentRule("CSH", code, "NONE", "CASH", "always")
            for code in ("checkmo", "banktransfer", "purchaseorder", "free")
        },
        deliveries={
            code: DeliveryRule("STD48", "", "")
            for code in ("flatrate_flatrate", "freeshipping_freeshipping", "tablerate_bestway")
        },
        vat_rates={
            country: [VatPeriod(frozenset(Decimal(rate) for rate in found))] for country, found in RATES.items()
        },
    )


def test_10_000_orders_are_to_be_posted_with_equal_totals_or_are_exceptions_with_the_right_code() -> None:
    catalogue = make_catalogue(SEED)
    items = ItemIndex((variant.sku, StockTuple(variant.sku)) for variant in catalogue)
    world = spoilt_world(world_orders(catalogue, SEED, COUNT))
    ended: Counter[str] = Counter()
    pence: Counter[str] = Counter()
    while batch := list(islice(world, BATCH)):
        frames = normalise.orders([order for order, _ in batch])
        checked = validate.check_orders.fn(frames)
        plan = decide.orders(checked.accepted, frames, items, {}, rules())
        codes = {note.order_number: note.code for note in (*decide.rejected(checked.rejected), *plan.exceptions)}
        to_post = {order.order_number: order for order in plan.to_post}
        for order, code in batch:
            number = order["increment_id"]
            assert codes.get(number, "") == code, f"order {number} of seed {SEED}"
            assert (number in to_post) is (not code)
            if not code:
                assert_equal_totals(order, to_post[number])
            kind = "accepted" if not code else "left out" if REASONS[code].severity == "info" else "exception"
            ended[kind] += 1
            pence[kind] += to_pence(order["grand_total"])
        assert totals_of(frames.orders).gross_pence == sum(to_pence(order["grand_total"]) for order, _ in batch)
        ended["fetched"] += len(frames.orders)
        pence["fetched"] += totals_of(frames.orders).gross_pence
    for sums in (ended, pence):
        assert sums["fetched"] == sums["accepted"] + sums["exception"] + sums["left out"]
    assert ended["fetched"] == COUNT
    assert ended["accepted"] > COUNT * 4 / 5


def assert_equal_totals(order: Order, posted: SalesOrder) -> None:
    """Compare what PRIMA is to get with what Magento charged: the whole, and lines and delivery against the whole."""
    assert (posted.gross_pence, posted.vat_pence) == (to_pence(order["grand_total"]), to_pence(order["tax_amount"]))
    assert posted.net_pence + posted.vat_pence == posted.gross_pence
    for name in ("net_pence", "vat_pence", "gross_pence"):
        in_lines = sum(getattr(line, name) for line in posted.lines)
        assert in_lines + getattr(posted, f"delivery_{name}") == getattr(posted, name)


@settings(max_examples=150, deadline=None)
@given(cart=carts, amounts=st.sampled_from(["order", "base"]))
def test_lines_and_delivery_tax_table_and_header_agree_however_vat_and_discount_are_worked_out(
    cart: Cart, amounts: Literal["order", "base"]
) -> None:
    made = document(cart, 101)
    if made is None:
        return
    order = on_the_wire(made)
    prefix = "base_" if amounts == "base" else ""

    frames = normalise.orders([order], amounts)
    checked = validate.check_orders.fn(frames)

    assert checked.rejected.empty, checked.rejected[["reason", "detail"]].to_dict("records")
    (row,) = rows_of(checked.accepted)
    lines = rows_of(frames.lines)
    gross, vat = to_pence(order[f"{prefix}grand_total"]), to_pence(order[f"{prefix}tax_amount"])
    assert (row["gross_pence"], row["header_gross_pence"], row["applied_vat_pence"]) == (gross, gross, vat)
    assert sum(line["vat_pence"] for line in lines) + row["delivery_vat_pence"] == vat
    assert sum(line["gross_pence"] for line in lines) + row["delivery_gross_pence"] + row["floored_pence"] == gross
    assert all(line["net_pence"] + line["vat_pence"] == line["gross_pence"] for line in lines)
    assert sorted(line["quantity"] for line in lines) == sorted(line.quantity for line in cart.lines)
