"""When the machinery itself is taken for ill: `[health]`."""

from pydantic import Field

from tasks.settings.section import Section


class HealthSettings(Section):
    """`[health]`: every run and stream is measured against its own history; these are the floors and factors."""

    history_weeks: int = Field(default=4, ge=1, le=12, description="weeks of runs that are kept and compared with")
    factor: int = Field(default=3, ge=2, le=20, description="times the longest of that hour of the week")
    late_minutes: int = Field(default=15, ge=5, description="a run is never late before")
    stalled_minutes: int = Field(default=15, ge=5, description="a run is never stalled before")
    without_history_minutes: int = Field(default=60, ge=5, description="the limit of both, for a new deployment")
    failures: int = Field(default=3, ge=1, description="failed or crashed runs in a row that are reported")
    restarts: int = Field(default=2, ge=0, le=10, description="times in a row that a crashed run is started again")
    dispatches_expected: int = Field(default=12, ge=3, description="dispatches that were to be expected in a silence")
    batches_expected: int = Field(default=6, ge=3, description="batches that were to be expected in a standstill")
    stream_weeks: int = Field(default=2, ge=2, le=12, description="weeks of history before a stream is judged")
