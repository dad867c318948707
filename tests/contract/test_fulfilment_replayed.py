"""Shipping, invoicing, refunding, cancelling: the recorded orders taken through the recorded steps again."""

from typing import Any

import pytest

from sandbox.magento import MagentoStandIn
from tests.contract import allowed, recorded
from tests.contract.comparing import assert_as_recorded, assert_same
from tests.contract.recorded import replay, send

DOCUMENT = allowed.TIMES | allowed.NEW_IDS


def step(magento: MagentoStandIn, *names: str) -> None:
    """Replay recordings one after the other, each as recorded."""
    for name in names:
        assert_as_recorded(replay(magento, f"fulfilment/{name}"), f"fulfilment/{name}", DOCUMENT)


def assert_order_as_recorded(magento: MagentoStandIn, entity_id: int) -> None:
    """Assert that an order reads as the sample of that order, apart from times and new ids."""
    expected = recorded.sample_orders()[entity_id]
    given = send(magento, "GET", f"/rest/V1/orders/{entity_id}").json()
    assert_same(expected, given, DOCUMENT)


def act(magento: MagentoStandIn, path: str, body: Any = None) -> None:
    """Post something that was done and not recorded."""
    response = send(magento, "POST", path, {} if body is None else body)
    assert response.status_code == 200, response.text


def test_an_order_invoiced_and_shipped_in_full_is_complete(fresh: MagentoStandIn) -> None:
    step(fresh, "invoice-empty-body", "ship-full", "order-after-full-ship", "invoice-again", "ship-again")
    step(fresh, "ship-again-empty")
    assert_order_as_recorded(fresh, 3)
    shipped = next(s for s in recorded.samples("shipment") if s["order_id"] == 3)
    assert_same(shipped, fresh.shipments("000000003")[0], DOCUMENT)
    assert [email["kind"] for email in fresh.emails] == ["shipment"]


def test_an_order_shipped_in_pieces_without_an_invoice_stays_in_processing(fresh: MagentoStandIn) -> None:
    step(fresh, "ship-uninvoiced", "ship-too-many", "ship-zero-qty", "ship-negative-qty", "ship-fraction-qty")
    step(fresh, "ship-unknown-item", "ship-unknown-carrier", "ship-track-no-title", "order-partly-shipped")
    expected = [s for s in recorded.samples("shipment") if s["order_id"] == 2]
    given = fresh.shipments("000000002")
    without = [{**s, "tracks": s["tracks"][:1], "comments": []} for s in expected]  # what was added later
    without[2].pop("email_sent")
    assert_same(without, given, DOCUMENT)


def test_tracks_comments_and_emails_are_added_to_a_shipment(trading: MagentoStandIn) -> None:
    step(trading, "shipment-track-post", "shipment-track-post-dup", "shipment-track-post-unknown-shipment")
    step(trading, "shipment-comment", "shipment-email")
    tracks = trading.shipments("000000002")[2]["tracks"]
    assert [track["track_number"] for track in tracks].count("JD0001") == 4  # two were recorded before


def test_two_parcels_of_one_order_complete_it(fresh: MagentoStandIn) -> None:
    act(fresh, "/rest/V1/order/4/invoice")
    step(fresh, "ship-part-1-of-2", "ship-part-2-of-2", "order-two-shipments", "cancel-invoiced")
    assert_order_as_recorded(fresh, 4)


def test_no_body_and_even_a_bare_text_ship_everything(fresh: MagentoStandIn) -> None:
    step(fresh, "ship-no-body")
    assert_order_as_recorded(fresh, 5)
    fresh.load_orders([recorded.order_like(recorded.sample_orders()[12], 1, {900001: 2})])
    step(fresh, "ship-string-body")
    assert fresh.order("000000001")["items"][0]["qty_shipped"] == 2


