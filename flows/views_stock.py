"""What the command line shows of held stock snapshots, as plain values; the ledger is the source."""

from datetime import UTC, datetime
from typing import Any

from schemas.money import show
from tasks import connect
from tasks.settings import Settings


def stock_hold(settings: Settings, hold_id: str = "") -> dict[str, Any] | None:
    """Return a hold with its figures and history; without an id the open one. None when there is none."""
    with connect.open_ledger(settings) as ledger:
        found = ledger.stock_hold(hold_id) if hold_id else ledger.open_hold()
        if found is None:
            return None
        events = ledger.stock_hold_events(found.hold_id)
    figures = found.figures
    return {
        "hold_id": found.hold_id,
        "state": found.state,
        "batch_id": found.batch_id,
        "reasons": list(found.reasons),
        "rows_before": figures.rows_before,
        "rows": figures.rows,
        "skus_before": figures.known,
        "skus": figures.present,
        "sellable_skus": figures.sellable,
        "sold_out_skus": figures.zeroed,
        "units_before": figures.units_before,
        "units": figures.units,
        "units_moved": figures.moved,
        "value_at_risk_pence": found.value_at_risk_pence,
        "currency": found.currency,
        "largest_changes": list(found.top),
        "held_at": _time(found.held_at),
        "last_held_at": _time(found.last_held_at),
        "times_held": found.times_held,
        "history": [
            {"at": _time(event.at), "actor": event.actor, "event": event.event, "text": event.text} for event in events
        ],
    }


def hold_lines_of_text(view: dict[str, Any]) -> list[str]:
    """Return the view of a hold as lines for a terminal."""
    at_risk = show(view["value_at_risk_pence"], view["currency"])
    lines = [
        f"Hold {view['hold_id']}: {view['state']}, held {view['times_held']} times since {view['held_at']}",
        *(f"  {reason}" for reason in view["reasons"]),
        "",
        f"  {view['rows_before']:>9} -> {view['rows']:<9} rows",
        f"  {view['skus_before']:>9} -> {view['skus']:<9} SKUs of the last snapshot",
        f"  {view['units_before']:>9} -> {view['units']:<9} units of the SKUs that both have",
        f"  {view['sold_out_skus']:>9} of {view['sellable_skus']} sellable SKUs would be sold out",
        f"  {at_risk:>9} is what the units in question sell for",
        "",
        "Largest changes:" if view["largest_changes"] else "No SKU changes.",
        *(f"  {change}" for change in view["largest_changes"]),
        "",
        *(f"{each['at']}  {each['event']} by {each['actor']}: {each['text']}" for each in view["history"]),
    ]
    if view["state"] in ("held", "released", "refused"):
        command = f"magento-prima stock-brake release {view['hold_id']} --by NAME --why REASON"
        lines += ["", f"To let it pass: {command}; `refuse` notes that it is wrong."]
    return lines


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
