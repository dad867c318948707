"""What was sent of orders against what would be sent now, and what would become of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from schemas.backfill import Outcome
from schemas.batches import rows_of
from schemas.documents import ExceptionNote
from schemas.orders import OrderFrames, OrderPlan
from schemas.replay import (
    Attempt,
    Attributes,
    PreparedOrder,
    Replay,
    ReplayedAttribute,
    ReplayedPart,
    ReplayedRange,
    SentOrder,
    Source,
    Verdict,
)
from tasks.decide.backfill import summed

# New at every attempt, so it always differs and never matters.
CORRELATION = "Data/@UniqueId"
Amounts = tuple[str, int, int]
LOOKS_FIRST = "`magento-prima run orders` looks before it posts."


def from_evidence(sent: SentOrder) -> Replay:
    """Return the order as its stored requests tell it: the one that PRIMA has against the last one.

    Neither Magento nor PRIMA is asked; the decision is what the ledger alone allows.
    """
    verdict, decision = _by_ledger(sent) or (
        "would be posted",
        "PRIMA does not have it: it may be posted again, from a fresh read of Magento.",
    )
    first, last = sent.sent, sent.attempts[-1] if sent.attempts else None
    now = last.attributes if last is not None else {}
    if sent.erased:
        return Replay(sent.order_number, sent.order_number_prima, "evidence", verdict, f"{decision} {sent.erased}")
    return _replay(sent, "evidence", verdict, decision, first, now)


def from_magento(sent: SentOrder, obstacles: Sequence[ExceptionNote], prepared: PreparedOrder | None) -> Replay:
    """Return the order as a fresh read of Magento makes it.

    `obstacles` are the exceptions that would hold it, `prepared` is its request where there is one. That PRIMA has the
    order, or may have it, counts before everything else.
    """
    verdict, decision = _by_ledger(sent) or _by_look(sent, obstacles, prepared)
    first = sent.sent
    now = prepared.attributes if prepared is not None else {}
    if not now or sent.erased:
        return Replay(sent.order_number, sent.order_number_prima, "magento", verdict, decision)
    return _replay(sent, "magento", verdict, decision, first, now)


def planned(
    sent: Mapping[str, SentOrder],
    plan: OrderPlan,
    rejected: Iterable[ExceptionNote],
    prepared: Mapping[str, PreparedOrder],
) -> list[Replay]:
    """Return the replay of each order of a batch that was read afresh and planned as if PRIMA had none of it."""
    obstacles: dict[str, list[ExceptionNote]] = {}
    for note in (*rejected, *plan.exceptions):
        obstacles.setdefault(note.order_number, []).append(note)
    numbers = {order.order_number: order.order_number_prima for order in plan.to_post}
    return [
        from_magento(
            replace(order, order_number_prima=numbers.get(number, order.order_number_prima)),
            obstacles.get(number, []),
            prepared.get(number),
        )
        for number, order in sent.items()
    ]


def in_prima(sent: Mapping[str, SentOrder]) -> list[str]:
    """Return the orders that PRIMA has by the ledger: there is nothing to look up about them."""
    return [number for number, order in sent.items() if order.sent is not None and order.sent.state == "posted"]


def amounts_of(frames: OrderFrames) -> dict[str, Amounts]:
    """Return currency, gross and VAT in pence of each order by number; an unreadable amount counts 0."""
    figures = frames.orders[["order_number", "currency", "gross_pence", "vat_pence"]].fillna(
        {"gross_pence": 0, "vat_pence": 0}
    )
    return {
        row["order_number"]: (str(row["currency"]), int(row["gross_pence"]), int(row["vat_pence"]))
        for row in rows_of(figures)
    }


def part(replays: Sequence[Replay], amounts: Mapping[str, Amounts], unreadable: Sequence[int] = ()) -> ReplayedPart:
    """Return a batch of replays: each order by its verdict; of those that differ, what differs alone."""
    outcomes = []
    for each in replays:
        currency, gross_pence, vat_pence = amounts[each.order_number]
        outcomes.append(Outcome(each.verdict, currency, 1, gross_pence, vat_pence, (each.order_number,)))
    differing = [
        replace(each, attributes=tuple(each.differences)) for each in replays if each.sent_at and each.differences
    ]
    posted_now = [each.order_number for each in replays if each.was_posted]
    return ReplayedPart(outcomes, differing, posted_now, unreadable)


def joined(
    source: Source,
    from_date: date | None,
    to_date: date | None,
    parts: Sequence[ReplayedPart],
    asked: Mapping[str, str],
) -> ReplayedRange:
    """Return the parts as one range; `asked` is Magento's number by each number that was asked for."""
    outcomes = summed(outcome for each in parts for outcome in each.verdicts)
    seen = {number for outcome in outcomes for number in outcome.order_numbers}
    return ReplayedRange(
        source,
        from_date,
        to_date,
        outcomes,
        [replay for each in parts for replay in each.differing],
        [number for each in parts for number in each.posted],
        [number for number, known in asked.items() if known not in seen],
        [entity_id for each in parts for entity_id in each.unreadable],
    )