def test_a_configurable_is_shipped_by_its_parent_line_only(fresh: MagentoStandIn) -> None:
    step(fresh, "ship-configurable-by-child", "ship-configurable-child-order", "ship-configurable-by-parent")
    step(fresh, "ship-configurable-parent-order", "ship-configurable-parent-shipments")


def test_lines_named_twice_unknown_or_none_at_all(fresh: MagentoStandIn) -> None:
    fresh.load_orders([recorded.order_like(recorded.sample_orders()[48], 621, {1877: 3, 1878: 2})])
    step(fresh, "ship-same-line-twice", "ship-same-line-twice-order", "ship-one-good-one-unknown")
    recorded_after = recorded.answered("fulfilment/ship-one-good-one-unknown-order")
    assert (
        send(fresh, "GET", "/rest/V1/orders/621?fields=items[item_id,qty_ordered,qty_shipped]").json() == recorded_after
    )
    step(fresh, "ship-empty-items", "ship-empty-items-order")


def test_a_held_order_can_only_be_released(fresh: MagentoStandIn) -> None:
    step(fresh, "hold", "hold-again", "ship-held", "cancel-held", "order-held", "unhold", "unhold-again")


def test_a_pending_order_is_cancelled_once(fresh: MagentoStandIn) -> None:
    step(fresh, "cancel", "order-cancelled", "cancel-again", "ship-cancelled", "invoice-cancelled")
    assert_order_as_recorded(fresh, 6)


def test_cancelling_a_partly_invoiced_order_cancels_the_rest(fresh: MagentoStandIn) -> None:
    act(fresh, "/rest/V1/order/8/invoice", {"items": [{"order_item_id": 22, "qty": 1}]})
    step(fresh, "cancel-partly-invoiced", "order-cancel-partly-invoiced")
    assert_order_as_recorded(fresh, 8)


def test_cancelling_a_partly_shipped_order_cancels_it_whole(fresh: MagentoStandIn) -> None:
    order = recorded.order_like(recorded.sample_orders()[48], 620, {1876: 3})
    order |= {"grand_total": 123.92, "total_due": 123.92}
    fresh.load_orders([order])
    act(fresh, "/rest/V1/order/620/ship", {"items": [{"order_item_id": 1876, "qty": 1}]})
    step(fresh, "cancel-partly-shipped", "order-cancel-partly-shipped", "ship-after-cancel-partly-shipped")


def test_a_virtual_order_is_not_shipped(fresh: MagentoStandIn) -> None:
    step(fresh, "ship-virtual")
    act(fresh, "/rest/V1/order/78/invoice")
    assert_order_as_recorded(fresh, 78)


def test_refunds_by_line_shipping_goodwill_and_fee(fresh: MagentoStandIn) -> None:
    act(fresh, "/rest/V1/order/34/invoice")
    step(fresh, "refund-partial", "refund-too-many", "refund-shipping-only", "refund-adjustment", "refund-fee")
    step(fresh, "order-partly-refunded", "creditmemos-by-order")
    assert_order_as_recorded(fresh, 34)


def test_an_empty_refund_closes_the_order(fresh: MagentoStandIn) -> None:
    act(fresh, "/rest/V1/order/38/invoice")
    step(fresh, "refund-full-discounted", "order-closed", "creditmemo-full-discounted")
    assert_order_as_recorded(fresh, 38)


def test_a_complete_order_stays_complete_when_a_unit_is_refunded(fresh: MagentoStandIn) -> None:
    act(fresh, "/rest/V1/order/26/invoice")
    act(fresh, "/rest/V1/order/26/ship")
    step(fresh, "refund-complete-order")
    assert_order_as_recorded(fresh, 26)


def test_a_configurable_is_refunded_by_its_parent_line(fresh: MagentoStandIn) -> None:
    act(fresh, "/rest/V1/order/106/invoice")
    step(fresh, "refund-configurable-by-parent", "creditmemo-configurable")
    assert_order_as_recorded(fresh, 106)


