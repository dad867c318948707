"""Orders: reading, searching, comments, hold, cancel and the save that takes a status and an outside number."""

import json
from decimal import Decimal
from typing import Any

from sandbox.magento import fields, inventory
from sandbox.magento.errors import Refusal, no_entity
from sandbox.magento.figures import exact, number, php_json, stored_text
from sandbox.magento.search import answer, find
from sandbox.magento.shop import Call, Shop

DEFAULT_STATUS = {"new": "pending"}
Order = dict[str, Any]
Line = dict[str, Any]

_COLUMNS = [
    "entity_id",
    "increment_id",
    "store_id",
    "state",
    "status",
    "created_at",
    "updated_at",
    "customer_email",
    "ext_order_id",
    "document",
]
_LINE_COLUMNS = [
    "item_id",
    "order_id",
    "parent_item_id",
    "store_id",
    "sku",
    "name",
    "product_type",
    "created_at",
    "updated_at",
]


def get(shop: Shop, entity_id: int) -> Order:
    """Return the document of an order; Refusal 404 when there is none."""
    text = shop.store.value("select document from orders where entity_id = ?", entity_id)
    if text is None:
        raise no_entity()
    return dict(json.loads(text))


def keep(shop: Shop, order: Order) -> None:
    """Insert or replace an order's document, its repeated parts brought in line, with what is searched of it."""
    _copy_lines(order)
    keep_as_is(shop, order, php_json(order))


def keep_as_is(shop: Shop, order: Order, text: str) -> None:
    """Insert or replace an order under the text of its document."""
    marks = ", ".join("?" * len(_COLUMNS))
    values = [order.get(name) for name in _COLUMNS[:-1]]
    shop.store.write(f"insert or replace into orders values ({marks})", *values, text)
    marks = ", ".join("?" * len(_LINE_COLUMNS))
    shop.store.write_many(
        f"insert or replace into order_items values ({marks})",
        [tuple(line.get(name) for name in _LINE_COLUMNS) for line in order["items"]],
    )


def change(shop: Shop, order: Order, operation: str, before: Order | None = None) -> None:
    """Keep a changed order; `updated_at` moves only when a field of the order itself changed, not for its lines.

    `before` is the order as it was, read again when left out. The fault frozen_updated_at keeps the time as it was.
    """
    before = before or get(shop, order["entity_id"])
    if _own_fields(before) != _own_fields(order) and not shop.faults.take("frozen_updated_at", operation):
        order["updated_at"] = shop.now()
    keep(shop, order)


def top_lines(order: Order) -> list[Line]:
    """Return the lines that carry quantities and money: all but the children of configurables."""
    return [line for line in order["items"] if "parent_item_id" not in line]


def children(order: Order, line: Line) -> list[Line]:
    """Return the child lines of a configurable's line."""
    return [child for child in order["items"] if child.get("parent_item_id") == line["item_id"]]


def to_ship(line: Line) -> Decimal:
    """Return the units of a line that can still be shipped; none for virtual goods."""
    if line.get("is_virtual"):
        return Decimal(0)
    gone = max(exact(line["qty_shipped"]), exact(line["qty_refunded"]))
    return max(exact(line["qty_ordered"]) - gone - exact(line["qty_canceled"]), Decimal(0))


def to_invoice(line: Line) -> Decimal:
    """Return the units of a line that can still be invoiced."""
    left = exact(line["qty_ordered"]) - exact(line["qty_invoiced"]) - exact(line["qty_canceled"])
    return max(left, Decimal(0))


def to_refund(line: Line) -> Decimal:
    """Return the units of a line that can still be refunded."""
    return max(exact(line["qty_invoiced"]) - exact(line["qty_refunded"]), Decimal(0))


def can_ship(order: Order) -> bool:
    """Whether anything is left to ship."""
    return order["state"] not in ("canceled", "closed", "holded") and any(to_ship(line) for line in top_lines(order))


def can_invoice(order: Order) -> bool:
    """Whether anything is left to invoice."""
    stopped = order["state"] in ("canceled", "closed", "holded", "complete")
    return not stopped and any(to_invoice(line) for line in top_lines(order))


def settle_state(order: Order, *, in_process: bool, force_status: bool = True) -> None:
    """Set state and status after an invoice, shipment or refund.

    A new order goes into processing; one with nothing left to invoice and to ship is complete, or closed when nothing
    is left to refund either. A status of the merchant's own is replaced when the state changes or `force_status`.
    """
    state = order["state"]
    if state == "new" and in_process:
        state = "processing"
    if state in ("processing", "complete") and not can_invoice({**order, "state": state}):
        left_to_ship = can_ship({**order, "state": state}) and not _shipped_or_refunded(order)
        if not left_to_ship:
            refundable = exact(order.get("total_paid")) - exact(order.get("total_refunded"))
            fee = exact(order.get("adjustment_negative"))
            nothing_left = exact(order.get("total_refunded")) > 0 and refundable in (0, fee)
            state = "closed" if nothing_left else "complete"
    if state != order["state"] or force_status:
        order["status"] = DEFAULT_STATUS.get(state, state)
    order["state"] = state


