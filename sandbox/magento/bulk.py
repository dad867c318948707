"""The asynchronous interface: operations are queued, and a consumer that may be stepped performs them."""

import hashlib
import json
import re
import uuid
from typing import Any

from sandbox.magento.errors import PageAnswer, Refusal, no_route, not_supported, required
from sandbox.magento.figures import php_json
from sandbox.magento.routing import Route
from sandbox.magento.search import answer
from sandbox.magento.shop import Call, Shop

DONE, FAILED, OPEN = 1, 3, 4
# path of a route: topic, service named in the result, arguments that each operation must hold
_SERVICES = {
    "inventory/source-items": (
        "inventoryapi.api.sourceitemssaveinterface.execute.post",
        "Inventory\\Model\\SourceItem\\Command\\SourceItemsSave\\Interceptor::execute",
        ("sourceItems",),
    ),
    "products/:sku": (
        "catalog.api.productrepositoryinterface.save.put",
        "Catalog\\Model\\ProductRepository\\Interceptor::save",
        ("product",),
    ),
    "order/:id/ship": (
        "sales.api.shiporderinterface.execute.post",
        "Sales\\Model\\ShipOrder::execute",
        ("orderId",),
    ),
}
_ID_NAMES = {"id": "orderId", "sku": "sku"}


def find_route(routes: list[Route], method: str, segments: list[str]) -> tuple[Route, dict[str, str]]:
    """Return the route behind an asynchronous path, where `:sku` is written `bySku` and an id `byOrderId`."""
    wanted = segments[2:] if segments[1] == "bulk" else segments[1:]
    for route in routes:
        written = [_by_name(segment) for segment in route.segments]
        if route.method == method and written == wanted:
            return route, {}
        place = route.match(method, wanted)
        if segments[1] != "bulk" and place is not None:
            return route, place
    raise no_route()


def accept(call: Call, route: Route, *, whole: bool) -> dict[str, Any]:
    """Queue the operations of a request (`whole`: a list of them) and return the 202 body.

    One malformed entry refuses the whole request and nothing is queued.
    """
    entries = call.body if whole else [call.body]
    if isinstance(entries, dict):
        entries = list(entries.values())
    _check(call, route, entries)
    key = str(uuid.uuid4())
    path = "/".join(route.segments[1:])
    topic, _, _ = _SERVICES.get(path, (path.replace("/", "."), path, ()))
    store = call.shop.store
    with store.transaction():
        statement = "insert into bulks values (?, ?, ?, ?, ?)"
        store.write(statement, key, f"async.magento.{topic}", path, call.store_id, call.shop.now())
        for place, entry in enumerate(entries):
            arguments = php_json({**call.place, **entry})
            store.write(
                "insert into bulk_operations (uuid, id, arguments, status) values (?, ?, ?, ?)",
                key,
                place,
                arguments,
                OPEN,
            )
    accepted = [
        {"id": place, "data_hash": hashlib.sha256(php_json(entry).encode()).hexdigest(), "status": "accepted"}
        for place, entry in enumerate(entries)
    ]
    if call.shop.settings.consumer == "automatic":
        consume(call.shop, uuid_=key)
    return {"bulk_uuid": key, "request_items": accepted, "errors": False}


def consume(shop: Shop, *, limit: int | None = None, uuid_: str | None = None) -> int:
    """Perform open operations, all or at most `limit`, oldest first; return how many."""
    statement = """select o.*, b.route, b.store_id from bulk_operations o join bulks b using (uuid)
                   where o.status = ? and (? is null or o.uuid = ?) order by operation_key limit ?"""
    waiting = shop.store.rows(statement, OPEN, uuid_, uuid_, -1 if limit is None else limit)
    for row in waiting:
        method = "PUT" if row["route"].startswith("products/") else "POST"
        route = next(r for r in shop.routes if r.method == method and "/".join(r.segments[1:]) == row["route"])
        _perform(shop, row, route)
    return len(waiting)


def status(call: Call) -> dict[str, Any]:
    """GET /V1/bulk/:uuid/status: operations by their status, not by their id"""
    return _status(call, lambda bulk, row: _brief(row))


def detailed_status(call: Call) -> dict[str, Any]:
    """GET /V1/bulk/:uuid/detailed-status: with what was sent and what came of it"""
    return _status(call, _detailed)


