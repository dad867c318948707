"""The fifteen facts about Magento that hurt an integration most, each held by the stand-in."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.magento import MagentoStandIn
from tests.contract import allowed, recorded
from tests.contract.comparing import assert_as_recorded
from tests.contract.recorded import replay, send

ORDERS = "/rest/V1/orders"


def post(magento: MagentoStandIn, path: str, body: Any = None) -> httpx.Response:
    """Post below /rest/V1/ and return a successful answer."""
    response = send(magento, "POST", f"/rest/V1/{path}", {} if body is None else body)
    assert response.status_code == 200, response.text
    return response


def pence(value: Any) -> int:
    """Return a JSON amount in pence."""
    return int(Decimal(str(value)) * 100)


def test_fact_1_row_total_is_less_the_discount_and_net_is_row_total_incl_tax_minus_tax(
    trading: MagentoStandIn,
) -> None:
    order = send(trading, "GET", f"{ORDERS}/118").json()
    line = order["items"][0]
    stored = Decimal(str(line["row_total"])) + Decimal(str(line["discount_amount"]))
    assert stored == Decimal("66.67")  # two at 33.34 less a rounding penny: what the row total "is"
    assert line["row_total"] == 56.17
    gross = sum(pence(row["row_total_incl_tax"]) for row in order["items"])
    vat = sum(pence(row["tax_amount"]) for row in order["items"])
    delivery = pence(order["shipping_amount"]) + pence(order["shipping_tax_amount"])
    assert gross + delivery == pence(order["grand_total"])
    assert vat + pence(order["shipping_tax_amount"]) == pence(order["tax_amount"])


def test_fact_2_a_configurable_is_two_lines_with_one_sku_and_only_the_parent_carries_money(
    fresh: MagentoStandIn,
) -> None:
    parent, child = send(fresh, "GET", f"{ORDERS}/103").json()["items"]
    assert (parent["product_type"], child["product_type"]) == ("configurable", "simple")
    assert parent["sku"] == child["sku"]
    assert (child["parent_item_id"], child["row_total"]) == (parent["item_id"], 0)
    assert child["parent_item"]["item_id"] == parent["item_id"]
    assert "price_incl_tax" not in child
    for path in ("ship", "invoice"):
        body = {"items": [{"order_item_id": child["item_id"], "qty": 1}]}
        assert send(fresh, "POST", f"/rest/V1/order/103/{path}", body).status_code == 400
    post(fresh, "order/103/ship", {"items": [{"order_item_id": parent["item_id"], "qty": 1}]})


@pytest.mark.parametrize("body", [None, {}, {"items": []}, "x"])
def test_fact_3_a_shipment_without_usable_lines_ships_everything(fresh: MagentoStandIn, body: Any) -> None:
    response = send(fresh, "POST", "/rest/V1/order/5/ship", body)
    assert response.status_code == 200
    assert {(line["qty_ordered"], line["qty_shipped"]) for line in fresh.order("000000005")["items"]} == {
        (7, 7),
        (3, 3),
    }


def test_fact_4_too_much_is_clamped_unknown_lines_are_dropped_and_a_repeat_ships_another_parcel(
    fresh: MagentoStandIn,
) -> None:
    lines = [line["item_id"] for line in fresh.order("000000004")["items"]]

    def shipped() -> list[int]:
        return [line["qty_shipped"] for line in fresh.order("000000004")["items"]]

    twice = {"order_item_id": lines[0], "qty": 1}
    post(fresh, "order/4/ship", {"items": [twice, twice]})
    assert shipped()[0] == 1
    post(fresh, "order/4/ship", {"items": [twice, {"order_item_id": 999_999, "qty": 1}]})
    assert shipped()[0] == 2
    post(fresh, "order/4/ship", {"items": [{"order_item_id": lines[0], "qty": 99}]})
    assert shipped() == [3, 0, 0, 0]
    part = {"items": [{"order_item_id": lines[3], "qty": 2}]}
    assert post(fresh, "order/4/ship", part).json() != post(fresh, "order/4/ship", part).json()
    assert shipped()[3] == 4


def test_fact_5_partial_shipments_tracks_and_comments_do_not_touch_the_orders_updated_at(
    magento: MagentoStandIn,
) -> None:
    """orders/updated-at-matrix.json, action by action."""
    magento.load_orders(
        [recorded.order_like(recorded.sample_orders()[12], place, {place * 10: 5}) for place in (71, 72)]
    )
    second = {"items": [{"order_item_id": 710, "qty": 1}]}
    shipment: list[str] = []
    acts = [
        lambda: post(magento, "orders/71/comments", {"statusHistory": {"comment": "x"}}),
        lambda: post(magento, "orders/71/comments", {"statusHistory": {"comment": "x", "status": "pending"}}),
        lambda: post(magento, "orders", {"entity": {"entity_id": 71, "ext_order_id": "SO-1"}}),
        lambda: post(magento, "orders", {"entity": {"entity_id": 71, "ext_order_id": "SO-1"}}),
        lambda: post(magento, "orders/71/hold"),
        lambda: post(magento, "orders/71/unhold"),
        lambda: post(magento, "order/71/invoice", second),
        lambda: shipment.append(post(magento, "order/71/ship", second).json()),
        lambda: post(magento, "order/71/ship", second),
        lambda: post(magento, "shipment/track", {"entity": {"order_id": 71, "parent_id": int(shipment[0])}}),
        lambda: post(magento, "order/71/invoice"),
        lambda: post(magento, "order/71/ship"),
        lambda: post(magento, "order/71/refund", second),
        lambda: post(magento, "orders/72/cancel"),
    ]
    steps = recorded.load("orders/updated-at-matrix")["steps"]
    for act, step in zip(acts, steps, strict=True):
        number = "000000072" if step["action"] == "cancel" else "000000071"
        before = magento.order(number)["updated_at"]
        magento.clock.advance(timedelta(minutes=1))
        act()
        order = magento.order(number)
        assert (order["updated_at"] != before) == step["updated_at_changed"], step["action"]
        assert (order["state"], order["status"]) == (step["state"], step["status"]), step["action"]


def test_fact_6_a_shipment_fails_when_the_reduced_quantity_was_pushed_first(fresh: MagentoStandIn) -> None:
    line = fresh.order("000000005")["items"][0]
    fresh.set_source_quantity(line["sku"], 6)
    response = send(fresh, "POST", "/rest/V1/order/5/ship", {"items": [{"order_item_id": line["item_id"], "qty": 7}]})
    assert (response.status_code, response.json()["message"]) == (
        400,
        "Could not save a shipment, see error log for details",
    )
    assert fresh.shipments("000000005") == []
    assert fresh.source_quantity(line["sku"]) == 6


def test_fact_7_salable_is_source_quantity_less_reservations_and_the_source_falls_on_shipment_only(
    fresh: MagentoStandIn,
) -> None:
    line = fresh.order("000000005")["items"][0]
    sku = line["sku"]
    held, salable = fresh.source_quantity(sku), fresh.salable(sku)
    assert held > salable
    post(fresh, "order/5/invoice")
    assert (fresh.source_quantity(sku), fresh.salable(sku)) == (held, salable)
    post(fresh, "order/5/ship", {"items": [{"order_item_id": line["item_id"], "qty": 3}]})
    assert (fresh.source_quantity(sku), fresh.salable(sku)) == (held - 3, salable)


def test_fact_8_source_items_take_unknown_skus_and_negatives_and_one_unknown_source_refuses_all(
    magento: MagentoStandIn,
) -> None:
    def push(*items: tuple[str, str, int]) -> httpx.Response:
        rows = [{"sku": sku, "source_code": code, "quantity": qty, "status": 1} for sku, code, qty in items]
        return send(magento, "POST", "/rest/V1/inventory/source-items", {"sourceItems": rows})

    response = push(("NOBODY", "default", 5), ("NEGATIVE", "default", -3))
    assert (response.status_code, response.json()) == (200, [])
    assert (magento.source_quantity("NOBODY"), magento.source_quantity("NEGATIVE")) == (5, -3)
    response = push(("NOBODY", "default", 6), ("NEGATIVE", "nowhere", 1))
    assert (response.status_code, response.json()) == (400, {"message": "Could not save Source Item"})
    assert magento.source_quantity("NOBODY") == 5


def test_fact_9_a_shipment_without_a_source_leaves_default_and_raises_what_another_stock_can_sell(
    magento: MagentoStandIn,
) -> None:
    order = recorded.order_like(recorded.sample_orders()[48], 426, {1181: 8}) | {"store_id": 4}
    magento.load_orders([order])
    sku = order["items"][0]["sku"]
    default, dublin, salable = (
        magento.source_quantity(sku),
        magento.source_quantity(sku, "wh_dub"),
        magento.salable(sku, 2),
    )
    assert_as_recorded(replay(magento, "fulfilment/ship-msi-no-source"), "fulfilment/ship-msi-no-source")
    assert magento.source_quantity(sku) == default - 2
    assert magento.source_quantity(sku, "wh_dub") == dublin
    assert magento.salable(sku, 2) == salable + 2
    for name in ("ship-msi-source", "ship-msi-unknown-source", "ship-msi-short-source"):
        assert_as_recorded(replay(magento, f"fulfilment/{name}"), f"fulfilment/{name}")
    assert magento.salable(sku, 2) == salable + 3
    sources = [shipment["extension_attributes"]["source_code"] for shipment in magento.shipments()]
    assert sources == ["default", "wh_mids", "default"]


def test_fact_10_a_price_put_without_a_store_code_is_an_override_of_the_default_website(
    magento: MagentoStandIn,
) -> None:
    magento.add_product("COAT", price=Decimal("10"))

    def price(store: str) -> Any:
        return send(magento, "GET", f"/rest/{store}V1/products/COAT?fields=price").json()["price"]

    send(magento, "PUT", "/rest/V1/products/COAT", {"product": {"price": 12}})
    send(magento, "PUT", "/rest/all/V1/products/COAT", {"product": {"price": 15}})
    assert (price(""), price("outlet/"), price("all/"), price("eu_en/")) == (12, 12, 15, 15)


def test_fact_11_an_empty_list_is_null_when_fields_of_its_members_are_asked_for(trading: MagentoStandIn) -> None:
    beyond = "searchCriteria[pageSize]=5&searchCriteria[currentPage]=999"
    for path in (
        "orders",
        "orders/items",
        "products",
        "shipments",
        "invoices",
        "creditmemos",
        "inventory/source-items",
    ):
        whole = send(trading, "GET", f"/rest/V1/{path}?{beyond}").json()
        cut = send(trading, "GET", f"/rest/V1/{path}?{beyond}&fields=items[sku],total_count").json()
        assert whole["items"] == []
        assert cut == {"items": None, "total_count": whole["total_count"]}


def test_fact_12_bad_token_no_token_and_missing_permission_are_the_same_401(magento: MagentoStandIn) -> None:
    path = f"{magento.url}{ORDERS}?searchCriteria[pageSize]=1"
    answers = [httpx.get(path), httpx.get(path, headers={"Authorization": "Bearer wrong"})]
    magento.settings.allowed = set()
    answers.append(send(magento, "GET", f"{ORDERS}?searchCriteria[pageSize]=1"))
    said = {"message": "The consumer isn't authorized to access %resources."}
    said["parameters"] = {"resources": "Magento_Sales::actions_view"}  # type: ignore[assignment]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(401, said)] * 3


def test_fact_13_skus_are_case_insensitive_and_a_post_renames(magento: MagentoStandIn) -> None:
    product_id = magento.add_product("abc-low-1", price=Decimal("5"))
    sent = {"sku": " ABC-LOW-1 ", "name": "Louder", "attribute_set_id": 4, "price": 6}
    answer = post(magento, "products", {"product": sent}).json()
    assert (answer["id"], answer["sku"]) == (product_id, "ABC-LOW-1")
    read = send(magento, "GET", "/rest/V1/products/abc-LOW-1?fields=sku,name").json()
    assert read == {"sku": "ABC-LOW-1", "name": "Louder"}
    assert magento.source_quantity("Abc-Low-1") == 100


def test_fact_14_the_vat_of_a_line_is_not_what_the_rate_gives(trading: MagentoStandIn) -> None:
    """Recorded orders hold lines whose VAT differs from rate times net, or gross less net at the rate."""
    apart = 0
    for order in trading.orders():
        for line in order["items"]:
            if "parent_item_id" in line or not line.get("tax_percent") or "row_total_incl_tax" not in line:
                continue
            gross, rate = Decimal(str(line["row_total_incl_tax"])), Decimal(str(line["tax_percent"]))
            apart += abs(gross * rate / (100 + rate) - Decimal(str(line["tax_amount"]))) > Decimal("0.005")
    assert apart > 0


def test_fact_15_four_byte_characters_are_kept_as_question_marks(fresh: MagentoStandIn) -> None:
    assert_as_recorded(replay(fresh, "fulfilment/order-comment-emoji"), "fulfilment/order-comment-emoji", allowed.TIMES)
    assert fresh.comments("000000018")[0]["comment"] == "Thanks ???? ✔"
