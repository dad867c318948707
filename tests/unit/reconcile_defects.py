"""The kinds of defects of `reconcile_world`: each plants one order and writes down what must be found."""

from datetime import timedelta

from tasks.reconcile.inputs import LedgerOrder
from tests.unit.reconcile_cases import NOON, READ_AT, Line
from tests.unit.reconcile_world import (
    VERIFIED_AT,
    Kind,
    World,
    carried,
    on_net,
    row_vat,
    total_vat,
    unit_vat,
    vat_by_row,
    vat_by_unit,
    vat_down,
    with_vat,
)


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


KINDS: tuple[Kind, ...] = (
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
