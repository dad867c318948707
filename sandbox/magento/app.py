"""The routes of the stand-in and the way of a request through it: verb, route, permission, body, effect, answer."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sandbox.magento import auth, bulk, creditmemos, errors, inventory, invoices, orders, products, shipments
from sandbox.magento.figures import php_json
from sandbox.magento.projection import parse_fields, project
from sandbox.magento.search import parse_query
from sandbox.magento.shop import Call, Handler, Shop
from sandbox.magento.structure import country, modules, nothing, searched, served
from sandbox.magento.xml import to_xml

JSON = "application/json; charset=utf-8"
_SALES, _STOCK, _CATALOGUE = "Magento_Sales::", "Magento_InventoryApi::", "Magento_Catalog::"
_STORE, _TAX = "Magento_Backend::store", "Magento_Tax::manage_tax"
_BULK = "Magento_Logging::system_magento_logging_bulk_operations"

# verb, path, permission, handler
_TABLE: list[tuple[str, str, str, Handler]] = [
    ("GET", "/V1/orders", _SALES + "actions_view", orders.search),
    ("POST", "/V1/orders", _SALES + "create", orders.save),
    ("PUT", "/V1/orders/create", _SALES + "create", orders.save),
    ("GET", "/V1/orders/items", _SALES + "actions_view", orders.search_lines),
    ("GET", "/V1/orders/:id", _SALES + "actions_view", orders.read),
    ("GET", "/V1/orders/:id/statuses", _SALES + "actions_view", orders.status),
    ("GET", "/V1/orders/:id/comments", _SALES + "actions_view", orders.comments),
    ("POST", "/V1/orders/:id/comments", _SALES + "comment", orders.comment),
    ("POST", "/V1/orders/:id/cancel", _SALES + "cancel", orders.cancel),
    ("POST", "/V1/orders/:id/hold", _SALES + "hold", orders.hold),
    ("POST", "/V1/orders/:id/unhold", _SALES + "unhold", orders.unhold),
    ("GET", "/V1/shipments", _SALES + "shipment", shipments.search),
    ("POST", "/V1/shipment/track", _SALES + "shipment", shipments.add_track),
    ("GET", "/V1/shipment/:id", _SALES + "shipment", shipments.read),
    ("POST", "/V1/shipment/:id/comments", _SALES + "shipment", shipments.comment),
    ("POST", "/V1/shipment/:id/emails", _SALES + "shipment", shipments.email),
    ("POST", "/V1/order/:id/ship", _SALES + "ship", shipments.ship),
    ("GET", "/V1/invoices", _SALES + "sales_invoice", invoices.search),
    ("GET", "/V1/invoices/:id", _SALES + "sales_invoice", invoices.read),
    ("POST", "/V1/order/:id/invoice", _SALES + "invoice", invoices.invoice),
    ("POST", "/V1/invoice/:id/refund", _SALES + "sales_invoice", creditmemos.refund_invoice),
    ("GET", "/V1/creditmemos", _SALES + "sales_creditmemo", creditmemos.search),
    ("GET", "/V1/creditmemo/:id", _SALES + "sales_creditmemo", creditmemos.read),
    ("POST", "/V1/order/:id/refund", _SALES + "creditmemo", creditmemos.refund),
    ("GET", "/V1/transactions", _SALES + "transactions_fetch", nothing),
    ("GET", "/V1/inventory/source-items", _STOCK + "source", inventory.search_source_items),
    ("POST", "/V1/inventory/source-items", _STOCK + "stock_source_item_assign", inventory.save_source_items),
    ("POST", "/V1/inventory/source-items-delete", _STOCK + "stock_source_item_assign", inventory.delete_source_items),
    ("GET", "/V1/inventory/sources", _STOCK + "source", searched("sources", needed=False)),
    ("GET", "/V1/inventory/stocks", _STOCK + "stock", searched("stocks", needed=False)),
    (
        "GET",
        "/V1/inventory/stock-source-links",
        _STOCK + "stock_source_link",
        searched("stock-source-links", needed=True),
    ),
    (
        "GET",
        "/V1/inventory/get-product-salable-quantity/:sku/:stockId",
        "Magento_InventorySalesApi::stock",
        inventory.salable_quantity,
    ),
    (
        "GET",
        "/V1/inventory/is-product-salable/:sku/:stockId",
        "Magento_InventorySalesApi::stock",
        inventory.is_salable,
    ),
    ("GET", "/V1/inventory/are-products-salable", "Magento_InventorySalesApi::stock", inventory.are_salable),
    ("GET", "/V1/inventory/stock-resolver/:type/:code", "Magento_InventorySalesApi::stock", inventory.stock_of_website),
    ("GET", "/V1/stockItems/:sku", "Magento_CatalogInventory::cataloginventory", inventory.legacy_stock_item),
    (
        "PUT",
        "/V1/products/:sku/stockItems/:itemId",
        "Magento_CatalogInventory::cataloginventory",
        inventory.save_legacy_stock_item,
    ),
    ("GET", "/V1/products", _CATALOGUE + "products", products.search),
    ("POST", "/V1/products", _CATALOGUE + "products", products.post),
    ("POST", "/V1/products/base-prices", _CATALOGUE + "catalog", products.save_base_prices),
    ("POST", "/V1/products/base-prices-information", _CATALOGUE + "catalog", products.base_prices),
    ("GET", "/V1/products/:sku", _CATALOGUE + "products", products.read),
    ("PUT", "/V1/products/:sku", _CATALOGUE + "products", products.put),
    ("DELETE", "/V1/products/:sku", _CATALOGUE + "products", products.delete),
    ("GET", "/V1/store/websites", _STORE, served("websites")),
    ("GET", "/V1/store/storeViews", _STORE, served("store-views")),
    ("GET", "/V1/store/storeGroups", _STORE, served("store-groups")),
    ("GET", "/V1/store/storeConfigs", _STORE, served("store-configs")),
    ("GET", "/V1/taxRates/search", _TAX, searched("tax-rates", needed=True)),
    ("GET", "/V1/taxRules/search", _TAX, searched("tax-rules", needed=True)),
    ("GET", "/V1/taxClasses/search", _TAX, searched("tax-classes", needed=True)),
    ("GET", "/V1/customerGroups/search", "Magento_Customer::group", searched("customer-groups", needed=True)),
    ("GET", "/V1/directory/currency", "anonymous", served("currency")),
    ("GET", "/V1/directory/countries/:id", "anonymous", country),
    ("GET", "/V1/modules", "Magento_Backend::admin", modules),
    ("GET", "/V1/bulk", _BULK, bulk.search),
    ("GET", "/V1/bulk/:uuid/status", _BULK, bulk.status),
    ("GET", "/V1/bulk/:uuid/detailed-status", _BULK, bulk.detailed_status),
    ("GET", "/V1/bulk/:uuid/operation-status/:status", _BULK, bulk.count),
]


@dataclass(frozen=True)
class Route:
    """One route: its path in segments, a segment that starts with `:` being a placeholder."""

    method: str
    segments: tuple[str, ...]
    resource: str
    handler: Handler

    def match(self, method: str, segments: list[str]) -> dict[str, str] | None:
        """Return the placeholders' values when verb and path fit, else None."""
        if method != self.method or len(segments) != len(self.segments):
            return None
        place = {}
        for wanted, given in zip(self.segments, segments, strict=True):
            if wanted.startswith(":"):
                place[wanted[1:]] = given
            elif wanted != given:
                return None
        return place


