"""What became of a batch of orders: order rows, exceptions, control totals and, last of all, the watermark."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.batches import CheckedBatch, PostingResult, chunks, rows_by, rows_of, totals_of
from schemas.documents import ControlTotals, ExceptionNote, Watermark
from schemas.money import show
from schemas.order_checks import DEFAULT_ACTIONS
from schemas.orders import OrderFrames, OrderPlan
from schemas.reasons import REASONS
from tasks import connect
from tasks.record.originals import keep_originals
from tasks.record.totals import CheckedTotals
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.records import OrderLineRecord, OrderRecord
from tasks.systems.ledger.states import OrderStateName

# Exceptions that keep an order from PRIMA. When a run finds another one, or none, these are over.
BLOCKING = (
    "ORDER_CANCELLED",
    "ORDER_CLOSED",
    "ORDER_ON_HOLD",
    "ORDER_STATE_NOT_IMPORTED",
    "ORDER_UNPAID",
    "ORDER_EXPIRED",
    "PAYMENT_METHOD_NOT_IMPORTED",
    "STORE_NOT_IMPORTED",
    "BEFORE_START_DATE",
    "SHIPPED_BEFORE_PRIMA",
    "REFUSED_BY_HAND",
    "RECORD_UNREADABLE",
    "ROW_REJECTED",
    "TOTALS_DISAGREE",
    "SKU_UNKNOWN",
    "SKU_CASE",
    "SKU_AMBIGUOUS",
    "STORE_UNMAPPED",
    "PAYMENT_UNMAPPED",
    "DELIVERY_UNMAPPED",
    "TENDER_UNMAPPED",
    "BUNDLE_HELD",
    "LINE_FLOORED",
    "COUNTRY_UNMAPPED",
    "TEXT_UNSENDABLE",
    "ORDER_NUMBER_UNFIT",
    "PRIMA_REFUSED",
    "PRIMA_OUTCOME_UNKNOWN",
    "PRIMA_NUMBER_TAKEN",
)
# What the checks of an order find; where a text has to be cut is found, and closed, where the request is written.
CHECKED = tuple(code for code in DEFAULT_ACTIONS if code != "TEXT_CUT")
# States in which a run may decide about an order. One that another run is posting meanwhile is left alone.
UNDECIDED: frozenset[OrderStateName] = frozenset({"seen", "excluded", "held", "ready", "refused"})
# Postings that go on meanwhile wait for a commit: it must not be a long one.
ORDERS_A_COMMIT = 50
BY = "orders"


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """How a batch of orders ended: counts by step, and what PRIMA was given in pence by currency."""

    batch_id: str
    counts: Mapping[str, int]
    posted_gross_pence: Mapping[str, int]
    posted_vat_pence: Mapping[str, int]
    is_prima_out_of_reach: str = ""
    position: Watermark | None = field(default=None)


@task(cache_policy=NO_CACHE)
def see_orders(
    records: Sequence[Mapping[str, Any]], checked: CheckedBatch, frames: OrderFrames, plan: OrderPlan
) -> None:
    """Write the accepted orders to the ledger, each in the state that the plan says; before any posting.

    Their units are open at the source that ships them: that of their store view. Magento's record of each order that is
    to be posted is kept as evidence.
    """
    settings = Settings.from_env()
    numbers = {order.order_number: order.order_number_prima for order in plan.to_post}
    lines = rows_by(frames.lines, "order_number")
    with connect.open_ledger(settings) as ledger:
        originals = keep_originals(ledger, records, numbers)
        seen = [
            _order_record(
                row,
                lines[row["order_number"]],
                numbers.get(row["order_number"], ""),
                connect.source_of_store(settings, int(row["store_id"])),
                originals.get(row["order_number"]),
            )
            for row in rows_of(checked.accepted)
        ]
        for some in chunks(seen, ORDERS_A_COMMIT):
            ledger.see_orders(some)
        states: dict[OrderStateName, list[str]] = {"ready": list(numbers)}
        for note in plan.exceptions:
            states.setdefault(_state_for(note), []).append(note.order_number)
        for state, order_numbers in states.items():
            ledger.set_order_states(order_numbers, state, expected=UNDECIDED)


@task(cache_policy=NO_CACHE)
def close_orders(
    batch_id: str,
    watermark: Watermark | None,
    frames: OrderFrames,
    checked: CheckedBatch,
    plan: OrderPlan,
    exceptions: Sequence[ExceptionNote],
    results: Sequence[PostingResult],
) -> OrderSummary:
    """Raise and close exceptions, check that nothing was lost on the way, and move the watermark last.

    Raises UnexpectedResponseError when counts or pence of two steps do not agree; the watermark then stays.
    """
    totals = _control_totals(frames, checked, plan, results)
    with connect.open_ledger(Settings.from_env()) as ledger:
        totals.check(ledger, batch_id)
        raised = [*exceptions, *plan.exceptions, *plan.warnings, *_posting_exceptions(plan, results)]
        _close_what_is_over(ledger, checked, plan, raised)
        ledger.raise_exceptions(batch_id, raised)
        ledger.close_batch(batch_id, "closed", totals.as_dict())
        if watermark is not None:
            ledger.set_watermark(watermark, batch_id)
    summary = _summary(batch_id, watermark, plan, totals, results)
    get_run_logger().info(_line(summary))
    return summary


@task(cache_policy=NO_CACHE)
def close_notes(batch_id: str, results: Sequence[PostingResult]) -> None:
    """Raise MAGENTO_NOTE_FAILED where PRIMA's number could not be written, and close it where it now is."""
    failed = [
        ExceptionNote("MAGENTO_NOTE_FAILED", f"order {result.subject}", result.detail, order_number=result.subject)
        for result in results
        if result.state == "refused"
    ]
    written = [f"order {result.subject}" for result in results if result.state in ("posted", "already")]
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.raise_exceptions(batch_id, failed)
        ledger.close_exceptions(subjects=written, codes=["MAGENTO_NOTE_FAILED"], by=BY)


