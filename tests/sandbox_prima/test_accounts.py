"""The accounts: when an invoice is written, and what VAT it shows."""

from decimal import Decimal

import pytest
from sqlalchemy import create_engine, text

from sandbox.prima import PrimaStandIn
from sandbox.prima.vat import part_of, spread_vat
from tests.sandbox_prima.conftest import MakePrima
from tests.sandbox_prima.wire import Line, Order, place

NO_DELIVERY = Order(delivery="0.00")


def rows(prima: PrimaStandIn, view: str) -> list[dict[str, object]]:
    engine = create_engine(prima.reporting_url)
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(text(f"select * from {view}")).mappings()]
    engine.dispose()
    return found


def invoiced(prima: PrimaStandIn, view: str = "invoices") -> list[tuple[object, ...]]:
    return [(row["net_amount"], row["vat_amount"], row["gross_amount"]) for row in rows(prima, view)]


def test_a_dispatch_is_invoiced_at_once(prima: PrimaStandIn) -> None:
    place(prima)
    prima.dispatch("30000042")
    assert invoiced(prima) == [("53.27", "10.65", "63.92")]
    assert [line["line_type"] for line in rows(prima, "invoice_lines")] == ["goods", "delivery"]


def test_invoices_can_wait_for_the_demand(make_prima: MakePrima) -> None:
    prima = make_prima(invoices_on_dispatch=False)
    place(prima)
    prima.dispatch("30000042")
    assert invoiced(prima) == []
    assert prima.invoice("30000042") == "INV500001"
    assert invoiced(prima) == [("53.27", "10.65", "63.92")]
    with pytest.raises(ValueError, match="nothing to invoice"):
        prima.invoice("30000042")


def test_locked_vat_stays_what_each_line_carries(prima: PrimaStandIn) -> None:
    place(prima, NO_DELIVERY)
    prima.dispatch("30000042")
    assert invoiced(prima) == [("49.98", "9.99", "59.97")]


def test_recalculated_vat_is_the_vat_of_the_total_and_the_gross_stays(prima: PrimaStandIn) -> None:
    prima.vat_habit = "recalculated"
    place(prima, NO_DELIVERY)
    prima.dispatch("30000042")
    assert invoiced(prima) == [("49.97", "10.00", "59.97")]
    assert rows(prima, "sales_orders")[0]["vat_amount"] == "9.99", "the order itself keeps what was locked"


def test_recalculated_vat_is_worked_out_for_each_rate_and_adds_up_over_the_lines(prima: PrimaStandIn) -> None:
    prima.vat_habit = "recalculated"
    lines = [
        Line(quantity="1", price="19.99", locked_vat="3.33"),
        Line("HARBRN", "F", "080", "1", "19.99", "3.33"),
        Line("WAXTIN", "NONE", "ONE", "1", "5.25", "0.25"),
        Line("BOOK", "", "", "1", "7.00", "0.00"),
    ]
    place(prima, Order(lines=lines, delivery="19.99"))
    prima.dispatch("30000042")
    assert invoiced(prima) == [("61.97", "10.25", "72.22")]
    vat = [line["vat_amount"] for line in rows(prima, "invoice_lines")]
    assert vat == ["3.33", "3.33", "0.25", "0.00", "3.34"]


def test_recalculated_vat_of_net_prices_changes_the_gross(make_prima: MakePrima) -> None:
    prima = make_prima(price_meaning="line_net", vat_habit="recalculated")
    place(prima, Order(delivery="0.00", lines=[Line(price="49.98", locked_vat="9.99")]))
    prima.dispatch("30000042")
    assert invoiced(prima) == [("49.98", "10.00", "59.98")]


def test_an_unknown_vat_habit_is_refused(prima: PrimaStandIn) -> None:
    with pytest.raises(ValueError, match="locked"):
        prima.vat_habit = "guessed"  # type: ignore[assignment]


def test_the_invoices_of_a_split_order_add_up_to_it_to_the_penny(prima: PrimaStandIn) -> None:
    place(prima, Order(lines=[Line(quantity="3", price="10.00", locked_vat="1.67")]))
    for _ in range(3):
        prima.dispatch("30000042", {1: 1})
    assert invoiced(prima) == [("6.06", "1.22", "7.28"), ("2.79", "0.55", "3.34"), ("2.77", "0.56", "3.33")]
    total = [sum(Decimal(str(row[name])) for row in rows(prima, "invoices")) for name in ("vat_amount", "gross_amount")]
    assert total == [Decimal("2.33"), Decimal("13.95")]


def test_cancelled_units_are_never_invoiced(prima: PrimaStandIn) -> None:
    place(prima, NO_DELIVERY)
    prima.cancel("30000042", {1: 1})
    prima.invoice("30000042")
    assert invoiced(prima) == [("33.32", "6.66", "39.98")]
    prima.dispatch("30000042")
    assert len(invoiced(prima)) == 1, "the dispatch was invoiced before"


def test_the_tax_point_is_londons_date(prima: PrimaStandIn) -> None:
    place(prima)
    prima.clock.set(prima.clock.now().replace(month=6, hour=23, minute=30))
    prima.dispatch("30000042")
    assert rows(prima, "invoices")[0]["invoice_date"] == "2026-06-24"


def test_a_credit_note_credits_what_was_invoiced(prima: PrimaStandIn) -> None:
    place(prima)
    prima.dispatch("30000042")
    assert prima.credit("30000042", {1: 2}, reason="TOO SMALL") == "CRN700001"
    [note] = rows(prima, "credit_notes")
    assert (note["net_amount"], note["vat_amount"], note["gross_amount"]) == ("33.32", "6.66", "39.98")
    assert (note["invoice_number"], note["reason"]) == ("INV500001", "TOO SMALL")
    assert prima.available("HARBRN-F-075") == 7


def test_everything_can_be_credited_with_delivery_and_put_back_on_sale(prima: PrimaStandIn) -> None:
    place(prima)
    prima.dispatch("30000042")
    prima.credit("30000042", delivery=True, restock=True)
    assert invoiced(prima, "credit_notes") == invoiced(prima)
    assert (prima.available("HARBRN-F-075"), prima.physical("HARBRN-F-075")) == (10, 10)
    with pytest.raises(ValueError, match="nothing to credit"):
        prima.credit("30000042")
    with pytest.raises(ValueError, match="credited already"):
        prima.credit("30000042", delivery=True)


def test_more_than_was_invoiced_cannot_be_credited(prima: PrimaStandIn) -> None:
    place(prima)
    with pytest.raises(ValueError, match="0 possible"):
        prima.credit("30000042", {1: 1})


@pytest.mark.parametrize(("total", "of"), [(100, 3), (999, 7), (1, 2), (-250, 3), (0, 5)])
def test_the_parts_of_an_amount_add_up_to_it(total: int, of: int) -> None:
    assert sum(part_of(total, before, 1, of) for before in range(of)) == total


def test_vat_spread_over_lines_is_the_vat_of_their_total() -> None:
    assert sum(spread_vat([1999] * 3, Decimal(20), amounts_are_net=False)) == 1000
    assert sum(spread_vat([1666] * 3, Decimal(20), amounts_are_net=True)) == 1000
