"""What the census of dispatches found: exceptions raised and closed, control totals, one table in the Prefect UI."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.dispatch_census import STATUSES, DispatchCensus, DispatchCensusEvidence, Listed
from schemas.documents import ControlTotals
from schemas.money import show
from tasks import connect
from tasks.record.totals import CheckedTotals
from tasks.settings import Settings

NOT_SHIPPED, BY_HAND = "NOT_SHIPPED_IN_MAGENTO", "SHIPPED_BY_HAND"
ROWS_SHOWN = 500


@dataclass(frozen=True, slots=True)
class DispatchCensusSummary:
    """How a census of dispatches ended: counts, and the value of both lists by currency in pence."""

    batch_id: str
    counts: Mapping[str, int]
    not_shipped_pence: Mapping[str, int]
    by_hand_pence: Mapping[str, int]


@task(cache_policy=NO_CACHE)
def close_dispatch_census(evidence: DispatchCensusEvidence, census: DispatchCensus) -> DispatchCensusSummary:
    """Raise what the census found and close what it no longer finds.

    A shipment by hand stays open until a person closes it, or until it is known to tell of a dispatch after all. Raises
    UnexpectedResponseError when a dispatch is counted in no status, or in two.
    """
    totals = CheckedTotals("dispatch census")
    for step, count in census.counts.items():
        totals.note(step, ControlTotals(count))
    totals.must_agree("dispatches", STATUSES)
    raised = {(note.code, note.subject) for note in census.exceptions}
    ours = {f"shipment {shipment.shipment_number}" for shipment in evidence.shipments if shipment.is_ours}
    with connect.open_ledger(Settings.from_env()) as ledger:
        batch_id = ledger.open_batch("dispatch census", evidence.taken_at, evidence.taken_at)
        totals.check(ledger, batch_id)
        for code in (NOT_SHIPPED, BY_HAND):
            open_now = {note.subject for note in ledger.exceptions(code=code)}
            over = [
                subject
                for subject in sorted(open_now)
                if (code, subject) not in raised and (code == NOT_SHIPPED or subject in ours)
            ]
            if over:
                ledger.close_exceptions(subjects=over, codes=[code], by=f"census {batch_id}")
        ledger.raise_exceptions(batch_id, census.exceptions)
        ledger.close_batch(batch_id, "closed", totals.as_dict())
    summary = DispatchCensusSummary(batch_id, census.counts, _sums(census.not_shipped), _sums(census.by_hand))
    _show(summary, census)
    return summary


def _sums(listed: Sequence[Listed]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each in listed:
        sums[each.currency] = sums.get(each.currency, 0) + each.value_pence
    return sums


def _show(summary: DispatchCensusSummary, census: DispatchCensus) -> None:
    """Publish the artifact `dispatch-census`: both lists, the oldest first."""
    rows = [
        {
            "what": what,
            "subject": each.subject,
            "order": each.order_number,
            "since": f"{each.at:%Y-%m-%d %H:%M} UTC",
            "value": show(each.value_pence, each.currency),
            "detail": each.detail,
        }
        for what, listed in (("not shipped in Magento", census.not_shipped), ("shipped by hand", census.by_hand))
        for each in sorted(listed, key=lambda each: each.at)
    ]
    counts = ", ".join(f"{step} {count}" for step, count in summary.counts.items() if count)
    text = f"Dispatches and shipments: {counts or 'none'}."
    create_table_artifact(key="dispatch-census", table=rows[:ROWS_SHOWN], description=text)
    get_run_logger().info(f"dispatch census {summary.batch_id}: {text}")