@task(cache_policy=NO_CACHE)
def close_look_ups(results: Sequence[PostingResult]) -> None:
    """Raise an exception for each order that could not be looked up or is not ours; close it for those now clear."""
    unclear = [
        ExceptionNote(result.code, f"order {result.subject}", result.detail, order_number=result.subject)
        for result in results
        if result.code in REASONS
    ]
    clear = [f"order {result.subject}" for result in results if result.state == "posted"]
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.raise_exceptions("", unclear)
        ledger.close_exceptions(subjects=clear, codes=list(BLOCKING), by=BY)


def _order_record(
    row: Mapping[str, Any],
    lines: Iterable[Mapping[str, Any]],
    order_number_prima: str,
    source_code: str,
    evidence_id: int | None,
) -> OrderRecord:
    return OrderRecord(
        order_number=row["order_number"],
        entity_id_magento=int(row["entity_id_magento"]),
        store_id=int(row["store_id"]),
        state_magento=row["state_magento"],
        status_magento=row["status_magento"],
        placed_at=row["placed_at"].to_pydatetime(),
        updated_at=row["updated_at"].to_pydatetime(),
        currency=row["currency"],
        net_pence=int(row["net_pence"]),
        vat_pence=int(row["vat_pence"]),
        gross_pence=int(row["gross_pence"]),
        country=row["country"],
        payment_method=row["payment_method"],
        delivery_method=row["delivery_method"],
        is_virtual=bool(row["is_virtual"]),
        order_number_prima=order_number_prima,
        evidence_id=evidence_id,
        lines=tuple(
            OrderLineRecord(
                line_number=int(line["line_number"]),
                item_id_magento=int(line["item_id_magento"]),
                sku=line["sku"],
                product_type=line["product_type"],
                quantity=int(line["quantity"]),
                net_pence=int(line["net_pence"]),
                vat_pence=int(line["vat_pence"]),
                gross_pence=int(line["gross_pence"]),
                vat_rate_percent=line["vat_rate_percent"],
                source_code=source_code,
                quantity_shipped=int(line["quantity_shipped"]),
                quantity_cancelled=int(line["quantity_cancelled"]),
                quantity_refunded=int(line["quantity_refunded"]),
                quantity_invoiced=int(line["quantity_invoiced"]),
            )
            for line in lines
        ),
    )


def _state_for(note: ExceptionNote) -> OrderStateName:
    if note.code == "ORDER_CANCELLED":
        return "cancelled"
    return "excluded" if REASONS[note.code].severity == "info" else "held"


