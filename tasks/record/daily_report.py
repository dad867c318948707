"""The report of a day as a page, as a workbook and as an artifact; old files of it go."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template
from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from schemas.daily_report import AGES, DailyReport, long_date, reconciliation_text, worth
from schemas.money import show
from tasks import connect
from tasks.record.alerts import note_channels
from tasks.record.daily_workbook import workbook
from tasks.settings import Settings
from tasks.systems.reports import page
from tasks.systems.reports.folder import address, delete_before, link, put

NAME = "daily-report"
KEY = "daily-report"
LIMIT = 50
PLACES = (
    ("teams", "Teams"),
    ("ages", "By age"),
    ("changes", "Came and went"),
    ("new", "New"),
    ("skus", "SKUs"),
    ("stock", "Stock"),
    ("orders", "Orders"),
    ("dispatches", "Dispatches"),
    ("totals", "The day's totals"),
    ("runs", "Runs"),
)


@dataclass(frozen=True, slots=True)
class DailyFiles:
    """Where the files of a report are, and where a person finds them."""

    page: Path
    workbook: Path
    url: str = ""

    @property
    def address(self) -> str:
        """Where a person finds the page."""
        return address(self.page, self.url)

    @property
    def links(self) -> list[str]:
        """Page and workbook as Markdown."""
        return [link(self.page, self.url), link(self.workbook, self.url)]


@task(cache_policy=NO_CACHE)
def write_report(report: DailyReport) -> DailyFiles:
    """Write `daily-report-DATE.html` and `.xlsx`, and `daily-report.html` as the latest; delete what is too old.

    An earlier date that is asked for later does not become the latest.
    """
    settings = Settings.from_env().daily_report
    folder = Path(settings.folder)
    path = folder / f"{NAME}-{report.day.business_date}.html"
    content = html(report).encode("utf-8")
    put(path, content)
    put(path.with_suffix(".xlsx"), workbook(report))
    if not any(each.name > path.name for each in folder.glob(f"{NAME}-*.html")):
        put(folder / f"{NAME}.html", content)
    if settings.keep_days:
        oldest = report.built_at.astimezone(page.LONDON).date() - timedelta(days=settings.keep_days)
        first = min(oldest, report.day.business_date)  # what somebody asks for is there when the run has ended
        gone = delete_before(folder, NAME, first, (".html", ".xlsx"))
        get_run_logger().info("%s: %d files of dates before %s deleted", NAME, len(gone), first)
    return DailyFiles(path, path.with_suffix(".xlsx"), settings.url)


@task(cache_policy=NO_CACHE)
def close_report(report: DailyReport, problems: Mapping[str, str], told: Collection[str]) -> None:
    """End the batch of a report; raise ALERT_NOT_SENT on each channel with a problem. `told` took it."""
    settings = Settings.from_env()
    totals = {
        "new": len(report.new),
        "closed": len(report.closed),
        "open": len(report.open),
        "orders not posted": len(report.orders),
        "told": ", ".join(sorted(told)),
        "not told": ", ".join(sorted(problems)),
    }
    with connect.open_ledger(settings) as ledger:
        note_channels(ledger, settings, [*told, *problems], problems)
        ledger.close_batch(report.run_id, "closed", totals)


@task(cache_policy=NO_CACHE)
def show_report(report: DailyReport, files: DailyFiles) -> None:
    """Publish the artifact `daily-report`: the headline, what each team has, the day's totals, and the files."""
    text = markdown(report, files)
    create_markdown_artifact(key=KEY, markdown=text, description=f"Daily report of {report.day.business_date}")
    get_run_logger().info(report.headline)


def html(report: DailyReport) -> str:
    """Return the report as one page that needs nothing else: no script, no font, no picture."""
    sums: dict[str, list[int]] = {}
    for row in report.orders:
        sums.setdefault(row["currency"], []).append(row["gross_pence"])
    return _template().render(
        report=report,
        day=long_date(report.day.business_date),
        worth=worth(report.open),
        several_currencies=len({row["currency"] for row in report.ages}) > 1,
        longest=max((row["value_pence"] for row in report.ages), default=0) or 1,
        oldest_age=AGES[-1][0],
        order_sums=[(currency, len(each), sum(each)) for currency, each in sorted(sums.items())],
        reconciliation=reconciliation_text(report),
        limit=LIMIT,
        places=PLACES,
    )


def markdown(report: DailyReport, files: DailyFiles) -> str:
    """Return the report for the Prefect UI."""
    teams = [
        [
            row["owner"],
            row["open_count"],
            row["critical_count"],
            row["new_count"],
            row["closed_count"],
            row["oldest"] or "-",
            row["worth"],
        ]
        for row in report.teams
    ]
    totals = [
        [
            row["what"],
            row["currency"] or "-",
            f"{row['count']:,}",
            "" if row["gross_pence"] is None else show(row["gross_pence"], row["currency"]),
        ]
        for row in report.totals
    ]
    listed = [
        ("SKUs that do not match", len(report.skus)),
        ("exceptions about stock", len(report.stock)),
        ("orders not posted", len(report.orders)),
        ("exceptions about dispatches", len(report.dispatches)),
        ("dispatches that wait to be told", report.untold.count),
    ]
    return "\n".join(
        [
            f"**{report.headline}**",
            "",
            *_table(["team", "open", "critical", "new", "closed", "oldest", "at risk"], teams),
            "; ".join(f"{name}: {count}" for name, count in listed) + ".",
            "",
            *_table(["that day", "currency", "number", "gross"], totals),
            f"Last reconciliation. {reconciliation_text(report)}",
            "",
            *(f"- {each}" for each in files.links),
            "",
        ]
    )


def _table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    return [*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows), ""]


@cache
def _template() -> Template:
    return page.environment("tasks.record").get_template("daily_report.html.j2")