def count(call: Call) -> int:
    """GET /V1/bulk/:uuid/operation-status/:status: how many operations have a status"""
    statement = "select count(*) from bulk_operations where uuid = ? and status = ?"
    return int(call.shop.store.value(statement, _bulk(call)["uuid"], call.number("status")))


def search(call: Call) -> dict[str, Any]:
    """GET /V1/bulk: operations by bulk_uuid"""
    criteria = call.criteria()
    named = [one.value for group in criteria.groups for one in group if one.field == "bulk_uuid"]
    items = []
    for key in named:
        bulk = call.shop.store.row("select * from bulks where uuid = ?", key)
        if bulk is None:
            continue
        for row in call.shop.store.rows("select * from bulk_operations where uuid = ? order by id", key):
            items.append({"extension_attributes": {"start_time": bulk["started_at"]}, **_detailed(bulk, row)})
    return answer(items, criteria, len(items))


def _status(call: Call, shown: Any) -> dict[str, Any]:
    bulk = _bulk(call)
    statement = "select * from bulk_operations where uuid = ? order by status, id"
    rows = call.shop.store.rows(statement, bulk["uuid"])
    return {
        "operations_list": [shown(bulk, row) for row in rows],
        "user_type": 1,
        "bulk_id": bulk["uuid"],
        "description": f"Topic {bulk['topic']}",
        "start_time": bulk["started_at"],
        "user_id": 1,
        "operation_count": len(rows),
    }


def _brief(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "status", "result_message", "error_code")}


def _detailed(bulk: Any, row: Any) -> dict[str, Any]:
    sent = {"entity_id": None, "entity_link": "", "meta_information": row["arguments"]}
    kept = php_json({**sent, "store_id": str(bulk["store_id"])}) if row["status"] != DONE else None
    head = {"id": row["id"], "bulk_uuid": bulk["uuid"], "topic_name": bulk["topic"]}
    return {**head, "serialized_data": kept, "result_serialized_data": row["result"], **_brief(row)}


def _bulk(call: Call) -> Any:
    key = call.place["uuid"]
    bulk = call.shop.store.row("select * from bulks where uuid = ?", key)
    if bulk is None:
        raise Refusal(404, "Bulk uuid %bulkUuid not exist", {"bulkUuid": key})
    return bulk


def _perform(shop: Shop, row: Any, route: Route) -> None:
    arguments = json.loads(row["arguments"])
    place = {name: str(arguments[given]) for name, given in _ID_NAMES.items() if given in arguments}
    if "product" in arguments:
        place = {"sku": str(arguments["product"].get("sku", "")), **place}
    path = "/".join(place.get(segment[1:], segment) if segment[0] == ":" else segment for segment in route.segments)
    call = Call(shop, f"{route.method} /{path}", row["store_id"], place, {}, arguments)
    try:
        with shop.store.transaction():
            result = route.handler(call)
    except Refusal as refusal:
        outcome: tuple[Any, ...] = (FAILED, refusal.filled, 0, None)
    except PageAnswer as page:
        outcome = (FAILED, page.text.strip(), 0, None)
    else:
        service = _SERVICES.get(row["route"], ("", row["route"], ()))[1]
        kept = None if result == [] else php_json(result)
        outcome = (DONE, f"Service execution success Magento\\{service}", None, kept)
    statement = """update bulk_operations set status = ?, result_message = ?, error_code = ?, result = ?
                   where operation_key = ?"""
    shop.store.write(statement, *outcome, row["operation_key"])


def _check(call: Call, route: Route, entries: list[Any]) -> None:
    needed = _SERVICES.get("/".join(route.segments[1:]), ("", "", ()))[2]
    for entry in entries:
        for name in needed:
            if not isinstance(entry, dict) or entry.get(name) is None:
                if name == "orderId" and "id" in call.place:
                    continue
                raise required(name)
        if not isinstance(entry, dict):
            raise required("entity")
        for item in entry.get("sourceItems") or []:
            for name in item if isinstance(item, dict) else ():
                if name not in ("sku", "source_code", "quantity", "status", "extension_attributes"):
                    raise not_supported(name)
        call.check_size(entry.get("sourceItems") or [], "InventoryApi\\Api\\Data\\SourceItemInterface")


def _by_name(segment: str) -> str:
    if not segment.startswith(":"):
        return segment
    name = _ID_NAMES.get(segment[1:], segment[1:])
    return "by" + re.sub(r"^\w", lambda first: first[0].upper(), name)