def _posting_exceptions(plan: OrderPlan, results: Sequence[PostingResult]) -> list[ExceptionNote]:
    orders = {order.order_number: order for order in plan.to_post}
    return [
        ExceptionNote(
            result.code,
            f"order {result.subject}",
            result.detail,
            order_number=result.subject,
            value_at_risk_pence=orders[result.subject].gross_pence,
            currency=orders[result.subject].currency,
        )
        for result in results
        if result.code in REASONS
    ]


def _close_what_is_over(
    ledger: Ledger, checked: CheckedBatch, plan: OrderPlan, raised: Sequence[ExceptionNote]
) -> None:
    """Close the blocking exceptions of every order of the batch, except those that this run raises again.

    An order whose outcome is still unknown is left as it is: only a look at PRIMA makes it clear. What a check found is
    over only where this run decided about the order: on one that was posted before it is a warning, for a person.
    """
    still: dict[str, set[str]] = {}
    for note in raised:
        still.setdefault(note.subject, set()).add(note.code)
    unclear = {
        number for number, state in ledger.order_states(plan.already_posted).items() if state in ("posting", "unknown")
    }
    numbers = [*checked.accepted["order_number"], *checked.rejected["order_number"]]
    posted_before = set(plan.already_posted)
    over: dict[frozenset[str], list[str]] = {}
    for number in numbers:
        if number not in unclear:
            subject = f"order {number}"
            codes = BLOCKING if number in posted_before else (*BLOCKING, *CHECKED)
            over.setdefault(frozenset(codes) - still.get(subject, set()), []).append(subject)
    for over_codes, subjects in over.items():
        ledger.close_exceptions(subjects=subjects, codes=over_codes, by=BY)


def _control_totals(
    frames: OrderFrames, checked: CheckedBatch, plan: OrderPlan, results: Sequence[PostingResult]
) -> CheckedTotals:
    """Count and add up each step; every sum is taken from what that step itself handed on."""
    totals = CheckedTotals("orders")
    totals.note("fetched", totals_of(frames.orders))
    totals.note("rejected", totals_of(checked.rejected))
    totals.note("accepted", totals_of(checked.accepted))
    by_number = checked.accepted.set_index("order_number")
    totals.note("to post", _sum((order.net_pence, order.vat_pence, order.gross_pence) for order in plan.to_post))
    totals.note("already posted", totals_of(by_number.loc[plan.already_posted]))
    totals.note("exceptions", totals_of(by_number.loc[[note.order_number for note in plan.exceptions]]))
    totals.note("too young", totals_of(by_number.loc[plan.too_young]))
    to_post = {order.order_number: order for order in plan.to_post}
    for state in ("posted", "already", "refused", "unknown", "waiting"):
        ended = [to_post[result.subject] for result in results if result.state == state]
        totals.note(state, _sum((order.net_pence, order.vat_pence, order.gross_pence) for order in ended))
    totals.must_agree("fetched", ["accepted", "rejected"])
    totals.must_agree("accepted", ["to post", "already posted", "exceptions", "too young"])
    totals.must_agree("to post", ["posted", "already", "refused", "unknown", "waiting"])
    return totals


def _sum(amounts: Iterable[tuple[int, int, int]]) -> ControlTotals:
    return sum((ControlTotals(1, *three) for three in amounts), start=ControlTotals())


def _summary(
    batch_id: str,
    watermark: Watermark | None,
    plan: OrderPlan,
    totals: CheckedTotals,
    results: Sequence[PostingResult],
) -> OrderSummary:
    posted = {result.subject for result in results if result.state == "posted"}
    gross: dict[str, int] = {}
    vat: dict[str, int] = {}
    for order in plan.to_post:
        if order.order_number in posted:
            gross[order.currency] = gross.get(order.currency, 0) + order.gross_pence
            vat[order.currency] = vat.get(order.currency, 0) + order.vat_pence
    unreachable = next((result.detail for result in results if result.code == "UNAVAILABLE"), "")
    return OrderSummary(batch_id, totals.counts(), gross, vat, unreachable, watermark)


def _line(summary: OrderSummary) -> str:
    counts = ", ".join(f"{step} {count}" for step, count in summary.counts.items() if count)
    money = ", ".join(
        f"total {show(pence, currency)}, VAT {show(summary.posted_vat_pence[currency], currency)}"
        for currency, pence in summary.posted_gross_pence.items()
    )
    return f"orders {summary.batch_id}: {counts or 'nothing'}{'; posted ' + money if money else ''}"
