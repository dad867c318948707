"""Every reason for which a row, an order or a posting can stop: code, sentence, owner, what to do.

This table is the only place where codes, owners, severities and texts live; pages, alerts and views are made from it.
"""

from schemas.reasons import control, drift, fulfilment, goods, order_checks, orders, refunds
from schemas.reasons.reason import Owner, Reason, Severity

__all__ = ["REASONS", "Owner", "Reason", "Severity", "reason"]

REASONS: dict[str, Reason] = {
    row[0]: Reason(*row)
    for row in (
        *orders.ROWS,
        *order_checks.ROWS,
        *goods.ROWS,
        *drift.ROWS,
        *fulfilment.ROWS,
        *refunds.ROWS,
        *control.ROWS,
    )
}


def reason(code: str) -> Reason:
    """Return the reason of a code; raises KeyError for one that is not in the table."""
    return REASONS[code]
