"""The facts of a day become its report: counted, summed within each currency, the most valuable first. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pandas as pd

from schemas.batches import rows_of
from schemas.daily_facts import DAILY_STREAMS, STREAM, DayTotal
from schemas.daily_message import ReportMessage
from schemas.daily_report import AGES, DailyReport, DayFacts, Row, age_text, section_of, worth

SEVERITIES = ("critical", "problem", "warning", "info")


def daily_report(facts: DayFacts) -> DailyReport:
    """Return the report of a day; every exception of the span is in exactly one of open and closed."""
    day = facts.day
    rows: list[Row] = [_row(each, day.until) for each in rows_of(facts.exceptions)]
    is_closed = [row["closed_at"] is not None and row["closed_at"] < day.until for row in rows]
    closed = [row for row, is_over in zip(rows, is_closed, strict=True) if is_over]
    still_open = _dearest(row for row, is_over in zip(rows, is_closed, strict=True) if not is_over)
    new = _dearest(row for row in rows if row["first_seen_at"] >= day.since)
    runs = [
        {"stream": each.stream, "begun_count": each.begun, "closed_count": each.closed, "stopped_count": each.stopped}
        | {"last_closed_at": each.last_closed_at}
        for each in facts.runs
        if each.stream != STREAM
    ]
    return DailyReport(
        run_id=facts.run_id,
        day=day,
        built_at=facts.built_at,
        teams=_teams(still_open, new, closed),
        ages=_ages(still_open),
        changes=_changes(rows, new, closed, day.since),
        open=still_open,
        new=new,
        closed=_dearest(closed),
        skus=_skus(still_open),
        stock=[row for row in still_open if section_of(row["code"]) == "stock"],
        orders=_orders(facts.orders, still_open, day.until),
        dispatches=[row for row in still_open if section_of(row["code"]) == "dispatch"],
        totals=[_total(each) for each in facts.totals],
        runs=runs,
        stock_state=facts.stock,
        untold=facts.untold,
        reconciliation=facts.reconciliation,
        idle=[row["stream"] for row in runs if row["stream"] in DAILY_STREAMS and not row["closed_count"]],
    )


def _row(row: Row, until: datetime) -> dict[str, Any]:
    """Return an exception as the report has it; times are aware, an empty one is None."""
    closed_at: datetime | None = None if pd.isna(row["closed_at"]) else row["closed_at"].to_pydatetime()
    first_seen_at = row["first_seen_at"].to_pydatetime()
    ended = closed_at if closed_at is not None and closed_at < until else until
    hours = max(0.0, (ended - first_seen_at).total_seconds() / 3600)
    return {
        **row,
        "number": int(row["number"]),
        "value_pence": int(row["value_pence"]),
        "first_seen_at": first_seen_at,
        "closed_at": closed_at,
        "age_hours": round(hours, 1),
        "age": age_text(hours),
    }


def _dearest(rows: Iterable[Row]) -> list[Row]:
    """Return exceptions with the critical ones first, then by value at risk, then by age."""
    return sorted(rows, key=lambda row: (row["severity"] != "critical", -row["value_pence"], row["first_seen_at"]))


def _teams(still_open: list[Row], new: list[Row], closed: list[Row]) -> list[Row]:
    """Return a row for each team with anything open, new or closed; the one with most critical first."""
    found: list[Row] = []
    for owner in dict.fromkeys(row["owner"] for row in [*still_open, *new, *closed]):
        own = [row for row in still_open if row["owner"] == owner]
        hours = max((row["age_hours"] for row in own), default=0.0)
        found.append(
            {
                "owner": owner,
                "open_count": len(own),
                "critical_count": sum(row["severity"] == "critical" for row in own),
                "new_count": sum(row["owner"] == owner for row in new),
                "closed_count": sum(row["owner"] == owner for row in closed),
                "untaken_count": sum(not row["is_taken"] for row in own),
                "oldest": age_text(hours) if own else "",
                "worth": worth(own),
            }
        )
    return sorted(found, key=lambda row: (-row["critical_count"], -row["open_count"], row["owner"]))


def _ages(still_open: list[Row]) -> list[Row]:
    """Return number and pence of what is open by age, every age of each currency, the oldest last."""
    found: list[Row] = []
    for currency in sorted({row["currency"] for row in still_open}):
        own = [row for row in still_open if row["currency"] == currency]
        lower = 0.0
        for name, hours in AGES:
            upper = float("inf") if hours is None else float(hours)
            within = [row for row in own if lower <= row["age_hours"] < upper]
            counts = {f"{each}_count": sum(row["severity"] == each for row in within) for each in SEVERITIES}
            pence = sum(row["value_pence"] for row in within)
            found.append({"age": name, "currency": currency, "open_count": len(within), **counts, "value_pence": pence})
            lower = upper
    return found


def _changes(rows: list[Row], new: list[Row], closed: list[Row], since: datetime) -> list[Row]:
    """Return by code and currency what was open before, came, went and is open, in number and pence."""
    is_new, is_closed = {row["number"] for row in new}, {row["number"] for row in closed}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["code"], row["currency"])
        line = found.setdefault(key, {name: row[name] for name in ("code", "owner", "severity", "currency")})
        for name, counts in (
            ("before", row["number"] not in is_new),
            ("new", row["number"] in is_new),
            ("closed", row["number"] in is_closed),
            ("open", row["number"] not in is_closed),
        ):
            line[f"{name}_count"] = line.get(f"{name}_count", 0) + int(counts)
            line[f"{name}_pence"] = line.get(f"{name}_pence", 0) + (row["value_pence"] if counts else 0)
    return sorted(found.values(), key=lambda line: (-line["open_pence"], -line["open_count"], line["code"]))


def _skus(still_open: list[Row]) -> list[Row]:
    """Return the SKUs that the two systems do not agree about, with what waits for each, the dearest first."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in still_open:
        if section_of(row["code"]) == "sku":
            found.setdefault((row["sku"] or row["subject"], row["currency"]), []).append(row)
    lines = [
        {
            "sku": sku,
            "currency": currency,
            "codes": ", ".join(sorted({row["code"] for row in rows})),
            "order_count": len({row["order_number"] for row in rows} - {""}),
            "value_pence": sum(row["value_pence"] for row in rows),
            "first_seen_at": min(row["first_seen_at"] for row in rows),
            "age": max(rows, key=lambda row: row["age_hours"])["age"],
            "fix": next((row["fix"] for row in rows if row["fix"]), ""),
        }
        for (sku, currency), rows in found.items()
    ]
    return sorted(lines, key=lambda line: (-line["value_pence"], line["sku"]))


