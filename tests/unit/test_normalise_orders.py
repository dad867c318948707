"""Magento order records become rows: to the penny, one row a sellable line, and what is unreadable becomes a reason."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from schemas.money import to_pence
from schemas.orders import OrderFrames
from tasks import validate
from tasks.normalise import orders as normalise
from tests.builders import a_child_of, an_order, an_order_line, frames_of, rejections, with_address
from tests.recorded import sample_order, sample_orders, tax_baskets

# A fixed discount a unit that is larger than the price, prices without VAT: REST shows the line as 0.00, the order's
# totals keep the negative. Lines and header are then 0.40 apart.
FLOORED = {"UNIT_BASE_CALCULATION/excl#45", "ROW_BASE_CALCULATION/excl#45"}

Spoil = Callable[[dict[str, Any]], object]


def order_of_basket(number: int, basket: dict[str, Any]) -> dict[str, Any]:
    """Return the order record of a recorded basket: its lines, header and VAT table in a recorded order's frame."""
    record = sample_order("000000090")
    record |= {name: value for name, value in basket["header"].items() if value is not None}
    record |= {"increment_id": f"{number:09d}", "entity_id": number}
    record["items"] = [{**line, "product_type": "simple"} for line in basket["lines"]]
    record["extension_attributes"]["applied_taxes"] = basket["applied_taxes"]
    return with_address(record, country_id=basket["input"]["destination_country"])


def rows(frame: pd.DataFrame, **having: Any) -> list[dict[str, Any]]:
    """Return the rows of a frame in which every named column has the value."""
    for name, value in having.items():
        frame = frame[frame[name] == value]
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def order_row(frames: OrderFrames, order_number: str = "000000101") -> dict[str, Any]:
    """Return the one row of an order."""
    (row,) = rows(frames.orders, order_number=order_number)
    return row


def line_rows(frames: OrderFrames, order_number: str = "000000101") -> list[dict[str, Any]]:
    """Return the rows of an order's lines."""
    return rows(frames.lines, order_number=order_number)


@pytest.fixture(scope="module")
def baskets() -> OrderFrames:
    """The 308 recorded baskets after `normalise`; the order number is the position from 1."""
    return normalise.orders([order_of_basket(number, basket) for number, basket in enumerate(tax_baskets(), start=1)])


def test_every_line_of_the_recorded_baskets_has_net_vat_and_gross_as_recorded(baskets: OrderFrames) -> None:
    recorded = [
        (f"{number:09d}", position, to_pence(line["row_total_incl_tax"]), to_pence(line["tax_amount"]))
        for number, basket in enumerate(tax_baskets(), start=1)
        for position, line in enumerate(basket["lines"], start=1)
    ]
    lines = baskets.lines
    found = list(
        zip(lines["order_number"], lines["line_number"], lines["gross_pence"], lines["vat_pence"], strict=True)
    )

    assert found == recorded
    assert (lines["net_pence"] == lines["gross_pence"] - lines["vat_pence"]).all()


def test_every_recorded_basket_has_delivery_and_totals_as_recorded(baskets: OrderFrames) -> None:
    for row, basket in zip(rows(baskets.orders), tax_baskets(), strict=True):
        header = basket["header"]
        delivery = (
            to_pence(header["shipping_amount"])
            + to_pence(header["shipping_tax_amount"])
            - to_pence(header["shipping_discount_amount"])
            + to_pence(header["shipping_discount_tax_compensation_amount"])
        )
        gross, vat = to_pence(header["grand_total"]), to_pence(header["tax_amount"])
        shown = (basket["id"], row["delivery_gross_pence"], row["delivery_vat_pence"], row["delivery_net_pence"])
        assert shown == (basket["id"], delivery, row["delivery_vat_pence"], delivery - row["delivery_vat_pence"])
        assert row["delivery_vat_pence"] == to_pence(header["shipping_tax_amount"])
        assert (row["gross_pence"], row["vat_pence"], row["net_pence"]) == (gross, vat, gross - vat), basket["id"]
        assert row["header_gross_pence"] == gross, basket["id"]
        assert row["applied_vat_pence"] == vat, basket["id"]


def test_only_the_baskets_with_a_floored_line_leave_anything_beside_lines_and_delivery(baskets: OrderFrames) -> None:
    ids = {f"{number:09d}": basket["id"] for number, basket in enumerate(tax_baskets(), start=1)}

    assert rejections(baskets) == {}
    left_over = {ids[row["order_number"]]: row["floored_pence"] for row in rows(baskets.orders) if row["floored_pence"]}
    assert left_over == dict.fromkeys(FLOORED, -40)


