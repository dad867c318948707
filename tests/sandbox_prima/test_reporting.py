"""The reporting database: the extracts as views, on SQLite and on PostgreSQL."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from sandbox.prima import PrimaStandIn
from schemas.extracts import EXTRACTS
from tests.postgres import fresh_database
from tests.sandbox_prima.conftest import MakePrima
from tests.sandbox_prima.wire import Line, Order, place

BOOK = Line("BOOK", "", "", "1", "7.00", "0.00")


@pytest.fixture(params=["sqlite", "postgresql"])
def reported(request: pytest.FixtureRequest, make_prima: MakePrima) -> Iterator[PrimaStandIn]:
    if request.param == "sqlite":
        yield make_prima()
        return
    with fresh_database() as url, closing(make_prima(reporting_url=url)) as prima:
        yield prima


@contextmanager
def engine_of(prima: PrimaStandIn) -> Iterator[Engine]:
    engine = create_engine(prima.reporting_url)
    try:
        yield engine
    finally:
        engine.dispose()


def read(prima: PrimaStandIn, extract: str, where: str = "true", **values: Any) -> list[dict[str, Any]]:
    columns = ", ".join(column.name for column in EXTRACTS[extract].columns)
    keys = ", ".join(EXTRACTS[extract].keys)
    with engine_of(prima) as engine, engine.connect() as connection:
        statement = text(f"select {columns} from {extract} where {where} order by {keys}")
        return [dict(row) for row in connection.execute(statement, values).mappings()]


def trade(prima: PrimaStandIn) -> None:
    """One order that is dispatched in two parts, invoiced and credited in part; one that is cancelled."""
    place(prima, Order(lines=[Line(), BOOK]))
    place(prima, Order("30000043", currency="EUR"))
    prima.dispatch("30000042", {1: 2}, tracking=["15501234567890", "15501234567891"])
    prima.dispatch("30000042", carrier="EVRI", service="STD")
    prima.credit("30000042", {2: 1}, reason="RETURN")
    prima.cancel("30000043")


@pytest.mark.parametrize("extract", sorted(EXTRACTS))
def test_each_extract_is_a_view_with_exactly_the_columns_of_the_contract(reported: PrimaStandIn, extract: str) -> None:
    with engine_of(reported) as engine, engine.connect() as connection:
        found = connection.execute(text(f"select * from {extract}")).keys()
    assert list(found) == [column.name for column in EXTRACTS[extract].columns]


@pytest.mark.parametrize("extract", sorted(EXTRACTS))
def test_keys_are_unique_and_required_columns_are_filled(reported: PrimaStandIn, extract: str) -> None:
    trade(reported)
    rows = read(reported, extract)
    assert rows
    keys = [tuple(row[key] for key in EXTRACTS[extract].keys) for row in rows]
    assert len(set(keys)) == len(keys)
    for column in EXTRACTS[extract].columns:
        if column.is_required:
            assert all(row[column.name] not in (None, "") for row in rows), column.name


@pytest.mark.parametrize("extract", sorted(EXTRACTS))
def test_values_have_the_types_of_the_contract(reported: PrimaStandIn, extract: str) -> None:
    trade(reported)
    types: dict[str, Any] = {"text": str, "integer": int, "flag": int, "money": Decimal, "rate": Decimal}
    types |= {"date": date, "instant": datetime}
    texts = {"money": r"-?\d+\.\d\d", "rate": r"\d+(\.\d+)?"}
    texts |= {"date": r"\d{4}-\d\d-\d\d", "instant": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"}
    for row in read(reported, extract):
        for column in EXTRACTS[extract].columns:
            value = row[column.name]
            if value is None:
                assert not column.is_required
            elif reported.reporting_url.startswith("sqlite") and column.type in texts:
                assert re.fullmatch(texts[column.type], value), (column.name, value)
            else:
                assert isinstance(value, types[column.type]), (column.name, value)


@pytest.mark.parametrize("extract", ["sales_orders", "sales_order_lines", "invoices", "invoice_lines", "credit_notes"])
def test_net_and_vat_are_the_gross_on_every_row(reported: PrimaStandIn, extract: str) -> None:
    trade(reported)
    for row in read(reported, extract):
        assert money(row["net_amount"]) + money(row["vat_amount"]) == money(row["gross_amount"])


def money(value: object) -> Decimal:
    return Decimal(str(value))


def test_an_orders_lines_and_delivery_are_its_total_and_so_are_an_invoices_lines(reported: PrimaStandIn) -> None:
    trade(reported)
    for order in read(reported, "sales_orders"):
        lines = read(reported, "sales_order_lines", "order_number_prima = :n", n=order["order_number_prima"])
        for name in ("net", "vat", "gross"):
            parts = sum(money(line[f"{name}_amount"]) for line in lines) + money(order[f"delivery_{name}_amount"])
            assert parts == money(order[f"{name}_amount"])
    for invoice in read(reported, "invoices"):
        lines = read(reported, "invoice_lines", "invoice_number = :n", n=invoice["invoice_number"])
        assert sum(money(line["gross_amount"]) for line in lines) == money(invoice["gross_amount"])


def test_orders_show_state_currency_and_quantities(reported: PrimaStandIn) -> None:
    trade(reported)
    first, second = read(reported, "sales_orders")
    assert (first["order_number_prima"], first["status"], first["currency"]) == ("30000042", "Despatched", "GBP")
    assert (second["order_number_prima"], second["status"], second["currency"]) == ("30000043", "Cancelled", "EUR")
    lines = read(reported, "sales_order_lines")
    assert [
        (line["quantity"], line["quantity_dispatched"], line["quantity_cancelled"], line["vat_code"]) for line in lines
    ] == [(3, 3, 0, "S"), (1, 1, 0, "Z"), (3, 0, 3, "S")]


def test_a_dispatch_shows_its_carrier_its_parcels_and_its_lines(reported: PrimaStandIn) -> None:
    trade(reported)
    first, second = read(reported, "dispatches")
    assert (first["carrier"], first["service"]) == ("DPD", "NEXTDAY")
    assert first["tracking_numbers"] == "15501234567890;15501234567891"
    assert (second["carrier"], second["tracking_numbers"].count(";")) == ("EVRI", 0)
    lines = read(reported, "dispatch_lines")
    assert [
        (line["dispatch_number"], line["order_line_number"], line["product"], line["quantity"]) for line in lines
    ] == [("D900001", 1, "HARBRN", 2), ("D900002", 1, "HARBRN", 1), ("D900002", 2, "BOOK", 1)]


def test_delivery_is_an_invoice_line_without_a_line_of_the_order(reported: PrimaStandIn) -> None:
    place(reported)
    delivery = Line("DELIVERY", "", "", "1", "3.95", "0.66")
    place(reported, Order("30000044", lines=[Line(), delivery], delivery="0.00"))
    reported.dispatch("30000042")
    reported.dispatch("30000044")
    found = read(reported, "invoice_lines", "line_type = 'delivery'")
    assert [(line["product"], line["order_line_number"]) for line in found] == [("STD48", None), ("DELIVERY", None)]
    assert [str(line["gross_amount"]) for line in found] == ["3.95", "3.95"]


def test_items_and_prices_show_what_can_be_sold(reported: PrimaStandIn) -> None:
    reported.change_item("WAXTIN", is_active=0)
    items = {row["sku"]: row for row in read(reported, "items")}
    assert set(items) == {"HARBRN-F-075", "HARBRN-F-080", "WAXTIN", "BOOK", "DELIVERY", "ROUNDING"}
    assert (items["WAXTIN"]["vat_code"], str(items["WAXTIN"]["vat_rate"]), items["WAXTIN"]["is_active"]) == (
        "R",
        "5",
        0,
    )
    prices = {row["sku"]: str(row["gross_price"]) for row in read(reported, "prices")}
    assert prices["HARBRN-F-075"] == "19.99"
    assert "DELIVERY" not in prices


def test_only_what_changed_since_an_instant_can_be_read(reported: PrimaStandIn) -> None:
    trade(reported)
    since = reported.clock.now().replace(tzinfo=None) + timedelta(seconds=1)
    value: object = str(since) if reported.reporting_url.startswith("sqlite") else since
    assert all(read(reported, extract, "updated_at >= :since", since=value) == [] for extract in EXTRACTS)
    reported.clock.advance(timedelta(minutes=5))
    place(reported, Order("30000050"))
    changed = {extract: len(read(reported, extract, "updated_at >= :since", since=value)) for extract in EXTRACTS}
    assert {extract: count for extract, count in changed.items() if count} == {
        "sales_orders": 1,
        "sales_order_lines": 1,
        "items": 1,
        "prices": 1,
        "stock": 1,
    }


def test_a_reader_with_an_open_transaction_does_not_block_orders(reported: PrimaStandIn) -> None:
    with engine_of(reported) as engine, engine.connect() as connection:
        before = connection.execute(text("select count(*) from sales_orders")).scalar_one()
        place(reported)
        assert before == 0
    assert len(read(reported, "sales_orders")) == 1


def test_personal_data_is_in_no_view(reported: PrimaStandIn) -> None:
    trade(reported)
    assert "Quill" not in str([read(reported, extract) for extract in EXTRACTS])
