"""The tables of the reconciliation: one dictionary for checking, for typing and for the page that analysts read.

`STAGED` are the inputs as the flow stages them, `MARTS` the tables that the SQL of `tasks/reconcile/` makes.
From one `Table` come its pandera schema, its Arrow schema (`schemas/tables.py`) and its section of
`docs/reconciliation.md`. Money is whole minor units of the row's currency, variances are PRIMA minus Magento.
"""

from schemas.causes import CAUSES, WITHOUT_EXPLANATION, Cause
from schemas.reconciliation.columns import (
    AGE_BANDS,
    BREAK_STATUSES,
    CHARGES,
    DESTINATIONS,
    LEVELS,
    SETTLEMENTS,
    STATUSES,
)
from schemas.reconciliation.marts import MARTS
from schemas.reconciliation.staged import STAGED

__all__ = [
    "AGE_BANDS",
    "BREAK_STATUSES",
    "CAUSES",
    "CHARGES",
    "DESTINATIONS",
    "LEVELS",
    "MARTS",
    "SETTLEMENTS",
    "STAGED",
    "STATUSES",
    "WITHOUT_EXPLANATION",
    "Cause",
]
