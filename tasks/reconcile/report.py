"""What a run found, for people: one sentence, a table for the Prefect UI, and a page that prints."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from markupsafe import Markup

from schemas.money import show
from schemas.reconciliation import CAUSES, LEVELS, WITHOUT_EXPLANATION
from tasks.reconcile.money_findings import money_ties
from tasks.reconcile.period import LONDON
from tasks.reconcile.run import Reconciliation
from tasks.reconcile.workbook import workbook
from tasks.systems.reports.folder import link, put
from tasks.systems.reports.page import environment
from tasks.systems.warehouse import FILE_NAME, Row

BREAKS_ON_PAGE = 500
BREAKS_IN_TABLE = 100
DETAILS_ON_PAGE = 100
DAYS_ON_PAGE = 60
LEVEL_NAMES = {"orders": "Orders", "invoices": "Invoices", "refunds": "Refunds"}
WORDS = {
    "TOTAL_VARIANCE": "different totals",
    "VAT_VARIANCE": "same total, different VAT",
    "MISSING_IN_PRIMA": "only in Magento",
    "MISSING_IN_MAGENTO": "only in PRIMA",
    "DUPLICATE_IN_PRIMA": "twice in PRIMA",
    "TIMING": "too young to be missing",
    "EXCLUDED": "held or excluded",
    "WITHIN_TOLERANCE": "within tolerance",
}


def period_text(run: Row) -> str:
    """Return the dates of a run as a person writes them: `22 November 2026`, or two of them joined by `to`."""
    first, last = (f"{day.day} {day:%B %Y}" for day in (run["from_date"], run["to_date"]))
    return first if first == last else f"{first} to {last}"


def headline(found: Reconciliation) -> str:
    """Return one sentence: do they agree, and if not, by how much and how much of that nobody can explain."""
    when = period_text(found.run)
    rejected = found.run["rejected_count"]
    parts = "1 record or part was" if rejected == 1 else f"{rejected} records or parts were"
    unread = f" {parts} not reconciled." if rejected else ""
    if not found.control_totals:
        return f"Neither Magento nor PRIMA has a document for {when}.{unread}"
    if found.run["prima_evidence"] == "ledger":
        return (
            f"PRIMA's own figures were not read for {when}: {_existence(found)}. Totals and VAT are unproven.{unread}"
        )
    if not found.breaks:
        return f"Magento and PRIMA agree for {when}: {_population(found)}{_open_points(found)}.{unread}"
    amounts = [
        f"{LEVEL_NAMES[row['level']].lower()} {show(row['variance_pence'], row['currency'])}"
        f" (VAT {show(row['vat_variance_pence'], row['currency'])})"
        for row in found.control_totals
        if row["variance_pence"] or row["vat_variance_pence"]
    ]
    unexplained = sum(1 for row in found.breaks if row["cause"] == "UNEXPLAINED")
    difference = f" PRIMA minus Magento: {', '.join(amounts)}." if amounts else ""
    return (
        f"Magento and PRIMA do not agree for {when}: {_count(len(found.breaks), 'break')}, {unexplained} unexplained."
        f"{difference}{unread}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _existence(found: Reconciliation) -> str:
    missing = sum(1 for row in found.breaks if row["status"] == "MISSING_IN_PRIMA")
    return f"{_count(missing, 'order')} not in PRIMA" if missing else "every order that was posted is in PRIMA"


def _population(found: Reconciliation) -> str:
    return ", ".join(
        f"{row['magento_count']} {row['level']} of {show(row['magento_gross_pence'], row['currency'])}"
        for row in sorted(found.control_totals, key=_by_level)
    )


def _open_points(found: Reconciliation) -> str:
    waiting = [row for row in found.differences if row["status"] in ("TIMING", "EXCLUDED")]
    if not waiting:
        return ""
    worth: dict[str, int] = {}
    for row in waiting:
        worth[row["currency"]] = worth.get(row["currency"], 0) + row["variance_pence"]
    amounts = " and ".join(_signed(pence, currency) for currency, pence in sorted(worth.items()))
    return f"; {sum(row['order_count'] for row in waiting)} are held, excluded or too young ({amounts})"


def _by_level(row: Row) -> tuple[int, str]:
    return LEVELS.index(row["level"]), row["currency"]


def markdown(found: Reconciliation, files: "ReportFiles", url: str = "") -> str:
    """Return the headline, the control totals and the files for the artifact in the Prefect UI.

    The files are links below `url` when their folder is served there; a browser opens no path of a disk from a page.
    """
    lines = [
        f"**{headline(found)}**",
        "",
        f"Magento as at {_time(found.run['magento_as_at'])}, PRIMA as at {_time(found.run['prima_as_at'])}.",
        "",
        "| | currency | Magento | variances | PRIMA | unexplained | VAT variance | unexplained VAT |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in sorted(found.control_totals, key=_by_level):
        names = (
            "magento_gross_pence",
            "variance_pence",
            "prima_gross_pence",
            "unexplained_variance_pence",
            "vat_variance_pence",
            "unexplained_vat_variance_pence",
        )
        figures = " | ".join(show(row[name], row["currency"]) for name in names)
        lines.append(f"| {LEVEL_NAMES[row['level']]} | {row['currency']} | {figures} |")
    named = (("Report", files.page), ("Workbook", files.workbook), ("Tables", files.page.with_name(FILE_NAME)))
    shown = [f"- {name}: {link(path, url)}" for name, path in named]
    return "\n".join([*lines, "", *shown, ""])


def break_rows(found: Reconciliation) -> list[dict[str, Any]]:
    """Return the first breaks as rows of the table artifact; unexplained first."""
    return [
        {
            "document": row["level"],
            "order": row["order_number"] or "",
            "PRIMA order": row["order_number_prima"] or "",
            "status": row["status"],
            "cause": row["cause"],
            "value": show(row["value_pence"], row["currency"]),
            "Magento": _money(row["magento_gross_pence"], row["currency"]),
            "PRIMA": _money(row["prima_gross_pence"], row["currency"]),
            "Magento VAT": _money(row["magento_vat_pence"], row["currency"]),
            "PRIMA VAT": _money(row["prima_vat_pence"], row["currency"]),
            "owner": row["owner"],
        }
        for row in found.breaks[:BREAKS_IN_TABLE]
    ]


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where the files of a run are."""

    page: Path
    workbook: Path