def add_history(shop: Shop, order: Order, entry: dict[str, Any], *, status: str | None) -> None:
    """Put an entry on top of the order's history; `entry` may hold comment, the two flags and entity_name."""
    line: dict[str, Any] = {
        "comment": stored_text(entry["comment"]) if entry.get("comment") is not None else None,
        "created_at": shop.now(),
        "entity_id": shop.store.next_id("comment"),
        "entity_name": entry.get("entity_name"),
        "is_customer_notified": int(entry.get("is_customer_notified") or 0),
        "is_visible_on_front": int(entry.get("is_visible_on_front") or 0),
        "parent_id": order["entity_id"],
        "status": status,
    }
    order.setdefault("status_histories", []).insert(0, {k: v for k, v in line.items() if v is not None})


def search(call: Call) -> dict[str, Any]:
    """GET /V1/orders"""
    criteria = call.criteria()
    found, total = find(call.shop.store, fields.ORDERS, criteria)
    return answer([json.loads(text) for text in found], criteria, total)


def read(call: Call) -> Order:
    """GET /V1/orders/:id"""
    return get(call.shop, call.number("id"))


def search_lines(call: Call) -> dict[str, Any]:
    """GET /V1/orders/items"""
    criteria = call.criteria()
    listing = fields.ORDER_ITEMS
    key_only = fields.Listing(listing.table, listing.key, listing.fields, "item_id || ' ' || order_id")
    found, total = find(call.shop.store, key_only, criteria)
    held: dict[int, dict[int, Line]] = {}
    items = []
    for pair in found:
        item_id, order_id = map(int, pair.split())
        if order_id not in held:
            held[order_id] = {line["item_id"]: line for line in get(call.shop, order_id)["items"]}
        items.append(held[order_id][item_id])
    return answer(items, criteria, total)


def status(call: Call) -> Any:
    """GET /V1/orders/:id/statuses"""
    return get(call.shop, call.number("id"))["status"]


def comments(call: Call) -> dict[str, Any]:
    """GET /V1/orders/:id/comments, oldest first"""
    order = get(call.shop, call.number("id"))
    items = sorted(order.get("status_histories") or [], key=lambda entry: entry["entity_id"])
    tested = {"field": "parent_id", "value": call.place["id"], "condition_type": "eq"}
    criteria = {"filter_groups": [{"filters": [tested]}]}
    return {"items": items, "search_criteria": criteria, "total_count": len(items)}


def comment(call: Call) -> bool:
    """POST /V1/orders/:id/comments: a status other than the current one is refused; updated_at stays."""
    order = get(call.shop, call.number("id"))
    entry = call.argument("statusHistory")
    asked = entry.get("status")
    if asked is not None and asked != order["status"]:
        said = 'Unable to add comment: The status "%1" is not part of the order\n                 status history.'
        raise Refusal(400, said, [asked])
    add_history(call.shop, order, entry, status=order["status"])
    keep(call.shop, order)
    return True


def save(call: Call) -> Order:
    """POST /V1/orders: status, state, ext_order_id and status_histories; nothing is validated.

    The answer shows other columns as null, although they are left alone.
    """
    entity = call.argument("entity")
    order = get(call.shop, int(entity.get("entity_id") or 0))
    before = get(call.shop, order["entity_id"])
    for name in ("state", "status", "ext_order_id"):
        if entity.get(name) is not None:
            order[name] = stored_text(str(entity[name]))
    for entry in entity.get("status_histories") or []:
        add_history(call.shop, order, entry, status=entry.get("status"))
    change(call.shop, order, call.operation, before)
    if ("ext_order_id" not in entity and "state" not in entity) or entity.get("status_histories"):
        shown = {"entity_id": order["entity_id"], "grand_total": None}
        return shown | {name: order[name] for name in ("status", "updated_at") if name in order}
    null = dict.fromkeys(("base_grand_total", "customer_email", "grand_total"))
    known = ("billing_address_id", "created_at", "entity_id", "updated_at")
    parts = ("billing_address", "payment", "status_histories")
    sent = {name: entity[name] for name in ("increment_id", "state", "status", "ext_order_id") if name in entity}
    kept = {name: order[name] for name in (*known, *parts) if name in order}
    lines = [{n: v for n, v in line.items() if n != "extension_attributes"} for line in order["items"]]
    return {**null, "base_total_due": 0, "total_due": 0, **sent, **kept, "items": lines}


