"""What `[prima.orders]` says is what PRIMA receives: orders sent over SOAP, and what the stand-in got of them."""

from datetime import date
from typing import Any

import pytest

from sandbox.prima import PrimaStandIn
from schemas.documents import SalesOrder
from schemas.prima_order import FREE
from tasks.errors import CallRefusedError
from tasks.post.orders import fingerprint
from tests.systems.prima.builders import a_line, an_address, an_order
from tests.systems.prima.conftest import ClientFor

Sent = dict[str, dict[str, str]]


def sent(prima: PrimaStandIn, client_for: ClientFor, order: SalesOrder, customer_code: str = "", **orders: Any) -> Sent:
    """Send an order with these settings; return what PRIMA received, by element (of the lines the first)."""
    client = client_for(orders=orders)
    client.send_order(client.prepare_order(order, customer_code=customer_code))
    stored = prima.order(order.order_number_prima)
    assert stored is not None
    received: Sent = {"Data": stored["sent"]["Data"]}
    for name, attributes in stored["sent"]["children"]:
        received.setdefault(name, attributes)
    return received


def test_without_settings_every_constant_has_the_default_of_the_reference(
    prima: PrimaStandIn, client_for: ClientFor
) -> None:
    received = sent(prima, client_for, an_order(placed_on=date(2026, 11, 25)))

    data, header, line = received["Data"], received["OrderHeaderData"], received["OrderLineData"]
    assert {name: data[name] for name in ("OrderChannel", "HoldOrder", "Customer", "OrderType", "TPGUID")} == {
        "OrderChannel": "MailOrder",
        "HoldOrder": "No",
        "Customer": "",
        "OrderType": "",
        "TPGUID": "30000042",
    }
    assert {header[name] for name in ("SourceMedia", "Brand", "Season", "Currency", "OrderDate")} == {""}
    assert {line[name] for name in ("Warehouse", "DueDate", "PromotionValue", "TrDisc")} == {""}
    assert {data[name] for name in data if name.startswith("Receive") or name == "RentDetails"} == {"No"}
    assert data["UniqueId"].isdigit()
    assert len(data["UniqueId"]) == 8


def test_constants_and_consent_of_the_installation_arrive(prima: PrimaStandIn, client_for: ClientFor) -> None:
    received = sent(
        prima,
        client_for,
        an_order(),
        source_media="WEB",
        brand="HARBOUR",
        season="AW26",
        order_type="W",
        warehouse="MAIN",
        hold_orders=True,
        consent={"receive_email": True, "rent_details": True},
        constants={
            "order": {"Salesman": "S1"},
            "header": {"ProdConv": "Y"},
            "line": {"Reserve": "Yes"},
            "payment": {"PayProviderStatus": "OK"},
            "invoice": {"InvoiceTitle": "Ms"},
        },
    )

    data, header, line = received["Data"], received["OrderHeaderData"], received["OrderLineData"]
    assert (header["SourceMedia"], header["Brand"], header["Season"]) == ("WEB", "HARBOUR", "AW26")
    assert (data["OrderType"], data["HoldOrder"], line["Warehouse"]) == ("W", "Yes", "MAIN")
    assert (data["ReceiveEmail"], data["RentDetails"], data["ReceiveMail"]) == ("Yes", "Yes", "No")
    assert (data["Salesman"], header["ProdConv"], line["Reserve"]) == ("S1", "Y", "Yes")
    assert received["OrderPaymentData"]["PayProviderStatus"] == "OK"
    assert received["OrderInvoiceData"]["InvoiceTitle"] == "Ms"


def test_the_brand_of_a_store_wins_over_the_one_of_the_installation(prima: PrimaStandIn, client_for: ClientFor) -> None:
    received = sent(prima, client_for, an_order(brand="OUTLET"), brand="HARBOUR")
    assert received["OrderHeaderData"]["Brand"] == "OUTLET"


@pytest.mark.parametrize(("currency", "send", "arrives"), [
    ("GBP", "foreign", ""), ("EUR", "foreign", "EUR"), ("GBP", "always", "GBP"), ("EUR", "never", ""),
])  # fmt: skip
def test_the_currency_is_sent_as_the_settings_say(
    prima: PrimaStandIn, client_for: ClientFor, currency: str, send: str, arrives: str
) -> None:
    received = sent(prima, client_for, an_order(currency=currency), send_currency=send)
    assert received["OrderHeaderData"]["Currency"] == arrives


def test_dates_are_written_in_the_form_of_the_settings(prima: PrimaStandIn, client_for: ClientFor) -> None:
    received = sent(
        prima,
        client_for,
        an_order(placed_on=date(2026, 12, 30)),
        order_date_format="dd/mm/yyyy",
        due_date_format="yyyymmdd",
        due_in_days=3,
    )
    assert received["OrderHeaderData"]["OrderDate"] == "30/12/2026"
    assert received["OrderLineData"]["DueDate"] == "20270102"


