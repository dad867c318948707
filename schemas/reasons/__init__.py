"""Every reason for which a row, an order or a posting can stop.

Code, sentence, owner, severity, what to do, what its value at risk is the value of, when the next person is told, who
may decide and which acts fit. This table is the only place where these live: the handbook's pages, alerts, views, forms
and the help of commands are made from it.
"""

from schemas.reasons import control, drift, fulfilment, goods, health, order_checks, orders, payments, refunds
from schemas.reasons.reason import Act, MappingKind, Owner, Reason, Retry, Severity, ValueRule
from schemas.reasons.terms import reason_of

__all__ = ["REASONS", "Act", "MappingKind", "Owner", "Reason", "Retry", "Severity", "ValueRule", "reason"]

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


def reason(code: str) -> Reason:
    """Return the reason of a code; raises KeyError for one that is not in the table."""
    return REASONS[code]