@pytest.mark.parametrize("amounts", ["order", "base"])
def test_every_recorded_order_adds_up_in_either_currency(amounts: Any) -> None:
    frames = normalise.orders(sample_orders(), amounts)
    checked = validate.check_orders.fn(frames)

    assert len(checked.accepted) == 84
    prefix = "base_" if amounts == "base" else ""
    for record in sample_orders():
        row = order_row(frames, record["increment_id"])
        assert row["gross_pence"] == to_pence(record[f"{prefix}grand_total"])
        assert row["vat_pence"] == to_pence(record[f"{prefix}tax_amount"])
        lines = line_rows(frames, record["increment_id"])
        assert len(lines) == sum("parent_item_id" not in item for item in record["items"])
        assert sum(line["gross_pence"] for line in lines) + row["delivery_gross_pence"] == row["gross_pence"]
        assert sum(line["vat_pence"] for line in lines) + row["delivery_vat_pence"] == row["vat_pence"]


def test_the_two_currencies_of_an_order_are_each_taken_as_magento_rounded_them() -> None:
    record = sample_order("3000000001")

    order = order_row(normalise.orders([record], "order"), "3000000001")
    base = order_row(normalise.orders([record], "base"), "3000000001")

    assert (order["currency"], order["gross_pence"]) == ("EUR", 9627)
    assert (base["currency"], base["gross_pence"]) == ("GBP", 8199)


def test_parent_and_child_are_one_line_with_the_childs_sku_and_the_parents_money() -> None:
    parent = an_order_line("OB-1234-BLK-8", product_type="configurable")
    plain = an_order_line("WAX-TIN", quantity=1, gross="6.00", vat="1.00")
    order = an_order(lines=[parent, a_child_of(parent, qty_shipped=3), plain])

    first, second = line_rows(frames_of(order))

    assert (first["line_number"], first["sku"], first["quantity"]) == (1, "OB-1234-BLK-8", 3)
    assert (first["gross_pence"], first["vat_pence"], first["net_pence"]) == (5997, 999, 4998)
    assert (second["line_number"], second["sku"]) == (2, "WAX-TIN")
    assert first["item_id_magento"] == order["items"][0]["item_id"]


def test_what_magento_leaves_out_counts_as_nothing() -> None:
    order = an_order()
    for name in ("shipping_discount_amount", "discount_amount", "coupon_code", "customer_id", "ext_order_id"):
        order.pop(name, None)
    for name in ("discount_amount", "qty_shipped", "qty_canceled", "qty_refunded", "qty_invoiced"):
        order["items"][0].pop(name)
    for name in ("region", "company", "telephone", "prefix"):
        order["billing_address"].pop(name, None)

    frames = frames_of(order)

    assert rejections(frames) == {}
    assert order_row(frames)["gross_pence"] == 6392
    (line,) = line_rows(frames)
    assert (line["quantity_shipped"], line["quantity_cancelled"], line["quantity_refunded"]) == (0, 0, 0)
    assert frames.details["000000101"].invoice_address.company == ""


def test_a_discounted_delivery_is_taken_after_its_discount() -> None:
    order = an_order(
        shipping_amount=Decimal("3.29"),
        shipping_tax_amount=Decimal("0.59"),
        shipping_discount_amount=Decimal("0.40"),
        shipping_discount_tax_compensation_amount=Decimal("0.07"),
    )

    row = order_row(frames_of(order))

    assert (row["delivery_gross_pence"], row["delivery_vat_pence"], row["delivery_net_pence"]) == (355, 59, 296)


def test_times_are_utc_and_the_business_date_is_londons() -> None:
    summer = an_order("1", created_at="2026-07-01 23:30:00")
    winter = an_order("2", created_at="2026-12-01 23:30:00")

    frames = frames_of(summer, winter)

    assert order_row(frames, "1")["placed_at"] == pd.Timestamp("2026-07-01 23:30", tz="UTC")
    assert str(order_row(frames, "1")["business_date"]) == "2026-07-02"
    assert str(order_row(frames, "2")["business_date"]) == "2026-12-01"


def test_a_virtual_order_without_delivery_goes_to_its_billing_address() -> None:
    order = an_order(delivery=("0.00", "0.00"), is_virtual=1)
    order["extension_attributes"]["shipping_assignments"] = [{"shipping": {"total": {}}}]

    frames = frames_of(order)

    row = order_row(frames)
    assert rejections(frames) == {}
    assert (row["is_virtual"], row["delivery_method"], row["delivery_gross_pence"]) == (True, "", 0)
    assert (row["country"], row["postcode_area"]) == ("GB", "LE")
    assert frames.details["000000101"].delivery_address == frames.details["000000101"].invoice_address