def test_the_address_is_laid_out_by_the_settings(prima: PrimaStandIn, client_for: ClientFor) -> None:
    street = ("Flat 2", "Mill House", "7 Fenwick Row")
    address = an_address(street=street, company="Quill Ltd", country="IM", vat_number="GB123456789")
    received = sent(
        prima,
        client_for,
        an_order(delivery_address=address, invoice_address=address),
        address_lines=["company", "street1", "street2", "town", "county"],
        country_codes={"IM": "GB"},
        vat_number_to="CustomerRef",
        phone_to="both",
    )

    data, invoice = received["Data"], received["OrderInvoiceData"]
    lines = ["Quill Ltd", "Flat 2", "Mill House 7 Fenwick Row", "Northby", "Westshire", ""]
    assert [data[f"AddrLine{number}"] for number in range(1, 7)] == lines
    assert [invoice[f"InvoiceAddrLine{number}"] for number in range(1, 7)] == lines
    assert (data["Country"], invoice["InvoiceCountry"]) == ("GB", "GB")
    assert data["CustomerRef"] == "GB123456789"
    assert {data[name] for name in ("CustomerPhone", "CustomerMobile")} == {"01632960123"}
    assert {invoice[name] for name in ("InvoicePhone", "InvoiceMobile")} == {"01632960123"}


def test_company_names_go_for_the_attention_of_or_leave_a_warning(prima: PrimaStandIn, client_for: ClientFor) -> None:
    order = an_order(delivery_address=an_address(company="Quill Ltd"))
    received = sent(prima, client_for, order, company_to="fao", phone_to="mobile")
    assert received["Data"]["DeliveryFAO"] == "Quill Ltd"
    assert received["OrderInvoiceData"]["InvoiceFAO"] == ""
    assert (received["Data"]["CustomerPhone"], received["Data"]["CustomerMobile"]) == ("", "01632960123")

    assert client_for(orders={"company_to": "fao"}).prepare_order(order).warnings == []
    [warning] = client_for().prepare_order(order).warnings
    assert "company_to" in warning


def test_a_customer_of_prima_is_named_when_there_is_one(prima: PrimaStandIn, client_for: ClientFor) -> None:
    assert sent(prima, client_for, an_order(), "0000912300")["Data"]["Customer"] == "0000912300"
    stored = prima.order("30000042")
    assert stored is not None
    assert stored["customer_code"] == "0000912300"
    with pytest.raises(CallRefusedError, match="Customer"):
        client_for().prepare_order(an_order(), customer_code="\u2019")


@pytest.mark.parametrize("content", ["order_number", "shop_number", "unique_id", "uuid"])
def test_tpguid_holds_what_the_settings_say_and_a_repeated_request_is_known(
    prima: PrimaStandIn, client_for: ClientFor, content: str
) -> None:
    client = client_for(orders={"tpguid": content})
    first, second = client.prepare_order(an_order()), client.prepare_order(an_order())
    assert first.unique_id != second.unique_id
    assert fingerprint(first) == fingerprint(second)

    data = sent(prima, client_for, an_order(), tpguid=content)["Data"]
    if content == "uuid":
        assert data["TPGUID"].count("-") == 4
        assert f'TPGUID="{data["TPGUID"]}"' in first.document
    else:
        known = {"order_number": "30000042", "shop_number": "000000042", "unique_id": data["UniqueId"]}
        assert data["TPGUID"] == known[content]


@pytest.mark.parametrize(("meaning", "place", "price", "discount"), [
    ("line_gross", "price", "59.97", ""),
    ("line_gross", "promotion_value", "65.97", "6.00"),
    ("line_net", "tr_disc", "54.98", "5.00"),
])  # fmt: skip
def test_a_discount_stands_in_the_price_or_beside_it_and_the_total_is_the_same(
    prima: PrimaStandIn, client_for: ClientFor, meaning: str, place: str, price: str, discount: str
) -> None:
    attribute = {"promotion_value": "PromotionValue", "tr_disc": "TrDisc"}.get(place, "")
    prima.settings.price_meaning = meaning  # type: ignore[assignment]
    prima.settings.discount_attribute = attribute  # type: ignore[assignment]
    order = an_order(lines=(a_line(discount_net_pence=500, discount_gross_pence=600),))

    line = sent(prima, client_for, order, price_meaning=meaning, discount_in=place)["OrderLineData"]

    assert line["Price"] == price
    assert [line[name] for name in ("PromotionValue", "TrDisc") if name == attribute] == [discount] * bool(attribute)
    stored = prima.order("30000042")
    assert stored is not None
    assert (stored["gross"], stored["vat"]) == (order.gross_pence, stored["charge_vat"] + 999)


def test_more_decimals_let_a_unit_price_come_out_exactly(prima: PrimaStandIn, client_for: ClientFor) -> None:
    prima.settings.price_meaning = "unit_gross"
    order = an_order(lines=(a_line(quantity=4, net_pence=833, vat_pence=167, gross_pence=1001 - 1),))
    odd = an_order(lines=(a_line(quantity=8, net_pence=834, vat_pence=167, gross_pence=1001),))

    assert sent(prima, client_for, order, price_meaning="unit_gross")["OrderLineData"]["Price"] == "2.50"
    with pytest.raises(CallRefusedError, match="2 decimals"):
        client_for(orders={"price_meaning": "unit_gross"}).prepare_order(odd)
    document = client_for(orders={"price_meaning": "unit_gross", "price_decimals": 5}).prepare_order(odd).document
    assert 'Price="1.25125"' in document


def test_only_what_is_always_empty_can_be_a_constant(prima: PrimaStandIn, client_for: ClientFor) -> None:
    received = sent(prima, client_for, an_order(placed_on=date(2026, 11, 25)))
    elements = {
        "order": "Data",
        "header": "OrderHeaderData",
        "invoice": "OrderInvoiceData",
        "line": "OrderLineData",
        "payment": "OrderPaymentData",
    }
    for section, names in FREE.items():
        for name in names:
            assert received[elements[section]][name] == "", f"{section}.{name} is filled by an order"