ROUTES = [
    Route(method, tuple(path.strip("/").split("/")), resource, handler) for method, path, resource, handler in _TABLE
]


@dataclass(frozen=True)
class Received:
    """One HTTP request, read in full."""

    method: str
    origin: str
    raw_path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes


def operation_name(method: str, raw_path: str) -> str:
    """Return verb and path without /rest and store code, as faults name it: `POST /V1/order/3/ship`."""
    segments = raw_path.strip("/").split("/")[1:]
    while segments and not re.fullmatch(r"V\d+|async", segments[0]):
        segments.pop(0)
    return f"{method} /{'/'.join(segments)}"


async def answer_rest(request: Request, shop: Shop, keys: dict[str, str]) -> Response:
    """Answer one request below /rest."""
    received = Received(
        method=request.method,
        origin=f"{request.url.scheme}://{request.headers.get('host', '')}",
        raw_path=request.scope["raw_path"].decode("ascii"),
        raw_query=request.scope["query_string"].decode("ascii"),
        headers=dict(request.headers),
        body=await request.body(),
    )
    return await run_in_threadpool(answer_call, received, shop, keys)


def answer_call(received: Received, shop: Shop, keys: dict[str, str]) -> Response:
    """Return the answer to a request: the effect is kept only when the answer is a success."""
    try:
        if shop.settings.maintenance:
            raise errors.maintenance()
        accept = received.headers.get("accept", "*/*")
        as_xml = "xml" in accept and "json" not in accept
        if not as_xml and not re.search(r"json|\*/\*|application/\*", accept):
            raise errors.not_acceptable()
        status, body = _perform(received, shop, keys)
    except errors.Refusal as refusal:
        if received.method == "HEAD":
            return Response(status_code=refusal.status, media_type=JSON)
        return Response(php_json(refusal.body), refusal.status, media_type=JSON)
    except errors.PageAnswer as page:
        return Response(page.text, page.status, headers={"content-type": page.media_type})
    wanted = parse_query(received.raw_query).get("fields")
    if isinstance(wanted, str) and isinstance(body, dict | list):
        body = project(body, parse_fields(wanted))
    if as_xml:
        return Response(to_xml(body), status, media_type="application/xml; charset=utf-8")
    return Response(php_json(body), status, media_type=JSON)


