"""What the settings say about the daily report."""

from datetime import time

from pydantic import Field

from tasks.settings.section import Section


class DailyReportSettings(Section):
    """`[daily_report]`: what came, went and is open each morning, and what the day before carried."""

    folder: str = Field(
        default="var/reports",
        description="receives daily-report-DATE.html and .xlsx, and the latest as daily-report.html",
    )
    url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="where a web server shows the folder, http:// or https://, to link the files; empty = their paths",
    )
    at: time = Field(
        default=time(7),
        description="London's hour at which one report ends and the next begins: that of the schedule",
    )
    keep_days: int = Field(default=400, ge=0, description="files of older dates are deleted; 0 = none are")
    channels: list[str] = Field(
        default_factory=list, description="names of alert channels that are sent the headline; none = nobody is"
    )
