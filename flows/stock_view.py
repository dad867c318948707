"""The sum behind a SKU's quantity in Magento, line by line: for the command line and as an artifact."""

import hashlib
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from schemas.documents import SourceKey
from schemas.drift import ReadBack
from tasks import connect
from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.records import StockLevelRecord, StockPush

PUSHES_SHOWN = 10
ABOUT_STOCK = "STOCK_"


@flow(name="stock", description="The sum behind a SKU's quantity in Magento, line by line, as an artifact.")
def explain_stock(sku: str) -> str:
    """Publish what `magento-prima stock SKU` shows as the artifact `stock-...`, and return its text.

    Args:
        sku: The SKU as Magento has it: upper and lower case are different.

    Raises ConfigurationError for a SKU that no stock run has met.
    """
    view = stock(Settings.from_env(), sku)
    if view is None:
        raise ConfigurationError(
            f"SKU {sku} was in no stock snapshot so far.",
            system="ledger",
            operation="stock",
            reference=sku,
            next_step="Run the inventory deployment, or check the SKU: upper and lower case are different.",
        )
    text = "\n".join(stock_lines_of_text(view))
    create_markdown_artifact(key=_artifact_key(sku), markdown=f"```\n{text}\n```", description=f"Stock of {sku}")
    return text


def stock(settings: Settings, sku: str) -> dict[str, Any] | None:
    """Return the sum behind a SKU's quantity in Magento, its last pushes and read-backs; None when never seen.

    `snapshot_at` is since when the sum is what it is; `last_snapshot_at` when PRIMA was last asked for all stock.
    """
    with connect.open_ledger(settings) as ledger:
        levels = ledger.stock_level(sku)
        if not levels:
            return None
        pushed = {key for key, known in ledger.known_levels([sku]).items() if known.is_from_push}
        last_asked = _last(ledger, "stock")
        return {
            "sku": sku,
            "last_snapshot_at": _time(last_asked),
            "sources": [_source(ledger, level, pushed, last_asked) for level in levels],
            "pushes": [_push(push) for push in ledger.stock_pushes(sku, limit=PUSHES_SHOWN)],
            "read_backs": [_read_back(each) for each in ledger.stock_read_backs(sku, limit=PUSHES_SHOWN)],
            "last_check_at": _time(_last(ledger, "stock check")),
            "exceptions": [
                {"code": each.code, "detail": each.detail, "since": _time(each.first_seen_at)}
                for each in ledger.exceptions(sku=sku)
                if each.code.startswith(ABOUT_STOCK)
            ],
        }


def stock_lines_of_text(view: dict[str, Any]) -> list[str]:
    """Return the sum behind a SKU's quantity as lines of text."""
    lines = [f"SKU {view['sku']}"]
    for source in view["sources"]:
        lines += ["", f"Source {source['source_code']}", *_sum(source, view["last_snapshot_at"])]
        held = source["confirmed_qty"]
        known = "not known" if held is None else f"{held}, {source['confirmed_by']} at {source['confirmed_at']}"
        lines.append(f"  Magento holds: {known}")
    lines += ["", "Last pushes:" if view["pushes"] else "Never pushed."]
    for push in view["pushes"]:
        parts = [f"available {push['available_to_sell']}", f"buffer {push['buffer']}", f"open {push['open_units']}"]
        parts += [f"back-order {push['back_order_units']}"] if push["back_order_units"] else []
        lines.append(
            f"  {push['pushed_at']}  {push['source_code']}: {push['source_qty']} {push['state']} "
            f"({', '.join(parts)}; figures of {push['snapshot_at']})"
        )
    lines += ["", "Last read-backs:" if view["read_backs"] else "Not read back lately."]
    for read in view["read_backs"]:
        held = "no source item" if read["quantity"] is None else read["quantity"]
        expected = "nothing was known of it" if read["expected"] is None else f"expected {read['expected']}"
        why = f": {read['cause']}" if read["cause"] else ""
        lines.append(f"  {read['read_at']}  {read['source_code']}: {held} ({expected}){why}")
    lines += [f"  All stock was last checked at {view['last_check_at']}"] if view["last_check_at"] else []
    for each in view["exceptions"]:
        lines += ["", f"  {each['code']} since {each['since']}: {each['detail']}"]
    return lines


