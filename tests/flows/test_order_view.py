"""Where an order is: one page with every fact, its system and its time, and nothing about the customer unless asked."""

import json
from decimal import Decimal
from typing import Any

from flows import order_view
from flows.fulfilment import sync_fulfilment
from flows.orders import sync_orders
from flows.refunds import sync_refunds
from sandbox.prima.items import Item
from schemas.documents import ShipmentLine
from tests.flows.shopping import ADDRESS, CUSTOMER, TEE, Order, a_line, buy, by_hand, prima_number, stock_both
from tests.installation import Installation

PERSONAL = (CUSTOMER.email, ADDRESS.street[0], ADDRESS.postcode, ADDRESS.surname)


def events(view: dict[str, Any], kind: str) -> list[str]:
    return [f"{event['system']}: {event['what']}" for event in view["timeline"] if event["kind"] == kind]


def an_order_with_a_history(installation: Installation) -> Order:
    """Held for a SKU, accepted, sent in a parcel, invoiced, a part refunded."""
    stock_both(installation, {TEE: 10})
    installation.magento.add_product("LATE", price=Decimal("12.00"), quantity=5)
    order = buy(installation, a_line(TEE, 2), a_line("LATE", 1))
    sync_orders()
    installation.prima.add_items([Item("LATE", "LATE", available=5, price=Decimal("12.00"))])
    sync_orders()
    installation.prima.dispatch(prima_number(order), {1: 2}, tracking=["1550"])
    sync_fulfilment()
    with by_hand(installation) as magento:
        magento.invoice(order["entity_id"])
        magento.refund(order["entity_id"], [ShipmentLine(order["items"][0]["item_id"], 1)], delivery=Decimal(0))
    sync_refunds()
    return order


def test_one_page_says_what_happened_where_and_when_and_what_is_next(installation: Installation) -> None:
    order = an_order_with_a_history(installation)

    view = order_view.order(installation.settings, order["increment_id"])

    assert view is not None
    number = prima_number(order)
    # What happened within one second may stand in any order: PRIMA and Magento tell whole seconds.
    first, *others = [event["what"].split(",")[0] for event in view["timeline"]]
    assert (first, "seen" in others) == ("placed", True)
    assert events(view, "held")[0].startswith("magento-prima: held: SKU_UNKNOWN (ecommerce): ")
    assert "magento-prima: SKU_UNKNOWN is over" in events(view, "held")
    assert events(view, "accepted") == [f"PRIMA: accepted as {number}"]
    (left,), (told,) = events(view, "dispatched"), events(view, "told")
    assert left.endswith("parcel 1550")
    assert "Magento: parcel 1550 with DPD" in told
    assert [event["url"] for event in view["timeline"] if event["url"]] == ["https://tracking.example/dpd/1550"]
    assert {what.split(":")[0] for what in events(view, "invoiced")} == {"Magento", "PRIMA"}
    assert events(view, "refunded") == ["Magento: credit memo 000000001, £12.00 refunded, no credit note in PRIMA yet"]
    assert "PRIMA dispatches the unit that is left" in view["next"]
    assert "PRIMA's credit note for refund 000000001 is due by" in view["next"]
    times = [event["at"][:10] for event in view["timeline"]]
    assert times == sorted(times)
    assert view["unread"] == []

    text = "\n".join(order_view.order_lines_of_text(view))
    assert f"Next: {view['next']}" in text
    assert not [each for each in PERSONAL if each in text or each in json.dumps(view)]

    asked_for = order_view.order(installation.settings, number, with_customer=True)
    assert asked_for is not None
    assert asked_for["customer"]["email"] == CUSTOMER.email
    assert ADDRESS.street[0] in "\n".join(order_view.order_lines_of_text(asked_for))

    artifact = order_view.show_order(order["increment_id"])
    assert "parcel 1550" in artifact
    assert not [each for each in PERSONAL if each in artifact]

    (invoice,) = installation.magento.invoices(order["increment_id"])
    unreadable = {"entity_id": invoice["entity_id"], "times": None}
    installation.magento.faults.add("GET /V1/invoice*", "unreadable_document", **unreadable)
    without = order_view.order(installation.settings, number)
    assert without is not None
    assert without["unread"] == [f"Magento does not hand out invoice entity {invoice['entity_id']}"]
    assert events(without, "invoiced")[0].startswith("PRIMA: ")

    installation.magento.stop()
    installation.add_to_section("magento", "read_attempts = 1")
    alone = order_view.order(installation.settings, number, is_offline=True)
    assert alone is not None
    assert events(alone, "told") == events(view, "told")
    partly = order_view.order(installation.settings, number)
    assert partly is not None
    assert [problem.split(":")[0] for problem in partly["unread"]] == ["Magento could not be asked"]
    assert events(partly, "dispatched") == events(view, "dispatched")


def test_an_order_that_nobody_knows_is_none(installation: Installation) -> None:
    with installation.ledger():
        pass
    assert order_view.order(installation.settings, "000000404") is None
