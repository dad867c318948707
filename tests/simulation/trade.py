"""A small shop at work around both systems: what people and the warehouse do, what the flows do, what must be true.

What can really be sold of a SKU is PRIMA's figure less what Magento has sold and PRIMA does not know of yet.
"""

import fnmatch
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from flows.fulfilment import sync_fulfilment
from flows.inventory import sync_inventory
from flows.orders import sync_orders
from sandbox.faults import FaultKind, Faults, NameOf
from sandbox.magento import MagentoStandIn, NotSalableError
from sandbox.magento.carts import Cart
from sandbox.prima import PrimaStandIn
from tasks.errors import IntegrationError
from tests.flows.shopping import ADDRESS, CUSTOMER, a_line, by_hand, prima_number, stock_both
from tests.installation import Installation

SKUS = ("TEE-NAVY-S", "TEE-NAVY-M", "JEANS-BLUE-32")
OPENING = {"TEE-NAVY-S": 3, "TEE-NAVY-M": 8, "JEANS-BLUE-32": 20}
STOCK_WRITE = "POST /V1/inventory/source-items"
SHIP = "POST /V1/order/*/ship"
SNAPSHOT = "*AvailableToSell"
SETTINGS = """
[stock.read_back]
per_write = 2
sample_skus = 3
sample_salable = 1
"""

FlowName = str
FLOWS: Mapping[FlowName, Callable[[], object]] = {
    "orders": sync_orders,
    "inventory": sync_inventory,
    "fulfilment": sync_fulfilment,
}
# What may go wrong in a run of each flow: system, call, kind and detail.
FAULTS: Mapping[FlowName, tuple[tuple[str, str, FaultKind, Mapping[str, Any]], ...]] = {
    "orders": (
        ("prima", "MultiNewOrder", "lose_answer", {}),
        ("prima", "MultiNewOrder", "reset", {}),
        ("prima", "MultiNewOrder", "status", {"status": 503}),
        ("prima", "MultiNewOrder", "cut_answer", {"share": 0.5}),
    ),
    "inventory": (
        ("magento", STOCK_WRITE, "lose_answer", {}),
        ("magento", STOCK_WRITE, "reset", {}),
        ("magento", STOCK_WRITE, "status", {"status": 503}),
        ("magento", STOCK_WRITE, "no_effect", {}),
        ("prima", "ProductAvailableToSell", "cut_answer", {"share": 0.5}),
    ),
    "fulfilment": (
        ("magento", SHIP, "lose_answer", {}),
        ("magento", SHIP, "reset", {}),
        ("magento", SHIP, "status", {"status": 503}),
    ),
}


class Watched(Faults):
    """Faults that also tell the trade of each call: before it has its effect, and after."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[str], None] = lambda name: None
        self.after: Callable[[str], None] = lambda name: None

    def take(self, kind: FaultKind, target: str, **detail: Any) -> dict[str, Any] | None:
        """Every call asks for a delay first, with its name."""
        if kind == "delay":
            self.before(target)
        return super().take(kind, target, **detail)

    def wrap(self, app: ASGIApp, name_of: NameOf) -> ASGIApp:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, send)
            if scope["type"] == "http" and not scope["path"].startswith("/_sandbox/"):
                self.after(name_of(scope, b""))

        return super().wrap(watched, name_of)


class WatchedInstallation(Installation):
    """An installation whose calls can be watched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.of_magento, self.of_prima = Watched(), Watched()
        self.magento = MagentoStandIn(folder, faults=self.of_magento)
        self.prima = PrimaStandIn(folder, faults=self.of_prima)


