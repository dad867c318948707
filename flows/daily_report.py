"""Each morning: what came, went and is open, and what London's yesterday carried; as page, workbook and artifact."""

from dataclasses import dataclass
from datetime import date

from prefect import flow

from flows.desk import desk_after_run
from flows.passing import whole
from schemas.daily_message import ReportMessage
from schemas.daily_report import DailyReport
from tasks.decide import daily_report as decide
from tasks.extract import daily_report as extract
from tasks.post import daily_report as post
from tasks.record import daily_report as record
from tasks.settings import Settings
from tasks.settings.alert_rules import channels


@dataclass(frozen=True, slots=True)
class DailySummary:
    """What a report says in a few sentences, where it is, and which channels took its headline."""

    headline: str
    is_calm: bool
    page: str
    workbook: str
    told: list[str]
    not_told: list[str]


@flow(name="daily-report", description="What came, went and is open, and what the day before carried.")
@desk_after_run("daily-report")
def make_report(business_date: date | None = None, tell: bool = True) -> DailySummary:
    """Make the report of a London date, yesterday unless one is given; from the ledger alone.

    Args:
        business_date: The London date that the totals are of.
        tell: Send the headline to the channels that the settings name.

    Channels that the settings name are sent the headline, each once for a date, and not at all without `tell`.
    """
    settings = Settings.from_env()
    facts = extract.fetch_day(business_date)
    report = decide.daily_report(facts)
    files = record.write_report(whole(report))
    told = post.send_report(report_messages(report, settings, files.address)) if tell else []
    problems = {each.channel: each.problem for each in told if each.problem}
    taken = [each.channel for each in told if each.was_taken]
    record.close_report(whole(report), problems, taken)
    record.show_report(whole(report), files)
    return DailySummary(report.headline, report.is_calm, str(files.page), str(files.workbook), taken, sorted(problems))


def report_messages(report: DailyReport, settings: Settings, link: str) -> list[ReportMessage]:
    """Return the headline for each channel that the settings name, with a line for each of its teams."""
    known = channels(settings)
    return [decide.report_message(report, name, known[name].teams, link) for name in settings.daily_report.channels]
