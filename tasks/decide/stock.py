"""PRIMA's stock to the quantities that Magento's sources must hold. Pure.

Magento sells `source quantity - reservations`, and an order keeps its reservation until it is shipped there. PRIMA has
already taken an accepted order off its figure, so those units are added again:
`source_qty = max(0, available_to_sell - buffer) + back_order_units + open_units`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from schemas.batches import CheckedBatch, rows_of
from schemas.buffers import Level
from schemas.documents import ExceptionNote, SourceKey, StockLevel, StockSum
from schemas.rules import BackOrderRule, StockRules
from schemas.stock import StockEvidence, StockPlan

LEVEL = ["sku", "source_code"]


def source_qty(available_to_sell: int, buffer: int, open_units: int, back_order_units: int = 0) -> int:
    """Return the units that Magento's source must hold so that its salable quantity is what can really be sold."""
    return max(0, available_to_sell - buffer) + back_order_units + open_units


def stock(checked: CheckedBatch, evidence: StockEvidence, rules: StockRules) -> StockPlan:
    """Return the plan: changed levels only, decreases first so that nothing is oversold while the push is under way.

    A SKU that PRIMA's answer does not contain stays as it is, and so does one whose row was rejected. Whether the
    answer as a whole can be true is decided before: see `decide.brakes`.
    """
    accepted = checked.accepted
    mapped = accepted[accepted["sku"] != ""]
    placed = mapped[mapped["source_code"] != ""]
    counted = placed[~_is_incomplete(placed, checked.rejected)]
    sums = figures(counted, evidence, rules)
    known = {key: quantity for key in sums if (quantity := _quantity_now(key, evidence)) is not None}
    changed = [key for key, quantity in known.items() if sums[key].source_qty != quantity]
    new_sums = [key for key in known if sums[key] != evidence.sums.get(key)]
    unknown = sorted(sku for sku, _ in sums.keys() - known.keys())
    return StockPlan(
        levels=[_level(key, sums[key], evidence) for key in new_sums],
        to_push=[
            _level(key, sums[key], evidence) for key in sorted(changed, key=lambda key: _urgency(key, sums, known))
        ],
        counted=len(counted),
        levels_in_all=len(sums),
        unchanged=len(known) - len(changed),
        unmapped=len(accepted) - len(mapped),
        left_out=len(mapped) - len(placed),
        incomplete=len(placed) - len(counted),
        not_in_magento=unknown,
        exceptions=[
            *_unmapped_warehouses(mapped, rules),
            *_ambiguous(accepted),
            *_unknown_to_magento(sorted(set(unknown))),
            *_unknown_to_prima({*_keys(mapped), *_keys(checked.rejected)}, evidence, rules),
        ],
    )


def figures(counted: pd.DataFrame, evidence: StockEvidence, rules: StockRules) -> dict[SourceKey, StockSum]:
    """Return the sum that makes the quantity of each SKU at each source; warehouses of one source are added up."""
    levels = _by_source(counted)
    keys = _keys(levels)
    available = levels["available_to_sell"].tolist()
    asked_on = evidence.asked_at.date()
    dates = levels["available_date"].tolist()
    believed = {text: _believed(text, asked_on, rules) for text in set(dates)}
    expected = [believed[text] for text in dates]
    buffers, words = _buffers(keys, available, levels["warehouses"].tolist(), evidence, rules)
    open_units = [evidence.open_units.get(key, 0) for key in keys]
    back_orders = [0] * len(keys)
    if rules.back_orders is not None:
        waiting = zip(available, expected, open_units, strict=True)
        back_orders = [_back_order_units(*each, asked_on, rules.back_orders) for each in waiting]
    wanted = map(source_qty, available, buffers, open_units, back_orders)
    columns = (available, buffers, back_orders, open_units, wanted, expected, words)
    return dict(zip(keys, map(StockSum._make, zip(*columns, strict=True)), strict=True))


def rejected(rows: pd.DataFrame) -> list[ExceptionNote]:
    """Return an exception for each stock row that failed its schema; its stock in Magento stays as it is."""
    return [
        ExceptionNote("STOCK_ROW_REJECTED", f"item {_tuple_text(row)}", row["detail"], sku=row["sku"])
        for row in rows_of(rows)
    ]


def about(sku: str, source_code: str, rules: StockRules) -> str:
    """Return the subject of an exception about a level: the source is named where there are several."""
    return f"sku {sku}" if len(rules.sources) == 1 else f"sku {sku} at {source_code}"


def _by_source(counted: pd.DataFrame) -> pd.DataFrame:
    """Return one row per level; `warehouses` says which ones were added up, empty where there was one row."""
    rows = counted[[*LEVEL, "available_date"]].assign(
        available_to_sell=counted["available_to_sell"].to_numpy(dtype="int64"), warehouses=""
    )
    several = rows.duplicated(LEVEL, keep=False)
    if not several.any():
        return rows.reset_index(drop=True)
    parts = rows[several].assign(
        warehouses=counted.loc[several, "warehouse"] + " " + counted.loc[several, "available_to_sell"].astype(str)
    )
    added = parts.groupby(LEVEL, sort=True, as_index=False).agg(
        available_date=("available_date", lambda dates: min(filter(None, dates), default="")),
        available_to_sell=("available_to_sell", "sum"),
        warehouses=("warehouses", lambda places: ", ".join(sorted(places))),
    )
    return pd.concat([rows[~several], added], ignore_index=True)


