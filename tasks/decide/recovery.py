"""Which crashed runs are to start again, and what people are told of them. Pure.

The state of things decides, not what was reported: a crash that is reported twice, or that somebody looks at twice, is
the same crash.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import takewhile

from schemas.documents import ExceptionNote
from schemas.health import ENDED, HealthRule, RecentRun, Restart


def restarts(runs: Iterable[RecentRun], now: datetime, rule: HealthRule) -> list[Restart]:
    """Return the crashed runs in whose place another is to start now.

    Not one whose work a later run has done or is about to do, nor one that crashed too often in a row, nor what a
    person started.
    """
    found = []
    for own in _by_purpose(runs):
        row = _crashes_in_a_row(own)
        if row and row[0].comes_back and len(row) <= rule.restarts and not _in_hand(own, now):
            found.append(Restart(row[0].run_id, row[0].name, row[0].deployment, len(row)))
    return found


def stuck(runs: Iterable[RecentRun], now: datetime, rule: HealthRule) -> list[str]:
    """Return the runs that a worker took and never began: it died between the two, and nobody else takes them."""
    return [run.run_id for run in runs if run.state == "PENDING" and now - run.since > rule.late]


def crash_findings(
    runs: Sequence[RecentRun], newly_crashed: Collection[str], down: Collection[str], rule: HealthRule
) -> list[ExceptionNote]:
    """Return a note for each crash whose work is not done yet, and for each that nobody was told of so far.

    `down` are the subjects that are told as FLOW_DOWN already: one cause is told once.
    """
    notes: dict[tuple[str, str], ExceptionNote] = {}
    for own in _by_purpose(runs):
        row = _crashes_in_a_row(own)
        news = [run for run in own if run.run_id in newly_crashed]
        if not row and not news:
            continue
        last = row[0] if row else news[0]
        note = _note(last, len(row), rule)
        if note.subject not in down:
            notes[note.subject, note.code] = note
    return list(notes.values())


def _note(last: RecentRun, crashes: int, rule: HealthRule) -> ExceptionNote:
    subject = f"flow {last.deployment}"
    if not last.comes_back:
        return ExceptionNote("FLOW_INTERRUPTED", f"{subject}, run {last.name}", "its process died before it had ended")
    if crashes > rule.restarts:
        return ExceptionNote("FLOW_DOWN", subject, f"{crashes} runs in a row crashed, the last one was {last.name}")
    return ExceptionNote("FLOW_CRASHED", subject, f"the process of run {last.name} died; another run takes its place")


def _by_purpose(runs: Iterable[RecentRun]) -> list[list[RecentRun]]:
    """Return the runs that have the same to do, the latest first."""
    groups: dict[tuple[str, str], list[RecentRun]] = {}
    for run in sorted(runs, key=lambda run: (run.at, run.run_id), reverse=True):
        groups.setdefault((run.deployment, run.purpose), []).append(run)
    return list(groups.values())


def _crashes_in_a_row(own: Sequence[RecentRun]) -> list[RecentRun]:
    """Return the crashes since a run last came to an end of its own; a cancelled one did neither."""
    ended = (run for run in own if run.state in ENDED and run.state != "CANCELLED")
    return list(takewhile(lambda run: run.state == "CRASHED", ended))


def _in_hand(own: Sequence[RecentRun], now: datetime) -> bool:
    return any(run.state not in ENDED and run.at <= now for run in own)
