"""Invoices: part or all of an order; shipping and its VAT go on the first one."""

import json
from decimal import Decimal
from typing import Any

from sandbox.magento import fields, inventory, orders
from sandbox.magento.errors import Refusal, document_refused, no_entity
from sandbox.magento.figures import CarriedRounding, exact, number
from sandbox.magento.search import answer, find
from sandbox.magento.shipments import (
    asked_lines,
    document_comment,
    next_increment,
    send_email,
    shipping_address_id,
)
from sandbox.magento.shop import DEFAULT_SOURCE, Call

KIND = "invoice"
BASES = ("", "base_")
Document = dict[str, Any]
Amounts = dict[str, Decimal]


def search(call: Call) -> dict[str, Any]:
    """GET /V1/invoices"""
    criteria = call.criteria()
    found, total = find(call.shop.store, fields.documents(KIND), criteria)
    return answer([json.loads(text) for text in found], criteria, total)


def read(call: Call) -> Document:
    """GET /V1/invoices/:id"""
    document = call.shop.store.document(KIND, call.number("id"))
    if document is None:
        raise no_entity()
    return document


def invoice(call: Call) -> str:
    """POST /V1/order/:id/invoice: the new invoice's id, as text; without lines everything that is left."""
    order = orders.get(call.shop, call.number("id"))
    before = orders.get(call.shop, order["entity_id"])
    units = _units(order, call.optional("items"))
    _check(order, units)
    document = _document(call, order, units)
    call.shop.store.keep_document(KIND, document)
    _book(order, document)
    orders.settle_state(order, in_process=True)
    orders.change(call.shop, order, call.operation, before)
    virtual = [(line["sku"], quantity) for line, quantity in units if line.get("is_virtual")]
    if virtual and inventory.take_from_source(call.shop, DEFAULT_SOURCE, virtual):
        inventory.reserve(call.shop, order, virtual, "invoice_created")
    if call.optional("notify"):
        send_email(call.shop, KIND, document)
    if call.optional("capture"):
        statement = "insert into captures (increment_id, invoice_id) values (?, ?)"
        call.shop.store.write(statement, order["increment_id"], document["entity_id"])
    return str(document["entity_id"])


def stored_row_total(line: orders.Line, base: str = "") -> Decimal:
    """Return the row total as the database holds it: REST shows it less the discount, and never below 0."""
    shown, discount = exact(line[f"{base}row_total"]), exact(line.get(f"{base}discount_amount"))
    if shown or not discount:
        return shown + discount
    gross = exact(line.get(f"{base}row_total_incl_tax"))
    if gross:
        compensation = exact(line.get(f"{base}discount_tax_compensation_amount"))
        return gross + discount - exact(line.get(f"{base}tax_amount")) - compensation
    return exact(line[f"{base}price"]) * exact(line["qty_ordered"])


def stored_row_total_incl_tax(line: orders.Line, base: str = "") -> Decimal:
    """Return the gross row total before discount."""
    shown = exact(line.get(f"{base}row_total_incl_tax"))
    if shown:
        return shown + exact(line.get(f"{base}discount_amount"))
    return exact(line.get(f"{base}price_incl_tax")) * exact(line["qty_ordered"])


def _units(order: orders.Order, items: Any) -> list[tuple[orders.Line, Decimal]]:
    asked = asked_lines(items)
    units = []
    for line in orders.top_lines(order):
        left = orders.to_invoice(line)
        if asked and line["item_id"] not in asked:
            continue
        quantity = exact(asked[line["item_id"]]) if asked else left
        if quantity > left:
            raise Refusal(400, 'We found an invalid quantity to invoice item "%1".', [line["name"]])
        if quantity > 0:
            units.append((line, quantity))
    return units


def _check(order: orders.Order, units: list[tuple[orders.Line, Decimal]]) -> None:
    reasons = []
    if not units:
        reasons.append("The invoice can't be created without products. Add products and try again.")
    if order["state"] in ("canceled", "holded"):
        reasons.append(f"An invoice cannot be created when an order has a status of {order['status']}")
    elif not orders.can_invoice(order):
        reasons.append("The order does not allow an invoice to be created.")
    if reasons:
        raise document_refused("Invoice", reasons)


def _document(call: Call, order: orders.Order, units: list[tuple[orders.Line, Decimal]]) -> Document:
    shop, now = call.shop, call.shop.now()
    entity_id = shop.store.next_id(KIND)
    lines: list[Document] = []
    sums: Amounts = {}
    for base in BASES:
        carried = CarriedRounding()
        rows = [_row(line, quantity, base, carried) for line, quantity in units]
        for place, row in enumerate(rows):
            if base == "":
                lines.append({})
            lines[place].update(row)
            for name, amount in row.items():
                sums[name] = sums.get(name, Decimal(0)) + amount
    items = []
    for (line, quantity), row in zip(units, lines, strict=True):
        items.append(_item(call, entity_id, line, quantity, row))
        for child in orders.children(order, line):
            items.append(_child_item(call, entity_id, child, quantity))
    document: Document = {
        "base_currency_code": order["base_currency_code"],
        "billing_address_id": order["billing_address_id"],
        "can_void_flag": 0,
        "created_at": now,
        **({"email_sent": 1} if call.optional("notify") else {}),
        "entity_id": entity_id,
        "increment_id": next_increment(shop, KIND, order["store_id"]),
        "order_id": order["entity_id"],
        "state": 2,
        "store_id": order["store_id"],
        "total_qty": number(sum((exact(item["qty"]) for item in items), Decimal(0))),
        "updated_at": now,
        "items": items,
        **copied(order),
    }
    if shipping_address_id(order) is not None:
        document["shipping_address_id"] = shipping_address_id(order)
    first = "shipping_invoiced" not in order
    for base in BASES:
        document.update(_totals(order, sums, base, with_shipping=first))
    document["comments"] = document_comment(call, document, "invoice comment")
    return document


