"""The Magento stand-in: a shop over HTTP with state, and the handle that tests and rehearsals hold it by."""

import secrets
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.magento import bulk, inventory, loading, orders
from sandbox.magento.app import answer_rest, operation_name
from sandbox.magento.carts import Cart
from sandbox.magento.routes import ROUTES
from sandbox.magento.shop import DEFAULT_SOURCE, Shop, ShopSettings
from sandbox.magento.store import Store
from sandbox.serving import Server, control_routes, told

VERBS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
KEYS = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
Document = dict[str, Any]


class MagentoStandIn:
    """Magento Open Source 2.4.7 as recorded, on 127.0.0.1; a context manager.

    State lives in `state_dir/magento.db`: a stand-in opened on the same folder goes on where the last one stopped, with
    the same keys.
    """

    def __init__(
        self, state_dir: Path, *, port: int = 0, clock: Clock | None = None, faults: Faults | None = None
    ) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self._store = Store(state_dir / "magento.db")
        self.clock = clock or Clock()
        self.faults = faults or Faults()
        self._shop = Shop(self._store, self.clock, self.faults, ROUTES)
        self.secrets = self._kept_keys()
        self._calls: list[Document] = []
        self._calls_lock = threading.Lock()
        self._server = Server(self._logged(self.faults.wrap(self._application(), _name_of)), port=port)

    def start(self) -> None:
        """Serve; returns once it answers."""
        self._server.start()

    def stop(self) -> None:
        """Stop serving. State stays, and start() serves it again under the same address."""
        self._server.stop()

    def __enter__(self) -> "MagentoStandIn":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._store.close()

    @property
    def url(self) -> str:
        """Base address without /rest: `http://127.0.0.1:40123`."""
        return self._server.url

    @property
    def settings(self) -> ShopSettings:
        """What a merchant sets in the admin: bearer tokens, input limits, permissions, the consumer; change at will."""
        return self._shop.settings

    @property
    def maintenance(self) -> bool:
        """Maintenance mode: every REST call is answered with 503 and HTML."""
        return self.settings.maintenance

    @maintenance.setter
    def maintenance(self, on: bool) -> None:
        self.settings.maintenance = on

    def load_orders(self, documents: Iterable[Document]) -> int:
        """Keep order documents as they are, with products, stock and reservations; see loading.load_orders."""
        return loading.load_orders(self._shop, documents)

    def load_documents(self, kind: str, documents: Iterable[Document]) -> int:
        """Keep documents of a kind ("shipment", "invoice", "creditmemo") as they are and return how many were new."""
        return loading.load_documents(self._shop, kind, documents)

    def place_order(self, cart: Cart, *, check_stock: bool = True) -> Document:
        """Place an order and return its document; NotSalableError when the shop has too little to sell."""
        return loading.place_order(self._shop, cart, check_stock=check_stock)

    def add_product(
        self,
        sku: str,
        *,
        price: Decimal,
        name: str | None = None,
        type_id: str = "simple",
        vat_class: str = "standard",
        quantity: Decimal | int = loading.SHELF,
        source_code: str = DEFAULT_SOURCE,
    ) -> int:
        """Add a product with stock in one source and return its id."""
        wanted = {"price": price, "name": name, "type_id": type_id, "vat_class": vat_class}
        return loading.add_product(self._shop, sku, quantity=quantity, source_code=source_code, **cast(Any, wanted))

    def at_once(self) -> AbstractContextManager[None]:
        """Take what is added in the block in one go, which is quicker for a whole catalogue."""
        return self._store.transaction()

    def order(self, increment_id: str) -> Document:
        """Return an order's document by its increment id; KeyError when there is none."""
        entity_id = self._store.value("select entity_id from orders where increment_id = ?", increment_id)
        if entity_id is None:
            raise KeyError(increment_id)
        return orders.get(self._shop, entity_id)

    def orders(self) -> list[Document]:
        """Return every order's document, oldest first."""
        rows = self._store.rows("select entity_id from orders order by entity_id")
        return [orders.get(self._shop, row["entity_id"]) for row in rows]

    def shipments(self, increment_id: str | None = None) -> list[Document]:
        """Return the shipments of an order, or all."""
        return self._documents("shipment", increment_id)

    def invoices(self, increment_id: str | None = None) -> list[Document]:
        """Return the invoices of an order, or all."""
        return self._documents("invoice", increment_id)

    def creditmemos(self, increment_id: str | None = None) -> list[Document]:
        """Return the credit memos of an order, or all."""
        return self._documents("creditmemo", increment_id)

    def comments(self, increment_id: str) -> list[Document]:
        """Return the history of an order, newest first, as its document holds it."""
        return list(self.order(increment_id).get("status_histories") or [])

    def source_quantity(self, sku: str, source_code: str = DEFAULT_SOURCE) -> Decimal:
        """Return the quantity of a source item; KeyError when there is no such row."""
        held = inventory.source_quantity(self._shop, sku, source_code)
        if held is None:
            raise KeyError((sku, source_code))
        return held

    def set_source_quantity(self, sku: str, quantity: Decimal | int, source_code: str = DEFAULT_SOURCE) -> None:
        """Set a source item, in stock when there is any of it."""
        with self._store.transaction():
            inventory.set_source_item(self._shop, sku, source_code, Decimal(quantity), 1 if quantity > 0 else 0)

    def salable(self, sku: str, stock_id: int = 1) -> Decimal:
        """Return the salable quantity of a SKU in a stock."""
        return inventory.salable(self._shop, sku, stock_id)

    def run_consumer(self, limit: int | None = None) -> int:
        """Perform waiting asynchronous operations, all or at most `limit`, and return how many."""
        return bulk.consume(self._shop, limit=limit)

    @property
    def emails(self) -> list[Document]:
        """The e-mails sent, oldest first: kind, increment_id of the order, and shipment_id (or invoice_id...)."""
        rows = self._store.rows("select * from emails order by email_id")
        return [
            {"kind": row["kind"], "increment_id": row["increment_id"], f"{row['kind']}_id": row["document_id"]}
            for row in rows
        ]

    @property
    def captures(self) -> list[str]:
        """The orders whose money was to be taken through a gateway, oldest first, once an invoice that asked for it."""
        return [row["increment_id"] for row in self._store.rows("select * from captures order by capture_id")]

    def calls(self) -> list[Document]:
        """Return the REST calls so far: method, path (without /rest and store code), query, status (0: cut off)."""
        with self._calls_lock:
            return [dict(call) for call in self._calls]

    def forget_calls(self) -> None:
        """Empty the log of calls."""
        with self._calls_lock:
            self._calls.clear()

    def _documents(self, kind: str, increment_id: str | None) -> list[Document]:
        order_id = None if increment_id is None else self.order(increment_id)["entity_id"]
        statement = "select entity_id from documents where kind = ? and (? is null or order_id = ?) order by entity_id"
        rows = self._store.rows(statement, kind, order_id, order_id)
        return [cast(Document, self._store.document(kind, row["entity_id"])) for row in rows]

    def _kept_keys(self) -> dict[str, str]:
        keys = {}
        for name in KEYS:
            held = self._store.setting(name)
            if held is None:
                held = secrets.token_hex(16)
                self._store.keep_setting(name, held)
            keys[f"MAGENTO_{name}"] = held
        return keys

    def _application(self) -> Starlette:
        async def rest(request: Request) -> Response:
            return await answer_rest(request, self._shop, self.secrets)

        async def load(request: Request) -> JSONResponse:
            sent = await request.json()
            kind = request.query_params.get("kind", "order")
            documents = sent[f"{kind}s"] if isinstance(sent, dict) else sent
            if kind == "order":
                return JSONResponse({"loaded": self.load_orders(documents)})
            return JSONResponse({"loaded": self.load_documents(kind, documents)})

        async def maintain(request: Request) -> JSONResponse:
            self.maintenance = bool((await request.json())["on"])
            return JSONResponse({"on": self.maintenance})

        async def consume(request: Request) -> JSONResponse:
            limit = (await request.json()).get("limit") if await request.body() else None
            return JSONResponse({"performed": self.run_consumer(limit)})

        async def calls(_: Request) -> JSONResponse:
            return JSONResponse({"calls": self.calls()})

        def describe() -> Document:
            held = self._store.value("select count(*) from orders")
            return {"system": "magento", "orders": held, "maintenance": self.maintenance}

        return Starlette(
            routes=[
                *control_routes(self.faults, self.clock, describe),
                Route("/_sandbox/orders", told(load), methods=["POST"]),
                Route("/_sandbox/maintenance", told(maintain), methods=["POST"]),
                Route("/_sandbox/consumer", told(consume), methods=["POST"]),
                Route("/_sandbox/calls", calls, methods=["GET"]),
                Route("/rest/{path:path}", rest, methods=VERBS),
            ]
        )

    def _logged(self, app: ASGIApp) -> ASGIApp:
        """Log what each REST call was answered; `receive` passes untouched: faults cut the line through it."""

        async def logged(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not scope["path"].startswith("/rest"):
                await app(scope, receive, send)
                return
            method, _, path = _name_of(scope, b"").partition(" ")
            query = dict(parse_qsl(scope["query_string"].decode("ascii")))
            call = {"method": method, "path": path, "query": query, "status": 0}
            with self._calls_lock:
                self._calls.append(call)  # now, for the client may look before the answer is out of our hands

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    call["status"] = message["status"]
                await send(message)

            await app(scope, receive, sent)

        return logged


def _name_of(scope: Any, _: bytes) -> str:
    return operation_name(scope["method"], scope["raw_path"].decode("ascii"))
