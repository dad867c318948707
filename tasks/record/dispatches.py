"""What became of a batch of dispatches: links, order states, exceptions, control totals and, last, the watermark."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.batches import CheckedBatch, PostingResult, rows_of
from schemas.dispatches import TOLD_STATES, DispatchFrames, DispatchPlan, content_of
from schemas.documents import ControlTotals, ExceptionNote, Watermark
from schemas.reasons import REASONS
from tasks import connect
from tasks.record.totals import CheckedTotals
from tasks.settings import Settings
from tasks.systems.ledger import ExceptionRecord, Ledger
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
    "SHIPMENT_WITHOUT_STOCK",
    "SHIPMENT_OUTCOME_UNKNOWN",
    "SHIPMENT_DIFFERS",
    "TRACK_NOT_ADDED",
)
# What stays open although its dispatch is told, because the telling is what it is about; a person closes it.
STAYS_WHEN_TOLD = frozenset({"SHIPMENT_DIFFERS", "CARRIER_UNKNOWN", "TRACKING_CORRECTED", "TRACK_NOT_ADDED"})
STAYS_WHEN_REST_GOES = frozenset({"DISPATCH_LINE_UNKNOWN", "DISPATCH_TOO_MANY"})
# Over as soon as the shipment has the tracking numbers, although the dispatch was told before.
OVER_WITH_TRACKS = ("CARRIER_UNKNOWN", "TRACK_NOT_ADDED")
MOVING_STATES: tuple[OrderStateName, ...] = ("accepted", "part_dispatched")
BY = "fulfilment"


@dataclass(frozen=True, slots=True)
class DispatchSummary:
    """How a batch of dispatches ended: counts by step."""

    batch_id: str
    counts: Mapping[str, int]
    is_magento_out_of_reach: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the batch of a run was made of: all that was read, and what of it there was nothing to do about."""

    batch_id: str
    watermark: Watermark | None
    read: int
    others: int
    unchanged: int


@task(cache_policy=NO_CACHE)
def doubt_levels(skus: Sequence[str]) -> None:
    """Forget what Magento's sources were believed to hold of these SKUs: it did not hold enough to ship them."""
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        ledger.forget_levels((sku, source) for sku in skus for source in connect.stock_rules(settings).sources)


@task(cache_policy=NO_CACHE)
def close_dispatches(
    fetched: Fetched,
    frames: DispatchFrames,
    checked: CheckedBatch,
    plan: DispatchPlan,
    exceptions: Sequence[ExceptionNote],
    results: Sequence[PostingResult],
    tracked: Sequence[PostingResult],
) -> DispatchSummary:
    """Raise and close exceptions, check that no dispatch was lost on the way, and move the watermark last.

    `results` are those of the shipments, `tracked` those of tracking numbers added later. While a dispatch waits for
    another run, the batch waits too and the watermark stays. Raises UnexpectedResponseError when counts of two steps do
    not agree; the watermark then stays too.
    """
    batch_id = fetched.batch_id
    totals = _control_totals(fetched, frames, checked, plan, results)
    found = [*exceptions, *plan.exceptions, *plan.warnings, *_posting_exceptions(plan, [*results, *tracked])]
    settings = Settings.from_env()
    stays = STAYS_WHEN_TOLD | (STAYS_WHEN_REST_GOES if settings.fulfilment.rest_of_dispatch == "goes" else frozenset())
    with connect.open_ledger(settings) as ledger:
        totals.check(ledger, batch_id)
        for dispatch_number, order_number in plan.nothing_to_ship:
            ledger.link_dispatch(dispatch_number, order_number, "", "nothing to ship")
        links = ledger.dispatches_known(list(frames.dispatches["dispatch_number"]))
        told = {f"dispatch {number}": link for number, link in links.items() if link.state in TOLD_STATES}
        _move_orders(ledger, [link.order_number for link in told.values()])
        for dispatch_number, gone in plan.withdrawn.items():
            ledger.withdraw_tracks(dispatch_number, gone)
        ledger.note_content(_contents(checked, links, plan, tracked))
        # Another run may have told meanwhile what this one could not.
        raised = [note for note in found if note.code in stays or note.subject not in told]
        waiting = {f"dispatch {result.subject}" for result in [*results, *tracked] if result.state == "waiting"}
        read = {f"dispatch {number}" for number in frames.dispatches["dispatch_number"]} - waiting
        _close_what_is_over(ledger, read, plan, links, raised, tracked, stays)
        ledger.raise_exceptions(batch_id, raised)
        waits = any(result.state == "waiting" for result in [*results, *tracked])
        ledger.close_batch(batch_id, "waiting" if waits else "closed", totals.as_dict())
        if fetched.watermark is not None and not waits:
            ledger.set_watermark(fetched.watermark, batch_id)
    unreachable = next((result.detail for result in [*results, *tracked] if result.code == "UNAVAILABLE"), "")
    summary = DispatchSummary(batch_id, totals.counts(), unreachable)
    counts = ", ".join(f"{step} {count}" for step, count in summary.counts.items() if count)
    get_run_logger().info(f"dispatches {batch_id}: {counts or 'nothing'}")
    return summary


