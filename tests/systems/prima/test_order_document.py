"""The order document: well-formed whatever a customer writes, and with the amounts that the settings ask for."""

import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from schemas.documents import SalesOrder, Tender
from tasks.errors import CallRefusedError
from tasks.settings import Secrets
from tasks.systems.prima import PrimaClient
from tasks.systems.prima.text import CharacterPolicy, clean
from tests.systems.prima.builders import a_line, an_address, an_order, prima_settings

ANYTHING = st.text(alphabet=st.characters(codec=None, exclude_categories=[]), max_size=60)
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def document_of(order: SalesOrder, **changes: Any) -> etree._Element:
    """Return the parsed order document, as a reader of the wire sees it."""
    prepared = PrimaClient(prima_settings(**changes), Secrets()).prepare_order(order)
    return etree.fromstring(prepared.document.encode("iso-8859-1"))


def warnings_of(order: SalesOrder, **changes: Any) -> list[str]:
    return PrimaClient(prima_settings(**changes), Secrets()).prepare_order(order).warnings


@pytest.mark.parametrize("policy", ["transliterate", "charref"])
@UNHURRIED
@given(note=ANYTHING, surname=ANYTHING, town=ANYTHING)
def test_any_text_arrives_as_the_character_policy_says(
    policy: CharacterPolicy, note: str, surname: str, town: str
) -> None:
    order = an_order(note=note, delivery_address=an_address(surname=surname, town=town))
    limits = {"note_length": 2000, "name_length": 2000, "address_line_length": 2000}
    root = document_of(order, character_policy=policy, orders=limits)
    data = root[0]
    assert data.get("CustomerSurname") == clean(surname, policy).text
    assert data.get("AddrLine2") == clean(town, policy).text
    assert data.find("OrderHeaderData").get("SpecialInstructions") == clean(note, policy).text
    assert [child.tag for child in data] == [
        "OrderHeaderData",
        "OrderInvoiceData",
        "OrderLineData",
        "OrderChargeData",
        "OrderPaymentData",
    ]


@UNHURRIED
@given(text=ANYTHING)
def test_text_outside_the_code_page_is_sent_as_it_is_or_not_at_all(text: str) -> None:
    order = an_order(note=text)
    visible = [character for character in clean(text, "charref").text if unicodedata.category(character) != "Cf"]
    if all(character <= "\u00ff" for character in visible):
        note = document_of(order, character_policy="reject")[0].find("OrderHeaderData").get("SpecialInstructions")
        assert note == clean(text, "reject").text
    else:
        with pytest.raises(CallRefusedError) as refused:
            document_of(order, character_policy="reject")
        assert refused.value.code == "TEXT_UNSENDABLE"


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        ('Ring "twice" & <wait>', 'Ring "twice" & <wait>'),
        ("first line\r\nsecond\tline", "first line second line"),
        ("bell\x07 and\x00 nul", "bell and nul"),
        ("Łódź, Zażółć", "Lódz, Zazólc"),
        ("It’s – fine…", "It's - fine..."),
        ("café £5 ½", "café £5 ½"),
        ("e\u0301", "é"),
        ("zero\u200bwidth", "zerowidth"),
        ("\ud800lone", "lone"),
    ],
)
def test_what_transliteration_makes_of_text(text: str, arrives: str) -> None:
    header = document_of(an_order(note=text))[0].find("OrderHeaderData")
    assert header.get("SpecialInstructions") == arrives


def test_numeric_references_keep_every_character() -> None:
    prepared = PrimaClient(prima_settings(character_policy="charref"), Secrets()).prepare_order(
        an_order(note="Łódź \U0001f600")
    )
    assert "&#321;" in prepared.document
    assert all(character <= "\u00ff" for character in prepared.document)
    root = etree.fromstring(prepared.document.encode("iso-8859-1"))
    assert root[0].find("OrderHeaderData").get("SpecialInstructions") == "Łódź \U0001f600"


@pytest.mark.parametrize(
    ("declaration", "start"),
    [
        ("none", "<Request "),
        ("plain", '<?xml version="1.0"?><Request '),
        ("iso-8859-1", '<?xml version="1.0" encoding="ISO-8859-1"?><Request '),
    ],
)
def test_the_declaration_is_a_setting(declaration: str, start: str) -> None:
    client = PrimaClient(prima_settings(declaration=declaration), Secrets())
    assert client.prepare_order(an_order()).document.startswith(start)