def cancel(call: Call) -> bool:
    """POST /V1/orders/:id/cancel: false when it cannot be done; what is left of every line is cancelled."""
    order = get(call.shop, call.number("id"))
    if order["state"] in ("canceled", "complete", "closed", "holded") or not can_invoice(order):
        return False
    before = get(call.shop, order["entity_id"])
    state = "canceled"
    released: list[tuple[str, Decimal]] = []
    for line in top_lines(order):
        shippable = to_invoice(line) if line.get("is_virtual") else to_ship(line)
        quantity = min(to_invoice(line), shippable)
        if state != "processing" and to_refund(line):
            state = "processing" if shippable > quantity else "complete"
        _cancel_line(line, quantity)
        for child in children(order, line):
            _cancel_line(child, quantity)
        if quantity:
            released.append((line["sku"], quantity))
    order["state"], order["status"] = state, DEFAULT_STATUS.get(state, state)
    _cancel_totals(order)
    change(call.shop, order, call.operation, before)
    inventory.reserve(call.shop, order, released, "order_canceled")
    return True


def hold(call: Call) -> bool:
    """POST /V1/orders/:id/hold"""
    order = get(call.shop, call.number("id"))
    if order["state"] in ("canceled", "complete", "closed", "holded"):
        raise Refusal(400, "A hold action is not available.")
    order["hold_before_state"], order["hold_before_status"] = order["state"], order["status"]
    order["state"] = order["status"] = "holded"
    change(call.shop, order, call.operation)
    return True


def unhold(call: Call) -> bool:
    """POST /V1/orders/:id/unhold"""
    order = get(call.shop, call.number("id"))
    if order["state"] != "holded":
        raise Refusal(400, "You cannot remove the hold.")
    order["state"] = order.pop("hold_before_state")
    order["status"] = order.pop("hold_before_status")
    change(call.shop, order, call.operation)
    return True


def _cancel_line(line: Line, quantity: Decimal) -> None:
    share = quantity / exact(line["qty_ordered"])
    line["qty_canceled"] = number(exact(line["qty_canceled"]) + quantity)
    line["tax_canceled"] = number((exact(line["tax_amount"]) * share).quantize(Decimal("0.0001")))
    compensation = exact(line.get("discount_tax_compensation_amount")) * share
    line["discount_tax_compensation_canceled"] = number(compensation.quantize(Decimal("0.0001")))


def _cancel_totals(order: Order) -> None:
    for base in ("", "base_"):

        def left(name: str, done: str, base: str = base) -> int | float:
            return number(abs(exact(order.get(base + name))) - abs(exact(order.get(base + done))))

        order[f"{base}total_canceled"] = left("grand_total", "total_paid")
        order[f"{base}subtotal_canceled"] = left("subtotal", "subtotal_invoiced")
        order[f"{base}tax_canceled"] = left("tax_amount", "tax_invoiced")
        order[f"{base}shipping_canceled"] = left("shipping_amount", "shipping_invoiced")
        order[f"{base}discount_canceled"] = left("discount_amount", "discount_invoiced")


def _shipped_or_refunded(order: Order) -> bool:
    shipped = sum(exact(line["qty_shipped"]) for line in top_lines(order))
    refunded = sum(exact(line["qty_refunded"]) for line in top_lines(order))
    return shipped > 0 and exact(order["total_qty_ordered"]) <= shipped + refunded


def _own_fields(order: Order) -> dict[str, Any]:
    return {name: value for name, value in order.items() if not isinstance(value, dict | list)} | {"updated_at": ""}


def _copy_lines(order: Order) -> None:
    """Repeat the lines where the document repeats them: below their children and in the shipping assignment."""
    by_id = {line["item_id"]: line for line in order["items"]}
    for line in order["items"]:
        if "parent_item" in line:
            parent = by_id[line["parent_item_id"]]
            line["parent_item"] = {name: value for name, value in parent.items() if name != "parent_item"}
    for assignment in order.get("extension_attributes", {}).get("shipping_assignments", []):
        if "items" in assignment:
            assignment["items"] = [by_id.get(line["item_id"], line) for line in assignment["items"]]
        total = assignment.get("shipping", {}).get("total")
        if isinstance(total, dict):
            wanted = ("shipping_invoiced", "shipping_refunded", "shipping_canceled", "shipping_tax_refunded")
            total.update({k: order[k] for n in wanted for k in (n, f"base_{n}") if k in order})