def _believed(text: str, asked_on: date, rules: StockRules) -> str:
    """Return an ISO date on which stock is expected; empty text for none, and for one that is not believed."""
    expected = rules.believed(date.fromisoformat(text), asked_on) if text else None
    return expected.isoformat() if expected else ""


def _back_order_units(
    available: int, expected: str, open_units: int, asked_on: date, rule: BackOrderRule | None
) -> int:
    """Return what may be sold although nothing is available: the rule's units less those that are open already."""
    if rule is None or available or not expected or expected > (asked_on + rule.within).isoformat():
        return 0
    return max(0, rule.units - open_units)


def _is_incomplete(rows: pd.DataFrame, rejected_rows: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which rows belong to a level of which another row was rejected: a part of the stock is not the stock."""
    broken = {key for key in _keys(rejected_rows) if key[0]}
    if not broken:
        return pd.Series(False, index=rows.index, dtype=bool)
    return pd.Series([key in broken for key in _keys(rows)], index=rows.index, dtype=bool)


def _buffers(
    keys: Sequence[SourceKey],
    available: Sequence[int],
    warehouses: Sequence[str],
    evidence: StockEvidence,
    rules: StockRules,
) -> tuple[list[int], list[str]]:
    """Return the units kept back of each level, and in words its warehouses and its buffer rule."""
    if rules.buffers.is_flat:
        return [rules.buffers.units] * len(keys), list(warehouses)
    levels = (Level(*key, units) for key, units in zip(keys, available, strict=True))
    found = rules.buffers.of(levels, evidence.categories)
    words = [
        "; ".join(filter(None, (places, rule and f"buffer {rule}")))
        for places, (_, rule) in zip(warehouses, found, strict=True)
    ]
    return [units for units, _ in found], words


def _quantity_now(key: SourceKey, evidence: StockEvidence) -> int | None:
    """Return what Magento's source holds; 0 where it has no row of a product that it knows, None of any other SKU."""
    held = evidence.in_magento.get(key)
    return 0 if held is None and key in evidence.without_row else held


def _level(key: SourceKey, found: StockSum, evidence: StockEvidence) -> StockLevel:
    figures = found._asdict()
    expected = figures.pop("available_date")
    return StockLevel(
        *key,
        **figures,
        snapshot_at=evidence.asked_at,
        available_date=date.fromisoformat(expected) if expected else None,
    )


def _urgency(key: SourceKey, sums: Mapping[SourceKey, StockSum], now: Mapping[SourceKey, int]) -> tuple[int, SourceKey]:
    wanted = sums[key].source_qty
    return (2 if wanted > now[key] else 0 if wanted == 0 else 1), key


def _unmapped_warehouses(mapped: pd.DataFrame, rules: StockRules) -> list[ExceptionNote]:
    nowhere = mapped.loc[mapped["source_code"] == "", "warehouse"].value_counts().sort_index()
    return [
        ExceptionNote("STOCK_WAREHOUSE_UNMAPPED", f"warehouse {warehouse}", f"{count} rows of it are not counted")
        for warehouse, count in nowhere.items()
        if rules.source_of(str(warehouse)) is None
    ]


def _ambiguous(accepted: pd.DataFrame) -> list[ExceptionNote]:
    claimed = accepted[
        (accepted["claimed_by"] != "") & ~accepted.duplicated(["product", "mtrx1", "mtrx2", "mtrx3", "mtrx4"])
    ]
    return [
        ExceptionNote("STOCK_ITEM_AMBIGUOUS", f"item {_tuple_text(row)}", f"claimed by {row['claimed_by']}")
        for row in rows_of(claimed.assign(warehouse=""))
    ]


def _unknown_to_magento(skus: Iterable[str]) -> list[ExceptionNote]:
    return [ExceptionNote("STOCK_NOT_IN_MAGENTO", f"sku {sku}", "not written to Magento", sku=sku) for sku in skus]


def _unknown_to_prima(in_prima: set[SourceKey], evidence: StockEvidence, rules: StockRules) -> list[ExceptionNote]:
    if not rules.reports_missing:
        return []
    return [
        ExceptionNote("STOCK_NOT_IN_PRIMA", about(*key, rules), f"stays at {evidence.in_magento[key]}", sku=key[0])
        for key in sorted(evidence.in_magento.keys() - in_prima)
    ]


def _keys(rows: pd.DataFrame) -> list[SourceKey]:
    return list(zip(rows["sku"].tolist(), rows["source_code"].tolist(), strict=True))


def _tuple_text(row: Mapping[str, Any]) -> str:
    text = "/".join(str(row[name]) for name in ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4"))
    return f"{text} in {row['warehouse']}" if row["warehouse"] else text
