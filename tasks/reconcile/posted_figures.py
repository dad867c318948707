"""PRIMA's side where it has no reporting source: what was posted, if OrderStatus says that PRIMA has it."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from schemas.extracts import EXTRACTS
from schemas.money import to_pounds
from tasks.errors import CallRefusedError
from tasks.systems.ledger.records import OrderRecord
from tasks.systems.prima import PrimaClient

Record = dict[str, Any]
TAKEN_STATES = ("accepted", "part_dispatched", "dispatched", "closed")


def posted_figures(orders: Iterable[OrderRecord], prima: PrimaClient) -> dict[str, list[Record]]:
    """Return the extracts that can be made from the ledger: sales orders and their lines; the others are empty.

    An order that PRIMA denies is left out, so that it shows as missing. Where PRIMA's refusal proves nothing, the
    ledger's word stands. Raises SystemUnavailableError and OutcomeUnknownError of the web service.
    """
    extracts: dict[str, list[Record]] = {name: [] for name in EXTRACTS if name not in ("items", "prices")}
    for order in orders:
        is_taken = order.state in TAKEN_STATES or (order.state == "cancelled" and order.accepted_at is not None)
        if not is_taken or not order.order_number_prima:
            continue
        try:
            state = prima.order_status(order.order_number_prima)
        except CallRefusedError:
            status = ""
        else:
            if state is None:
                continue
            status = state.status_text
        at = order.accepted_at or order.placed_at
        extracts["sales_orders"].append(_order(order, status, at))
        extracts["sales_order_lines"].extend(_lines(order, at))
    return extracts


def _order(order: OrderRecord, status: str, at: datetime) -> Record:
    goods_gross = sum(line.gross_pence for line in order.lines)
    goods_vat = sum(line.vat_pence for line in order.lines)
    gross, vat = order.gross_pence - goods_gross, order.vat_pence - goods_vat
    return {
        "order_number_prima": order.order_number_prima,
        "status": status,
        "customer_code": order.customer_code,
        "currency": order.currency,
        "ordered_at": at,
        **_amounts(order.gross_pence, order.vat_pence),
        **_amounts(gross, vat, "delivery_"),
        "updated_at": at,
    }


def _lines(order: OrderRecord, at: datetime) -> list[Record]:
    return [
        {
            "order_number_prima": order.order_number_prima,
            "line_number": line.line_number,
            "product": line.sku,
            "mtrx1": "",
            "mtrx2": "",
            "mtrx3": "",
            "mtrx4": "",
            "quantity": line.quantity,
            "quantity_dispatched": line.quantity_shipped,
            "quantity_cancelled": line.quantity_cancelled,
            "vat_code": "",
            "vat_rate": Decimal(line.vat_rate_percent or 0),
            **_amounts(line.gross_pence, line.vat_pence),
            "updated_at": at,
        }
        for line in order.lines
    ]


def _amounts(gross_pence: int, vat_pence: int, prefix: str = "") -> dict[str, Decimal]:
    return {
        f"{prefix}net_amount": to_pounds(gross_pence - vat_pence),
        f"{prefix}vat_amount": to_pounds(vat_pence),
        f"{prefix}gross_amount": to_pounds(gross_pence),
    }
