"""Every reason for which a row, an order or a posting can stop.

Code, sentence, owner, severity, what to do, what its value at risk is the value of, when the next person is told, who
may decide and which acts fit. This table is the only place where these live: the handbook's pages, alerts, views, forms
and the help of commands are made from it.
"""

from schemas.reasons import control, drift, fulfilment, goods, health, order_checks, orders, payments, refunds
from schemas.reasons.reason import Act, MappingKind, Owner, Reason, Retry, Severity, ValueRule
from schemas.reasons.terms import reason_of

__all__ = [
    "REASONS",
    "Act",
    "MappingKind",
    "Owner",
    "Reason",
    "Retry",
    "Severity",
    "ValueRule",
    "reason",
    "reason_or_former",
]

REASONS: dict[str, Reason] = {
    row[0]: reason_of(row)
    for row in (
        *orders.ROWS,
        *order_checks.ROWS,
        *goods.ROWS,
        *drift.ROWS,
        *fulfilment.ROWS,
        *refunds.ROWS,
        *payments.ROWS,
        *control.ROWS,
        *health.ROWS,
    )
}


def reason_or_former(code: str) -> Reason:
    """Return the reason of a code; for one that only an earlier version knew, one that a person can close."""
    if code in REASONS:
        return REASONS[code]
    return Reason(
        code,
        sentence="This version does not know the code any more.",
        owner="integration",
        severity="problem",
        next_step="Close it, or look it up in the handbook of the earlier version.",
        value_rule="none",
        escalate_hours=(),
        may=("integration", "operations"),
        retry="",
        mapping=None,
        hold="",
        can_be_ignored=True,
        is_closed_by_hand=True,
    )


def reason(code: str) -> Reason:
    """Return the reason of a code; raises KeyError for one that is not in the table."""
    return REASONS[code]
