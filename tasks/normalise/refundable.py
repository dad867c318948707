"""What of a Magento order can still be refunded: invoiced less refunded, line by line, and delivery. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from schemas.batches import rows_of
from schemas.credit_memos import CreditNoteLine, LeftOfLine, LeftOfOrder, NotesToCarry
from schemas.refunds import CreditNote
from tasks.normalise.delivery_rates import delivery_rate
from tasks.normalise.fields import parts, pence_of, rate, text, whole, whole_of

_ADDED = ("tax", "discount_tax_compensation")


def notes_to_carry(
    notes: Sequence[CreditNote],
    lines: pd.DataFrame,
    records: Iterable[Mapping[str, Any]],
    line_numbers: Mapping[str, Mapping[int, int]],
) -> NotesToCarry:
    """Return credit notes with their lines (accepted rows of extract `credit_note_lines`) and their orders."""
    by_note: dict[str, list[CreditNoteLine]] = {}
    for row in rows_of(lines):
        by_note.setdefault(row["credit_note_number"], []).append(
            CreditNoteLine(
                row["line_type"],
                0 if pd.isna(row["order_line_number"]) else int(row["order_line_number"]),
                int(row["quantity"]),
                row["vat_rate"],
                int(row["net_pence"]),
                int(row["vat_pence"]),
                int(row["gross_pence"]),
            )
        )
    orders = {
        text(record.get("increment_id")): left_of_order(record, line_numbers[text(record.get("increment_id"))])
        for record in records
    }
    return NotesToCarry(notes, by_note, orders)


def left_of_order(record: Mapping[str, Any], line_numbers: Mapping[int, int]) -> LeftOfOrder:
    """Return what Magento still lets us refund of an order, in pence of its currency.

    Source: GET /rest/V1/orders; `line_numbers` are PRIMA's by item id. An order in another currency than the shop's
    base, with a discount in its delivery, or with amounts that cannot be read has a `problem`: people refund it.
    """
    lines = [
        _line(item, line_numbers[int(item["item_id"])])
        for item in parts(record.get("items"))
        if item.get("item_id") in line_numbers
    ]
    net = pence_of(record, "shipping_invoiced") - pence_of(record, "shipping_refunded")
    is_any_invoiced = pd.notna(net) and pence_of(record, "shipping_invoiced") != 0
    vat = pence_of(record, "shipping_tax_amount") - pence_of(record, "shipping_tax_refunded") if is_any_invoiced else 0
    figures = [net, vat, *(value for line in lines for value in (line.quantity, line.vat_pence, line.gross_pence))]
    problem = ""
    if text(record.get("base_currency_code")) != text(record.get("order_currency_code")):
        problem = "the order is not in the shop's base currency"
    elif any(pence_of(record, f"shipping_discount_{name}") != 0 for name in ("amount", "tax_compensation_amount")):
        problem = "a discount reaches into its delivery"
    elif any(pd.isna(figure) for figure in figures):
        problem, lines, net, vat = "Magento's amounts of the order cannot be read", [], 0, 0
    return LeftOfOrder(
        text(record.get("increment_id")),
        int(record["entity_id"]),
        text(record.get("order_currency_code")),
        text(record.get("updated_at")),
        lines,
        delivery_rate(record),
        net,
        vat,
        problem,
    )


def _line(item: Mapping[str, Any], line_number: int) -> LeftOfLine:
    vat = pence_of(item, "tax_invoiced") - pence_of(item, "tax_refunded")
    gross = pence_of(item, "row_invoiced") - pence_of(item, "amount_refunded")
    for name in _ADDED:
        gross += pence_of(item, f"{name}_invoiced") - pence_of(item, f"{name}_refunded")
    gross -= pence_of(item, "discount_invoiced") - pence_of(item, "discount_refunded")
    return LeftOfLine(
        whole(item.get("item_id")),
        line_number,
        whole_of(item, "qty_invoiced") - whole_of(item, "qty_refunded"),
        rate(item.get("tax_percent")),
        vat,
        gross,
    )
