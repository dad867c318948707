"""What a backfill shows in the Prefect UI: one row an outcome, with the order numbers."""

from collections.abc import Sequence

from prefect.artifacts import create_table_artifact

from schemas.backfill import Outcome
from schemas.money import show

NUMBERS_SHOWN = 200


def show_backfill(outcomes: Sequence[Outcome], label: str, *, is_dry: bool, key: str = "backfill") -> None:
    """Publish what a dry run would do with orders, or what a run has done, as the artifact `backfill` or `key`."""
    rows = [
        {
            "outcome": outcome.name,
            "orders": outcome.count,
            "total": show(outcome.gross_pence, outcome.currency),
            "VAT": show(outcome.vat_pence, outcome.currency),
            "order numbers": ", ".join(outcome.order_numbers[:NUMBERS_SHOWN])
            + (f" and {outcome.count - NUMBERS_SHOWN} more" if outcome.count > NUMBERS_SHOWN else ""),
        }
        for outcome in outcomes
    ]
    what = "nothing was written" if is_dry else "carried"
    create_table_artifact(key=key, table=rows, description=f"Orders {label}: {what}.")