def _sum(source: dict[str, Any], last_snapshot_at: str | None) -> list[str]:
    if source["source_qty"] is None:
        return ["  no snapshot of PRIMA has shown this SKU yet"]
    still = last_snapshot_at is not None and last_snapshot_at > source["snapshot_at"]
    asked = (
        f"since {source['snapshot_at']}, last asked at {last_snapshot_at}"
        if still
        else f"asked at {source['snapshot_at']}"
    )
    lines = [
        f"  {source['available_to_sell']:>7}  available to sell in PRIMA, {asked}",
        f"  {-source['buffer']:>7}  safety buffer",
        f"  {max(0, source['available_to_sell'] - source['buffer']):>7}  can be sold",
    ]
    if source["back_order_units"]:
        lines.append(f"  {source['back_order_units']:>+7}  sold on back-order: none there, new stock is expected")
    lines += [
        f"  {source['open_units']:>+7}  open units: accepted by PRIMA, not yet shipped in Magento",
        f"  {source['source_qty']:>7}  quantity of the source in Magento",
    ]
    lines += [f"           {each['units']} in order {each['order_number']}" for each in source["open_orders"]]
    lines += [f"           made of: {source['explanation']}"] if source["explanation"] else []
    if source["available_date"]:
        lines.append(f"  next stock expected on {source['available_date']}")
    return lines


def _source(
    ledger: Ledger, level: StockLevelRecord, pushed: Collection[SourceKey], last_asked: datetime | None
) -> dict[str, Any]:
    # A sum keeps its time while its figures stay equal, although other orders may be behind them by now.
    as_at = level.snapshot_at and max(level.snapshot_at, last_asked or level.snapshot_at)
    open_lines = ledger.open_lines(level.sku, as_at) if as_at else []
    return {
        "source_code": level.source_code,
        "available_to_sell": level.available_to_sell,
        "buffer": level.buffer,
        "back_order_units": level.back_order_units,
        "open_units": level.open_units,
        "source_qty": level.source_qty,
        "explanation": level.explanation,
        "snapshot_at": _time(level.snapshot_at),
        "available_date": level.available_date.isoformat() if level.available_date else None,
        "confirmed_qty": level.confirmed_qty,
        "confirmed_at": _time(level.confirmed_at),
        "confirmed_by": "pushed" if (level.sku, level.source_code) in pushed else "read back",
        "open_orders": [
            {"order_number": line.order_number, "units": line.units}
            for line in open_lines
            if line.source_code == level.source_code
        ],
    }


def _push(push: StockPush) -> dict[str, Any]:
    return {
        "pushed_at": _time(push.pushed_at),
        "source_code": push.source_code,
        "source_qty": push.source_qty,
        "state": push.state,
        "available_to_sell": push.available_to_sell,
        "buffer": push.buffer,
        "back_order_units": push.back_order_units,
        "open_units": push.open_units,
        "snapshot_at": _time(push.snapshot_at),
        "batch_id": push.batch_id,
    }


def _read_back(read: ReadBack) -> dict[str, Any]:
    return {
        "read_at": _time(read.read_at),
        "source_code": read.source_code,
        "quantity": read.quantity or None,
        "expected": read.expected,
        "cause": read.cause,
    }


def _last(ledger: Ledger, stream: str) -> datetime | None:
    closed = (batch for batch in ledger.batches(stream, limit=20) if batch.state == "closed")
    last = next(closed, None)
    return last.window_start if last else None


def _artifact_key(sku: str) -> str:
    """Return a key that Prefect takes: small letters, digits and dashes; any other SKU gets a mark of its own."""
    plain = re.sub(r"[^a-z0-9]+", "-", sku.lower()).strip("-")
    is_plain = plain == sku.lower() and sku in (sku.upper(), sku.lower())
    mark = "" if is_plain else f"-{hashlib.sha256(sku.encode()).hexdigest()[:8]}"
    return f"stock-{plain}{mark}".replace("--", "-")


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
