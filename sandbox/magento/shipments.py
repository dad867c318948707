"""Shipments: what is left is shipped unless lines are named, too much is clamped, unknown lines are dropped."""

import json
from decimal import Decimal
from typing import Any

from sandbox.magento import fields, inventory, orders
from sandbox.magento.errors import Refusal, document_refused, no_entity
from sandbox.magento.figures import exact, number, stored_text
from sandbox.magento.search import answer, find
from sandbox.magento.shop import DEFAULT_SOURCE, Call, Shop

NO_PRODUCTS = "You can't create a shipment without products."
NOT_SAVED = "Could not save a shipment, see error log for details"
KIND = "shipment"
Document = dict[str, Any]


def search(call: Call) -> dict[str, Any]:
    """GET /V1/shipments"""
    criteria = call.criteria()
    found, total = find(call.shop.store, fields.documents(KIND), criteria)
    return answer([json.loads(text) for text in found], criteria, total)


def read(call: Call) -> Document:
    """GET /V1/shipment/:id"""
    return _get(call.shop, call.number("id"))


def ship(call: Call) -> str:
    """POST /V1/order/:id/ship: the new shipment's id, as text.

    No usable list of lines ships everything that is left. The order's updated_at moves only with its state.
    """
    order = orders.get(call.shop, call.number("id"))
    before = orders.get(call.shop, order["entity_id"])
    units = _units(order, call.optional("items"))
    _check(order, units)
    given = call.optional("arguments") or {}
    source = (given.get("extension_attributes") or {}).get("source_code") or DEFAULT_SOURCE
    taken = [(line["sku"], quantity) for line, quantity in units]
    if source not in call.shop.source_codes or not inventory.take_from_source(call.shop, source, taken):
        raise Refusal(400, NOT_SAVED)
    inventory.reserve(call.shop, order, taken, "shipment_created")
    for line, quantity in units:
        line["qty_shipped"] = number(exact(line["qty_shipped"]) + quantity)
        line["updated_at"] = call.shop.now()
    document = _document(call, order, units, source)
    call.shop.store.keep_document(KIND, document)
    orders.settle_state(order, in_process=True, force_status=order["state"] == "new")
    orders.change(call.shop, order, call.operation, before)
    if call.optional("notify"):
        send_email(call.shop, KIND, document)
    return str(document["entity_id"])


def add_track(call: Call) -> Document:
    """POST /V1/shipment/track: the same track again is accepted; an unknown shipment is refused."""
    entity = call.argument("entity")
    document = call.shop.store.document(KIND, int(entity.get("parent_id") or 0))
    if document is None:
        raise Refusal(400, "Could not save the shipment tracking.")
    track = _track(call.shop, document, entity)
    document["tracks"].append(track)
    call.shop.store.keep_document(KIND, document)
    return track


def comment(call: Call) -> Document:
    """POST /V1/shipment/:id/comments"""
    document = _get(call.shop, call.number("id"))
    entity = call.argument("entity")
    line = {
        "is_customer_notified": int(entity.get("is_customer_notified") or 0),
        "parent_id": document["entity_id"],
        "comment": stored_text(str(entity.get("comment") or "")),
        "is_visible_on_front": int(entity.get("is_visible_on_front") or 0),
    }
    numbered = {"entity_id": call.shop.store.next_id("shipment comment")}
    document["comments"].append({**line, "created_at": call.shop.now(), **numbered})
    call.shop.store.keep_document(KIND, document)
    return {**line, **numbered}


def email(call: Call) -> bool:
    """POST /V1/shipment/:id/emails"""
    document = _get(call.shop, call.number("id"))
    send_email(call.shop, KIND, document)
    document["email_sent"] = 1
    call.shop.store.keep_document(KIND, document)
    return True


def send_email(shop: Shop, kind: str, document: Document) -> None:
    """Record that the customer was written to about a shipment, invoice or credit memo."""
    increment_id = shop.store.value("select increment_id from orders where entity_id = ?", document["order_id"])
    statement = "insert into emails (kind, increment_id, document_id, sent_at) values (?, ?, ?, ?)"
    shop.store.write(statement, kind, increment_id, document["entity_id"], shop.now())


def next_increment(shop: Shop, kind: str, store_id: int) -> str:
    """Return the next increment id of a kind of document: `000000001`, `4000000001` for view 4."""
    placed = shop.store.next_id(f"{kind} of view {store_id}")
    return f"{placed:09d}" if store_id <= 1 else f"{store_id}{placed:09d}"