def test_a_virtual_order_without_any_address_is_rejected() -> None:
    order = an_order(is_virtual=1)
    order.pop("billing_address")
    order["extension_attributes"]["shipping_assignments"] = []

    (reason, detail) = rejections(frames_of(order))["000000101"]

    assert reason == "ROW_REJECTED"
    assert "country" in detail


def test_northern_ireland_is_told_by_the_letters_of_its_postcode() -> None:
    assert order_row(frames_of(with_address(an_order(), postcode="BT1 5AA")))["postcode_area"] == "BT"
    assert order_row(frames_of(with_address(an_order(), postcode="N8 7AB")))["postcode_area"] == "N"
    assert order_row(frames_of(with_address(an_order(), postcode=None)))["postcode_area"] == ""


def test_an_edited_orders_number_keeps_its_suffix() -> None:
    frames = frames_of(an_order("000000101-1"), an_order("000000101"))

    assert rejections(frames) == {}
    assert sorted(frames.orders["order_number"]) == ["000000101", "000000101-1"]
    assert set(frames.details) == {"000000101", "000000101-1"}


def test_an_order_is_paid_or_authorised_when_the_whole_total_is() -> None:
    def paid(**fields: Any) -> tuple[bool, bool]:
        payment = {"method": "card", **{key: value for key, value in fields.items() if key == "amount_authorized"}}
        row = order_row(frames_of(an_order(payment=payment, **{k: v for k, v in fields.items() if k not in payment})))
        return row["is_paid"], row["is_authorised"]

    assert paid() == (False, False)
    assert paid(total_paid=Decimal("63.92")) == (True, False)
    assert paid(total_paid=Decimal("63.91")) == (False, False)
    assert paid(amount_authorized=Decimal("63.92")) == (False, True)
    assert paid(amount_authorized=Decimal("10")) == (False, False)


def _set(name: str, value: Any) -> Spoil:
    return lambda order: order.update({name: value})


def _line(name: str, value: Any) -> Spoil:
    return lambda order: order["items"][0].update({name: value})


def _without(name: str) -> Spoil:
    return lambda order: order.pop(name)


