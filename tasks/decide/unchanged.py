"""Whether a whole stock cycle has anything to work out: the same givens make the same figures. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from schemas.stock_marks import FinishedCycle, LevelState, StockMarks


def reasons_to_work_out(
    before: FinishedCycle | None, now: StockMarks, levels: LevelState, at: datetime, most: timedelta
) -> list[str]:
    """Return why stock must be worked out; empty where the last finished cycle says it all.

    That cycle wrote everything that its givens asked for. While PRIMA's answer, items, settings, day, open units,
    Magento's products and what its sources are known to hold are the same, another one would write nothing. After
    `most` it is worked out all the same: what the ledger does not know of is found then.
    """
    if before is None:
        return ["no cycle was finished before"]
    found = [f"{name.replace('_', ' ')} changed" for name in now.changed(before.marks)]
    if levels.astray:
        found.append(f"{levels.astray} levels hold another quantity than their sum")
    if at - before.finished_at >= most or at < before.finished_at:
        found.append(f"the last time was at {before.finished_at:%Y-%m-%d %H:%M} UTC")
    return found


def counts(before: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of a cycle that finds all as the last one left it: what that one wrote is unchanged now."""
    written = before["to push"]
    return {**before, "unchanged": before["unchanged"] + written, "to push": 0, "posted": 0}
