"""What becomes of every order that Magento lists, which numbers are missing, and whether the stream is silent. Pure."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from schemas.census import (
    Census,
    CensusEvidence,
    CensusRule,
    CensusStatus,
    KnownOrder,
    ListedOrder,
    NumberGap,
    SilenceRule,
)
from schemas.documents import ExceptionNote
from schemas.rules import OrderRules
from tasks.decide.silence import HOUR, silence_in

ON_ITS_WAY = ("seen", "ready", "posting", "unknown")
NOT_VISIBLE = "NOT_VISIBLE_IN_PRIMA"
REJECTED = frozenset({"ROW_REJECTED", "TOTALS_DISAGREE"})
# Magento counts in nine digits; what stands before them is the store view. `-1` is an order edited in the admin.
NUMBER = re.compile(r"(?P<prefix>.*?)(?P<ordinal>\d{1,9})(?:-\d{1,3})?")


def orders_to_read(listed: Iterable[ListedOrder], evidence: CensusEvidence, rule: CensusRule) -> list[str]:
    """Return the numbers of orders that the ledger should know by now and does not, or not as they are.

    Orders changed within the last hour are left to the next run of `orders`; so are those that were rejected.
    """
    settled = [order for order in listed if order.updated_at < evidence.taken_at - rule.fresh]
    return [order.order_number for order in settled if _is_unseen(order, evidence)]


def found_late(listed: Iterable[ListedOrder], to_read: Iterable[str], evidence: CensusEvidence) -> list[ExceptionNote]:
    """Return a note for each order to be read that the stream had passed: `evidence` is from before it was read.

    An order that the stream has not reached yet is not late.
    """
    wanted = set(to_read)
    return [
        _note(order, "ORDER_FOUND_LATE", f"changed in Magento at {order.updated_at:%Y-%m-%d %H:%M:%S} UTC")
        for order in listed
        if order.order_number in wanted
        and evidence.recorded_until is not None
        and order.updated_at < evidence.recorded_until
    ]


def census(listed: Sequence[ListedOrder], evidence: CensusEvidence, rule: CensusRule, rules: OrderRules) -> Census:
    """Return the status of each listed order, and what is wrong with these or with orders noted before.

    An order that verification has noted as not visible is not noted again here: it is one thing to one person.
    """
    statuses = {order.order_number: _status(order, evidence, rule, rules) for order in listed}
    exceptions = []
    for order in evidence.known.values():
        status = _known_status(order, evidence, rule, rules)
        is_noted = NOT_VISIBLE in evidence.noted.get(order.order_number, frozenset())
        if status == "accepted, but not in PRIMA" and not is_noted:
            detail = f"accepted as {order.order_number_prima} at {order.accepted_at:%Y-%m-%d %H:%M} UTC"
            exceptions.append(_note(order, "NOT_IN_PRIMA", detail))
        if status == "stuck":
            detail = f"{order.state} since {order.state_since:%Y-%m-%d %H:%M} UTC"
            exceptions.append(_note(order, "ORDER_STUCK", detail))
    return Census(statuses, exceptions)


def gaps_of(listed: Iterable[ListedOrder], evidence: CensusEvidence, *, step: int = 1) -> list[NumberGap]:
    """Return the gaps in the numbers of Magento's list and the ledger together; see `gaps`.

    A number that only an exception tells of (its order was rejected, or cannot be read) is not missing.
    """
    seen = [(order.order_number, order.placed_at) for order in listed]
    seen += [
        (order.order_number, order.placed_at) for order in evidence.known.values() if order.placed_at >= evidence.since
    ]
    found = gaps(seen, evidence.taken_at, step=step)
    return [left for gap in found for left in absent(gap, filter(None, evidence.noted))]


def gaps(numbers: Iterable[tuple[str, datetime]], taken_at: datetime, *, step: int = 1) -> list[NumberGap]:
    """Return the numbers that are missing between the smallest and the largest of each sequence.

    `numbers` are order numbers with the time when they were placed. A sequence is what has one prefix: each store view
    has its own. A gap is left out until the order behind it is an hour old, because orders are not committed in the
    order in which they take their numbers.
    """
    sequences: dict[str, dict[int, datetime]] = {}
    widths: dict[str, int] = {}
    for number, placed_at in numbers:
        parts = _parts(number)
        if parts is not None:
            prefix, width, ordinal = parts
            sequence = sequences.setdefault(prefix, {})
            sequence[ordinal] = min(placed_at, sequence.get(ordinal, placed_at))
            widths[prefix] = min(width, widths.get(prefix, width))
    found = []
    for prefix, sequence in sorted(sequences.items()):
        for before, behind in pairwise(sorted(sequence)):
            gap = NumberGap(prefix, widths[prefix], before + step, behind - step, step)
            if gap.first <= gap.last and sequence[behind] <= taken_at - HOUR:
                found.append(gap)
    return found


def absent(gap: NumberGap, present: Iterable[str]) -> list[NumberGap]:
    """Return what is left of a gap without the numbers that Magento has after all."""
    there = {parts[2] for parts in map(_parts, present) if parts and parts[0] == gap.prefix}
    left: list[NumberGap] = []
    first = gap.first
    for ordinal in sorted(each for each in there if gap.first <= each <= gap.last):
        if first <= ordinal - gap.step:
            left.append(NumberGap(gap.prefix, gap.width, first, ordinal - gap.step, gap.step))
        first = ordinal + gap.step
    if first <= gap.last:
        left.append(NumberGap(gap.prefix, gap.width, first, gap.last, gap.step))
    return left


def gap_note(gap: NumberGap) -> ExceptionNote:
    """Return the note that numbers were skipped: a range, not an order."""
    text = f"{gap.count} number{'s' * (gap.count > 1)} that neither Magento nor the ledger has"
    return ExceptionNote("ORDER_NUMBER_GAP", f"order numbers {gap.label}", text)


def silence(times: Sequence[datetime], now: datetime, rule: SilenceRule) -> ExceptionNote | None:
    """Return a note when no order came for longer than earlier weeks make likely; `times` are of orders, sorted."""
    found = silence_in(times, now, rule)
    if found is None:
        return None
    return ExceptionNote(
        "ORDERS_SILENT",
        "stream orders",
        f"the last order was placed on {found.since}; since then about {int(found.expected)} were to be expected from "
        f"the {rule.weeks} weeks before",
    )


def _is_unseen(order: ListedOrder, evidence: CensusEvidence) -> bool:
    if evidence.noted.get(order.order_number, frozenset()) & REJECTED:
        return False
    known = evidence.known.get(order.order_number)
    return known is None or (known.state_magento, known.status_magento) != (order.state_magento, order.status_magento)


def _status(order: ListedOrder, evidence: CensusEvidence, rule: CensusRule, rules: OrderRules) -> CensusStatus:
    known = evidence.known.get(order.order_number)
    if known is not None:
        return _known_status(known, evidence, rule, rules)
    if evidence.noted.get(order.order_number, frozenset()) & REJECTED:
        return "rejected"
    return "just placed" if order.updated_at >= evidence.taken_at - rule.fresh else "not in the ledger"


def _known_status(order: KnownOrder, evidence: CensusEvidence, rule: CensusRule, rules: OrderRules) -> CensusStatus:
    if order.accepted_at is not None:
        return _in_prima(order, order.accepted_at, evidence, rule)
    if order.state in ("excluded", "cancelled"):
        return "left out" if order.state == "excluded" else "cancelled before PRIMA"
    is_old = order.state_since < evidence.taken_at - rule.not_in_prima
    others = evidence.noted.get(order.order_number, frozenset()) - {"ORDER_STUCK"}
    if is_old and not others and not rules.of_store(order.store_id).is_too_young(order.placed_at):
        return "stuck"
    return "on its way" if order.state in ON_ITS_WAY else "held"


def _in_prima(order: KnownOrder, accepted_at: datetime, evidence: CensusEvidence, rule: CensusRule) -> CensusStatus:
    if evidence.shown is None:
        return "accepted, nothing to check with"
    if order.order_number_prima in evidence.shown:
        return "in PRIMA"
    is_due = accepted_at < (evidence.shown_as_at or evidence.taken_at) - rule.not_in_prima
    return "accepted, but not in PRIMA" if is_due else "accepted, not shown by PRIMA yet"


def _note(order: KnownOrder | ListedOrder, code: str, detail: str) -> ExceptionNote:
    return ExceptionNote(
        code,
        f"order {order.order_number}",
        detail,
        order_number=order.order_number,
        value_at_risk_pence=order.gross_pence,
        currency=order.currency,
    )


def _parts(number: str) -> tuple[str, int, int] | None:
    """Return prefix, width and ordinal of an order number; None where it ends in no digits."""
    found = NUMBER.fullmatch(number)
    return (found["prefix"], len(found["ordinal"]), int(found["ordinal"])) if found else None
