"""What happens to orders between PRIMA and Magento over three days, one history an order, all told by the same runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from schemas.documents import ShipmentLine
from tests.flows.shopping import JEANS, TEE, Order, a_line, buy, by_hand, in_prima, prima_number, ship_by_hand
from tests.installation import Installation

SHORT = "SCARF-RED"
GIFT = "GIFT-CARD"


@dataclass
class Scene:
    """One order on its way: where it plays, the order, and the dispatches that have left."""

    installation: Installation
    order: Order
    dispatches: list[str] = field(default_factory=list)

    @property
    def ship_route(self) -> str:
        """The call that ships this order, as faults name it."""
        return f"POST /V1/order/{self.order['entity_id']}/ship"


Step = Callable[[Scene], None]


@dataclass(frozen=True)
class History:
    """What happens before the run of each day, and how it must end.

    `codes` are the exceptions that stay open. `told` are the dispatches that customers must be told of; None: all.
    `is_even` says that both systems have shipped the same units in the end.
    """

    name: str
    days: tuple[Sequence[Step], ...]
    skus: tuple[tuple[str, int], ...] = ((TEE, 3), (JEANS, 2))
    codes: frozenset[str] = frozenset()
    told: int | None = None
    is_even: bool = True


def leaves(lines: dict[int, int] | None = None, **how: Any) -> Step:
    """Let units leave PRIMA's warehouse; None: all that are open."""

    def step(scene: Scene) -> None:
        scene.dispatches.append(scene.installation.prima.dispatch(prima_number(scene.order), lines, **how))

    return step


def goes_wrong(kind: str, **detail: Any) -> Step:
    """Let the next call that ships this order go wrong."""
    return lambda scene: _add_fault(scene, scene.ship_route, kind, detail)


def track_goes_wrong(kind: str) -> Step:
    """Let the next call that adds a tracking number go wrong."""
    return lambda scene: _add_fault(scene, "POST /V1/shipment/track", kind, {})


def _add_fault(scene: Scene, target: str, kind: str, detail: dict[str, Any]) -> None:
    scene.installation.magento.faults.add(target, kind, **detail)  # type: ignore[arg-type]


def is_tracked(tracking: str) -> Step:
    """Let PRIMA name other tracking numbers of the last dispatch."""
    return lambda scene: in_prima(
        scene.installation,
        f"update stand_in_dispatches set tracking_numbers = '{tracking}', updated_at = datetime('now') "
        f"where dispatch_number = '{scene.dispatches[-1]}'",
    )


def names_line(line: int, instead: int) -> Step:
    """Let PRIMA name another line of the order on the last dispatch, as after an exchange."""
    return lambda scene: in_prima(
        scene.installation,
        f"update stand_in_dispatch_lines set order_line_number = {instead}, updated_at = datetime('now') "
        f"where dispatch_number = '{scene.dispatches[-1]}' and order_line_number = {line}",
    )


def prima_cancels(lines: dict[int, int]) -> Step:
    return lambda scene: scene.installation.prima.cancel(prima_number(scene.order), lines)


def magento_cancels(scene: Scene) -> None:
    """Cancel the order in Magento's admin."""
    with by_hand(scene.installation) as magento:
        magento.cancel(scene.order["entity_id"])


def magento_refunds_a_tee(scene: Scene) -> None:
    """Invoice the order in Magento's admin and refund one unit of its first line."""
    with by_hand(scene.installation) as magento:
        magento.invoice(scene.order["entity_id"])
        line = ShipmentLine(scene.order["items"][0]["item_id"], 1)
        magento.refund(scene.order["entity_id"], [line], delivery=Decimal(0))


def is_shipped_by_hand(units: int) -> Step:
    return lambda scene: ship_by_hand(scene.installation, scene.order, units)


def source_runs_empty(scene: Scene) -> None:
    """Let somebody lower the source by hand, below what is reserved."""
    scene.installation.magento.set_source_quantity(SHORT, 0)


def is_edited(scene: Scene) -> None:
    """Edit the order in Magento's admin: the old one is cancelled, a new one takes its place."""
    magento_cancels(scene)
    scene.order = buy(scene.installation, a_line(TEE, 1))


