"""How the machinery itself is: runs of deployments and streams, each against its own history. No input or output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.census import SilenceRule

WAITING = ("SCHEDULED", "PENDING")
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
RUN_CODES = ("FLOW_LATE", "FLOW_STALLED", "FLOW_CRASHED", "FLOW_DOWN", "FLOW_INTERRUPTED")
STREAM_CODES = ("DISPATCHES_SILENT", "SNAPSHOT_OLD", "STREAM_STANDS_STILL")

DISPATCHES = SilenceRule(12, timedelta(minutes=60), 4)
STREAMS = SilenceRule(6, timedelta(minutes=30), 2)


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One run of a deployment. `state` is Prefect's type of state."""

    run_id: str
    deployment: str
    state: str
    expected_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    run_count: int

    @property
    def delay(self) -> timedelta | None:
        """How long after its time it started."""
        return None if self.started_at is None else self.started_at - self.expected_at

    @property
    def duration(self) -> timedelta | None:
        """How long it took."""
        return None if self.started_at is None or self.ended_at is None else self.ended_at - self.started_at


@dataclass(frozen=True, slots=True)
class SeenRuns:
    """The runs of one look at the Prefect server.

    `latest` are the open runs that are due and the latest ended ones of each deployment, `changed` all that the server
    told, `gone` those that were deleted there, `newly_crashed` those that had not crashed at the look before. `forms`
    are the deployments without a schedule.
    """

    latest: Sequence[FlowRun] = ()
    changed: Sequence[FlowRun] = ()
    gone: Sequence[str] = ()
    newly_crashed: frozenset[str] = frozenset()
    forms: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RecentRun:
    """A run of a deployment of which a run crashed lately.

    `purpose` is one for all runs with the same parameters. `at` is when it began, or else is due; `since` when it came
    into its state. `comes_back` says whether its deployment may be started again without a person.
    """

    run_id: str
    name: str
    deployment: str
    purpose: str
    state: str
    at: datetime
    since: datetime
    comes_back: bool = True


@dataclass(frozen=True, slots=True)
class Restart:
    """A crashed run in whose place another is to start. `crashes` counts those in a row, this one included."""

    run_id: str
    name: str
    deployment: str
    crashes: int


@dataclass(frozen=True, slots=True)
class HealthRule:
    """When a run is late or stalled: `factor` times the longest of its history at this hour of the week, but never
    before the floor. With fewer than `fewest` runs in the history `without_history` counts instead. A run that crashed
    is started again up to `restarts` times in a row.
    """

    weeks: int = 4
    factor: int = 3
    fewest: int = 3
    late: timedelta = timedelta(minutes=15)
    stalled: timedelta = timedelta(minutes=15)
    without_history: timedelta = timedelta(hours=1)
    failures: int = 3
    restarts: int = 2
    dispatches: SilenceRule = DISPATCHES
    streams: SilenceRule = STREAMS


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """When batches of each stream were recorded, and when dispatches were first seen; sorted."""

    batches: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    dispatches: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class HealthSummary:
    """What a look at the machinery found: how many findings are open, and which runs were started again."""

    findings: int = 0
    restarted: int = 0
    is_under_way_elsewhere: bool = False