def _perform(received: Received, shop: Shop, keys: dict[str, str]) -> tuple[int, Any]:
    method = received.method
    if method not in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        raise errors.Refusal(405, f"The {method} HTTP method is not supported.")
    store_id, segments = _place(received.raw_path, shop)
    asynchronous = segments[0] == "async"
    if asynchronous and method == "GET":
        raise errors.not_processed()
    route, place = bulk.find_route(method, segments, ROUTES) if asynchronous else find_route(method, segments)
    _authorise(received, route, shop, keys)
    body = _decoded(received)
    call = Call(
        shop=shop,
        operation=operation_name(method, received.raw_path),
        store_id=store_id,
        place=place,
        query=parse_query(received.raw_query),
        body=body,
    )
    if asynchronous:
        whole = segments[1] == "bulk"
        return 202, bulk.accept(call, route, whole=whole)
    with shop.store.transaction():
        return 200, _disturbed(route.handler(call), call)


def find_route(method: str, segments: list[str]) -> tuple[Route, dict[str, str]]:
    """Return the route for a verb and decoded path segments; Refusal 404 when there is none."""
    for route in ROUTES:
        place = route.match(method, segments)
        if place is not None:
            return route, place
    raise errors.no_route()


def _place(raw_path: str, shop: Shop) -> tuple[int, list[str]]:
    segments = [unquote(segment) for segment in raw_path.rstrip("/").split("/")[2:]]
    store_id = 1
    if segments and segments[0] in shop.views:
        store_id = shop.views[segments.pop(0)]
    if not segments or not re.fullmatch(r"V\d+|async", segments[0]):
        raise errors.not_processed()
    return store_id, segments


def _authorise(received: Received, route: Route, shop: Shop, keys: dict[str, str]) -> None:
    if route.resource == "anonymous":
        return
    settings = shop.settings
    request = auth.SignedRequest(received.method, received.origin, received.raw_path, received.raw_query)
    header = received.headers.get("authorization", "")
    auth.authenticate(header, request, route.resource, keys, shop.store, bearer_allowed=settings.bearer_allowed)
    if settings.allowed is not None and route.resource not in settings.allowed:
        raise errors.not_authorised(route.resource)


def _decoded(received: Received) -> Any:
    if received.method not in ("POST", "PUT", "PATCH") or not received.body:
        return {}
    media_type = received.headers.get("content-type", "").split(";")[0].strip()
    if media_type not in ("application/json", ""):
        said = f"Server cannot understand Content-Type HTTP header media type {media_type}"
        raise errors.Refusal(400, said)
    try:
        return json.loads(received.body)
    except ValueError:
        raise errors.Refusal(400, "Decoding error.") from None


def _disturbed(body: Any, call: Call) -> Any:
    """Repeat half of the page before in front of this one when the fault duplicate_page strikes a list."""
    if not call.operation.startswith("GET") or not isinstance(body, dict) or "search_criteria" not in body:
        return body
    before = call.shop.last_pages.get(call.operation, [])
    call.shop.last_pages[call.operation] = body["items"]
    if before and call.shop.faults.take("duplicate_page", call.operation):
        return {**body, "items": [*before[-max(len(before) // 2, 1) :], *body["items"]]}
    return body