HISTORIES = (
    History("whole", ([leaves()],)),
    History("whole, in three parcels", ([leaves(tracking=["1", "2", "3"])],)),
    History("whole, answer lost", ([leaves(), goes_wrong("lose_answer")],)),
    History("whole, cut before any effect", ([leaves(), goes_wrong("reset")],)),
    History("whole, answer cut in the middle", ([leaves(), goes_wrong("truncate")],)),
    History("whole, 500 although it was done", ([leaves(), goes_wrong("status", status=500, after_effect=True)],)),
    History("whole, 500 and nothing done", ([leaves(), goes_wrong("status", status=500)],)),
    # It ends its run early, so that everything behind it waits for the next one: on the last day.
    History("whole, shop in maintenance", ([], [], [leaves(), goes_wrong("status", status=503)])),
    History("a part only", ([leaves({1: 1})],)),
    History("part, then the rest", ([leaves({1: 1})], [leaves()])),
    History("part, the answer of the rest lost", ([leaves({1: 1})], [leaves(), goes_wrong("lose_answer")])),
    History("answer of the part lost, then the rest", ([leaves({1: 1}), goes_wrong("lose_answer")], [leaves()])),
    History(
        "equal parts on three days, each answer lost",
        tuple([leaves({1: 1}, tracking=[]), goes_wrong("lose_answer")] for _ in range(3)),
    ),
    History("part cut before any effect, then the rest", ([leaves({1: 1}), goes_wrong("reset")], [leaves()])),
    History("split over two dispatches of a day", ([leaves({1: 2, 2: 1}), leaves({1: 1, 2: 1}, carrier="RM")],)),
    History("split over three days", ([leaves({1: 1})], [leaves({1: 2})], [leaves({2: 2})])),
    History("split, the first answer lost", ([leaves({1: 2}), leaves({2: 2}), goes_wrong("lose_answer")],)),
    History("carrier unknown at first", ([leaves(carrier="DPDX")],)),
    History("tracking a day later", ([leaves(tracking=[])], [is_tracked("A1;A2")])),
    History(
        "tracking a day later, answer lost",
        ([leaves(tracking=[])], [is_tracked("B1"), track_goes_wrong("lose_answer")]),
    ),
    History(
        "tracking corrected", ([leaves(tracking=["C1"])], [is_tracked("C2")]), codes=frozenset({"TRACKING_CORRECTED"})
    ),
    History("markup as tracking", ([leaves(tracking=["<script>alert(1)</script>"])],)),
    History("a line cancelled in PRIMA in between", ([leaves({1: 1})], [prima_cancels({2: 2}), leaves()])),
    History(
        "cancelled in Magento before it left",
        ([magento_cancels], [leaves()]),
        codes=frozenset({"DISPATCH_ORDER_CANCELLED"}),
        told=0,
        is_even=False,
    ),
    History(
        "shipped by hand before it left",
        ([is_shipped_by_hand(3)], [leaves({1: 3})]),
        codes=frozenset({"DISPATCH_TOO_MANY"}),
        told=0,
    ),
    History(
        "a unit shipped by hand, the rest leaves", ([is_shipped_by_hand(1)], [leaves({1: 2, 2: 2})]), is_even=False
    ),
    History(
        "refunded before it left, and PRIMA did not know",
        ([magento_refunds_a_tee], [leaves()]),
        codes=frozenset({"DISPATCH_TOO_MANY"}),
        told=0,
        is_even=False,
    ),
    History("refunded before it left", ([magento_refunds_a_tee, prima_cancels({1: 1})], [leaves()])),
    History("a unit came back before the rest left", ([leaves({1: 1})], [magento_refunds_a_tee], [leaves()])),
    History("edited: cancelled and placed anew", ([is_edited], [], [leaves()])),
    History(
        "exchanged, and corrected the next day",
        ([leaves({1: 1}), names_line(1, 9)], [names_line(9, 1)], [leaves()]),
    ),
    History("the source emptied by hand", ([source_runs_empty, leaves()],), skus=((SHORT, 2),)),
    History("goods and a gift card", ([leaves()],), skus=((TEE, 1), (GIFT, 1))),
)
