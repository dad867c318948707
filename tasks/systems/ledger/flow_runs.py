"""The runs of each deployment, kept for longer than the Prefect server keeps them: what later ones are measured by."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, select

from schemas.health import ENDED, FlowRun
from tasks.systems.ledger.database import Database
from tasks.systems.ledger.models import batches, dispatch_links, flow_runs

# A batch that waits left something for another run, and its watermark stayed where it was.
_NOT_RECORDED = ("open", "failed", "stopped", "waiting")


class FlowRuns(Database):
    """Runs as they were last seen, and the times at which streams were recorded."""

    def keep_flow_runs(self, runs: Sequence[FlowRun], *, gone: Sequence[str], forget_before: datetime) -> None:
        """Write runs down as they are now; forget those that were deleted on the server, or due before a time."""
        insert = self._insert(flow_runs)
        changed = {column.name: insert.excluded[column.name] for column in flow_runs.columns if column.name != "run_id"}
        with self._writing("keep flow runs") as connection:
            if runs:
                upsert = insert.on_conflict_do_update(index_elements=["run_id"], set_=changed)
                connection.execute(upsert, [asdict(run) for run in runs])
            connection.execute(delete(flow_runs).where(flow_runs.c.run_id.in_(gone)))
            connection.execute(delete(flow_runs).where(flow_runs.c.expected_at < forget_before))

    def flow_runs(self, deployments: Sequence[str], *, since: datetime) -> list[FlowRun]:
        """Return the runs of these deployments that were due since then, oldest first."""
        query = (
            select(flow_runs)
            .where(flow_runs.c.deployment.in_(sorted(deployments)), flow_runs.c.expected_at >= since)
            .order_by(flow_runs.c.expected_at)
        )
        with self._reading("flow runs") as connection:
            return [FlowRun(**row._asdict()) for row in connection.execute(query)]

    def open_flow_runs(self) -> list[FlowRun]:
        """Return the runs that had not ended when they were last seen."""
        with self._reading("flow runs") as connection:
            rows = connection.execute(select(flow_runs).where(flow_runs.c.state.not_in(ENDED)))
            return [FlowRun(**row._asdict()) for row in rows]

    def batch_times(self, stream: str, *, since: datetime) -> list[datetime]:
        """Return when batches of a stream were recorded, oldest first."""
        query = (
            select(batches.c.closed_at)
            .where(batches.c.stream == stream, batches.c.opened_at >= since, batches.c.state.not_in(_NOT_RECORDED))
            .order_by(batches.c.closed_at)
        )
        with self._reading("batch times") as connection:
            return [at for at in connection.execute(query).scalars() if at is not None]

    def dispatch_times(self, *, since: datetime) -> list[datetime]:
        """Return when dispatches of PRIMA were first seen, oldest first."""
        query = select(dispatch_links.c.first_seen_at).where(dispatch_links.c.first_seen_at >= since)
        with self._reading("dispatch times") as connection:
            return list(connection.execute(query.order_by(dispatch_links.c.first_seen_at)).scalars())
