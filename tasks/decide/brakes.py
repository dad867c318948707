"""Whether a stock snapshot can be true, compared with the last one that was. Pure.

A snapshot that cannot be true is held: nothing of it is pushed. A person may release it. The release is for that
snapshot: the next reading passes when it is nearly the same. So what is pushed is always fresh, and another wrong
snapshot is held again.
"""

from collections.abc import Mapping

import pandas as pd

from schemas.brakes import BrakeFigures, BrakeMemory, BrakeRules, Change, Risk, Snapshot, Verdict
from schemas.documents import ExceptionNote
from schemas.money import show
from schemas.stock import StockPlan

CODE = "STOCK_SNAPSHOT_HELD"
SUBJECT = "stock snapshot"
TOP = 10


def snapshot_of(accepted: pd.DataFrame) -> Snapshot:
    """Return the usable rows as the brakes see them: units by SKU, added up where a SKU has several rows."""
    units: dict[str, int] = {}
    for sku, quantity in zip(accepted["sku"].tolist(), accepted["available_to_sell"].tolist(), strict=True):
        units[sku] = units.get(sku, 0) + quantity
    units.pop("", None)
    return Snapshot(len(accepted), units)


def verdict(snapshot: Snapshot, memory: BrakeMemory, rules: BrakeRules) -> Verdict:
    """Return whether the snapshot is sane, held, or released by a person."""
    figures = figures_of(snapshot, memory.before)
    reasons = tuple(_reasons(figures, rules))
    if not reasons:
        hold_id = memory.hold.hold_id if memory.hold else ""
        return Verdict("sane", snapshot, figures, hold_id=hold_id, is_unchanged=snapshot == memory.before)
    changed = tuple(changes(snapshot, memory.before))
    if memory.hold is None or not _is_same(snapshot, memory.hold.snapshot, memory.before, rules):
        return Verdict("held", snapshot, figures, reasons, changes=changed)
    is_released = memory.hold.state == "released" and snapshot.rows > 0
    return Verdict(
        "released" if is_released else "held", snapshot, figures, reasons, memory.hold.hold_id, changes=changed
    )


def figures_of(snapshot: Snapshot, before: Snapshot) -> BrakeFigures:
    """Return the figures that the brakes look at."""
    if snapshot.units == before.units:
        known, units = len(before.units), sum(before.units.values())
        sellable = sum(1 for each in before.units.values() if each > 0)
        return BrakeFigures(before.rows, snapshot.rows, known, known, sellable, 0, units, units, 0)
    both = before.units.keys() & snapshot.units.keys()
    return BrakeFigures(
        rows_before=before.rows,
        rows=snapshot.rows,
        known=len(before.units),
        present=len(both),
        sellable=sum(before.units[sku] > 0 for sku in both),
        zeroed=sum(before.units[sku] > 0 and snapshot.units[sku] == 0 for sku in both),
        units_before=sum(before.units[sku] for sku in both),
        units=sum(snapshot.units[sku] for sku in both),
        moved=sum(abs(snapshot.units[sku] - before.units[sku]) for sku in both),
    )


def risk(found: Verdict, prices: Mapping[str, int], currency: str) -> Risk:
    """Return what is at stake: each unit that comes, goes or is missing, at its selling price (pence by SKU).

    A SKU without a price counts nothing, and is counted. The largest changes come first, by value, then by units.
    """
    valued = [(change.units * prices.get(change.sku, 0), change) for change in found.changes]
    valued.sort(key=lambda pair: (-pair[0], -pair[1].units, pair[1].sku))
    top = tuple(
        f"{change.sku}: {change.before} -> {'missing' if change.now is None else change.now}"
        + (f" ({show(pence, currency)})" if change.sku in prices else "")
        for pence, change in valued[:TOP]
    )
    without = sum(change.sku not in prices for change in found.changes)
    return Risk(sum(pence for pence, _ in valued), currency, without, top)


