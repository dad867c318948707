"""What became of accepted orders: verified, cancelled on both sides, exceptions, and last of all the watermark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.acceptance import AcceptancePlan, AcceptedOrders, CancellationPlan, status_subject
from schemas.batches import PostingResult
from schemas.documents import ControlTotals, ExceptionNote, Watermark
from schemas.money import show
from schemas.reasons import REASONS
from tasks import connect
from tasks.record.totals import CheckedTotals
from tasks.settings import Settings
from tasks.systems.ledger import Ledger

STREAM = "sales orders"
NOT_VISIBLE = "NOT_VISIBLE_IN_PRIMA"
FIGURES = ("PRIMA_VAT_DIFFERS", "PRIMA_TOTAL_DIFFERS", "PRIMA_FIGURES_REJECTED", NOT_VISIBLE)
CANCELLATIONS = ("PRIMA_CANCELLED", "PRIMA_LINE_CANCELLED")
AFTER_POSTING = "CANCELLED_AFTER_POSTING"
BY = "verification"
ROWS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class VerificationSummary:
    """How a run of verification ended: counts by step, and why a system was out of reach if one was."""

    batch_id: str
    counts: Mapping[str, int]
    is_out_of_reach: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """The results of carrying cancellations over: to Magento, and to PRIMA."""

    to_magento: Sequence[PostingResult] = ()
    to_prima: Sequence[PostingResult] = ()

    @property
    def all(self) -> list[PostingResult]:
        """Every result of both directions."""
        return [*self.to_magento, *self.to_prima]


@task(cache_policy=NO_CACHE)
def close_comparison(batch_id: str, accepted: AcceptedOrders, plan: AcceptancePlan) -> dict[str, int]:
    """Remember the verified orders, raise what differs and close what agrees now; returns counts by step.

    Raises UnexpectedResponseError when counts or pence of two steps do not agree.
    """
    totals = _control_totals(accepted, plan)
    with connect.open_ledger(Settings.from_env()) as ledger:
        totals.check(ledger, batch_id)
        ledger.note_verified(plan.verified)
        compared = [*plan.verified, *plan.cancelled, *(note.order_number for note in plan.exceptions)]
        _close_what_is_over(ledger, compared, FIGURES, plan.exceptions)
        ledger.raise_exceptions(batch_id, plan.exceptions)
        # The census may have said so first; from now on verification watches the order, and looks more often.
        unseen = [note.subject for note in plan.exceptions if note.code == NOT_VISIBLE]
        ledger.close_exceptions(subjects=unseen, codes=["NOT_IN_PRIMA"], by=BY, note=f"told as {NOT_VISIBLE}")
        ledger.close_batch(batch_id, "closed", totals.as_dict())
    return totals.counts()


@task(cache_policy=NO_CACHE)
def close_cancellations(
    batch_id: str,
    watermark: Watermark | None,
    accepted: AcceptedOrders,
    plan: CancellationPlan,
    carried: Carried,
    counts: Mapping[str, int],
    is_out_of_reach: str,
) -> VerificationSummary:
    """Give cancelled orders their state, raise and close exceptions, and move the watermark last.

    While a cancellation waits for another run the watermark stays.
    """
    settled = [*plan.settled, *(result.subject for result in carried.all if _is_settled(result))]
    in_prima = [*settled, *(result.subject for result in carried.to_magento if result.state in ("posted", "refused"))]
    raised = [*plan.exceptions, *_posting_exceptions(accepted, carried.all)]
    waits = [result.subject for result in carried.all if result.state == "waiting"]
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.set_order_states(in_prima, "cancelled")
        ledger.close_exceptions(
            subjects=[f"order {number}" for number in settled], codes=[*FIGURES, *CANCELLATIONS, AFTER_POSTING], by=BY
        )
        clear = [number for number in plan.looked_at if number not in waits]
        _close_what_is_over(ledger, clear, CANCELLATIONS, raised)
        known = [status_subject(word) for word in plan.known_words]
        ledger.close_exceptions(subjects=known, codes=["PRIMA_STATUS_UNKNOWN"], by=BY)
        ledger.raise_exceptions(batch_id, raised)
        if watermark is not None and not waits:
            ledger.set_watermark(watermark, batch_id)
    steps = {**counts, **_counts(plan, carried), "cancelled on both sides": len(set(settled))}
    unreachable = next((result.detail for result in carried.all if result.code == "UNAVAILABLE"), is_out_of_reach)
    summary = VerificationSummary(batch_id, steps, unreachable)
    told = ", ".join(f"{step} {count}" for step, count in steps.items() if count)
    get_run_logger().info(f"verification {batch_id}: {told or 'nothing'}")
    return summary


def show_verification(summary: VerificationSummary, notes: Sequence[ExceptionNote]) -> None:
    """Publish the exceptions of a run as the artifact `verification`."""
    rows = [
        {
            "code": note.code,
            "about": note.subject,
            "at risk": show(note.value_at_risk_pence, note.currency),
            "detail": note.detail,
        }
        for note in notes[:ROWS_SHOWN]
    ]
    told = ", ".join(f"{step} {count}" for step, count in summary.counts.items() if count)
    create_table_artifact(key="verification", table=rows, description=f"Accepted orders in PRIMA: {told or 'nothing'}.")


def _is_settled(result: PostingResult) -> bool:
    return result.state in ("posted", "already") and not result.code


def _counts(plan: CancellationPlan, carried: Carried) -> dict[str, int]:
    counts = {"to cancel in Magento": len(plan.in_magento), "to cancel in PRIMA": len(plan.in_prima)}
    for state in ("posted", "already", "refused", "unknown", "waiting"):
        counts[state] = sum(1 for result in carried.all if result.state == state)
    return counts


def _posting_exceptions(accepted: AcceptedOrders, results: Sequence[PostingResult]) -> list[ExceptionNote]:
    orders = {order.order_number: order for order in accepted.orders.values()}
    return [
        ExceptionNote(
            result.code,
            f"order {result.subject}",
            result.detail,
            order_number=result.subject,
            value_at_risk_pence=orders[result.subject].figures.gross_pence,
            currency=orders[result.subject].currency,
        )
        for result in results
        if result.code in REASONS
    ]


def _close_what_is_over(
    ledger: Ledger, order_numbers: Sequence[str], codes: Sequence[str], raised: Sequence[ExceptionNote]
) -> None:
    """Close these exceptions of the orders that were looked at, except those that this run raises again."""
    still = {(note.code, note.subject) for note in raised}
    subjects = [f"order {number}" for number in order_numbers]
    for code in codes:
        over = [subject for subject in subjects if (code, subject) not in still]
        if over:
            ledger.close_exceptions(subjects=over, codes=[code], by=BY)


def _control_totals(accepted: AcceptedOrders, plan: AcceptancePlan) -> CheckedTotals:
    """Count and add up what was to be compared and how it ended, in the figures of the ledger."""
    orders = {order.order_number: order.control_totals for order in accepted.orders.values()}
    open_orders = [order for order in accepted.orders.values() if not (order.is_verified or order.is_cancelled)]
    totals = CheckedTotals(STREAM)
    totals.note("to compare", sum((order.control_totals for order in open_orders), start=ControlTotals()))
    ended = {
        "verified": plan.verified,
        "not shown yet": plan.waiting,
        "cancelled before": plan.cancelled,
        "exceptions": [note.order_number for note in plan.exceptions],
    }
    for step, numbers in ended.items():
        totals.note(step, sum((orders[number] for number in numbers), start=ControlTotals()))
    totals.must_agree("to compare", list(ended))
    return totals