def write_files(found: Reconciliation, folder: Path, label: str) -> ReportFiles:
    """Write `reconciliation-<label>.html` and `.xlsx` into a folder, each complete or not at all."""
    path = folder / f"reconciliation-{label}.html"
    put(path, page(found).encode("utf-8"))
    put(path.with_suffix(".xlsx"), workbook(found, headline(found)))
    return ReportFiles(path, path.with_suffix(".xlsx"))


def page(found: Reconciliation) -> str:
    """Return the report as one HTML page that needs nothing else: no script, no font, no picture."""
    from tasks.reconcile.charts import ageing_chart, causes_chart  # matplotlib is slow to import: when it is needed

    templates = environment("tasks.reconcile")
    templates.filters.update(
        money=_money,
        signed=_signed,
        time=_time,
        day=_day,
        percent=_percent,
        pair=_pair,
        anchor=_anchor,
        line_name=_line_name,
        unbroken=_unbroken,
    )
    unpaid = money_ties(found.payment_ties)
    return templates.get_template("report.html.j2").render(
        run=found.run,
        policy=found.policy,
        period=period_text(found.run),
        headline=headline(found),
        is_agreed=found.is_agreed and found.run["prima_evidence"] == "reporting",
        not_reconciled=found.not_reconciled,
        causes_chart=Markup(causes_chart(found.breaks)),
        ageing_chart=Markup(ageing_chart(found.ageing)),
        open_count=len(found.open_breaks),
        totals=sorted(found.control_totals, key=_by_level),
        differences=sorted(
            found.differences, key=lambda row: (row["cause"] not in WITHOUT_EXPLANATION, *_by_level(row))
        ),
        days=_days(found.day_totals),
        day_count=len(found.day_totals),
        rates=_rates(found.vat_by_rate),
        breaks=found.breaks[:BREAKS_ON_PAGE],
        break_count=len(found.breaks),
        boxes=found.vat_boxes,
        vat_return=found.vat_return,
        unpaid=unpaid[:BREAKS_ON_PAGE],
        unpaid_count=len(unpaid),
        settled=found.settled_breaks,
        dispatch_count=len(found.dispatch_variances),
        details=_details(found),
        detail_count=DETAILS_ON_PAGE,
        level_names=LEVEL_NAMES,
        words=WORDS,
        causes=CAUSES,
    )


def _days(rows: list[Row]) -> list[Row]:
    """Return the first rows by day and rate: unexplained ones first, then the newest day."""
    first = sorted(rows, key=lambda row: (row["business_date"], _by_level(row)))
    return sorted(first, key=_is_explained)[:DAYS_ON_PAGE]


def _is_explained(row: Row) -> bool:
    return not (row["unexplained_net_pence"] or row["unexplained_vat_pence"])


def _details(found: Reconciliation) -> list[tuple[Row, list[Row]]]:
    """Return the first breaks with their differing lines."""
    of_order: dict[tuple[str, str, str], list[Row]] = {}
    for line in found.lines:
        of_order.setdefault((line["level"], line["order_key"], line["currency"]), []).append(line)
    return [
        (row, of_order.get((row["level"], row["order_key"], row["currency"]), []))
        for row in found.breaks[:DETAILS_ON_PAGE]
    ]


def _rates(rows: list[Row]) -> list[tuple[Mapping[str, Any], list[Row]]]:
    """Return the VAT table in groups of one level and currency."""
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(_by_level(row), []).append(row)
    return [(group[0], group) for _, group in sorted(groups.items())]


def _money(pence: int | None, currency: str) -> str:
    return "none" if pence is None else show(pence, currency)


def _signed(pence: int, currency: str) -> str:
    return f"+{show(pence, currency)}" if pence > 0 else show(pence, currency)


def _time(instant: datetime) -> str:
    """Return a UTC instant in London's time, with the name of the zone."""
    local = instant.replace(tzinfo=UTC).astimezone(LONDON)
    return f"{local.day} {local:%b %Y %H:%M:%S %Z}"


def _percent(rate: Decimal | None) -> str:
    return "not given" if rate is None else f"{rate.normalize():f} %"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _unbroken(sentence: str) -> str:
    """Return a sentence in which no line ends between a minus and its amount."""
    return re.sub(r"-(?=[£€$A-Z])", "-\N{WORD JOINER}", sentence)


def _pair(magento: int | None, prima: int | None) -> str:
    """Return units of both sides: one figure where they agree."""
    if magento == prima:
        return "none" if magento is None else str(magento)
    return f"{'none' if magento is None else magento} / {'none' if prima is None else prima}"


def _anchor(row: Row) -> str:
    """Return the name of a break's place on the page."""
    return f"break-{row['rank']}"


def _line_name(line: Row) -> str:
    key = line["line_key"]
    return f"line {key}" if key > 0 else {0: "delivery", -1: "adjustment", -2: "rounding"}.get(key, "document")