@pytest.mark.parametrize(("entity_id", "name"), [(65, "refund-eur"), (72, "refund-eur-display")])
def test_euro_orders_are_refunded_in_both_currencies(fresh: MagentoStandIn, entity_id: int, name: str) -> None:
    act(fresh, f"/rest/V1/order/{entity_id}/invoice")
    step(fresh, name)
    assert_order_as_recorded(fresh, entity_id)
    expected = next(memo for memo in recorded.samples("creditmemo") if memo["order_id"] == entity_id)
    assert_same(expected, fresh.creditmemos()[0], DOCUMENT)


def test_an_order_without_an_invoice_cannot_be_refunded(fresh: MagentoStandIn) -> None:
    step(fresh, "refund-not-invoiced")


def test_shipping_is_refunded_net_by_default(fresh: MagentoStandIn) -> None:
    order = recorded.order_like(recorded.sample_orders()[118], 638, {1902: 2})
    fresh.load_orders([order])
    act(fresh, "/rest/V1/order/638/invoice")
    step(fresh, "refund-shipping-too-much")


def test_shipping_is_refunded_gross_when_the_shop_shows_it_gross(fresh: MagentoStandIn) -> None:
    fresh.settings.shipping_shown_with_tax = True
    fresh.load_orders([recorded.order_like(recorded.sample_orders()[118], 636, {1900: 2})])
    act(fresh, "/rest/V1/order/636/invoice")
    body = {"items": [{"order_item_id": 1900, "qty": 0}], "arguments": {"shipping_amount": 3.95}}
    act(fresh, "/rest/V1/order/636/refund", body)
    step(fresh, "creditmemo-shipping-display-incl")


def test_a_refund_that_names_no_shipping_takes_all_that_is_left(fresh: MagentoStandIn) -> None:
    fresh.load_orders([recorded.order_like(recorded.sample_orders()[118], 635, {1899: 2})])
    act(fresh, "/rest/V1/order/635/invoice")
    step(fresh, "refund-no-arguments")
    expected = recorded.answered("fulfilment/creditmemo-no-arguments")["items"][0]
    assert expected["shipping_amount"] == pytest.approx(3.29, abs=0.011)
    assert fresh.creditmemos("000000635")[0]["shipping_amount"] == 3.29


def test_an_invoice_cannot_be_refunded_directly_for_offline_payments(trading: MagentoStandIn) -> None:
    order = recorded.sample_orders()[118]
    invoice = recorded.samples("invoice")[0] | {"entity_id": 52, "order_id": order["entity_id"], "items": []}
    trading.load_documents("invoice", [invoice | {"increment_id": "000000999"}])
    step(trading, "refund-by-invoice", "refund-by-invoice-online")


def test_an_order_invoiced_in_two_parts_has_its_shipping_on_the_first(fresh: MagentoStandIn) -> None:
    order = recorded.order_like(recorded.sample_orders()[17], 593, {1828: 2, 1829: 3})
    order["items"][0]["name"] = "Simple item 11"
    fresh.load_orders([order])
    step(fresh, "invoice-too-many", "invoice-partial", "invoice-rest", "invoice-unknown-order")
    first, second = fresh.invoices("000000593")
    expected = recorded.answered("fulfilment/invoices-by-order")["items"]
    assert set(first) == set(expected[0])
    assert set(second) == set(expected[1])
    assert "shipping_amount" not in second


@pytest.mark.parametrize("invoice", recorded.samples("invoice"), ids=lambda invoice: f"order-{invoice['order_id']}")
def test_every_recorded_invoice_is_made_again_to_the_penny(magento: MagentoStandIn, invoice: dict[str, Any]) -> None:
    order = recorded.as_placed(recorded.sample_orders()[invoice["order_id"]])
    magento.load_orders([order])
    lines = [{"order_item_id": item["order_item_id"], "qty": item["qty"]} for item in invoice["items"]]
    partial = sum(line["qty"] for line in lines) < order["total_qty_ordered"]
    act(magento, f"/rest/V1/order/{order['entity_id']}/invoice", {"items": lines} if partial else {})
    assert_same(invoice, magento.invoices()[0], DOCUMENT)