UNREADABLE: dict[str, tuple[Spoil, str, str]] = {
    "vat left over by a float": (_line("tax_amount", Decimal("3.55e-15")), "ROW_REJECTED", "line 1: net_pence"),
    "four decimals": (_set("grand_total", Decimal("63.9212")), "ROW_REJECTED", "gross_pence is empty"),
    "text in an amount": (_set("subtotal", "free"), "ROW_REJECTED", "header_gross_pence is empty"),
    "text in a line's amount": (_line("row_total_incl_tax", "59,97"), "ROW_REJECTED", "line 1: gross_pence"),
    "a float that is no number": (_set("grand_total", float("nan")), "ROW_REJECTED", "gross_pence is empty"),
    "an amount beyond all measure": (_set("grand_total", Decimal("1e30")), "ROW_REJECTED", "gross_pence is empty"),
    "a truth value for an amount": (_set("grand_total", True), "ROW_REJECTED", "gross_pence is empty"),
    "no items": (_without("items"), "ROW_REJECTED", "line_count: greater_than(0)"),
    "an empty list of items": (_set("items", []), "ROW_REJECTED", "line_count: greater_than(0)"),
    "items that are no list": (_set("items", {"0": "a"}), "ROW_REJECTED", "line_count: greater_than(0)"),
    "an item that is no object": (_set("items", ["a"]), "ROW_REJECTED", "line 1: item_id_magento is empty"),
    "a fraction of a unit": (_line("qty_ordered", Decimal("1.5")), "ROW_REJECTED", "line 1: quantity is empty"),
    "no units": (_line("qty_ordered", 0), "ROW_REJECTED", "line 1: quantity: greater_than(0)"),
    "units beyond all measure": (_line("qty_ordered", Decimal("1e30")), "ROW_REJECTED", "line 1: quantity is empty"),
    "a fraction shipped": (_line("qty_shipped", Decimal("0.5")), "ROW_REJECTED", "line 1: quantity_shipped is empty"),
    "a rate beyond all measure": (_line("tax_percent", Decimal("1e30")), "ROW_REJECTED", "line 1: vat_rate_percent"),
    "a rate that is no number": (_line("tax_percent", "full"), "ROW_REJECTED", "line 1: vat_rate_percent"),
    "no sku": (_line("sku", None), "ROW_REJECTED", "line 1: sku"),
    "no entity id": (_without("entity_id"), "ROW_REJECTED", "entity_id_magento is empty"),
    "no time": (_set("created_at", "0000-00-00 00:00:00"), "ROW_REJECTED", "placed_at is empty"),
    "a currency in small letters": (_set("order_currency_code", "gbp"), "ROW_REJECTED", "currency: "),
    "text for the order's extension": (_set("extension_attributes", "x"), "TOTALS_DISAGREE", "applied_vat 0.00"),
    "a header one penny off": (_set("grand_total", Decimal("63.93")), "TOTALS_DISAGREE", "gross 63.93"),
    "vat one penny off": (_set("tax_amount", Decimal("10.66")), "TOTALS_DISAGREE", "vat 10.66"),
    "a line one penny off": (_line("row_total_incl_tax", Decimal("59.98")), "TOTALS_DISAGREE", "goods_gross 59.98"),
    "no total": (_set("grand_total", None), "TOTALS_DISAGREE", "gross 0.00"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_unreadable_order_is_rejected_with_its_reason_and_the_others_are_not(what: str) -> None:
    spoil, reason, text = UNREADABLE[what]
    bad = an_order("000000102")
    spoil(bad)

    frames = frames_of(an_order("000000101"), bad, an_order("000000103"))

    found = rejections(frames)
    assert list(found) == ["000000102"]
    assert found["000000102"][0] == reason
    assert text in found["000000102"][1]
    assert rejections(frames_of(bad)) == found
    assert "nan" not in f"{found}".casefold()
    _assert_no_nan(frames)


@pytest.mark.parametrize("record", [5, "text", None, [], {}])
def test_a_record_that_is_no_order_at_all_is_rejected_and_the_others_are_not(record: Any) -> None:
    frames = normalise.orders([an_order(), record])

    assert list(rejections(frames)) == [""]
    assert len(validate.check_orders.fn(frames).accepted) == 1
    assert list(rejections(normalise.orders([record]))) == [""]


def test_an_order_that_comes_twice_under_one_number_is_rejected_twice() -> None:
    checked = validate.check_orders.fn(frames_of(an_order("1"), an_order("1", entity_id=5), an_order("2")))

    assert list(checked.rejected["order_number"]) == ["1", "1"]
    assert list(checked.accepted["order_number"]) == ["2"]


def test_a_reason_never_shows_a_name_or_an_address() -> None:
    order = an_order(grand_total="x", created_at="x", order_currency_code="x", store_id="x")
    order["items"][0]["qty_ordered"] = "x"
    with_address(order, country_id="x")

    (_, detail) = rejections(frames_of(order))["000000101"]

    for personal in ("Emma", "Wright", "High Street", "guest100", "07700", "LE1"):
        assert personal not in detail


def test_a_street_of_one_text_stays_one_line() -> None:
    frames = frames_of(with_address(an_order(), street="12 High Street"))

    assert frames.details["000000101"].delivery_address.street == ("12 High Street",)


def test_an_address_carries_what_was_written_and_no_blanks_around_it() -> None:
    order = with_address(an_order(), firstname=" Zoë ", street=["1 Quay", " ", "Flat 2"], region=None, email=None)

    address = frames_of(order).details["000000101"].delivery_address

    assert (address.forename, address.street, address.county) == ("Zoë", ("1 Quay", "Flat 2"), "")
    assert address.email == order["customer_email"]


def test_no_orders_make_empty_frames_with_the_same_columns() -> None:
    frames = normalise.orders([])

    assert list(frames.orders.columns) == list(frames_of(an_order()).orders.columns)
    assert len(validate.check_orders.fn(frames).accepted) == 0


def _assert_no_nan(frames: OrderFrames) -> None:
    for frame in (frames.orders, frames.lines):
        for name, column in frame.items():
            assert not any(isinstance(value, float) for value in column), name


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (20, "20"),
        (Decimal("20.0000"), "20"),
        (Decimal("2E+1"), "20"),
        (Decimal("13.50"), "13.5"),
        ("0", "0"),
        (-20, "-20"),
    ],
)
def test_a_vat_rate_is_plain_text_without_needless_noughts(given: Any, shown: str) -> None:
    order = an_order(lines=[an_order_line(tax_percent=given)])

    (line,) = line_rows(frames_of(order))
    assert line["vat_rate_percent"] == shown
