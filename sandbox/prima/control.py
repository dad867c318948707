"""Control endpoints of the stand-in, for rehearsals that drive it from another process. JSON in, JSON out.

A request that makes no sense is answered with 400 and `{"message": ...}`. Money is in pence.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.prima.items import Item
from sandbox.serving import control_routes, told

if TYPE_CHECKING:
    from sandbox.prima.standin import PrimaStandIn

Asked = dict[str, Any]


def work_in_warehouse(wsdl_url: str, seed: int = 1) -> int:
    """Let the warehouse of a stand-in that is up pack the open orders; return how many dispatches that made.

    Raises httpx.HTTPError when it does not answer, or not well.
    """
    address = httpx.URL(wsdl_url).join("/_sandbox/warehouse")
    answer = httpx.post(address, json={"seed": seed}, timeout=60, trust_env=False)
    answer.raise_for_status()
    return len(answer.json()["dispatch_numbers"])


def routes(stand_in: "PrimaStandIn") -> list[Route]:
    """Return the routes under /_sandbox/."""
    control = _Control(stand_in)
    posted: dict[str, Callable[[Asked], Asked]] = {
        "items": control.change_items,
        "dispatch": control.dispatch,
        "cancel": control.cancel,
        "release": control.release,
        "invoice": control.invoice,
        "credit": control.credit,
        "vat_habit": control.set_vat_habit,
        "warehouse": control.run_warehouse,
    }
    read: dict[str, Callable[[], Asked]] = {
        "items": lambda: {"items": [_item(row) for row in stand_in.items()]},
        "orders": lambda: {"orders": _plain(stand_in.orders())},
        "requests": lambda: {"requests": stand_in.requests()},
        "vat_habit": lambda: {"habit": stand_in.vat_habit},
    }
    return [
        *control_routes(stand_in.faults, stand_in.clock, control.health),
        *(Route(f"/_sandbox/{name}", told(_posted(act)), methods=["POST"]) for name, act in posted.items()),
        *(Route(f"/_sandbox/{name}", told(_read(show)), methods=["GET"]) for name, show in read.items()),
    ]


def _posted(act: Callable[[Asked], Asked]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> JSONResponse:
        asked = await request.json() if await request.body() else {}
        return JSONResponse(await run_in_threadpool(act, asked))

    return endpoint


def _read(show: Callable[[], Asked]) -> Callable[[Request], Any]:
    async def endpoint(_: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(show))

    return endpoint


class _Control:
    def __init__(self, stand_in: "PrimaStandIn") -> None:
        self._prima = stand_in

    def health(self) -> Asked:
        return {"system": "prima", "orders": len(self._prima.order_numbers()), "wsdl_url": self._prima.wsdl_url}

    def change_items(self, asked: Asked) -> Asked:
        """`{"items": [{sku, product, ...}]}` adds; `{"orders": [...]}` adds for Magento orders; else one item changes.

        One item: `sku` and any of receive, sell_elsewhere (units), available_date (ISO or null), is_active, vat_code.
        """
        if "items" in asked:
            rows = [_item_from(row) for row in asked["items"]]
            self._prima.add_items(rows)
            return {"added": len(rows)}
        if "orders" in asked:
            return {"added": len(self._prima.items_from_orders(asked["orders"]))}
        sku = asked["sku"]
        if "receive" in asked:
            self._prima.receive(sku, int(asked["receive"]))
        if "sell_elsewhere" in asked:
            self._prima.sell_elsewhere(sku, int(asked["sell_elsewhere"]))
        if "available_date" in asked:
            day = asked["available_date"]
            self._prima.expect(sku, None if day is None else date.fromisoformat(day))
        changes = {name: asked[name] for name in ("is_active", "vat_code") if name in asked}
        if changes:
            self._prima.change_item(sku, **changes)
        return {"sku": sku, "available": self._prima.available(sku), "physical": self._prima.physical(sku)}

    def dispatch(self, asked: Asked) -> Asked:
        optional = {name: asked[name] for name in ("carrier", "service", "tracking", "parcels") if name in asked}
        number = self._prima.dispatch(asked["order_number"], _lines(asked), **optional)
        return {"dispatch_number": number}

    def cancel(self, asked: Asked) -> Asked:
        lines = asked.get("lines")
        self._prima.cancel(asked["order_number"], lines if isinstance(lines, list) else _lines(asked))
        return self._state(asked)

    def release(self, asked: Asked) -> Asked:
        self._prima.release(asked["order_number"])
        return self._state(asked)

    def invoice(self, asked: Asked) -> Asked:
        return {"invoice_number": self._prima.invoice(asked["order_number"], _lines(asked))}

    def credit(self, asked: Asked) -> Asked:
        optional = {name: asked[name] for name in ("delivery", "reason", "restock") if name in asked}
        return {"credit_note_number": self._prima.credit(asked["order_number"], _lines(asked), **optional)}

    def set_vat_habit(self, asked: Asked) -> Asked:
        self._prima.vat_habit = asked["habit"]
        return {"habit": self._prima.vat_habit}

    def run_warehouse(self, asked: Asked) -> Asked:
        if "carriers" in asked:
            asked["carriers"] = [tuple(pair) for pair in asked["carriers"]]
        return {"dispatch_numbers": self._prima.run_warehouse(**asked)}

    def _state(self, asked: Asked) -> Asked:
        order = self._prima.order(asked["order_number"]) or {}
        return {"order_number": asked["order_number"], "status": order.get("status")}


def _lines(asked: Asked) -> dict[int, int] | None:
    """JSON names are text: `{"1": 2}` means two units of line 1."""
    lines = asked.get("lines")
    return None if lines is None else {int(number): int(units) for number, units in lines.items()}


def _item_from(row: Asked) -> Item:
    given = dict(row)
    if "price" in given:
        given["price"] = Decimal(str(given["price"]))
    if given.get("available_date"):
        given["available_date"] = date.fromisoformat(given["available_date"])
    return Item(**given)


def _item(row: Asked) -> Asked:
    return {name: value for name, value in _plain(row).items() if name != "code_key"}


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: dates and instants as text."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, int | str) else str(value)