def test_nothing_is_cut_in_silence_and_no_warning_repeats_the_text() -> None:
    order = an_order(
        note="n" * 250, delivery_address=an_address(street=("Very Long Street Name Indeed 17", "Second Line"))
    )
    limits = {"address_line_length": 35, "note_length": 200}
    address = document_of(order, orders=limits)[0]
    assert address.get("AddrLine1") == "Very Long Street Name Indeed 17 Sec"
    assert warnings_of(order, orders=limits) == [
        "delivery street was cut from 43 to 35 characters.",
        "note was cut from 250 to 200 characters.",
    ]


def test_a_company_name_that_has_no_place_is_reported() -> None:
    warnings = warnings_of(an_order(delivery_address=an_address(company="Quill & Co")))
    assert len(warnings) == 1
    assert "company name was not sent" in warnings[0]
    assert "Quill" not in warnings[0]


@pytest.mark.parametrize(
    ("meaning", "price"),
    [("line_gross", "59.97"), ("unit_gross", "19.99"), ("line_net", "49.98"), ("unit_net", "16.66")],
)
def test_price_means_what_the_setting_says(meaning: str, price: str) -> None:
    line = document_of(an_order(), orders={"price_meaning": meaning})[0].find("OrderLineData")
    assert line.get("Price") == price
    assert line.get("ExtTaxVal") == "9.99"


@pytest.mark.parametrize("meaning", ["unit_gross", "unit_net"])
def test_a_unit_price_that_is_no_whole_number_of_pence_is_refused(meaning: str) -> None:
    line = a_line(net_pence=4999, vat_pence=1000, gross_pence=5999)
    with pytest.raises(CallRefusedError) as refused:
        document_of(an_order(lines=(line,)), orders={"price_meaning": meaning})
    assert refused.value.code == "PRICE_NOT_DIVISIBLE"


def test_vat_is_left_to_prima_only_when_the_setting_says_so() -> None:
    line = document_of(an_order(), orders={"vat_lock": "none"})[0].find("OrderLineData")
    assert line.get("ExtTaxVal") == ""


def test_delivery_as_a_line_is_the_last_line_and_the_charge_is_nought() -> None:
    order = an_order(lines=(a_line(1), a_line(2)))
    rules = {"delivery_as": "line", "delivery_product": {"product": "DELIVERY", "mtrx1": "STD"}}
    data = document_of(order, orders=rules)[0]
    last = data.findall("OrderLineData")[-1]
    sent = {name: last.get(name) for name in ("OrderLine", "Product", "MtrxCode1", "Quantity", "Price", "ExtTaxVal")}
    assert sent == {
        "OrderLine": "3",
        "Product": "DELIVERY",
        "MtrxCode1": "STD",
        "Quantity": "1",
        "Price": "3.95",
        "ExtTaxVal": "0.66",
    }
    assert data.find("OrderChargeData").get("ChargeValue") == "0.00"
    assert data.find("OrderPaymentData").get("TranAmount") == "123.89"


