"""The control endpoints: everything that a rehearsal in another process needs."""

from typing import Any

import httpx
import pytest

from sandbox.prima import PrimaStandIn
from tests.sandbox_prima.wire import Line, Order, place


def send(prima: PrimaStandIn, name: str, **body: Any) -> dict[str, Any]:
    answer = httpx.post(f"{prima.control_url}/{name}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def show(prima: PrimaStandIn, name: str) -> Any:
    return httpx.get(f"{prima.control_url}/{name}").json()


def test_health_tells_the_time_the_orders_and_the_wsdl(prima: PrimaStandIn) -> None:
    place(prima)
    health = show(prima, "health")
    assert (health["status"], health["system"], health["orders"]) == ("ok", "prima", 1)
    assert health["now"] == "2026-11-23T12:00:00+00:00"
    assert health["wsdl_url"] == prima.wsdl_url


def test_items_are_added_changed_and_shown(prima: PrimaStandIn) -> None:
    row = {"sku": "NEW", "product": "NEW", "available": 3, "price": "4.50", "available_date": "2030-01-02"}
    assert send(prima, "items", items=[row]) == {"added": 1}
    assert send(prima, "items", sku="NEW", receive=5, sell_elsewhere=1) == {"sku": "NEW", "available": 7, "physical": 7}
    send(prima, "items", sku="NEW", is_active=0, available_date=None)
    [shown] = [item for item in show(prima, "items")["items"] if item["sku"] == "NEW"]
    assert (shown["price"], shown["is_active"], shown["available_date"], shown["available"]) == (450, 0, None, 7)
    line = {"sku": "M-1", "qty_ordered": 1, "tax_percent": 20, "price_incl_tax": 12.5}
    assert send(prima, "items", orders=[{"items": [line]}]) == {"added": 1}


def test_an_order_is_dispatched_cancelled_invoiced_and_credited(prima: PrimaStandIn) -> None:
    place(prima, Order(lines=[Line(), Line("BOOK", "", "", "1", "7.00", "0.00")], hold="Yes"))
    number = "30000042"
    assert send(prima, "release", order_number=number)["status"] == "On Order"
    sent = send(prima, "dispatch", order_number=number, lines={"1": 2}, tracking=["T1", "T2"], carrier="EVRI")
    assert sent == {"dispatch_number": "D900001"}
    assert send(prima, "cancel", order_number=number, lines=[2])["status"] == "Part Despatched"
    assert send(prima, "invoice", order_number=number, lines={"1": 1}) == {"invoice_number": "INV500002"}
    credited = send(prima, "credit", order_number=number, lines={"1": 1}, delivery=True)
    assert credited == {"credit_note_number": "CRN700001"}
    [order] = show(prima, "orders")["orders"]
    assert [(line["dispatched"], line["cancelled"], line["invoiced"]) for line in order["lines"]] == [
        (2, 0, 3),
        (0, 1, 0),
    ]


def test_the_vat_habit_is_switched_and_the_warehouse_runs(prima: PrimaStandIn) -> None:
    place(prima)
    assert show(prima, "vat_habit") == {"habit": "locked"}
    assert send(prima, "vat_habit", habit="recalculated") == {"habit": "recalculated"}
    assert prima.vat_habit == "recalculated"
    ran = send(prima, "warehouse", seed=1, part=0, split=0, carriers=[["EVRI", "STD"]])
    assert ran == {"dispatch_numbers": ["D900001"]}


def test_the_clock_of_the_stand_in_dates_its_documents(prima: PrimaStandIn) -> None:
    send(prima, "clock", now="2026-03-29T00:30:00+00:00")
    place(prima)
    assert show(prima, "orders")["orders"][0]["ordered_at"] == "2026-03-29 00:30:00"
    assert show(prima, "requests")["requests"][0]["request_type"] == "MultiNewOrder"


@pytest.mark.parametrize(
    ("name", "body", "part"),
    [
        ("dispatch", {"order_number": "404"}, "no order 404"),
        ("dispatch", {}, "order_number"),
        ("vat_habit", {"habit": "guessed"}, "locked"),
        ("items", {"sku": "NOSUCH", "receive": 1}, "no item"),
        ("items", {"items": [{"colour": "red"}]}, "colour"),
        ("warehouse", {"speed": 9}, "speed"),
        ("clock", {"now": "yesterday"}, "yesterday"),
    ],
)
def test_a_request_that_makes_no_sense_is_answered_with_a_reason(
    prima: PrimaStandIn, name: str, body: dict[str, Any], part: str
) -> None:
    answer = httpx.post(f"{prima.control_url}/{name}", json=body)
    assert answer.status_code == 400
    assert part in answer.json()["message"]


def test_faults_never_disturb_the_control_endpoints(prima: PrimaStandIn) -> None:
    send(prima, "faults", target="*", kind="reset", times=None)
    assert show(prima, "health")["status"] == "ok"
    assert httpx.delete(f"{prima.control_url}/faults").json() == {"faults": []}
