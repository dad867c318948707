"""PRIMA's figures of accepted orders against ours, and cancellations on either side: the pure steps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from schemas.acceptance import AcceptanceRules, AcceptedLine, AcceptedOrder, AcceptedOrders, AskedStates, Figures
from schemas.batches import CheckedBatch
from schemas.documents import ExceptionNote
from schemas.reporting import PrimaSalesOrderLines, PrimaSalesOrders
from tasks.decide.acceptance import acceptance
from tasks.decide.cancellations import cancellations
from tasks.normalise.reporting import extract_rows
from tasks.validate import split_batch

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NUMBER = "30000101"
RULES = AcceptanceRules(
    delivery_is_line=True,
    visible_within=timedelta(minutes=60),
    statuses={"onorder": "accepted", "partdespatched": "part_dispatched", "cancelled": "cancelled"},
)


def _amounts(net: int, vat: int, gross: int, prefix: str = "") -> dict[str, Decimal]:
    amounts = {"net": net, "vat": vat, "gross": gross}
    return {f"{prefix}{name}_amount": Decimal(pence).scaleb(-2) for name, pence in amounts.items()}


def an_accepted_order(**facts: Any) -> AcceptedOrder:
    """Two lines and delivery: 5997 + 2000 + 395 = 8392, VAT 999 + 333 + 66 = 1398."""
    order = AcceptedOrder(
        order_number="000000101",
        order_number_prima=NUMBER,
        entity_id_magento=101,
        currency="GBP",
        figures=Figures(6994, 1398, 8392),
        state_magento="processing",
        accepted_at=NOW - timedelta(hours=2),
        lines=[
            AcceptedLine(1, "DRESS-RED-10", 3, Figures(4998, 999, 5997)),
            AcceptedLine(2, "SCARF", 1, Figures(1667, 333, 2000)),
        ],
    )
    return replace(order, **facts)


def shown(net: int, vat: int, gross: int, **facts: Any) -> dict[str, Any]:
    """An order as the extract `sales_orders` gives it; amounts in pence."""
    return {
        "order_number_prima": NUMBER,
        "status": "On Order",
        "customer_code": "0000912345",
        "currency": "GBP",
        "ordered_at": NOW,
        **_amounts(net, vat, gross),
        **_amounts(0, 0, 0, "delivery_"),
        "updated_at": NOW,
        **facts,
    }


def shown_line(number: int, net: int, vat: int, gross: int, **facts: Any) -> dict[str, Any]:
    """A line as the extract `sales_order_lines` gives it; amounts in pence."""
    codes = {"product": f"P{number}", "mtrx1": "", "mtrx2": "", "mtrx3": "", "mtrx4": ""}
    quantities = {"quantity": 3, "quantity_dispatched": 0, "quantity_cancelled": 0}
    return {
        "order_number_prima": NUMBER,
        "line_number": number,
        **codes,
        **quantities,
        "vat_code": "S",
        "vat_rate": Decimal(20),
        **_amounts(net, vat, gross),
        "updated_at": NOW,
        **facts,
    }


ORDER = shown(6994, 1398, 8392)
LINES = [shown_line(1, 4998, 999, 5997), shown_line(2, 1667, 333, 2000), shown_line(3, 329, 66, 395)]


def test_an_order_with_equal_figures_everywhere_is_verified() -> None:
    assert _compared().verified == ["000000101"]


def test_a_penny_of_vat_on_one_line_is_told_with_both_figures_and_the_line() -> None:
    note = _note(lines=[shown_line(1, 4997, 1000, 5997), *LINES[1:]])

    assert note.code == "PRIMA_VAT_DIFFERS"
    assert note.detail == "line 1 (DRESS-RED-10): VAT £9.99 in Magento, £10.00 in PRIMA"
    assert note.value_at_risk_pence == 1


def test_a_penny_that_cancels_out_over_two_lines_is_still_told() -> None:
    lines = [shown_line(1, 4997, 1000, 5997), shown_line(2, 1668, 332, 2000), LINES[2]]

    assert "line 2 (SCARF): VAT £3.33 in Magento, £3.32 in PRIMA" in _note(lines=lines).detail


def test_another_total_is_told_as_one_exception_with_the_vat_that_follows_from_it() -> None:
    note = _note(shown(13988, 2797, 16785), [shown_line(1, 11992, 2398, 14390), *LINES[1:]])

    assert note.code == "PRIMA_TOTAL_DIFFERS"
    assert note.detail.startswith("order: £83.92 in Magento, £167.85 in PRIMA (VAT £13.98 and £27.97)")
    assert note.value_at_risk_pence == 16785 - 8392


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (LINES[:2], "line 3 (delivery): £3.95 in Magento, nothing in PRIMA"),
        ([LINES[0], LINES[2]], "line 2 (SCARF): £20.00 in Magento, nothing in PRIMA"),
        ([*LINES, shown_line(4, 0, 0, 0)], "line 4 (in PRIMA only): nothing in Magento, £0.00 in PRIMA"),
    ],
)
def test_a_line_that_only_one_side_has_is_named(lines: list[dict[str, Any]], told: str) -> None:
    note = _note(lines=lines)

    assert (note.code, note.detail) == ("PRIMA_TOTAL_DIFFERS", told)


def test_delivery_as_a_charge_is_compared_with_primas_charge_and_is_no_line() -> None:
    rules = replace(RULES, delivery_is_line=False)
    charged = shown(6994, 1398, 8392, **_amounts(329, 66, 395, "delivery_"))

    assert _compared(charged, LINES[:2], rules=rules).verified == ["000000101"]


def test_the_same_figures_in_another_currency_do_not_agree() -> None:
    note = _note(shown(6994, 1398, 8392, currency="EUR"))

    assert note.detail == "currency GBP in Magento, EUR in PRIMA"
    assert note.value_at_risk_pence == 8392


def test_an_order_of_many_differing_lines_tells_the_first_and_how_many_more() -> None:
    ours = [AcceptedLine(number, "SKU", 1, Figures(10, 2, 12)) for number in range(1, 21)]
    theirs = [shown_line(number, 9, 3, 12) for number in range(1, 21)]
    order = an_accepted_order(lines=ours, figures=Figures(200, 40, 240))

    note = _note(shown(180, 60, 240), theirs, order=order)

    assert note.detail.endswith("; and 15 more")


@pytest.mark.parametrize("minutes", [0, 59])
def test_an_order_that_is_not_shown_yet_waits(minutes: int) -> None:
    order = an_accepted_order(accepted_at=NOW - timedelta(minutes=minutes))

    assert _compared(None, [], order=order).waiting == ["000000101"]


def test_an_order_that_is_not_shown_in_time_is_told_with_its_value() -> None:
    note = _note(None, [], order=an_accepted_order(accepted_at=NOW - timedelta(minutes=60)))

    assert (note.code, note.value_at_risk_pence) == ("NOT_VISIBLE_IN_PRIMA", 8392)


def test_an_order_that_is_shown_without_its_lines_is_not_compared_yet() -> None:
    assert _compared(ORDER, [], order=an_accepted_order(accepted_at=NOW)).waiting == ["000000101"]


def test_without_a_reporting_source_nothing_is_called_invisible_unless_prima_denies_it() -> None:
    order = an_accepted_order()
    unseen = AcceptedOrders({NUMBER: order}, None)

    waiting = acceptance(_checked([], PrimaSalesOrders), _no_lines(), unseen, AskedStates(), RULES)
    denied = AskedStates(missing=frozenset({NUMBER}))
    told = acceptance(_checked([], PrimaSalesOrders), _no_lines(), unseen, denied, RULES)

    assert waiting.waiting == ["000000101"]
    assert [note.code for note in told.exceptions] == ["NOT_VISIBLE_IN_PRIMA"]


def test_figures_that_do_not_add_up_are_told_and_not_compared() -> None:
    note = _note(lines=[shown_line(1, 4998, 1000, 5997), *LINES[1:]])

    assert note.code == "PRIMA_FIGURES_REJECTED"
    assert "line 1: " in note.detail


def test_a_verified_and_a_cancelled_order_are_not_compared_again() -> None:
    for order in (an_accepted_order(is_verified=True), an_accepted_order(is_cancelled=True)):
        plan = _compared(shown(1, 0, 1), LINES, order=order)
        assert (plan.verified, plan.waiting, plan.cancelled, plan.exceptions) == ([], [], [], [])


@pytest.mark.parametrize("word", ["Cancelled", "CANCELLED", "can-celled"])
def test_an_order_that_prima_cancelled_goes_to_magento_whatever_the_spelling(word: str) -> None:
    plan = _cancelled(shown(6994, 1398, 8392, status=word))

    assert [request.order_number for request in plan.in_magento] == ["000000101"]
    assert _compared(shown(0, 0, 0, status=word)).cancelled == ["000000101"]


@pytest.mark.parametrize("state", ["canceled", "closed"])
def test_an_order_that_is_over_on_both_sides_is_settled(state: str) -> None:
    plan = _cancelled(shown(6994, 1398, 8392, status="Cancelled"), order=an_accepted_order(state_magento=state))

    assert (plan.settled, plan.in_magento) == (["000000101"], [])


def test_units_that_prima_cancelled_are_told_with_what_they_are_worth() -> None:
    (note,) = _cancelled(ORDER, [{**LINES[0], "quantity_cancelled": 2}, *LINES[1:]]).exceptions

    assert note.code == "PRIMA_LINE_CANCELLED"
    assert note.detail.endswith("line 1 (DRESS-RED-10): 2 of 3 units, £39.98")
    assert note.value_at_risk_pence == 3998


def test_units_that_magento_has_refunded_since_are_settled() -> None:
    order = an_accepted_order()
    refunded = replace(order, lines=[replace(order.lines[0], units_gone=2), order.lines[1]])

    assert _cancelled(ORDER, [{**LINES[0], "quantity_cancelled": 2}, *LINES[1:]], order=refunded).exceptions == []


def test_a_cancelled_delivery_line_is_no_cancelled_unit() -> None:
    assert _cancelled(ORDER, [*LINES[:2], {**LINES[2], "quantity_cancelled": 1}]).exceptions == []


def test_an_unknown_word_is_told_by_name_and_cancels_nothing() -> None:
    plan = _cancelled(shown(6994, 1398, 8392, status="Annulled"))

    assert [(note.code, note.subject) for note in plan.exceptions] == [("PRIMA_STATUS_UNKNOWN", "status Annulled")]
    assert (plan.in_magento, plan.settled) == ([], [])
    silent = replace(RULES, reports_unknown_words=False)
    assert _cancelled(shown(6994, 1398, 8392, status="Annulled"), rules=silent).exceptions == []


def test_an_order_cancelled_in_magento_goes_to_prima_only_where_there_is_a_request_for_it() -> None:
    order = an_accepted_order(state_magento="canceled")

    assert _cancelled(ORDER, order=order).in_prima == []
    requested = _cancelled(ORDER, order=order, rules=replace(RULES, cancels_in_prima=True)).in_prima
    assert [request.order_number_prima for request in requested] == [NUMBER]


def test_a_word_with_an_open_exception_that_is_mapped_now_is_known() -> None:
    orders = AcceptedOrders({}, NOW, ["On-Order", "Annulled"])

    plan = cancellations(_checked([], PrimaSalesOrders), _no_lines(), orders, AskedStates(), RULES)

    assert plan.known_words == ["On-Order"]


def _compared(
    row: dict[str, Any] | None = ORDER,
    lines: list[dict[str, Any]] = LINES,
    *,
    order: AcceptedOrder | None = None,
    rules: AcceptanceRules = RULES,
) -> Any:
    orders = AcceptedOrders({NUMBER: order or an_accepted_order()}, NOW)
    return acceptance(_orders(row), _lines(lines), orders, AskedStates(), rules)


def _note(row: dict[str, Any] | None = ORDER, lines: list[dict[str, Any]] = LINES, **facts: Any) -> ExceptionNote:
    plan = _compared(row, lines, **facts)
    assert plan.verified == []
    (note,) = plan.exceptions
    assert isinstance(note, ExceptionNote)
    return note


def _cancelled(
    row: dict[str, Any],
    lines: list[dict[str, Any]] = LINES,
    *,
    order: AcceptedOrder | None = None,
    rules: AcceptanceRules = RULES,
) -> Any:
    orders = AcceptedOrders({NUMBER: order or an_accepted_order()}, NOW)
    return cancellations(_orders(row), _lines(lines), orders, AskedStates(), rules)


def _orders(row: dict[str, Any] | None) -> CheckedBatch:
    return _checked([] if row is None else [row], PrimaSalesOrders)


def _lines(rows: list[dict[str, Any]]) -> CheckedBatch:
    return _checked(rows, PrimaSalesOrderLines)


def _no_lines() -> CheckedBatch:
    return _lines([])


def _checked(rows: list[dict[str, Any]], schema: Any) -> CheckedBatch:
    name = "sales_orders" if schema is PrimaSalesOrders else "sales_order_lines"
    frame: pd.DataFrame = extract_rows(name, rows)
    return split_batch(schema, frame)
