"""Histories of refunds, all told by the same runs: in the end both systems gave back the same, each refund once."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from flows.fulfilment import sync_fulfilment
from flows.orders import sync_orders
from flows.refunds import sync_refunds
from schemas.documents import ShipmentLine
from tests.flows.shopping import JEANS, TEE, Order, a_line, buy, by_hand, prima_number, stock_both
from tests.installation import Installation

DELIVERY = 3  # the line of PRIMA's order on which delivery stands


@dataclass
class Scene:
    """One order on its way."""

    installation: Installation
    order: Order


Step = Callable[[Scene], None]


@dataclass(frozen=True)
class History:
    """What happens before the run of each day, and how it must end.

    `codes` are the exceptions that stay open; `is_even` says that both systems gave back the same in the end.
    """

    name: str
    days: tuple[tuple[Step, ...], ...]
    codes: frozenset[str] = frozenset()
    is_even: bool = True
    memos: int = 1


def leaves(scene: Scene) -> None:
    scene.installation.prima.dispatch(prima_number(scene.order))


def is_paid(scene: Scene) -> None:
    with by_hand(scene.installation) as magento:
        magento.invoice(scene.order["entity_id"])


def refunds(first: int = 0, second: int = 0, delivery: str = "0", goodwill: str = "0") -> Step:
    """Refund units of the two lines in Magento's admin."""

    def step(scene: Scene) -> None:
        lines = [
            ShipmentLine(line["item_id"], units)
            for line, units in zip(scene.order["items"], (first, second), strict=True)
        ]
        with by_hand(scene.installation) as magento:
            magento.refund(scene.order["entity_id"], lines, delivery=Decimal(delivery), goodwill=Decimal(goodwill))

    return step


def is_credited(units: dict[int, int]) -> Step:
    """Credit units of lines in PRIMA."""
    return lambda scene: _ignore(scene.installation.prima.credit(prima_number(scene.order), units))


def prima_cancels(units: dict[int, int]) -> Step:
    return lambda scene: scene.installation.prima.cancel(prima_number(scene.order), units)


def answer_is_lost(scene: Scene) -> None:
    route = f"POST /V1/order/{scene.order['entity_id']}/refund"
    scene.installation.magento.faults.add(route, "lose_answer")


def _ignore(_: object) -> None:
    return None


SOLD = (is_paid, leaves)
HISTORIES = (
    History("a unit came back, credited the next day", ((*SOLD, refunds(1)), (is_credited({1: 1}),))),
    History(
        "all of it came back",
        ((*SOLD, refunds(3, 2, "3.29")), (is_credited({1: 3, 2: 2, DELIVERY: 1}),)),
    ),
    History(
        "two refunds, two credit notes",
        ((*SOLD, refunds(1), refunds(0, 1)), (is_credited({2: 1}), is_credited({1: 1}))),
        memos=2,
    ),
    History(
        "two refunds, one credit note",
        ((*SOLD, refunds(1), refunds(0, 2)), (is_credited({1: 1, 2: 2}),)),
        memos=2,
    ),
    History("delivery alone", ((*SOLD, refunds(0, 0, "3.29")), (is_credited({DELIVERY: 1}),))),
    History("credited first, refunded by us", ((*SOLD, is_credited({1: 2})),)),
    History("credited first, the answer lost", ((*SOLD, is_credited({1: 1}), answer_is_lost),)),
    History("delivery credited first", ((*SOLD, is_credited({DELIVERY: 1})),)),
    History(
        "everything credited first, in two notes",
        ((*SOLD, is_credited({1: 3})), (is_credited({2: 2, DELIVERY: 1}),)),
        memos=2,
    ),
    History(
        "refunded before it left, the units cancelled", ((is_paid, prima_cancels({1: 1}), refunds(1)),), is_even=False
    ),
    History(
        "goodwill that nobody credited",
        ((*SOLD, refunds(0, 0, "0", "5.00")),),
        codes=frozenset({"REFUND_TO_CREDIT"}),
        is_even=False,
    ),
    History(
        "refunded, and one unit too few credited",
        ((*SOLD, refunds(2)), (is_credited({1: 1}),)),
        codes=frozenset({"REFUND_TO_CREDIT", "CREDIT_NOTE_TO_REFUND"}),
        is_even=False,
    ),
)


def test_whatever_happens_each_refund_is_seen_on_both_sides_and_none_is_made_twice(installation: Installation) -> None:
    installation.add_settings('[refunds]\nin_magento = "credit_notes"\ndelivery_amount = "net"\nsettle_seconds = 0')
    stock_both(installation, {TEE: 1000, JEANS: 1000})
    scenes = [
        (history, Scene(installation, buy(installation, a_line(TEE, 3), a_line(JEANS, 2)))) for history in HISTORIES
    ]
    sync_orders()
    for day in range(2):
        for history, scene in scenes:
            for step in history.days[day] if day < len(history.days) else ():
                step(scene)
        sync_fulfilment()
        sync_refunds()
    sync_refunds()
    calls = len(installation.magento.calls())
    assert sync_refunds().counts["settled"] == 0
    again = [call for call in installation.magento.calls()[calls:] if call["method"] == "POST"]

    assert again == [], "a run with nothing to do writes nothing"
    problems = [f"{history.name}: {problem}" for history, scene in scenes for problem in disagreements(history, scene)]
    assert not problems, "\n".join(problems)


def disagreements(history: History, scene: Scene) -> list[str]:
    """Return what is not as it must be at the end of a history."""
    magento, number = scene.installation.magento, scene.order["increment_id"]
    memos = magento.creditmemos(number)
    emails = [mail["kind"] for mail in magento.emails if mail["increment_id"] == number]
    with scene.installation.ledger() as ledger:
        codes = {
            note.code
            for note in ledger.exceptions(order_number=number)
            if note.code.startswith(("REFUND_", "CREDIT_NOTE_"))
        }
        notes = ledger.credit_notes_of([number])
    refunded = round(sum(100 * memo["grand_total"] for memo in memos))
    credited = sum(kept.note.gross_pence for kept in notes)
    found = []
    if codes != history.codes:
        found.append(f"open exceptions {sorted(codes)}, expected {sorted(history.codes)}")
    if len(memos) != history.memos:
        found.append(f"{len(memos)} credit memos, expected {history.memos}")
    if emails != ["shipment"] * len(magento.shipments(number)):
        found.append(f"e-mails {emails}: one about each parcel, and none of ours about a refund")
    if history.is_even and refunded != credited:
        found.append(f"Magento refunded {refunded}, PRIMA credited {credited}")
    return found
