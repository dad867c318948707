"""What a batch of orders would come to, without anything being written. Pure."""

from collections.abc import Iterable

from schemas.backfill import Outcome
from schemas.batches import CheckedBatch, rows_of
from schemas.documents import ExceptionNote
from schemas.orders import OrderPlan
from schemas.reasons import REASONS

TO_POST, ALREADY_POSTED, TOO_YOUNG = "to post", "already posted", "too young"


def outcomes(checked: CheckedBatch, plan: OrderPlan, rejected: Iterable[ExceptionNote]) -> list[Outcome]:
    """Return what the line would do with each order of a batch, summed up by outcome and currency.

    An outcome is `to post`, `already posted`, `too young`, `held: CODE`, `left out: CODE` or `rejected: CODE`.
    """
    named = dict.fromkeys(plan.already_posted, ALREADY_POSTED) | dict.fromkeys(plan.too_young, TOO_YOUNG)
    named |= {order.order_number: TO_POST for order in plan.to_post}
    for note in plan.exceptions:
        is_left_out = REASONS[note.code].severity == "info"
        named[note.order_number] = f"{'left out' if is_left_out else 'held'}: {note.code}"
    found = [
        Outcome(named[row["order_number"]], row["currency"], 1, int(row["gross_pence"]), int(row["vat_pence"]),
                (row["order_number"],))
        for row in rows_of(checked.accepted)
    ]  # fmt: skip
    found += [
        Outcome(f"rejected: {note.code}", note.currency, 1, note.value_at_risk_pence, 0, (note.order_number,))
        for note in rejected
    ]
    return summed(found)


def summed(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return one outcome for each name and currency, in the order of their names."""
    sums: dict[tuple[str, str], Outcome] = {}
    for outcome in outcomes:
        key = (outcome.name, outcome.currency)
        sums[key] = sums[key] + outcome if key in sums else outcome
    return [sums[key] for key in sorted(sums)]