class Trade:
    """The shop, its warehouse and its other channels, with the flows between them. Everything that happens is a method.

    `wrong` holds what must never happen: a push that let the shop sell more than PRIMA's answer had, and a push or a
    shipment outside the lane that keeps the two apart.
    """

    def __init__(self, installation: WatchedInstallation, fill: "Callable[[Trade], list[str]] | None" = None) -> None:
        self.installation = installation
        self.magento, self.prima = installation.magento, installation.prima
        self.wrong: list[str] = []
        self.done: list[str] = []
        self.dispatched: list[str] = []
        self.pushes = 0
        self._answered: dict[str, int] = {}
        self._salable: dict[str, int] = {}
        self._meanwhile: tuple[str, Callable[[], None]] | None = None
        installation.configure(overlap_minutes="1\nread_attempts = 1")
        installation.add_to_section("prima", "order_timeout_seconds = 20")
        installation.add_settings("[stock]\npush_pause_seconds = 0\npush_attempts = 1" + SETTINGS)
        if fill is None:
            stock_both(installation, OPENING)
        self.skus = list(SKUS) if fill is None else fill(self)
        installation.of_prima.before = self._before_prima
        installation.of_magento.before = self._before_magento
        installation.of_magento.after = self._after_magento
        self.run("inventory")

    # What people do.

    def buy(self, sku: str, units: int, other: str | None = None) -> None:
        """A customer buys some of a SKU, and perhaps one of another; turned away when the shop has too little."""
        lines = [a_line(sku, units), *([a_line(other, 1)] if other and other != sku else [])]
        with suppress(NotSalableError):
            number = self.magento.place_order(Cart(tuple(lines), CUSTOMER, ADDRESS))["increment_id"]
            self.done.append(f"order {number}: {units} of {sku}{' and 1 of ' + other if len(lines) > 1 else ''}")

    def sell_elsewhere(self, sku: str, units: int) -> None:
        """Another channel sells what PRIMA lets it sell."""
        units = min(units, self.prima.available(sku))
        if units > 0:
            self.prima.sell_elsewhere(sku, units)
            self.done.append(f"{units} of {sku} sold elsewhere")

    def receive(self, sku: str, units: int) -> None:
        """Goods come in."""
        self.prima.receive(sku, units)
        self.done.append(f"{units} of {sku} received")

    def dispatch(self, place: int, *, in_part: bool) -> None:
        """The warehouse sends an open order, all of it or one unit, as far as the goods are there."""
        waiting = [order for order in self.prima.orders() if order["status"] in ("On Order", "Part Despatched")]
        if not waiting:
            return
        order = waiting[place % len(waiting)]
        lines = {}
        for line in order["lines"]:
            left = line["quantity"] - line["dispatched"] - line["cancelled"]
            there = self.prima.physical(line["sku"]) if line["sku"] in self.skus else 0
            if min(left, there) > 0:
                lines[line["line_number"]] = 1 if in_part else min(left, there)
        if lines:
            number = self.prima.dispatch(order["order_number"], lines)
            self.dispatched.append(number)
            self.done.append(f"dispatch {number} of {order['order_number']}: {lines}")

    def cancel_in_magento(self, place: int) -> None:
        """Customer service cancels an order that PRIMA does not have yet."""
        there = set(self.prima.order_numbers())
        orders = [
            order for order in self.magento.orders() if order["state"] == "new" and prima_number(order) not in there
        ]
        if orders:
            order = orders[place % len(orders)]
            with by_hand(self.installation) as magento:
                magento.cancel(order["entity_id"])
            self.done.append(f"order {order['increment_id']} cancelled in Magento")

    # What the flows do.

    def run(
        self, flow: FlowName, fault: int | None = None, meanwhile: tuple[str, Callable[[], None]] | None = None
    ) -> None:
        """Run a flow, perhaps with one of its faults, and with something that happens when a call arrives."""
        self._meanwhile = meanwhile
        self.done.append(
            f"run {flow}{'' if fault is None else f' with fault {fault}'}{' and more' if meanwhile else ''}"
        )
        if fault is not None and FAULTS[flow]:
            system, target, kind, detail = FAULTS[flow][fault % len(FAULTS[flow])]
            faults = self.installation.of_magento if system == "magento" else self.installation.of_prima
            faults.add(target, kind, **detail)
        try:
            FLOWS[flow]()
        except IntegrationError as error:
            self.done.append(f"  {type(error).__name__}: {error}")
            if fault is None:
                raise
        finally:
            self._meanwhile = None
            self.installation.of_magento.clear()
            self.installation.of_prima.clear()

    def push_and_ship_at_once(self) -> None:
        """Run inventory and fulfilment beside one another, as two workers do."""
        self.done.append("run inventory and fulfilment at once")
        with ThreadPoolExecutor(2) as pool:
            for begun in [pool.submit(FLOWS[name]) for name in ("fulfilment", "inventory")]:
                begun.result()

    def settle(self) -> None:
        """Let every queue run empty: once, and once more where an answer was still open."""
        for _ in range(2):
            for flow in ("orders", "fulfilment", "inventory"):
                self.run(flow)
            if not self._is_something_open():
                return

    def _is_something_open(self) -> bool:
        with self.installation.ledger() as ledger:
            return bool(ledger.orders_in_state("posting", "unknown") or ledger.exceptions(code="STOCK_PUSH_MISSED"))

    # What must be true.

    def really(self) -> dict[str, int]:
        """Return what can be sold by SKU: PRIMA's figure less what Magento sold and PRIMA does not know of."""
        there = set(self.prima.order_numbers())
        left = {row["sku"]: int(row["available"]) for row in self.prima.items()}
        for order in self.magento.orders():
            if prima_number(order) in there:
                continue
            for line in order["items"]:
                if not line.get("parent_item_id"):
                    left[line["sku"]] -= int(line["qty_ordered"]) - int(line.get("qty_canceled") or 0)
        return {sku: left[sku] for sku in self.skus}

    def check_always(self) -> None:
        """Nothing was oversold by a push, and no shipment is refused for want of stock."""
        assert not self.wrong, "\n".join(self.wrong)
        refused = self.installation.open_codes(["SHIPMENT_REFUSED"])
        assert not refused, f"shipments were refused: {refused}\n{self.words}"

    def check_settled(self) -> None:
        """With all queues empty, the shop sells exactly what PRIMA can really sell, and every dispatch is told."""
        self.check_always()
        sold = {sku: int(self.magento.salable(sku)) for sku in self.skus}
        really = {sku: max(0, units) for sku, units in self.really().items()}
        wrong = {sku: f"sold {sold[sku]}, really {really[sku]}" for sku in sold if sold[sku] != really[sku]}
        assert not wrong, f"{wrong}\n{self.words}"
        assert len(self.magento.shipments()) == len(self.dispatched), self.words

    @property
    def words(self) -> str:
        """Everything that happened, a line each."""
        return "\n".join(self.done)

    def _before_prima(self, name: str) -> None:
        if fnmatch.fnmatchcase(name, SNAPSHOT):
            available = {row["sku"]: int(row["available"]) for row in self.prima.items()}
            self._answered = {sku: max(0, available[sku]) for sku in self.skus}

    def _before_magento(self, name: str) -> None:
        if self._meanwhile is not None and fnmatch.fnmatchcase(name, self._meanwhile[0]):
            (_, act), self._meanwhile = self._meanwhile, None
            act()
        if name == STOCK_WRITE or fnmatch.fnmatchcase(name, SHIP):
            with self.installation.ledger() as ledger:
                if ledger.lane_owner("stock default") is None:
                    self.wrong.append(f"{name} came while nobody had the lane of stock\n{self.words}")
        if name == STOCK_WRITE:
            self._salable = {sku: int(self.magento.salable(sku)) for sku in self.skus}

    def _after_magento(self, name: str) -> None:
        """A push may raise what is sold up to what PRIMA answered; what it did not know of then is not its fault."""
        if name != STOCK_WRITE:
            return
        self.pushes += 1
        for sku, before in self._salable.items():
            now = int(self.magento.salable(sku))
            if now > max(before, self._answered.get(sku, 0)):
                self.wrong.append(
                    f"a push raised {sku} to {now}, PRIMA answered {self._answered.get(sku)}\n{self.words}"
                )


