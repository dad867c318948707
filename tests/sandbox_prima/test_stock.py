"""Stock: what is available to sell, and the two answers that tell it."""

import json
from datetime import date
from pathlib import Path

import pytest

from sandbox.prima import Item, PrimaStandIn
from tests.sandbox_prima.conftest import MakePrima
from tests.sandbox_prima.wire import Line, Order, ask, new_orders, place, post, stock_list, stock_range, text_of

RECORDED_ORDERS = Path(__file__).parent.parent / "recordings" / "orders" / "sample-orders.json"


def levels(prima: PrimaStandIn, product_from: str = "", product_to: str = "") -> dict[str, str]:
    [data] = ask(prima, stock_range(product_from, product_to))
    return {f"{row.get('Product')}/{row.get('MtrxCode2')}": row.get("AvailableQuantity") for row in data}


def test_the_range_answer_has_lower_case_rows_sorted_by_product(prima: PrimaStandIn) -> None:
    [data] = ask(prima, stock_range())
    assert {row.tag for row in data} == {"sku"}
    assert [row.get("Product") for row in data] == ["BOOK", "HARBRN", "HARBRN", "WAXTIN"]
    assert list(data[1].attrib) == [
        "AvailableDate",
        "AvailableQuantity",
        "MtrxCode1",
        "MtrxCode2",
        "MtrxCode3",
        "MtrxCode4",
        "Product",
    ]


def test_the_list_answer_has_upper_case_rows_in_the_order_asked_for(prima: PrimaStandIn) -> None:
    [data] = ask(prima, stock_list(("WAXTIN", "NONE", "ONE"), ("HARBRN", "F", "075")))
    assert [(row.tag, row.get("Product")) for row in data] == [("SKU", "WAXTIN"), ("SKU", "HARBRN")]


def test_the_range_limits_are_included(prima: PrimaStandIn) -> None:
    assert levels(prima, "HARBRN", "HARBRN") == {"HARBRN/075": "10", "HARBRN/080": "0"}
    assert levels(prima, "C") == {"HARBRN/075": "10", "HARBRN/080": "0", "WAXTIN/ONE": "12"}
    assert levels(prima, "", "BOOK") == {"BOOK/": "4"}


def test_codes_are_compared_without_case_and_answered_in_the_servers_spelling(prima: PrimaStandIn) -> None:
    [[row]] = ask(prima, stock_list(("waxtin", "None", "one")))
    assert (row.get("Product"), row.get("MtrxCode1"), row.get("AvailableQuantity")) == ("WAXTIN", "NONE", "12")


@pytest.mark.parametrize(("habit", "rows"), [("missing", []), ("zero", ["0"])])
def test_an_unknown_sku_in_a_list_is_left_out_or_has_none(make_prima: MakePrima, habit: str, rows: list[str]) -> None:
    [data] = ask(make_prima(unknown_sku=habit), stock_list(("NOSUCH", "", "")))
    assert [row.get("AvailableQuantity") for row in data] == rows


def test_an_unknown_sku_in_a_list_can_spoil_the_whole_answer(make_prima: MakePrima) -> None:
    root = ask(make_prima(unknown_sku="error"), stock_list(("WAXTIN", "NONE", "ONE"), ("NOSUCH", "", "")))
    assert (root.get("RequestStatus"), root.find("Data")) == ("ERROR", None)


def test_a_date_stands_only_where_nothing_is_available(prima: PrimaStandIn) -> None:
    prima.expect("HARBRN-F-075", date(2030, 1, 2))
    [[available, awaited]] = ask(prima, stock_list(("HARBRN", "F", "075"), ("HARBRN", "F", "080")))
    assert (available.get("AvailableQuantity"), available.get("AvailableDate")) == ("10", "")
    assert (awaited.get("AvailableQuantity"), awaited.get("AvailableDate")) == ("0", "14/09/2030")


