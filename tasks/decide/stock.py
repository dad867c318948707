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
from schemas.documents import ExceptionNote, SourceKey, StockLevel
from schemas.rules import BackOrderRule, StockRules
from schemas.stock import StockEvidence, StockPlan

LEVEL = ["sku", "source_code"]
SUM = ["available_to_sell", "buffer", "back_order_units", "open_units", "source_qty", "available_date", "explanation"]


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
    levels = figures(counted, evidence, rules)
    keys = _keys(levels)
    now = [evidence.in_magento.get(key, 0 if key in evidence.without_row else None) for key in keys]
    wanted = levels["source_qty"].tolist()
    known = [position for position, quantity in enumerate(now) if quantity is not None]
    changed = [position for position in known if wanted[position] != now[position]]
    summed = list(zip(*(levels[name].tolist() for name in SUM), strict=True))
    new_sums = [position for position in known if evidence.sums.get(keys[position]) != summed[position]]
    unknown = [key[0] for key, quantity in zip(keys, now, strict=True) if quantity is None]
    return StockPlan(
        levels=_levels(levels, new_sums, evidence),
        to_push=sorted(_levels(levels, changed, evidence), key=lambda level: _urgency(level, evidence.in_magento)),
        counted=len(counted),
        levels_in_all=len(levels),
        unchanged=len(known) - len(changed),
        unmapped=len(accepted) - len(mapped),
        left_out=len(mapped) - len(placed),
        incomplete=len(placed) - len(counted),
        not_in_magento=sorted(unknown),
        exceptions=[
            *_unmapped_warehouses(mapped, rules),
            *_ambiguous(accepted),
            *_unknown_to_magento(sorted(set(unknown))),
            *_unknown_to_prima({*_keys(mapped), *_keys(checked.rejected)}, evidence, rules),
        ],
    )


def figures(counted: pd.DataFrame, evidence: StockEvidence, rules: StockRules) -> pd.DataFrame:
    """Return one row per SKU and source with the sum that makes its quantity: the columns of `LEVEL` and `SUM`.

    Warehouses of one source are added up. `available_date` is ISO text, the earliest of them; `explanation` words.
    """
    levels = _by_source(counted)
    keys = _keys(levels)
    available = levels["available_to_sell"].tolist()
    asked_on = evidence.asked_at.date()
    believed = {text: _believed(text, asked_on, rules) for text in set(levels["available_date"])}
    expected = [believed[text] for text in levels["available_date"]]
    buffers = rules.buffers.of(
        [Level(*key, units) for key, units in zip(keys, available, strict=True)], evidence.categories
    )
    open_units = [evidence.open_units.get(key, 0) for key in keys]
    back_orders = [
        _back_order_units(*each, asked_on, rules.back_orders)
        for each in zip(available, expected, open_units, strict=True)
    ]
    return pd.DataFrame(
        {
            "sku": levels["sku"].tolist(),
            "source_code": levels["source_code"].tolist(),
            "available_to_sell": available,
            "buffer": [units for units, _ in buffers],
            "back_order_units": back_orders,
            "open_units": open_units,
            "source_qty": [
                source_qty(units, buffer, still_open, more)
                for units, (buffer, _), still_open, more in zip(
                    available, buffers, open_units, back_orders, strict=True
                )
            ],
            "available_date": expected,
            "explanation": [
                "; ".join(filter(None, (places, rule and f"buffer {rule}")))
                for places, (_, rule) in zip(levels["warehouses"].tolist(), buffers, strict=True)
            ],
        }
    )


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
    return pd.Series([bool(broken) and key in broken for key in _keys(rows)], index=rows.index, dtype=bool)


def _levels(levels: pd.DataFrame, positions: Sequence[int], evidence: StockEvidence) -> list[StockLevel]:
    chosen = levels.iloc[list(positions)]
    columns = {name: chosen[name].tolist() for name in chosen.columns}
    dates = [date.fromisoformat(text) if text else None for text in columns.pop("available_date")]
    return [
        StockLevel(
            **dict(zip(columns, values, strict=True)), snapshot_at=evidence.asked_at, available_date=available_date
        )
        for *values, available_date in zip(*columns.values(), dates, strict=True)
    ]


def _urgency(level: StockLevel, in_magento: Mapping[SourceKey, int]) -> tuple[int, str, str]:
    change = level.source_qty - in_magento.get((level.sku, level.source_code), 0)
    rank = 2 if change > 0 else 0 if level.source_qty == 0 else 1
    return rank, level.sku, level.source_code


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
