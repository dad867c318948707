"""Orders: taken or refused one by one, with PRIMA's own figures and its own words."""

from pathlib import Path

import pytest
from lxml import etree

from sandbox.prima import PrimaStandIn
from tests.sandbox_prima.conftest import MakePrima
from tests.sandbox_prima.wire import Line, Order, ask, new_orders, place, post, status, text_of

UNKNOWN = Line("NOSUCH", "", "", "1", "5.00", "0.83")


def row_of(prima: PrimaStandIn, *orders: Order) -> etree._Element:
    [row] = ask(prima, new_orders(*orders))
    return row


def error_of(prima: PrimaStandIn, order: Order) -> str:
    row = row_of(prima, order)
    assert row.get("RequestStatus") == "ERROR"
    return row[0].get("Error")


def amounts(prima: PrimaStandIn, number: str = "30000042") -> tuple[int, int, int]:
    order = prima.order(number)
    assert order is not None
    [line] = order["lines"]
    return line["net"], line["vat"], line["gross"]


def test_an_accepted_order_answers_with_its_numbers_and_a_new_customer(prima: PrimaStandIn) -> None:
    assert dict(row_of(prima, Order()).attrib) == {
        "CustRef": "",
        "CustomerCode": "0000912345",
        "OrderNumber": "30000042",
        "RequestStatus": "OK",
        "TPGUID": "30000042",
        "UniqueID": "48210975",
    }


def test_each_order_makes_a_customer_unless_it_names_one(prima: PrimaStandIn) -> None:
    codes = [row_of(prima, Order(number)).get("CustomerCode") for number in ("1", "2")]
    assert codes == ["0000912345", "0000912346"]
    assert row_of(prima, Order("3", customer="0000000007")).get("CustomerCode") == "0000000007"


def test_new_order_is_taken_like_multi_new_order(prima: PrimaStandIn) -> None:
    root = ask(prima, new_orders(Order(), request_type="NewOrder"))
    assert (root.get("RequestType"), root[0].get("RequestStatus")) == ("NewOrder", "OK")


def test_a_number_that_exists_is_refused_with_e21_and_nothing_changes(prima: PrimaStandIn) -> None:
    place(prima)
    row = row_of(prima, Order(unique_id="11111111"))
    assert (row.get("CustomerCode"), row.get("UniqueID")) == ("", "11111111")
    assert dict(row[0].attrib) == {
        "Error": "(E:21) Sales Order Header already exists with Order Number equal to 30000042 ",
        "UniqueID": "11111111",
    }
    assert prima.order_numbers() == ["30000042"]
    assert prima.available("HARBRN-F-075") == 7


def test_vat_inclusive_against_the_price_book_is_refused_behind_the_summary(prima: PrimaStandIn) -> None:
    error = error_of(prima, Order(vat_inclusive="No"))
    blocks = [block.strip() for block in error.split("(E:")[1:]]
    assert blocks == [
        "194) There were no Valid Order Lines found for the  Current Order",
        "548) Price obtained from the Price Book has a different VAT Incl Prices Value",
        "194) NO VALID Sales Order Line Details for Matrix Levels",
    ]
    assert prima.order("30000042") is None


def test_error_blocks_are_separated_by_a_literal_line_feed(prima: PrimaStandIn) -> None:
    answer = text_of(post(prima, new_orders(Order(vat_inclusive="No"))))
    assert "Current Order \n(E:548)" in answer
    assert "&#10;" not in answer


def test_dev_mode_puts_a_trace_behind_each_block(make_prima: MakePrima) -> None:
    prima = make_prima(dev_mode=True)
    place(prima)
    error = error_of(prima, Order())
    assert "DEV MODE Stack Trace (Msg - E:Exist1): sop/wsomhandler.p" in error
    assert error.count("DEV MODE") == error.count("(E:") == 3
    prima.settings.dev_mode = False
    assert "DEV MODE" not in error_of(prima, Order())


def test_one_unknown_item_refuses_the_whole_order(prima: PrimaStandIn) -> None:
    error = error_of(prima, Order(lines=[Line(), UNKNOWN]))
    assert "equal to NOSUCH" in error
    assert "no Valid Order Lines" not in error, "one line was valid"
    assert prima.available("HARBRN-F-075") == 10


def test_a_prima_can_take_an_order_without_its_bad_lines(make_prima: MakePrima) -> None:
    prima = make_prima(drops_bad_lines=True)
    assert row_of(prima, Order(lines=[Line(), UNKNOWN])).get("RequestStatus") == "OK"
    assert amounts(prima) == (4998, 999, 5997)


def test_an_order_without_lines_is_refused(prima: PrimaStandIn) -> None:
    assert "no Valid Order Lines" in error_of(prima, Order(lines=[]))


@pytest.mark.parametrize("line", [Line(quantity="two"), Line(quantity="0"), Line(price=""), Line(locked_vat="x")])
def test_a_value_that_cannot_be_read_is_refused(prima: PrimaStandIn, line: Line) -> None:
    assert "Invalid Value" in error_of(prima, Order(lines=[line]))


def test_an_unknown_charge_code_is_refused_where_codes_are_set_up(make_prima: MakePrima) -> None:
    prima = make_prima(charge_codes=frozenset({"RM24"}))
    assert "Charge Code equal to STD48" in error_of(prima, Order())


