"""PRIMA's stock to the quantities that Magento's source must hold. Pure.

Magento sells `source quantity - reservations`, and an order keeps its reservation until it is shipped there. PRIMA has
already taken an accepted order off its figure, so those units are added again:
`source_qty = max(0, available_to_sell - buffer) + open_units`.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from schemas.batches import CheckedBatch, rows_of
from schemas.documents import ExceptionNote, StockLevel
from schemas.rules import StockRules
from schemas.stock import StockEvidence, StockPlan

HELD = "STOCK_SNAPSHOT_HELD"


def source_qty(available_to_sell: int, buffer: int, open_units: int) -> int:
    """Return the units that Magento's source must hold so that its salable quantity is what can really be sold."""
    return max(0, available_to_sell - buffer) + open_units


def stock(checked: CheckedBatch, evidence: StockEvidence, rules: StockRules) -> StockPlan:
    """Return the plan: changed levels only, decreases first so that nothing is oversold while the push is under way.

    A SKU that PRIMA's answer does not contain stays as it is, and so does one whose row was rejected. Nothing is pushed
    when the answer is much smaller than the last one.
    """
    accepted = checked.accepted
    held = _brake(len(accepted), evidence.rows_before, rules)
    if held:
        return StockPlan(held=held, exceptions=[ExceptionNote(HELD, f"stock {rules.source_code}", held)])
    mapped = accepted[accepted["sku"] != ""]
    levels = [_level(row, evidence, rules) for row in rows_of(mapped)]
    known = [level for level in levels if level.sku in evidence.in_magento]
    changed = [level for level in known if level.source_qty != evidence.in_magento[level.sku]]
    in_prima = {*mapped["sku"], *checked.rejected["sku"]}
    not_in_magento = sorted(level.sku for level in levels if level.sku not in evidence.in_magento)
    return StockPlan(
        levels=known,
        to_push=sorted(changed, key=lambda level: _urgency(level, evidence.in_magento)),
        unchanged=len(known) - len(changed),
        unmapped=len(accepted) - len(mapped),
        not_in_magento=not_in_magento,
        exceptions=[
            *_unknown_to_magento(not_in_magento),
            *(_unknown_to_prima(in_prima, evidence) if rules.reports_missing else []),
        ],
    )


def rejected(rows: pd.DataFrame) -> list[ExceptionNote]:
    """Return an exception for each stock row that failed its schema; its stock in Magento stays as it is."""
    return [
        ExceptionNote("STOCK_ROW_REJECTED", f"item {_tuple_text(row)}", row["detail"], sku=row["sku"])
        for row in rows_of(rows)
    ]


def _level(row: Mapping[str, Any], evidence: StockEvidence, rules: StockRules) -> StockLevel:
    sku = str(row["sku"])
    available = int(row["available_to_sell"])
    buffer = rules.buffer_of(sku)
    open_units = evidence.open_units.get(sku, 0)
    return StockLevel(
        sku=sku,
        source_code=rules.source_code,
        available_to_sell=available,
        buffer=buffer,
        open_units=open_units,
        source_qty=source_qty(available, buffer, open_units),
        snapshot_at=evidence.asked_at,
        available_date=rules.believed(
            date.fromisoformat(row["available_date"]) if row["available_date"] else None, evidence.asked_at.date()
        ),
    )


def _urgency(level: StockLevel, in_magento: Mapping[str, int]) -> tuple[int, str]:
    change = level.source_qty - in_magento[level.sku]
    if change > 0:
        return 2, level.sku
    return (0 if level.source_qty == 0 else 1), level.sku


def _brake(rows: int, rows_before: int, rules: StockRules) -> str:
    """Return why a snapshot must not be pushed; empty text when it looks sane."""
    if rows == 0:
        return "the snapshot has no usable row"
    if rows < rules.lowest_rows:
        return f"the snapshot has {rows} rows, fewer than prima.lowest_stock_rows = {rules.lowest_rows}"
    if rows * 100 < rows_before * (100 - rules.largest_shrink_percent):
        share = rules.largest_shrink_percent
        return f"the snapshot has {rows} rows, the last one had {rows_before}: more than {share}% less"
    return ""


def _unknown_to_magento(skus: Iterable[str]) -> list[ExceptionNote]:
    return [ExceptionNote("STOCK_NOT_IN_MAGENTO", f"sku {sku}", "not written to Magento", sku=sku) for sku in skus]


def _unknown_to_prima(in_prima: set[str], evidence: StockEvidence) -> list[ExceptionNote]:
    missing = sorted(evidence.in_magento.keys() - in_prima)
    return [
        ExceptionNote("STOCK_NOT_IN_PRIMA", f"sku {sku}", f"stays at {evidence.in_magento[sku]}", sku=sku)
        for sku in missing
    ]


def _tuple_text(row: Mapping[str, Any]) -> str:
    return "/".join(str(row[name]) for name in ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4"))