def _move_orders(ledger: Ledger, order_numbers: Sequence[str]) -> None:
    """Give these orders, and those of which a part has left, the state that their shipped units say.

    Orders that an earlier run shipped and did not get as far as to move are among them. Lines that nobody ships
    (virtual ones) hold no order back.
    """
    is_moving = {number for number, state in ledger.order_states(order_numbers).items() if state in MOVING_STATES}
    under_way = ledger.orders_in_state("part_dispatched")
    is_moving -= {order.order_number for order in under_way}
    for order in [*under_way, *ledger.orders(sorted(is_moving))]:
        goods = [line for line in order.lines if line.product_type not in UNSHIPPED_PRODUCT_TYPES]
        state: OrderStateName = order.state
        if all(line.open_units == 0 for line in goods):
            state = "dispatched"
        elif any(line.quantity_shipped for line in goods):
            state = "part_dispatched"
        if order.state != state:
            ledger.set_order_state(order.order_number, state)


def _contents(
    checked: CheckedBatch, links: Mapping[str, DispatchLink], plan: DispatchPlan, tracked: Sequence[PostingResult]
) -> dict[str, str]:
    """Return what the dispatches that are told in full read like: they are looked at again when that changes."""
    open_ends = {note.subject for note in plan.warnings if note.code == "CARRIER_UNKNOWN"}
    open_ends |= {f"dispatch {result.subject}" for result in tracked if result.state != "posted"}
    return {
        row["dispatch_number"]: content_of(row)
        for row in rows_of(checked.accepted)
        if f"dispatch {row['dispatch_number']}" not in open_ends
        and row["dispatch_number"] in links
        and links[row["dispatch_number"]].state in TOLD_STATES
    }


def _posting_exceptions(plan: DispatchPlan, results: Sequence[PostingResult]) -> list[ExceptionNote]:
    order_of = {request.dispatch_number: request.order_number for request in plan.to_ship}
    order_of |= {request.dispatch_number: request.order_number for request in plan.tracks}
    return [
        ExceptionNote(result.code, f"dispatch {result.subject}", result.detail, order_number=order_of[result.subject])
        for result in results
        if result.code in REASONS
    ]


def _close_what_is_over(
    ledger: Ledger,
    read: Collection[str],
    plan: DispatchPlan,
    links: Mapping[str, DispatchLink],
    raised: Sequence[ExceptionNote],
    tracked: Sequence[PostingResult],
    stays: frozenset[str],
) -> None:
    """Close the exceptions of every dispatch that was read, except those that this run raises again.

    Not among `read` is a dispatch that waits: nothing was found out about it, and its exceptions keep their age. One of
    those that stay and that came up when or after its dispatch was told (Magento shipped less than asked, or without
    tracking) is not over because the dispatch is: a person closes it. Every other one is.
    """
    still = {(note.code, note.subject) for note in raised}
    told_at = {f"dispatch {number}": links[number].updated_at for number in plan.already_told}
    for code in CODES:
        notes = ledger.exceptions(code=code)
        over = [] if code in stays else _told_subjects(ledger, notes)
        over += [
            note.subject
            for note in notes
            if note.subject in read
            and (code, note.subject) not in still
            and not (note.subject in told_at and note.last_seen_at >= told_at[note.subject])
        ]
        if code in OVER_WITH_TRACKS:
            over += [f"dispatch {result.subject}" for result in tracked if result.state == "posted"]
        if over:
            ledger.close_exceptions(subjects=over, codes=[code], by=BY)


def _told_subjects(ledger: Ledger, notes: Sequence[ExceptionRecord]) -> list[str]:
    """Return the subjects of those of these exceptions whose dispatch is told."""
    links = ledger.dispatches_known([note.subject.removeprefix("dispatch ") for note in notes])
    return [f"dispatch {number}" for number, link in links.items() if link.state in TOLD_STATES]


def _control_totals(
    fetched: Fetched,
    frames: DispatchFrames,
    checked: CheckedBatch,
    plan: DispatchPlan,
    results: Sequence[PostingResult],
) -> CheckedTotals:
    counts = {
        "read": fetched.read,
        "of other channels": fetched.others,
        "told and unchanged": fetched.unchanged,
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
    totals.must_agree("read", ["of other channels", "told and unchanged", "fetched"])
    totals.must_agree("fetched", ["accepted", "rejected"])
    totals.must_agree("accepted", ["to ship", "already told", "nothing to ship", "exceptions"])
    totals.must_agree("to ship", ["posted", "already", "refused", "unknown", "waiting"])
    return totals
