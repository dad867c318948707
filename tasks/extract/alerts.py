"""What alerts are decided from: the open exceptions, and who was told of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.alerts import Matter, PastAlert
from tasks import connect
from tasks.settings import Settings


@dataclass(frozen=True, slots=True)
class AlertInput:
    """The open exceptions that nobody lets rest, and the alerts about them."""

    matters: Sequence[Matter]
    past: Sequence[PastAlert]


@task(cache_policy=NO_CACHE)
def fetch_matters(as_at: datetime) -> AlertInput:
    """Return the exceptions that are open and not put aside, with the alerts that went out or wait to.

    Source: the ledger. What an exception says in its own words is left behind here: an alert has no use for it.
    """
    return matters_and_alerts(Settings.from_env(), as_at)


def matters_and_alerts(settings: Settings, as_at: datetime) -> AlertInput:
    """The same for a view, outside a run."""
    with connect.open_ledger(settings) as ledger:
        matters = [
            Matter(
                id=record.id,
                code=record.code,
                subject=record.subject,
                order_number=record.order_number,
                sku=record.sku,
                value_pence=record.value_at_risk_pence,
                currency=record.currency,
                since=record.first_seen_at,
            )
            for record in ledger.exceptions()
            if not record.is_resting(as_at)
        ]
        pause = timedelta(minutes=settings.alerts.pause_minutes)
        past = ledger.alerts_about([matter.id for matter in matters], since=as_at - pause)
    return AlertInput(matters, past)
