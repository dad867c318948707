"""Thirty and more order histories: both systems agree in the end, and the customer has one e-mail for each parcel."""

import contextlib
from collections import Counter

from flows.fulfilment import sync_fulfilment
from flows.orders import sync_orders
from tasks.errors import SystemUnavailableError
from tests.flows.histories import GIFT, HISTORIES, SHORT, History, Scene
from tests.flows.shopping import JEANS, TEE, a_line, buy, prima_number, stock_both
from tests.installation import Installation

DAYS = 3


def test_whatever_happens_both_systems_agree_and_each_parcel_is_told_once(installation: Installation) -> None:
    stock_both(installation, {TEE: 10_000, JEANS: 10_000, SHORT: 50, GIFT: 1_000})
    scenes = [(history, Scene(installation, bought(installation, history))) for history in HISTORIES]
    sync_orders()
    for day in range(DAYS):
        for history, scene in scenes:
            for step in history.days[day] if day < len(history.days) else ():
                step(scene)
        sync_orders()
        run()
        installation.magento.faults.clear()
        if day == 0:
            installation.add_settings('[carriers.DPDX]\ntitle = "DPD Express"')
    run()
    calls = len(installation.magento.calls())
    assert sync_fulfilment().counts["to ship"] == 0
    again = [call for call in installation.magento.calls()[calls:] if call["method"] == "POST"]

    assert len(HISTORIES) >= 30
    assert again == [], "a run with nothing to do writes nothing"
    problems = [f"{history.name}: {problem}" for history, scene in scenes for problem in disagreements(history, scene)]
    assert not problems, "\n".join(problems)


def bought(installation: Installation, history: History) -> dict[str, object]:
    """Let a customer buy what the history is about."""
    lines = [a_line(sku, units, "virtual" if sku == GIFT else "simple") for sku, units in history.skus]
    return buy(installation, *lines)


def run() -> None:
    """Run once; a shop in maintenance ends a run early, and the next one goes on."""
    with contextlib.suppress(SystemUnavailableError):
        sync_fulfilment()


def disagreements(history: History, scene: Scene) -> list[str]:
    """Return what is not as it must be at the end of a history."""
    magento, number = scene.installation.magento, scene.order["increment_id"]
    shipments = magento.shipments(number)
    ours = [each for each in shipments if any(line["comment"].startswith("PRIMA") for line in each["comments"])]
    told = len(scene.dispatches) if history.told is None else history.told
    emails = Counter(mail["shipment_id"] for mail in magento.emails if mail["increment_id"] == number)
    with scene.installation.ledger() as ledger:
        codes = {
            note.code
            for note in ledger.exceptions()
            if note.subject in {f"dispatch {each}" for each in scene.dispatches}
        }
    found = []
    if codes != history.codes:
        found.append(f"open exceptions {sorted(codes)}, expected {sorted(history.codes)}")
    if len(ours) != told:
        found.append(f"{len(ours)} shipments for {told} dispatches")
    if emails != Counter({each["entity_id"]: 1 for each in ours}):
        found.append(f"e-mails {dict(emails)} about shipments {[each['entity_id'] for each in ours]}")
    if history.is_even and shipped(scene) != dispatched(scene):
        found.append(f"Magento shipped {shipped(scene)}, PRIMA dispatched {dispatched(scene)}")
    return found


def shipped(scene: Scene) -> list[int]:
    """Return the units that Magento shipped of each line that is shipped at all."""
    lines = scene.installation.magento.order(scene.order["increment_id"])["items"]
    return [int(line["qty_shipped"]) for line in lines if line["product_type"] != "virtual"]


def dispatched(scene: Scene) -> list[int]:
    """Return the units that left PRIMA of each line, services and virtual goods left out."""
    order = scene.installation.prima.order(prima_number(scene.order))
    assert order is not None
    goods = [line for line in order["lines"] if line["is_stocked"] and line["sku"] != GIFT]
    return [int(line["dispatched"]) for line in goods]