def hold_note(found: Verdict, hold_id: str, at_risk: Risk) -> ExceptionNote:
    """Return the exception of a held snapshot: figures, what is at stake, the largest changes and how to decide."""
    unpriced = f", {at_risk.without_price} SKUs without a price not counted" if at_risk.without_price else ""
    largest = f" Largest changes: {'; '.join(at_risk.top)}." if at_risk.top else ""
    detail = (
        f"{'; '.join(found.reasons)}. Units in question: {sum(change.units for change in found.changes)} of "
        f"{len(found.changes)} SKUs, worth {show(at_risk.value_at_risk_pence, at_risk.currency)}{unpriced}.{largest} "
        f"Hold {hold_id}."
    )
    return ExceptionNote(
        CODE, SUBJECT, detail, value_at_risk_pence=at_risk.value_at_risk_pence, currency=at_risk.currency
    )


def held(found: Verdict, note: ExceptionNote) -> StockPlan:
    """Return the plan of a held snapshot: nothing is pushed, and the exception says why."""
    return StockPlan(held="; ".join(found.reasons), exceptions=[note])


def _reasons(figures: BrakeFigures, rules: BrakeRules) -> list[str]:
    """Return each brake that grips, as a sentence without its full stop."""
    rows, before = figures.rows, figures.rows_before
    if rows == 0:
        return ["the snapshot has no usable row"]
    found = []
    if rows < rules.lowest_rows:
        found.append(f"the snapshot has {rows} rows, fewer than prima.lowest_stock_rows = {rules.lowest_rows}")
    if rows * 100 < before * (100 - rules.shrink_percent):
        found.append(f"the snapshot has {rows} rows, the last one had {before}: more than {rules.shrink_percent}% less")
    elif figures.present * 100 < figures.known * (100 - rules.shrink_percent):
        found.append(
            f"only {figures.present} of the {figures.known} SKUs of the last snapshot are in this one: more than "
            f"{rules.shrink_percent}% less"
        )
    return found + (_shares(figures, rules) if figures.sellable >= rules.fewest_skus else [])


def _shares(figures: BrakeFigures, rules: BrakeRules) -> list[str]:
    zeroed, before, now = figures.zeroed, figures.units_before, figures.units
    totals = f"the same SKUs had {before} units and have {now} now"
    found = []
    if zeroed * 100 > figures.sellable * rules.zeroed_percent:
        found.append(
            f"{zeroed} of {figures.sellable} sellable SKUs would be sold out: more than {rules.zeroed_percent}%"
        )
    if now * 100 < before * (100 - rules.fall_percent):
        found.append(f"{totals}: more than {rules.fall_percent}% less")
    if now * 100 > before * (100 + rules.rise_percent):
        found.append(f"{totals}: more than {rules.rise_percent}% more")
    if not found and figures.moved * 100 > before * rules.moved_percent:
        found.append(
            f"quantities moved by {figures.moved} units in all, of {before} before: more than {rules.moved_percent}%"
        )
    return found


def _is_same(snapshot: Snapshot, held_then: Snapshot, before: Snapshot, rules: BrakeRules) -> bool:
    """Tell whether a snapshot deviates as the held one did: it differs from that one by a small share of all units."""
    if snapshot.rows == 0 or held_then.rows == 0:
        return snapshot.rows == held_then.rows
    fewer, more = sorted((snapshot.rows, held_then.rows))
    skus = snapshot.units.keys() | held_then.units.keys()
    moved = sum(abs(snapshot.units.get(sku, 0) - held_then.units.get(sku, 0)) for sku in skus)
    largest = max(sum(each.units.values()) for each in (snapshot, held_then, before))
    return (more - fewer) * 100 <= more * rules.same_percent and moved * 100 <= largest * rules.same_percent


def changes(snapshot: Snapshot, before: Snapshot) -> list[Change]:
    """Return the SKUs whose units change, and those with units that the snapshot does not contain."""
    return [
        Change(sku, units, snapshot.units.get(sku))
        for sku, units in sorted(before.units.items())
        if units != snapshot.units.get(sku, 0)
    ]
