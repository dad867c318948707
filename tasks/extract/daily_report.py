"""What the report of a day is made from: the ledger alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pandera.pandas as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.daily_facts import STREAM, report_day
from schemas.daily_report import DayExceptions, DayFacts, OrdersNotPosted
from schemas.fixes import fix_of
from tasks import connect
from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tasks.systems.ledger import ExceptionRecord, Ledger
from tasks.systems.ledger.placed import PlacedOrder


@task(cache_policy=NO_CACHE)
def fetch_day(business_date: date | None) -> DayFacts:
    """Return what the ledger knows of a London date, yesterday unless one is given, and begin a batch for its report.

    Raises ConfigurationError for a date that has not begun.
    """
    settings = Settings.from_env()
    now = datetime.now(UTC)
    with connect.open_ledger(settings) as ledger:
        facts = facts_of_day(ledger, settings, business_date, now)
        run_id = ledger.open_batch(STREAM, facts.day.start, facts.day.end)
    return replace(facts, run_id=run_id)


def facts_of_day(ledger: Ledger, settings: Settings, business_date: date | None, now: datetime) -> DayFacts:
    """The same for a view, without a batch."""
    try:
        day = report_day(business_date, now, settings.daily_report.at)
    except ValueError as error:
        raise ConfigurationError(str(error), system="daily report", operation="fetch day") from error
    notes = [*ledger.exceptions(), *ledger.exceptions(state="closed", closed_since=day.since)]
    return DayFacts(
        run_id="",
        day=day,
        built_at=now,
        exceptions=exceptions_frame([note for note in notes if note.first_seen_at < day.until], day.until),
        orders=orders_frame(ledger.orders_not_posted(day.until)),
        totals=ledger.day_totals(day.start, day.end, day.business_date),
        runs=ledger.stream_runs(day.start, day.end),
        stock=ledger.stock_state(),
        untold=ledger.untold_dispatches(day.until),
        reconciliation=ledger.last_reconciliation(day.until),
    )


def exceptions_frame(notes: Sequence[ExceptionRecord], until: datetime) -> pd.DataFrame:
    """Return exceptions without what they say in their own words; who has one is told as whether somebody has."""
    rows = [
        {
            "number": note.id,
            "code": note.code,
            "subject": note.subject,
            "order_number": note.order_number,
            "sku": note.sku,
            "owner": note.owner,
            "severity": note.severity,
            "sentence": note.sentence,
            "next_step": note.next_step,
            "fix": fix.text if (fix := fix_of(note.id, note.code, note.sku, note.suggestions)) else "",
            "value_pence": note.value_at_risk_pence,
            "currency": note.currency,
            "first_seen_at": note.first_seen_at,
            "closed_at": note.closed_at,
            "is_taken": bool(note.assigned_to),
            "is_resting": note.is_resting(until),
        }
        for note in notes
    ]
    return _frame(rows, DayExceptions, "first_seen_at", "closed_at")


def orders_frame(orders: Sequence[PlacedOrder]) -> pd.DataFrame:
    """Return orders that PRIMA does not have."""
    names = ("order_number", "state", "placed_at", "currency", "gross_pence")
    rows = [{name: getattr(order, name) for name in names} for order in orders]
    return _frame(rows, OrdersNotPosted, "placed_at")


def _frame(rows: list[dict[str, Any]], schema: type[pa.DataFrameModel], *times: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(schema.to_schema().columns))
    for name in times:
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("us")
    return schema.validate(frame, lazy=True)