def test_comments_leave_the_status_alone(fresh: MagentoStandIn) -> None:
    step(fresh, "order-comment", "order-comment-emoji", "order-comment-status", "order-comment-bad-status")
    step(fresh, "order-statuses")
    expected = recorded.answered("fulfilment/order-after-comment")
    fields = ",".join(expected)
    given = send(fresh, "GET", f"/rest/V1/orders/18?fields={fields}").json()
    assert_same(expected, given, DOCUMENT)
    step(fresh, "order-comments-get")


def test_a_saved_order_takes_status_and_outside_number_unchecked(fresh: MagentoStandIn) -> None:
    step(
        fresh,
        "order-comment",
        "order-comment-emoji",
        "order-save-ext",
        "order-after-save-ext",
        "orders-by-ext-id",
        "order-save-status",
        "order-put-create",
    )
    fresh.load_orders([recorded.order_like(recorded.sample_orders()[48], 623, {1880: 2})])
    fresh.load_orders([recorded.order_like(recorded.sample_orders()[48], 619, {1875: 2})])
    step(fresh, "order-comment-custom-status", "order-comment-status-of-other-state", "order-after-custom-status")
    step(fresh, "order-save-custom-status")
    name = "fulfilment/order-after-save-custom-status"
    assert_as_recorded(replay(fresh, name), name, DOCUMENT, {"grand_total", "customer_email"})
    step(fresh, "order-save-unknown-status", "order-after-save-unknown-status")
    step(fresh, "order-save-with-history")
    order = fresh.order("000000623")
    assert order["ext_order_id"] == "SO-77"
    expected = recorded.answered("fulfilment/order-after-save-with-history")["status_histories"]
    assert_same(expected, order["status_histories"], DOCUMENT)
    act(fresh, "/rest/V1/orders", {"entity": {"entity_id": 619, "status": "erp_received"}})
    act(fresh, "/rest/V1/order/619/invoice")
    step(fresh, "order-after-custom-status-invoiced")


def test_a_source_with_too_little_refuses_the_shipment(fresh: MagentoStandIn) -> None:
    order = recorded.order_like(recorded.sample_orders()[12], 622, {1879: 2})
    fresh.load_orders([order, recorded.order_like(order, 624, {1881: 2})])
    sku = order["items"][0]["sku"]
    fresh.set_source_quantity(sku, 0)
    step(fresh, "ship-source-empty")
    fresh.set_source_quantity(sku, 1)
    step(fresh, "ship-source-short")
    fresh.set_source_quantity(sku, 2)
    step(fresh, "ship-source-exact")
    first = "searchCriteria[filterGroups][0][filters][0]"
    query = f"{first}[field]=sku&{first}[value]={sku}"
    rows = send(fresh, "GET", f"/rest/V1/inventory/source-items?{query}").json()["items"]
    left = recorded.answered("inventory/source-item-after-ship-from-empty")["items"][0]
    assert {**rows[0], "sku": left["sku"]} == left


def test_the_same_full_shipment_three_times_over_creates_one(fresh: MagentoStandIn) -> None:
    race = recorded.load("fulfilment/ship-race")
    fresh.load_orders([recorded.order_like(recorded.sample_orders()[12], 700, {1999: race["qty_ordered"]})])
    answers = [send(fresh, "POST", "/rest/V1/order/700/ship", {}) for _ in range(3)]
    given = [[answer.status_code, answer.json()] for answer in answers]
    assert given[0][0] == 200
    assert given[1:] == [answer for answer in race["answers"] if answer[0] != 200]
    assert len(fresh.shipments("000000700")) == race["shipments_created"]
    assert fresh.order("000000700")["items"][0]["qty_shipped"] == race["qty_shipped_after"]