def walk(trade: Trade, seed: int, steps: int) -> None:
    """Let a seed decide what happens, and check after each step; every tenth step all queues run empty."""
    dice = random.Random(f"walk {seed}")
    for step in range(steps):
        _step(trade, dice)
        trade.check_always()
        if step % 10 == 9:
            trade.settle()
            trade.check_settled()
    trade.settle()
    trade.check_settled()


def _step(trade: Trade, dice: random.Random) -> None:
    sku, other = dice.choice(SKUS), dice.choice(SKUS)
    happenings: list[tuple[int, Callable[[], None]]] = [
        (5, lambda: trade.buy(sku, dice.randint(1, 4), other if dice.random() < 0.3 else None)),
        (2, lambda: trade.sell_elsewhere(sku, dice.randint(1, 3))),
        (1, lambda: trade.receive(sku, dice.randint(1, 6))),
        (3, lambda: trade.dispatch(dice.randrange(9), in_part=dice.random() < 0.4)),
        (1, lambda: trade.cancel_in_magento(dice.randrange(9))),
        (1, trade.push_and_ship_at_once),
    ]
    meanwhile: tuple[str, Callable[[], None]] | None = None
    flow = dice.choice(("orders", "inventory", "inventory", "fulfilment"))
    if dice.random() < 0.4:
        act = dice.choice(
            [lambda: trade.buy(sku, 1), lambda: trade.sell_elsewhere(sku, 1), lambda: trade.receive(sku, 1)]
        )
        call = {"orders": "GET /V1/orders", "inventory": STOCK_WRITE, "fulfilment": SHIP}[flow]
        meanwhile = (call, act)
    fault = dice.randrange(9) if dice.random() < 0.35 else None
    happenings.append((8, lambda: trade.run(flow, fault, meanwhile)))
    weights, acts = zip(*happenings, strict=True)
    dice.choices(acts, weights)[0]()
