"""What became of a batch of dispatches: links, order states, exceptions, control totals and, last, the watermark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.batches import CheckedBatch, PostingResult
from schemas.dispatches import TOLD_STATES, DispatchFrames, DispatchPlan
from schemas.documents import ControlTotals, ExceptionNote, Watermark
from schemas.reasons import REASONS
from tasks import connect
from tasks.record.totals import CheckedTotals
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.records import UNSHIPPED_PRODUCT_TYPES, DispatchLink
from tasks.systems.ledger.states import OrderStateName

CODES = (
    "ROW_REJECTED",
    "DISPATCH_ORDER_UNKNOWN",
    "DISPATCH_LINE_UNKNOWN",
    "DISPATCH_TOO_MANY",
    "DISPATCH_ORDER_CANCELLED",
    "CARRIER_UNKNOWN",
    "SHIPMENT_REFUSED",
    "SHIPMENT_OUTCOME_UNKNOWN",
)
MOVING_STATES: tuple[OrderStateName, ...] = ("accepted", "part_dispatched")
BY = "fulfilment"


@dataclass(frozen=True, slots=True)
class DispatchSummary:
    """How a batch of dispatches ended: counts by step."""

    batch_id: str
    counts: Mapping[str, int]
    is_magento_out_of_reach: str = ""


@task(cache_policy=NO_CACHE)
def close_dispatches(
    batch_id: str,
    watermark: Watermark | None,
    frames: DispatchFrames,
    checked: CheckedBatch,
    plan: DispatchPlan,
    exceptions: Sequence[ExceptionNote],
    results: Sequence[PostingResult],
) -> DispatchSummary:
    """Raise and close exceptions, check that no dispatch was lost on the way, and move the watermark last.

    While a dispatch waits for another run the watermark stays. Raises UnexpectedResponseError when counts of two steps
    do not agree; the watermark then stays too.
    """
    totals = _control_totals(frames, checked, plan, results)
    raised = [*exceptions, *plan.exceptions, *plan.warnings, *_shipping_exceptions(plan, results)]
    with connect.open_ledger(Settings.from_env()) as ledger:
        totals.check(ledger, batch_id)
        for dispatch_number, order_number in plan.nothing_to_ship:
            ledger.link_dispatch(dispatch_number, order_number, "", "nothing to ship")
        links = ledger.dispatches_known(list(frames.dispatches["dispatch_number"]))
        _move_orders(ledger, [link.order_number for link in links.values() if link.state in TOLD_STATES])
        _close_what_is_over(ledger, frames, plan, links, raised)
        ledger.raise_exceptions(batch_id, raised)
        ledger.close_batch(batch_id, "closed", totals.as_dict())
        if watermark is not None and not any(result.state == "waiting" for result in results):
            ledger.set_watermark(watermark, batch_id)
    unreachable = next((result.detail for result in results if result.code == "UNAVAILABLE"), "")
    summary = DispatchSummary(batch_id, totals.counts(), unreachable)
    counts = ", ".join(f"{step} {count}" for step, count in summary.counts.items() if count)
    get_run_logger().info(f"dispatches {batch_id}: {counts or 'nothing'}")
    return summary


def _move_orders(ledger: Ledger, order_numbers: Sequence[str]) -> None:
    """Give each order with a dispatch that is told the state that its shipped units say.

    Orders that an earlier run shipped and did not get as far as to move are among them. Lines that nobody ships
    (virtual ones) hold no order back.
    """
    is_moving = {number for number, state in ledger.order_states(order_numbers).items() if state in MOVING_STATES}
    for order in ledger.orders(sorted(is_moving)):
        goods = [line for line in order.lines if line.product_type not in UNSHIPPED_PRODUCT_TYPES]
        state: OrderStateName = order.state
        if all(line.open_units == 0 for line in goods):
            state = "dispatched"
        elif any(line.quantity_shipped for line in goods):
            state = "part_dispatched"
        if order.state != state:
            ledger.set_order_state(order.order_number, state)


def _shipping_exceptions(plan: DispatchPlan, results: Sequence[PostingResult]) -> list[ExceptionNote]:
    requests = {request.dispatch_number: request for request in plan.to_ship}
    return [
        ExceptionNote(
            result.code,
            f"dispatch {result.subject}",
            result.detail,
            order_number=requests[result.subject].order_number,
        )
        for result in results
        if result.code in REASONS
    ]


def _close_what_is_over(
    ledger: Ledger,
    frames: DispatchFrames,
    plan: DispatchPlan,
    links: Mapping[str, DispatchLink],
    raised: Sequence[ExceptionNote],
) -> None:
    """Close the exceptions of every dispatch that was read, except those that this run raises again.

    One that came up when or after its dispatch was told (Magento shipped less than asked, or without tracking) is not
    over because the dispatch is: a person closes it.
    """
    still = {(note.code, note.subject) for note in raised}
    read = {f"dispatch {number}" for number in frames.dispatches["dispatch_number"]}
    told_at = {f"dispatch {number}": links[number].updated_at for number in plan.already_told}
    for code in CODES:
        over = [
            note.subject
            for note in ledger.exceptions(code=code)
            if note.subject in read
            and (code, note.subject) not in still
            and not (note.subject in told_at and note.last_seen_at >= told_at[note.subject])
        ]
        if over:
            ledger.close_exceptions(subjects=over, codes=[code], by=BY)


def _control_totals(
    frames: DispatchFrames, checked: CheckedBatch, plan: DispatchPlan, results: Sequence[PostingResult]
) -> CheckedTotals:
    counts = {
        "fetched": len(frames.dispatches),
        "rejected": len(checked.rejected),
        "accepted": len(checked.accepted),
        "to ship": len(plan.to_ship),
        "already told": len(plan.already_told),
        "nothing to ship": len(plan.nothing_to_ship),
        "exceptions": len(plan.exceptions),
    }
    for state in ("posted", "already", "refused", "unknown", "waiting"):
        counts[state] = sum(1 for result in results if result.state == state)
    totals = CheckedTotals("dispatches")
    for step, count in counts.items():
        totals.note(step, ControlTotals(count))
    totals.must_agree("fetched", ["accepted", "rejected"])
    totals.must_agree("accepted", ["to ship", "already told", "nothing to ship", "exceptions"])
    totals.must_agree("to ship", ["posted", "already", "refused", "unknown", "waiting"])
    return totals