def posted(replay: Replay, sent: SentOrder) -> Replay:
    """Return a replay after its order travelled the line: whether PRIMA took it, in the words of the last attempt."""
    last = sent.attempts[-1] if sent.attempts else None
    if last is None:
        return replace(replay, decision="It was not posted; the exceptions of the order say why.")
    if last.state == "posted":
        decision = f"Posted: PRIMA has it as {sent.order_number_prima}."
        return replace(replay, verdict="in PRIMA", decision=decision, was_posted=True)
    if last.state == "refused":
        return replace(replay, decision=f"PRIMA did not take it: {last.error_text}")
    return replace(
        replay, verdict="outcome unknown", decision=f"It was sent, and nobody knows how it ended: {LOOKS_FIRST}"
    )


def _by_ledger(sent: SentOrder) -> tuple[Verdict, str] | None:
    last = sent.sent
    if last is not None and last.state == "posted":
        return "in PRIMA", f"PRIMA has it as {sent.order_number_prima}: it is never posted again."
    if last is not None and last.state in ("pending", "unknown"):
        return "outcome unknown", f"Nobody knows whether PRIMA has it, so it is not posted: {LOOKS_FIRST}"
    if sent.state == "cancelled":
        return "cancelled", "It is cancelled, so it is not posted."
    return None


def _by_look(
    sent: SentOrder, obstacles: Sequence[ExceptionNote], prepared: PreparedOrder | None
) -> tuple[Verdict, str]:
    if obstacles:
        told = "; ".join(f"{note.code}, {note.detail}" for note in obstacles)
        return "would be held", f"It would be held: {told}."
    if prepared is None:
        return "would be held", "The import rules let it wait."
    if prepared.word:
        return "in PRIMA", f"PRIMA has this number, in status {prepared.word}: it is not posted."
    if prepared.problem:
        return "cannot be sent", f"It cannot be sent: {prepared.problem}"
    look = f" PRIMA could not say whether it has the number: {prepared.look}" if prepared.look else ""
    return "would be posted", f"It would be posted as {sent.order_number_prima}.{look}"


def _replay(
    sent: SentOrder, source: str, verdict: Verdict, decision: str, first: Attempt | None, now: Attributes
) -> Replay:
    before = first.attributes if first is not None else {}
    return Replay(
        sent.order_number,
        sent.order_number_prima,
        "evidence" if source == "evidence" else "magento",
        verdict,
        decision,
        first.at if first is not None else None,
        compared(before, now),
    )


def compared(before: Attributes, now: Attributes) -> list[ReplayedAttribute]:
    """Return every attribute that is filled on either side, in the order of the document; the correlation id left out.

    An attribute that is empty and one that is left out say the same.
    """
    names = dict.fromkeys([*now, *before])
    rows = [ReplayedAttribute(name, before.get(name, ""), now.get(name, "")) for name in names]
    return [row for row in rows if row.name != CORRELATION and (row.sent or row.now)]