def document_comment(call: Call, document: Document, sequence: str) -> list[Document]:
    """Return the comment of a new document as its list of comments: empty without one."""
    given = call.optional("comment")
    if not isinstance(given, dict) or not given.get("comment"):
        return []
    return [
        {
            "is_customer_notified": int(bool(call.optional("appendComment") and call.optional("notify"))),
            "parent_id": document["entity_id"],
            "comment": stored_text(str(given["comment"])),
            "is_visible_on_front": int(given.get("is_visible_on_front") or 0),
            "created_at": call.shop.now(),
            "entity_id": call.shop.store.next_id(sequence),
        }
    ]


def asked_lines(items: Any) -> dict[int, Any]:
    """Return the quantities asked for by order line; of a line that is named twice the last one counts."""
    if not isinstance(items, list):
        return {}
    return {int(item.get("order_item_id") or 0): item.get("qty") for item in items if isinstance(item, dict)}


def _units(order: orders.Order, items: Any) -> list[tuple[orders.Line, Decimal]]:
    asked = asked_lines(items)
    units = []
    for line in orders.top_lines(order):
        left = orders.to_ship(line)
        if asked and line["item_id"] not in asked:
            continue
        wanted = Decimal(int(exact(asked[line["item_id"]]))) if asked else left
        quantity = min(wanted, left)
        if quantity > 0:
            units.append((line, quantity))
    return units


def _check(order: orders.Order, units: list[tuple[orders.Line, Decimal]]) -> None:
    reasons = []
    if order["state"] in ("canceled", "holded") or order.get("is_virtual"):
        reasons.append(f"A shipment cannot be created when an order has a status of {order['status']}")
    elif not orders.can_ship(order):
        reasons.append("The order does not allow a shipment to be created.")
    if not units:
        reasons.append(NO_PRODUCTS)
    if reasons:
        raise document_refused("Shipment", reasons)


def _document(call: Call, order: orders.Order, units: list[tuple[orders.Line, Decimal]], source: str) -> Document:
    shop, now = call.shop, call.shop.now()
    entity_id = shop.store.next_id(KIND)
    document: Document = {
        "billing_address_id": order["billing_address_id"],
        "created_at": now,
        **({"customer_id": order["customer_id"]} if "customer_id" in order else {}),
        **({"email_sent": 1} if call.optional("notify") else {}),
        "entity_id": entity_id,
        "increment_id": next_increment(shop, KIND, order["store_id"]),
        "order_id": order["entity_id"],
        "packages": [],
        "shipping_address_id": shipping_address_id(order),
        "store_id": order["store_id"],
        "total_qty": number(sum((quantity for _, quantity in units), Decimal(0))),
        "updated_at": now,
        "items": [
            {
                "entity_id": shop.store.next_id("shipment item"),
                "name": line["name"],
                "parent_id": entity_id,
                "price": line["price"],
                "product_id": line.get("product_id"),
                "sku": line["sku"],
                **({"weight": line["weight"]} if "weight" in line else {}),
                "order_item_id": line["item_id"],
                "qty": number(quantity),
            }
            for line, quantity in units
        ],
        "tracks": [],
        "comments": [],
        "extension_attributes": {"source_code": source},
    }
    document["tracks"] = [
        _track(shop, document, track) for track in call.optional("tracks") or [] if isinstance(track, dict)
    ]
    document["comments"] = document_comment(call, document, "shipment comment")
    return document


def shipping_address_id(order: orders.Order) -> Any:
    """Return the id of an order's shipping address, None for a virtual order."""
    for assignment in order.get("extension_attributes", {}).get("shipping_assignments", []):
        return (assignment.get("shipping", {}).get("address") or {}).get("entity_id")
    return None


def _track(shop: Shop, document: Document, given: dict[str, Any]) -> Document:
    now = shop.now()
    return {
        "order_id": document["order_id"],
        "created_at": now,
        "entity_id": shop.store.next_id("track"),
        "parent_id": document["entity_id"],
        "updated_at": now,
        "weight": None,
        "qty": None,
        "description": None,
        "track_number": str(given.get("track_number") or ""),
        "title": given.get("title"),
        "carrier_code": given.get("carrier_code"),
    }


def _get(shop: Shop, entity_id: int) -> Document:
    document = shop.store.document(KIND, entity_id)
    if document is None:
        raise no_entity()
    return document