def test_a_refused_order_does_not_keep_the_others_of_its_request_back(prima: PrimaStandIn) -> None:
    root = ask(prima, new_orders(Order("1"), Order("2", vat_inclusive="No"), Order("3")))
    assert [row.get("RequestStatus") for row in root] == ["OK", "ERROR", "OK"]
    assert prima.order_numbers() == ["1", "3"]


def test_locked_vat_is_stored_as_it_was_sent(prima: PrimaStandIn) -> None:
    place(prima)
    assert amounts(prima) == (4998, 999, 5997)


def test_without_locked_vat_it_is_worked_out_from_the_line_at_the_items_rate(prima: PrimaStandIn) -> None:
    place(prima, Order(lines=[Line(locked_vat="")]))
    assert amounts(prima) == (4997, 1000, 5997)


@pytest.mark.parametrize(
    ("meaning", "price", "locked_vat", "stored"),
    [
        ("line_gross", "59.97", "9.99", (4998, 999, 5997)),
        ("unit_gross", "19.99", "9.99", (4998, 999, 5997)),
        ("line_net", "49.98", "9.99", (4998, 999, 5997)),
        ("unit_net", "16.66", "9.99", (4998, 999, 5997)),
        ("unit_gross", "19.99", "", (4997, 1000, 5997)),
        ("unit_net", "16.66", "", (4998, 1000, 5998)),
        ("unit_gross", "59.97", "9.99", (16992, 999, 17991)),
    ],
)
def test_the_meaning_of_price_decides_what_is_stored(
    make_prima: MakePrima, meaning: str, price: str, locked_vat: str, stored: tuple[int, int, int]
) -> None:
    prima = make_prima(price_meaning=meaning)
    place(prima, Order(lines=[Line(price=price, locked_vat=locked_vat)]))
    assert amounts(prima) == stored


@pytest.mark.parametrize(
    ("country", "rate", "vat"), [("GB", "20", 66), ("IM", "20", 66), ("IE", "0", 0), ("US", "0", 0)]
)
def test_a_delivery_charge_carries_vat_only_in_the_home_countries(
    prima: PrimaStandIn, country: str, rate: str, vat: int
) -> None:
    place(prima, Order(country=country))
    order = prima.order("30000042")
    assert order is not None
    assert (order["charge_rate"], order["charge_vat"], order["charge_gross"]) == (rate, vat, 395)


@pytest.mark.parametrize(("country", "rate"), [("GB", "20"), ("IE", "23"), ("DE", "19"), ("JE", "0"), ("US", "0")])
def test_a_lines_rate_is_the_destinations(prima: PrimaStandIn, country: str, rate: str) -> None:
    place(prima, Order(country=country, lines=[Line(locked_vat="")]))
    order = prima.order("30000042")
    assert order is not None
    assert order["lines"][0]["vat_rate"] == rate


def test_the_orders_totals_are_its_lines_and_delivery_whatever_was_said_to_be_paid(prima: PrimaStandIn) -> None:
    place(prima, Order(lines=[Line(), Line("BOOK", "", "", "1", "7.00", "0.00")]))
    order = prima.order("30000042")
    assert order is not None
    assert (order["net"], order["vat"], order["gross"]) == (4998 + 700 + 329, 999 + 66, 5997 + 700 + 395)
    assert order["tran_amount"] == "63.92"


def test_delivery_can_be_an_order_line_with_its_vat_locked(prima: PrimaStandIn) -> None:
    place(prima, Order(lines=[Line(), Line("DELIVERY", "", "", "1", "3.95", "0.66")], delivery="0.00"))
    order = prima.order("30000042")
    assert order is not None
    assert (order["charge_gross"], order["gross"], order["vat"]) == (0, 6392, 1065)


def test_the_state_of_an_order_is_told_by_its_number(prima: PrimaStandIn) -> None:
    place(prima)
    [row] = ask(prima, status("30000042"))
    assert dict(row.attrib) == {"OrderNumber": "30000042", "OrderStatus": "On Order"}


def test_an_unknown_number_is_an_error_that_begins_with_the_not_found_text(prima: PrimaStandIn) -> None:
    root = ask(prima, status("404"))
    assert root.get("RequestStatus") == "ERROR"
    assert root.get("Error").startswith(prima.not_found_text)
    assert "404" in root.get("Error")
    assert root.find("RequestError").get("Error") == root.get("Error")
    prima.not_found_text = "Unbekannt"
    assert ask(prima, status("404")).get("Error").startswith("Unbekannt")


def test_a_held_order_waits_until_it_is_released(prima: PrimaStandIn) -> None:
    place(prima, Order(hold="Yes"))
    assert ask(prima, status("30000042"))[0].get("OrderStatus") == "Held"
    with pytest.raises(ValueError, match="held"):
        prima.dispatch("30000042")
    prima.release("30000042")
    assert ask(prima, status("30000042"))[0].get("OrderStatus") == "On Order"


def test_orders_outlive_the_process(make_prima: MakePrima, tmp_path: Path) -> None:
    with make_prima("lasting") as first:
        place(first)
    with PrimaStandIn(tmp_path / "lasting") as second:
        assert second.order_numbers() == ["30000042"]
        assert row_of(second, Order("7")).get("CustomerCode") == "0000912346"