def test_an_accepted_order_takes_its_units_off_available_to_sell_at_once(prima: PrimaStandIn) -> None:
    place(prima)
    assert levels(prima)["HARBRN/075"] == "7"
    assert (prima.available("HARBRN-F-075"), prima.physical("HARBRN-F-075")) == (7, 10)


def test_an_oversold_item_shows_none_never_less(prima: PrimaStandIn) -> None:
    place(prima, Order(lines=[Line(quantity="13", price="259.87", locked_vat="43.31")]))
    assert levels(prima)["HARBRN/075"] == "0"
    assert prima.available("HARBRN-F-075") == -3


def test_goods_come_in_and_are_sold_elsewhere(prima: PrimaStandIn) -> None:
    prima.receive("HARBRN-F-080", 5)
    prima.sell_elsewhere("HARBRN-F-080", 2)
    assert levels(prima)["HARBRN/080"] == "3"
    assert prima.physical("HARBRN-F-080") == 3


def test_an_item_that_is_not_active_disappears_from_stock_answers_and_orders(prima: PrimaStandIn) -> None:
    prima.change_item("WAXTIN", is_active=0)
    assert "WAXTIN/ONE" not in levels(prima)
    [row] = ask(prima, new_orders(Order(lines=[Line("WAXTIN", "NONE", "ONE", "1", "5.25", "0.25")])))
    assert "not active" in row[0].get("Error")


def test_the_delivery_service_is_an_item_without_stock(prima: PrimaStandIn) -> None:
    assert "DELIVERY/" not in levels(prima)
    place(prima, Order(lines=[Line(), Line("DELIVERY", "", "", "1", "3.95", "0.66")], delivery="0.00"))
    assert prima.available("DELIVERY") == 0


def test_two_items_cannot_share_a_tuple_whatever_its_case(prima: PrimaStandIn) -> None:
    with pytest.raises(ValueError, match="exists already"):
        prima.add_items([Item("another", "harbrn", "f", "075")])


def test_every_sku_of_recorded_orders_becomes_one_item(prima: PrimaStandIn) -> None:
    orders = [entry["order"] for entry in json.loads(RECORDED_ORDERS.read_text(encoding="utf-8"))["orders"]]
    added = prima.items_from_orders(orders)
    skus = {item["sku"] for order in orders for item in order["items"] if "parent_item_id" not in item}
    assert {item.sku for item in added} == skus
    assert len({item.codes for item in added}) == len(skus)
    assert all(item.product.isalnum() and len(item.product) <= 16 for item in added)
    assert all(prima.available(sku) >= 100 for sku in skus)
    assert {item.vat_code for item in added} == {"S", "R", "Z"}
    assert prima.items_from_orders(orders) == [], "a second time adds nothing"


def test_open_units_of_recorded_orders_come_on_top_of_the_opening_stock(prima: PrimaStandIn) -> None:
    line = {"sku": "MS-1", "qty_ordered": 5, "qty_shipped": 2, "qty_canceled": 1, "tax_percent": 20, "price": 10}
    prima.items_from_orders([{"billing_address": {"country_id": "GB"}, "items": [line]}])
    assert prima.available("MS-1") == 102


def test_skus_that_differ_only_in_signs_get_different_products(prima: PrimaStandIn) -> None:
    items = [{"sku": sku, "qty_ordered": 1, "tax_percent": 20} for sku in ("AB/1", "AB.1", "ab1", "A-B-1")]
    added = prima.items_from_orders([{"items": items}])
    assert len({tuple(code.casefold() for code in item.codes) for item in added}) == 4


def test_a_hundred_thousand_items_are_served_in_one_answer(prima: PrimaStandIn) -> None:
    prima.add_items(Item(f"S{n}", f"P{n:06}", available=n % 7) for n in range(100_000))
    answer = text_of(post(prima, stock_range()))
    assert answer.count("<sku ") == 100_004
