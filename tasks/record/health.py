"""Health findings are exceptions of operations; each closes itself when it is over."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from schemas.documents import ExceptionNote
from schemas.health import RUN_CODES, STREAM_CODES, HealthRule, HealthSummary, SeenRuns
from tasks import connect
from tasks.settings import Settings

BY = "health"


@task(cache_policy=NO_CACHE)
def close_health(
    notes: Sequence[ExceptionNote], seen: SeenRuns | None, restarted: int, now: datetime, rule: HealthRule
) -> HealthSummary:
    """Raise what was found, close what is over, and keep the runs last of all: what later ones are measured by.

    `seen` is None without a server: nothing is known of runs then, and what is open about them stays open.
    """
    codes = STREAM_CODES if seen is None else (*RUN_CODES, *STREAM_CODES)
    found = {(note.subject, note.code) for note in notes}
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.raise_exceptions("", notes)
        for code in codes:
            over = [note.subject for note in ledger.exceptions(code=code) if (note.subject, code) not in found]
            if over:
                ledger.close_exceptions(subjects=over, codes=[code], by=BY)
        if seen is not None:
            ledger.keep_flow_runs(seen.changed, gone=seen.gone, forget_before=now - timedelta(weeks=rule.weeks + 1))
    logger = get_run_logger()
    for note in notes:
        logger.warning(f"{note.code} {note.subject}: {note.detail}")
    logger.info(f"{len(notes)} health findings; {restarted} crashed runs were started again.")
    return HealthSummary(len(notes), restarted)
