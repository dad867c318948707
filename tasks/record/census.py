"""What the census found: exceptions raised and closed, control totals, one table in the Prefect UI."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.census import Census, CensusStatus, ListedOrder
from schemas.documents import ControlTotals, ExceptionNote
from schemas.money import show
from tasks import connect
from tasks.record.totals import CheckedTotals
from tasks.settings import Settings
from tasks.systems.ledger import Ledger

OWN_CODES = ("NOT_IN_PRIMA", "ORDER_STUCK", "ORDER_FOUND_LATE", "ORDER_NUMBER_GAP")
SILENT = "ORDERS_SILENT"
UNREADABLE = "RECORD_UNREADABLE"
STATUSES: tuple[CensusStatus, ...] = get_args(CensusStatus)
BY = "census"


@dataclass(frozen=True, slots=True)
class CensusSummary:
    """How a census ended: orders by status, Magento's total by currency and status, and what was noted by code."""

    batch_id: str
    counts: Mapping[str, int]
    gross_pence: Mapping[str, Mapping[str, int]]
    noted: Mapping[str, int]
    unreadable: int
    carried: int


@task(cache_policy=NO_CACHE)
def close_census(
    batch_id: str,
    listed: Sequence[ListedOrder],
    census: Census,
    notes: Sequence[ExceptionNote],
    *,
    carried: int,
    is_prima_shown: bool,
) -> CensusSummary:
    """Raise what the census found, close what it no longer finds, and check that every listed order is counted once.

    Without a reporting source nothing is known about PRIMA, and NOT_IN_PRIMA stays as it is. A gap in the numbers is
    closed when it is older than the days that the census looks back on. Raises UnexpectedResponseError when an order
    is in no status, or in two.
    """
    raised = [*census.exceptions, *notes]
    totals = _control_totals(listed, census)
    with connect.open_ledger(Settings.from_env()) as ledger:
        totals.check(ledger, batch_id)
        unreadable = len(ledger.exceptions(code=UNREADABLE))
        for code in OWN_CODES:
            if code != "NOT_IN_PRIMA" or is_prima_shown:
                _close_all_but(ledger, code, raised, batch_id)
        ledger.raise_exceptions(batch_id, raised)
        ledger.close_batch(batch_id, "closed", totals.as_dict())
    summary = CensusSummary(
        batch_id,
        totals.counts(),
        _by_currency(listed, census),
        {code: sum(note.code == code for note in raised) for code in OWN_CODES},
        unreadable,
        carried,
    )
    _show(summary)
    return summary


@task(cache_policy=NO_CACHE)
def note_silence(note: ExceptionNote | None) -> None:
    """Raise ORDERS_SILENT on the stream, or close it when orders come again."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        if note is None:
            _close_all_but(ledger, SILENT, [], "")
        else:
            ledger.raise_exceptions("", [note])
            get_run_logger().warning(f"{note.subject}: {note.detail}")


def _close_all_but(ledger: Ledger, code: str, raised: Sequence[ExceptionNote], batch_id: str) -> None:
    still = {note.subject for note in raised if note.code == code}
    over = [note.subject for note in ledger.exceptions(code=code) if note.subject not in still]
    if over:
        ledger.close_exceptions(subjects=over, codes=[code], by=f"{BY} {batch_id}".strip())


def _control_totals(listed: Sequence[ListedOrder], census: Census) -> CheckedTotals:
    totals = CheckedTotals("census")
    totals.note("in Magento", _sum(listed))
    for status in STATUSES:
        totals.note(status, _sum([order for order in listed if census.statuses.get(order.order_number) == status]))
    totals.must_agree("in Magento", STATUSES)
    return totals


def _sum(orders: Sequence[ListedOrder]) -> ControlTotals:
    return ControlTotals(len(orders), gross_pence=sum(order.gross_pence for order in orders))


def _by_currency(listed: Sequence[ListedOrder], census: Census) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for order in listed:
        of_status = sums.setdefault(census.statuses[order.order_number], {})
        of_status[order.currency] = of_status.get(order.currency, 0) + order.gross_pence
    return sums


def _show(summary: CensusSummary) -> None:
    """Publish the artifact `census`: one row a status, without names or order numbers."""
    rows = [
        {
            "status": status,
            "orders": summary.counts[status],
            "total": ", ".join(
                show(pence, currency) for currency, pence in sorted(summary.gross_pence.get(status, {}).items())
            ),
        }
        for status in STATUSES
        if summary.counts[status]
    ]
    noted = ", ".join(f"{code} {count}" for code, count in summary.noted.items() if count)
    text = (
        f"{summary.counts['in Magento']} orders in Magento, {summary.unreadable} more unreadable; "
        f"{summary.carried} carried by the census. {noted or 'Nothing to note'}."
    )
    create_table_artifact(key="census", table=rows, description=text)
    get_run_logger().info(f"census {summary.batch_id}: {text}")