def _orders(orders: pd.DataFrame, still_open: list[Row], until: datetime) -> list[Row]:
    """Return the orders that PRIMA does not have, each with the codes that are open on it, the dearest first."""
    codes: dict[str, list[str]] = {}
    for row in still_open:
        codes.setdefault(row["order_number"], []).append(row["code"])
    lines: list[Row] = []
    for order in rows_of(orders):
        placed_at = order["placed_at"].to_pydatetime()
        hours = max(0.0, (until - placed_at).total_seconds() / 3600)
        lines.append(
            {
                **order,
                "gross_pence": int(order["gross_pence"]),
                "placed_at": placed_at,
                "age": age_text(hours),
                "codes": ", ".join(sorted(set(codes.get(order["order_number"], [])))),
            }
        )
    return sorted(lines, key=lambda line: (-line["gross_pence"], line["order_number"]))


def _total(each: DayTotal) -> Row:
    return {
        "what": each.what,
        "count": each.count,
        "currency": each.currency,
        "net_pence": each.net_pence,
        "vat_pence": each.vat_pence,
        "gross_pence": each.gross_pence,
    }


def report_message(report: DailyReport, channel: str, teams: Iterable[str], link: str) -> ReportMessage:
    """Return what a channel is sent of a report: its headline, and a line for each team that the channel has."""
    return ReportMessage(
        channel=channel,
        business_date=report.day.business_date,
        headline=report.headline,
        team_lines=[report.of_team(team) for team in teams],
        link=link,
        counts={"new": len(report.new), "closed": len(report.closed), "open": len(report.open)},
        value_pence=_sums(report.open),
        oldest_at=min((row["first_seen_at"] for row in report.open), default=None),
    )


def _sums(rows: Iterable[Row]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row["currency"]] = found.get(row["currency"], 0) + row["value_pence"]
    return found