def test_free_delivery_is_a_charge_of_nought_or_none_at_all() -> None:
    free = {"delivery_net_pence": 0, "delivery_vat_pence": 0, "delivery_gross_pence": 0}
    assert document_of(an_order(**free))[0].find("OrderChargeData").get("ChargeValue") == "0.00"
    assert document_of(an_order(**free), orders={"send_zero_charge": False})[0].find("OrderChargeData") is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"gross_pence": 6393}, "TOTALS_DISAGREE"),
        ({"lines": (a_line(net_pence=4999),)}, "TOTALS_DISAGREE"),
        ({"lines": (a_line(quantity=0),)}, "QUANTITY"),
        ({"lines": ()}, "NO_LINES"),
        ({"delivery_charge_code": ""}, "DELIVERY_UNMAPPED"),
        ({"order_number_prima": ""}, "ORDER_NUMBER_UNFIT"),
        ({"lines": tuple(a_line(number) for number in range(1, 60))}, "TOO_LARGE"),
    ],
)
def test_an_order_that_cannot_be_sent_says_why(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(CallRefusedError) as refused:
        document_of(an_order(**changes))
    assert refused.value.code == code
    assert refused.value.reference == "000000042"


def test_a_held_order_tells_its_reason_and_settings_may_hold_them_all() -> None:
    data = document_of(an_order(is_held=True, hold_reason="Check the address"))[0]
    assert (data.get("HoldOrder"), data.get("HoldOrderNarrative")) == ("Yes", "Check the address")
    assert document_of(an_order())[0].get("HoldOrder") == "No"
    assert document_of(an_order(), orders={"hold_orders": True})[0].get("HoldOrder") == "Yes"


def test_the_unique_id_is_new_on_every_attempt_or_the_order_number() -> None:
    client = PrimaClient(prima_settings(), Secrets())
    ids = {client.prepare_order(an_order()).unique_id for _ in range(5)}
    assert len(ids) == 5
    assert all(len(value) == 8 and value.isdigit() for value in ids)
    fixed = PrimaClient(prima_settings(orders={"unique_id": "order_number"}), Secrets())
    assert fixed.prepare_order(an_order()).unique_id == "30000042"


def test_the_number_stands_wherever_prima_was_seen_to_keep_it() -> None:
    data = document_of(an_order())[0]
    payment = data.find("OrderPaymentData")
    assert {data.get("TPGUID"), data.get("OrderNumber")} == {"30000042"}
    assert {payment.get(name) for name in ("PayAuthRef", "PayAuthId", "LineRef")} == {"30000042"}


def test_each_means_of_payment_is_a_payment_of_its_own_and_together_they_are_the_total() -> None:
    gift_card = Tender("gift_card", 2000, "VCH", "GIFT", "NONE")

    first, second = document_of(an_order(tenders=(gift_card,)))[0].findall("OrderPaymentData")

    assert (first.get("PayMethod"), first.get("TranAmount"), first.get("TransactionID")) == (
        "CSH",
        "43.92",
        "TX-EXAMPLE-1",
    )
    assert (second.get("PayMethod"), second.get("SubPayMethod"), second.get("TranAmount")) == ("VCH", "GIFT", "20.00")
    assert second.get("TransactionID") == ""


def test_an_order_paid_by_one_tender_alone_has_one_payment() -> None:
    (payment,) = document_of(an_order(tenders=(Tender("store_credit", 6392, "ACC", "CREDIT", "NONE"),)))[0].findall(
        "OrderPaymentData"
    )

    assert (payment.get("PayMethod"), payment.get("TranAmount")) == ("ACC", "63.92")


def test_tenders_that_exceed_the_total_are_refused() -> None:
    with pytest.raises(CallRefusedError) as refused:
        document_of(an_order(tenders=(Tender("store_credit", 6393, "ACC", "CREDIT", "NONE"),)))
    assert refused.value.code == "TOTALS_DISAGREE"


LONG = "x" * 50


def test_an_order_with_a_text_to_cut_is_not_written_where_that_holds() -> None:
    with pytest.raises(CallRefusedError) as refused:
        document_of(an_order(delivery_address=an_address(surname=LONG), if_cut="hold"))
    assert refused.value.code == "TEXT_CUT"
    assert "delivery surname was cut from 50 to 30 characters" in str(refused.value)
    assert LONG not in str(refused.value)


def test_an_order_with_a_text_to_cut_is_written_on_hold_where_the_settings_say_so() -> None:
    data = document_of(an_order(delivery_address=an_address(surname=LONG), if_cut="hold_in_prima"))[0]
    assert data.get("HoldOrder") == "Yes"
    assert data.get("HoldOrderNarrative") == "TEXT_CUT: delivery surname was cut from 50 to 30 characters."

    assert document_of(an_order(if_cut="hold_in_prima"))[0].get("HoldOrder") == "No"


def test_what_lines_and_delivery_leave_is_the_last_line_without_vat_where_the_settings_name_one() -> None:
    order = an_order(rounding_pence=-40, net_pence=5287, gross_pence=6352)

    data = document_of(order, orders={"rounding_product": {"product": "ROUNDING"}})[0]

    last = data.findall("OrderLineData")[-1]
    assert [last.get(name) for name in ("Product", "Quantity", "Price", "ExtTaxVal")] == [
        "ROUNDING",
        "1",
        "-0.40",
        "0.00",
    ]
    assert data.find("OrderPaymentData").get("TranAmount") == "63.52"
    with pytest.raises(CallRefusedError, match="rounding_product"):
        document_of(order)
