"""What a run shows in the Prefect UI: one table per flow, without names or addresses."""

from collections.abc import Sequence

from prefect.artifacts import create_table_artifact

from schemas.dispatches import DispatchPlan
from schemas.money import show
from schemas.stock import StockPlan
from tasks.record.dispatches import DispatchSummary
from tasks.record.orders import OrderSummary
from tasks.record.stock import StockSummary

ROWS_SHOWN = 200


def show_orders(summaries: Sequence[OrderSummary]) -> None:
    """Publish the control totals of a run of orders as the artifact `orders`."""
    rows = [
        {
            "batch": summary.batch_id,
            **summary.counts,
            "posted total": ", ".join(show(pence, currency) for currency, pence in summary.posted_gross_pence.items()),
            "posted VAT": ", ".join(show(pence, currency) for currency, pence in summary.posted_vat_pence.items()),
        }
        for summary in summaries
    ]
    create_table_artifact(key="orders", table=rows, description="Magento orders to PRIMA: control totals of the run")


def show_stock(summary: StockSummary, plan: StockPlan) -> None:
    """Publish the largest changes of a stock run as the artifact `inventory`; the whole is in the ledger."""
    rows = [
        {
            "SKU": level.sku,
            "available to sell": level.available_to_sell,
            "buffer": level.buffer,
            "open units": level.open_units,
            "source quantity": level.source_qty,
        }
        for level in plan.to_push[:ROWS_SHOWN]
    ]
    counts = ", ".join(f"{step} {count}" for step, count in summary.counts.items() if count)
    held = f" Held: {summary.held}." if summary.held else ""
    create_table_artifact(key="inventory", table=rows, description=f"Stock to Magento: {counts}.{held}")


def show_dispatches(summary: DispatchSummary, plan: DispatchPlan, *, names_carriers: bool) -> None:
    """Publish the dispatches that a run told as the artifact `fulfilment`; it says where no tracking can be had."""
    rows = [
        {
            "dispatch": request.dispatch_number,
            "order": request.order_number,
            "units": sum(line.quantity for line in request.lines),
            "parcels": len(request.tracks),
            "carrier": ", ".join(sorted({track.title for track in request.tracks})),
        }
        for request in plan.to_ship[:ROWS_SHOWN]
    ]
    counts = ", ".join(f"{step} {count}" for step, count in summary.counts.items() if count)
    text = f"Dispatches to Magento: {counts}."
    if not names_carriers:
        text += " PRIMA is asked order by order, and tells neither carriers nor tracking numbers nor parts."
    create_table_artifact(key="fulfilment", table=rows, description=text)
