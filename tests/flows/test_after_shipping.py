"""After a dispatch is told: tracking that comes later or changes, invoices, what the Magento order shows."""

import pytest

from flows.fulfilment import sync_fulfilment
from schemas.documents import Track
from tests.flows.shopping import (
    JEANS,
    TEE,
    Order,
    accepted_order,
    by_hand,
    in_prima,
    prima_number,
    ship_calls,
    shipped_units,
    state,
    tracks,
)
from tests.installation import Installation

TRACK = "POST /V1/shipment/track"
INVOICE = "POST /V1/order/*/invoice"


@pytest.fixture
def order(installation: Installation) -> Order:
    """An order of 3 tees and 2 pairs of jeans that PRIMA has accepted."""
    return accepted_order(installation)


def now_tracked(installation: Installation, number: str, tracking: str) -> None:
    """Let PRIMA name other tracking numbers of a dispatch."""
    in_prima(
        installation,
        f"update stand_in_dispatches set tracking_numbers = '{tracking}', updated_at = datetime('now') "
        f"where dispatch_number = '{number}'",
    )


def numbers(installation: Installation) -> list[str]:
    (shipment,) = installation.magento.shipments()
    return [number for number, _, _ in tracks(shipment)]


def test_tracking_that_comes_later_is_added_once_to_the_same_shipment_whatever_becomes_of_the_answer(
    installation: Installation, order: Order
) -> None:
    number = installation.prima.dispatch(prima_number(order), tracking=[])
    sync_fulfilment()
    assert numbers(installation) == []

    now_tracked(installation, number, "1550;1551")
    installation.magento.faults.add(TRACK, "lose_answer")
    sync_fulfilment()
    sync_fulfilment()
    assert numbers(installation) == ["1550", "1551"]

    now_tracked(installation, number, "1550;1551;1552")
    installation.magento.faults.add(TRACK, "reset")
    sync_fulfilment()
    sync_fulfilment()
    assert numbers(installation) == ["1550", "1551", "1552"]

    (shipment,) = installation.magento.shipments()
    with by_hand(installation) as magento:
        magento.add_track(order["entity_id"], shipment["entity_id"], Track("1553", "custom", "DPD"))
    now_tracked(installation, number, "1550;1551;1552;1553")
    sync_fulfilment()
    assert numbers(installation) == ["1550", "1551", "1552", "1553"], "Magento takes the same number twice"
    assert (ship_calls(installation), len(installation.magento.emails)) == (1, 1)
    assert installation.open_codes() == {}
    with installation.ledger() as ledger:
        told = ledger.dispatch_tracks([number])[number]
    assert [track.url for track in told] == [f"https://tracking.example/dpd/{each}" for each in range(1550, 1554)]


def test_a_corrected_number_is_added_and_customer_service_hears_of_the_old_one(
    installation: Installation, order: Order
) -> None:
    number = installation.prima.dispatch(prima_number(order), tracking=["1550"])
    sync_fulfilment()

    now_tracked(installation, number, "1559")
    sync_fulfilment()
    sync_fulfilment()

    assert numbers(installation) == ["1550", "1559"]
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert (note.code, note.owner, note.occurrences) == ("TRACKING_CORRECTED", "customer service", 1)
    assert "shows 1550; PRIMA now names 1559" in note.detail


def test_what_went_without_tracking_gets_it_once_the_carrier_is_mapped(
    installation: Installation, order: Order
) -> None:
    installation.configure(settle_seconds='0\nunknown_carrier = "ship_without_tracking"')
    number = installation.prima.dispatch(prima_number(order), carrier="DPDX", tracking=["X1"])
    sync_fulfilment()
    assert (numbers(installation), installation.open_codes()) == ([], {f"dispatch {number}": "CARRIER_UNKNOWN"})

    installation.add_settings('[carriers.DPDX]\ntitle = "DPD Express"')
    sync_fulfilment()
    assert (numbers(installation), installation.open_codes()) == (["X1"], {})


def test_the_rest_of_a_dispatch_goes_where_the_settings_let_it(installation: Installation, order: Order) -> None:
    installation.configure(settle_seconds='0\nrest_of_dispatch = "goes"')
    number = installation.prima.dispatch(prima_number(order), {1: 3, 2: 1})
    in_prima(installation, "update stand_in_dispatch_lines set order_line_number = 9 where order_line_number = 1")

    sync_fulfilment()
    sync_fulfilment()

    (shipment,) = installation.magento.shipments()
    assert shipped_units(shipment, order) == {JEANS: 1}
    assert installation.open_codes() == {f"dispatch {number}": "DISPATCH_LINE_UNKNOWN"}
    assert ship_calls(installation) == 1


def test_units_that_came_back_do_not_stand_in_the_way_of_those_that_leave_later(
    installation: Installation, order: Order
) -> None:
    installation.prima.dispatch(prima_number(order), {1: 1})
    sync_fulfilment()
    with by_hand(installation) as magento:
        from decimal import Decimal

        from schemas.documents import ShipmentLine

        magento.invoice(order["entity_id"])
        magento.refund(order["entity_id"], [ShipmentLine(order["items"][0]["item_id"], 1)], delivery=Decimal(0))

    installation.prima.dispatch(prima_number(order))
    sync_fulfilment()

    assert [shipped_units(each, order) for each in installation.magento.shipments()] == [{TEE: 1}, {TEE: 2, JEANS: 2}]
    assert installation.open_codes() == {}


