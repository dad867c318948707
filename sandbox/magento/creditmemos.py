"""Credit memos: goods, shipping and adjustments, and what goes back to stock."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.magento import fields, inventory, invoices, orders
from sandbox.magento.errors import Refusal, document_refused, no_entity
from sandbox.magento.figures import CarriedRounding, cents, exact, number, price_text
from sandbox.magento.invoices import BASES, Amounts, Document, add
from sandbox.magento.search import answer, find
from sandbox.magento.shipments import (
    asked_lines,
    document_comment,
    next_increment,
    send_email,
    shipping_address_id,
)
from sandbox.magento.shop import DEFAULT_SOURCE, Call

KIND = "creditmemo"
Units = list[tuple[orders.Line, Decimal]]


@dataclass(frozen=True)
class Extras:
    """What is refunded beside goods, in order currency: the share of shipping, and two adjustments."""

    shipping_share: Decimal
    positive: Decimal
    negative: Decimal


def search(call: Call) -> dict[str, Any]:
    """GET /V1/creditmemos"""
    criteria = call.criteria()
    found, total = find(call.shop.store, fields.documents(KIND), criteria)
    return answer([json.loads(text) for text in found], criteria, total)


def read(call: Call) -> Document:
    """GET /V1/creditmemo/:id"""
    document = call.shop.store.document(KIND, call.number("id"))
    if document is None:
        raise no_entity()
    return document


def refund_invoice(call: Call) -> str:
    """POST /V1/invoice/:id/refund: not possible for offline payment methods, the only ones here."""
    if call.shop.store.document(invoices.KIND, call.number("id")) is None:
        raise no_entity()
    raise document_refused("Creditmemo", ["We can't create creditmemo for the invoice."])


def refund(call: Call) -> str:
    """POST /V1/order/:id/refund: the new credit memo's id, as text.

    Without lines everything is refunded; without `shipping_amount` all of the shipping that is left.
    """
    order = orders.get(call.shop, call.number("id"))
    before = orders.get(call.shop, order["entity_id"])
    given = call.optional("arguments") or {}
    units = _units(order, call.optional("items"))
    document = _document(call, order, units, _extras(call, order, given))
    _note_adjustments(order, document, given)
    _check_total(order, document)
    returned = set((given.get("extension_attributes") or {}).get("return_to_stock_items") or [])
    _restock(call, order, units, {int(line) for line in returned})
    call.shop.store.keep_document(KIND, document)
    _book(order, document)
    orders.settle_state(order, in_process=False)
    amount = price_text(exact(document["base_grand_total"]), order["base_currency_code"])
    entry = {"comment": f"We refunded {amount} offline.", "entity_name": KIND}
    orders.add_history(call.shop, order, entry, status=order["status"])
    orders.change(call.shop, order, call.operation, before)
    if call.optional("notify"):
        send_email(call.shop, KIND, document)
    return str(document["entity_id"])


def _units(order: orders.Order, items: Any) -> Units:
    asked = asked_lines(items)
    units = []
    for line in orders.top_lines(order):
        left = orders.to_refund(line)
        if asked and line["item_id"] not in asked:
            continue
        quantity = exact(asked[line["item_id"]]) if asked else left
        if quantity > left:
            if not exact(line["qty_invoiced"]):
                said = "The quantity to refund must not be greater than the unrefunded quantity."
                raise document_refused("Creditmemo", [said])
            raise Refusal(400, 'We found an invalid quantity to refund item "%1".', [line["name"]])
        if quantity > 0:
            units.append((line, quantity))
    if not exact(order.get("total_paid")) and exact(order["grand_total"]):
        said = "The quantity to refund must not be greater than the unrefunded quantity."
        raise document_refused("Creditmemo", [said])
    return units


def _extras(call: Call, order: orders.Order, given: dict[str, Any]) -> Extras:
    whole = exact(order.get("shipping_amount"))
    left = exact(order.get("shipping_invoiced")) - exact(order.get("shipping_refunded"))
    share = left / whole if whole else Decimal(0)
    asked = given.get("shipping_amount")
    if asked is not None and call.shop.settings.shipping_shown_with_tax:
        whole = exact(order.get("shipping_incl_tax"))
        left = cents(whole * share)
    if asked is not None:
        if exact(asked) > left:
            said = "Maximum shipping amount allowed to refund is: %1"
            raise Refusal(400, said, [price_text(left, order["order_currency_code"])])
        share = exact(asked) / whole if whole else Decimal(0)
    return Extras(share, exact(given.get("adjustment_positive")), exact(given.get("adjustment_negative")))


def _check_total(order: orders.Order, document: Document) -> None:
    left = exact(order.get("base_total_paid")) - exact(order.get("base_total_refunded"))
    if exact(document["base_grand_total"]) > left:
        shown = price_text(left, order["base_currency_code"])
        raise Refusal(400, "The most money available to refund is %1.", [shown])


def _document(call: Call, order: orders.Order, units: Units, extras: Extras) -> Document:
    shop, now = call.shop, call.shop.now()
    entity_id = shop.store.next_id(KIND)
    rows: list[Amounts] = [{} for _ in units]
    for base in BASES:
        carried = CarriedRounding()
        for row, (line, quantity) in zip(rows, units, strict=True):
            row.update(_row(line, quantity, base, carried))
    items = []
    for (line, quantity), row in zip(units, rows, strict=True):
        items.append(_item(call, entity_id, line, quantity, row))
        items += [_child_item(call, entity_id, child, quantity) for child in orders.children(order, line)]
    document: Document = {
        "billing_address_id": order["billing_address_id"],
        "created_at": now,
        **({"email_sent": 1} if call.optional("notify") else {}),
        "entity_id": entity_id,
        "increment_id": next_increment(shop, KIND, order["store_id"]),
        "order_id": order["entity_id"],
        "state": 2,
        "store_id": order["store_id"],
        "updated_at": now,
        "items": items,
        **invoices.copied(order),
    }
    if shipping_address_id(order) is not None:
        document["shipping_address_id"] = shipping_address_id(order)
    for base in BASES:
        document.update(_totals(order, rows, extras, base))
    document["comments"] = document_comment(call, document, "creditmemo comment")
    return document


def _note_adjustments(order: orders.Order, document: Document, given: dict[str, Any]) -> None:
    names = ("adjustment_positive", "adjustment_negative")
    if any(given.get(name) is not None for name in names):
        for base in BASES:
            document |= {base + name: number(_in_base(order, exact(given.get(name)), base)) for name in names}


def _row(line: orders.Line, quantity: Decimal, base: str, carried: CarriedRounding) -> Amounts:
    left = orders.to_refund(line)
    ordered = exact(line["qty_ordered"])

    def share(booked: str, done: str) -> Decimal:
        rest = exact(line.get(f"{base}{booked}")) - exact(line.get(f"{base}{done}"))
        return rest if quantity == left else carried(rest * quantity / left)

    gross = invoices.stored_row_total_incl_tax(line, base) * quantity / ordered
    compensation = "discount_tax_compensation_amount"
    return {
        f"{base}row_total": share("row_invoiced", "amount_refunded"),
        f"{base}row_total_incl_tax": carried(gross, "gross"),
        f"{base}discount_amount": share("discount_invoiced", "discount_refunded"),
        f"{base}tax_amount": share("tax_invoiced", "tax_refunded"),
        f"{base}{compensation}": share("discount_tax_compensation_invoiced", "discount_tax_compensation_refunded"),
    }


def _item(call: Call, parent_id: int, line: orders.Line, quantity: Decimal, row: Amounts) -> Document:
    amounts = {name: number(amount) for name, amount in row.items() if amount or not name.endswith("discount_amount")}
    prices = {name: line[name] for name in ("price", "price_incl_tax", "base_price", "base_price_incl_tax")}
    weee = {"base_weee_tax_row_disposition": 0, "weee_tax_applied": "[]", "weee_tax_applied_row_amount": 0}
    weee["weee_tax_row_disposition"] = 0
    return amounts | prices | weee | _child_item(call, parent_id, line, quantity)


def _child_item(call: Call, parent_id: int, line: orders.Line, quantity: Decimal) -> Document:
    return {
        "base_cost": None,
        "base_price": line["base_price"],
        "entity_id": call.shop.store.next_id("creditmemo item"),
        "name": line["name"],
        "order_item_id": line["item_id"],
        "parent_id": parent_id,
        "price": line["price"],
        "product_id": line.get("product_id"),
        "qty": number(quantity),
        "sku": line["sku"],
    }


def _totals(order: orders.Order, rows: list[Amounts], extras: Extras, base: str) -> Document:
    def summed(name: str) -> Decimal:
        return sum((row[base + name] for row in rows), Decimal(0))

    shipping = _shipping(order, extras.shipping_share, base)
    subtotal, compensation = summed("row_total"), summed("discount_tax_compensation_amount")
    tax = summed("tax_amount") + shipping["shipping_tax_amount"]
    discount = -summed("discount_amount") - shipping.pop("discount")
    compensation += shipping.pop("compensation")
    adjustment = _in_base(order, extras.positive, base) - _in_base(order, extras.negative, base)
    totals = shipping | {
        "adjustment": adjustment,
        "subtotal": subtotal,
        "subtotal_incl_tax": summed("row_total_incl_tax"),
        "discount_tax_compensation_amount": compensation,
        "discount_amount": discount,
        "tax_amount": tax,
        "grand_total": subtotal + compensation + tax + discount + shipping["shipping_amount"] + adjustment,
    }
    return {base + name: number(amount) for name, amount in totals.items()}


def _shipping(order: orders.Order, share: Decimal, base: str) -> Amounts:
    def part(name: str) -> Decimal:
        return cents(exact(order.get(base + name)) * share)

    short = "amnt" if base else "amount"
    return {
        "shipping_amount": part("shipping_amount"),
        "shipping_tax_amount": part("shipping_tax_amount"),
        "shipping_incl_tax": part("shipping_incl_tax"),
        "discount": part("shipping_discount_amount"),
        "compensation": part(f"shipping_discount_tax_compensation_{short}"),
    }


def _in_base(order: orders.Order, amount: Decimal, base: str) -> Decimal:
    """Adjustments are given in base currency; the order currency's figure follows by the order's rate."""
    return amount if base else cents(amount * (exact(order.get("base_to_order_rate")) or 1))


def _restock(call: Call, order: orders.Order, units: Units, returned: set[int]) -> None:
    """Undo reservations of units that never shipped, and put back what the request names.

    Units that were invoiced and not shipped are refunded first. Unless they are returned to stock they leave the
    source, as if they had been shipped.
    """
    released, back = [], []
    for line, quantity in units:
        done = exact(line["qty_invoiced"]) if line.get("is_virtual") else exact(line["qty_shipped"])
        waiting = max(exact(line["qty_invoiced"]) - exact(line["qty_refunded"]) - done, Decimal(0))
        unshipped = min(quantity, waiting)
        released.append((line["sku"], unshipped))
        if line["item_id"] in returned:
            back.append((line["sku"], quantity - unshipped))
        else:
            back.append((line["sku"], -unshipped))
    for sku, quantity in back:
        held = inventory.source_quantity(call.shop, sku, DEFAULT_SOURCE)
        if quantity and held is not None:
            inventory.set_source_item(call.shop, sku, DEFAULT_SOURCE, held + quantity, int(held + quantity > 0))
    inventory.reserve(call.shop, order, released, "creditmemo_created")


def _book(order: orders.Order, document: Document) -> None:
    by_id = {line["item_id"]: line for line in order["items"]}
    counters = {
        "row_total": "amount_refunded",
        "tax_amount": "tax_refunded",
        "discount_amount": "discount_refunded",
        "discount_tax_compensation_amount": "discount_tax_compensation_refunded",
    }
    for item in document["items"]:
        line = by_id[item["order_item_id"]]
        add(line, "qty_refunded", item["qty"])
        line["updated_at"] = document["updated_at"]
        for base in BASES:
            add(line, f"{base}discount_tax_compensation_invoiced", 0)  # appears on child lines with a refund
            for name, counter in counters.items():
                add(line, base + counter, item.get(base + name))
    for base in BASES:
        _book_totals(order, document, base, lambda counter, amount: add(order, counter, amount))


def _book_totals(order: orders.Order, document: Document, base: str, count: Callable[[str, Any], None]) -> None:
    names = ["subtotal", "tax_amount", "discount_amount", "discount_tax_compensation_amount", "shipping_amount"]
    for name in names:
        count(base + name.removesuffix("_amount") + "_refunded", document[base + name])
    count(f"{base}shipping_tax_refunded", document[f"{base}shipping_tax_amount"])
    for sign in ("positive", "negative"):
        count(f"{base}adjustment_{sign}", document.get(f"{base}adjustment_{sign}"))
    total = document[f"{base}grand_total"]
    count(f"{base}total_refunded", total)
    count(f"{base}total_offline_refunded", total)
    add(order["payment"], f"{base}amount_refunded", total)
    add(order["payment"], f"{base}shipping_refunded", document[f"{base}shipping_amount"])