def copied(order: orders.Order) -> Document:
    """Return what invoices and credit memos take over from their order: currencies, rates and the coupon."""
    names = [
        "base_currency_code",
        "base_to_global_rate",
        "base_to_order_rate",
        "discount_description",
        "global_currency_code",
        "order_currency_code",
        "store_currency_code",
        "store_to_base_rate",
        "store_to_order_rate",
    ]
    return {name: order[name] for name in names if name in order}


def _row(line: orders.Line, quantity: Decimal, base: str, carried: CarriedRounding) -> Amounts:
    left = orders.to_invoice(line)
    last, ordered = quantity == left, exact(line["qty_ordered"])

    def share(whole: Decimal, done: str) -> Decimal:
        rest = whole - exact(line.get(base + done))
        return rest if last else carried(rest * quantity / left)

    return {
        f"{base}row_total": share(stored_row_total(line, base), "row_invoiced"),
        f"{base}row_total_incl_tax": carried(stored_row_total_incl_tax(line, base) * quantity / ordered, "gross"),
        f"{base}discount_amount": share(exact(line.get(f"{base}discount_amount")), "discount_invoiced"),
        f"{base}tax_amount": share(exact(line.get(f"{base}tax_amount")), "tax_invoiced"),
        f"{base}discount_tax_compensation_amount": share(
            exact(line.get(f"{base}discount_tax_compensation_amount")), "discount_tax_compensation_invoiced"
        ),
    }


def _item(call: Call, parent_id: int, line: orders.Line, quantity: Decimal, row: Amounts) -> Document:
    amounts = {name: number(amount) for name, amount in row.items() if amount or not name.endswith("discount_amount")}
    prices = ("price", "price_incl_tax", "base_price", "base_price_incl_tax")
    return amounts | {name: line[name] for name in prices} | _child_item(call, parent_id, line, quantity)


def _child_item(call: Call, parent_id: int, line: orders.Line, quantity: Decimal) -> Document:
    return {
        "base_price": line["base_price"],
        "entity_id": call.shop.store.next_id("invoice item"),
        "name": line["name"],
        "parent_id": parent_id,
        "price": line["price"],
        "product_id": line.get("product_id"),
        "sku": line["sku"],
        "order_item_id": line["item_id"],
        "qty": number(quantity),
    }


def _totals(order: orders.Order, sums: Amounts, base: str, *, with_shipping: bool) -> Document:
    def summed(name: str) -> Decimal:
        return sums.get(base + name, Decimal(0))

    subtotal, tax, discount = summed("row_total"), summed("tax_amount"), -summed("discount_amount")
    compensation = summed("discount_tax_compensation_amount")
    totals: dict[str, Decimal] = {
        "subtotal": subtotal,
        "subtotal_incl_tax": summed("row_total_incl_tax"),
        "discount_tax_compensation_amount": compensation,
    }
    grand_total = subtotal + compensation
    if with_shipping:
        amount, shipping_tax = exact(order[f"{base}shipping_amount"]), exact(order[f"{base}shipping_tax_amount"])
        short = "amnt" if base else "amount"
        kept = f"shipping_discount_tax_compensation_{short}"
        tax += shipping_tax
        discount -= exact(order.get(f"{base}shipping_discount_amount"))
        grand_total += amount + exact(order.get(base + kept))
        totals |= {
            "shipping_amount": amount,
            "shipping_tax_amount": shipping_tax,
            "shipping_incl_tax": exact(order.get(f"{base}shipping_incl_tax")),
            kept: exact(order.get(base + kept)),
        }
    totals |= {"tax_amount": tax, "discount_amount": discount, "grand_total": grand_total + tax + discount}
    return {base + name: number(amount) for name, amount in totals.items()}


def _book(order: orders.Order, document: Document) -> None:
    by_id = {line["item_id"]: line for line in order["items"]}
    done = {
        "row_total": "row_invoiced",
        "tax_amount": "tax_invoiced",
        "discount_amount": "discount_invoiced",
        "discount_tax_compensation_amount": "discount_tax_compensation_invoiced",
    }
    for line in orders.top_lines(order):
        line["weee_tax_applied"] = "[]"
    for item in document["items"]:
        line = by_id[item["order_item_id"]]
        line["qty_invoiced"] = number(exact(line["qty_invoiced"]) + exact(item["qty"]))
        line["updated_at"] = document["updated_at"]
        if "parent_item_id" in line:
            continue
        for base in BASES:
            for name, counter in done.items():
                add(line, base + counter, item.get(base + name))
    for base in BASES:
        names = ("subtotal", "tax_amount", "discount_amount", "discount_tax_compensation_amount", "shipping_amount")
        for name in names:
            if base + name in document:
                add(order, base + name.removesuffix("_amount") + "_invoiced", document[base + name])
        add(order, f"{base}total_invoiced", document[f"{base}grand_total"])
        add(order, f"{base}total_paid", document[f"{base}grand_total"])
        order[f"{base}total_due"] = number(exact(order[f"{base}grand_total"]) - exact(order[f"{base}total_paid"]))
        add(order["payment"], f"{base}amount_paid", document[f"{base}grand_total"])
        if f"{base}shipping_amount" in document:
            add(order["payment"], f"{base}shipping_captured", document[f"{base}shipping_amount"])
    order["base_total_invoiced_cost"] = order.get("base_total_invoiced_cost", 0)


def add(held: Document, name: str, amount: Any) -> None:
    """Add an amount to a counter of a document, which appears with its first value."""
    held[name] = number(exact(held.get(name)) + exact(amount))