@pytest.mark.parametrize("kind", ["lose_answer", "reset"])
def test_what_left_is_invoiced_dispatch_by_dispatch_exactly_once(
    installation: Installation, order: Order, kind: str
) -> None:
    installation.configure(order_category='"CHEQUE"\ninvoice_when = "dispatched"')
    installation.configure(overlap_minutes="10\nread_attempts = 1")
    installation.prima.dispatch(prima_number(order), {1: 2})
    installation.magento.faults.add(INVOICE, kind)  # type: ignore[arg-type]
    for unseen in (503, 503, 500):
        installation.magento.faults.add("GET /V1/invoices", "status", status=unseen, times=None)
        sync_fulfilment()
        if kind == "lose_answer":
            assert "INVOICE_OUTCOME_UNKNOWN" in installation.open_codes().values(), "not seen is not: not there"
        installation.magento.faults.clear()
    sync_fulfilment()
    sync_fulfilment()
    # The next answer is lost as well, while Magento does not hand out the invoice that is known to be another's.
    (first,) = installation.magento.invoices(order["increment_id"])
    unreadable = {"entity_id": first["entity_id"], "times": None}
    installation.magento.faults.add("GET /V1/invoice*", "unreadable_document", **unreadable)
    installation.magento.faults.add(INVOICE, kind)  # type: ignore[arg-type]
    installation.prima.dispatch(prima_number(order))
    sync_fulfilment()
    sync_fulfilment()

    invoiced = [
        {item["order_item_id"]: item["qty"] for item in invoice["items"]}
        for invoice in installation.magento.invoices(order["increment_id"])
    ]
    tee, jeans = (line["item_id"] for line in order["items"])
    assert invoiced == [{tee: 2}, {tee: 1, jeans: 2}]
    assert installation.magento.order(order["increment_id"])["state"] == "complete"
    assert [email["kind"] for email in installation.magento.emails] == ["shipment", "shipment"]
    assert installation.open_codes() == {}


def test_an_accepted_order_is_invoiced_whole_once_and_one_invoiced_by_hand_is_left_alone(
    installation: Installation, order: Order
) -> None:
    installation.configure(order_category='"CHEQUE"\ninvoice_when = "accepted"')
    sync_fulfilment()
    sync_fulfilment()
    (invoice,) = installation.magento.invoices(order["increment_id"])
    assert {item["qty"] for item in invoice["items"]} == {3, 2}

    other = accepted_order_again(installation)
    with by_hand(installation) as magento:
        magento.invoice(other["entity_id"])
    sync_fulfilment()
    assert len(installation.magento.invoices(other["increment_id"])) == 1

    assert installation.magento.captures == []
    installation.configure(invoice_when='"accepted"\ninvoice_capture = true')
    paid = accepted_order_again(installation)
    sync_fulfilment()
    assert installation.magento.captures == [paid["increment_id"]], "money is taken only where the settings say so"
    assert installation.open_codes() == {}


def accepted_order_again(installation: Installation) -> Order:
    """Return another order that PRIMA has accepted."""
    from flows.orders import sync_orders
    from tests.flows.shopping import a_line, buy

    bought = buy(installation, a_line(TEE))
    sync_orders()
    return bought


MARKS = """\
"default"
marks.accepted = { status = "prima_accepted", in_states = ["processing"] }
marks.part_dispatched = { comment = true }
marks.dispatched = { is_visible = true }
marks.problem = { status = "prima_problem", in_states = ["new", "processing"] }"""


def test_the_magento_order_shows_how_far_prima_is_and_a_problem_until_it_is_solved(
    installation: Installation, order: Order
) -> None:
    path = installation.folder / "config.toml"
    path.write_text(path.read_text().replace('"default"', MARKS, 1))
    sync_fulfilment()
    # The status hangs under another state than the order is in: only the comment is written.
    assert shown(installation, order) == ("new", "pending", [f"PRIMA: accepted as {prima_number(order)}"])

    installation.prima.dispatch(prima_number(order), {1: 1}, carrier="DPDX", tracking=["1550"])
    installation.magento.faults.add("POST /V1/orders/*/comments", "lose_answer")
    sync_fulfilment()
    sync_fulfilment()
    assert shown(installation, order)[1:] == (
        "prima_problem",
        ["PRIMA: needs attention: CARRIER_UNKNOWN", f"PRIMA: accepted as {prima_number(order)}"],
    )

    installation.add_settings('[carriers.DPDX]\ntitle = "DPD Express"')
    sync_fulfilment()
    assert shown(installation, order)[0] == "processing"
    assert shown(installation, order)[2][0] == ("PRIMA: problem solved, a part is dispatched: DPD Express 1550")

    installation.prima.dispatch(prima_number(order), tracking=["<script>1</script>"])
    sync_fulfilment()
    sync_fulfilment()
    _, _, comments = shown(installation, order)
    assert len(comments) == 4
    assert comments[0].startswith("PRIMA: dispatched: ")
    assert "<script>" not in comments[0]
    assert state(installation, order) == "dispatched"


def shown(installation: Installation, order: Order) -> tuple[str, str, list[str]]:
    """Return state, status and our comments of a Magento order, the newest first."""
    now = installation.magento.order(order["increment_id"])
    texts = [each["comment"] for each in installation.magento.comments(order["increment_id"])]
    return now["state"], now["status"], [text for text in texts if text and text.startswith("PRIMA: ")]
