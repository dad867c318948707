"""What the command line shows of exceptions and suggestions, as plain values; the ledger is the source."""

from datetime import UTC, datetime
from typing import Any

from tasks import connect
from tasks.settings import Settings
from tasks.systems.ledger.records import ExceptionRecord


def exceptions(
    settings: Settings, *, state: str = "open", code: str | None = None, owner: str | None = None
) -> list[dict[str, Any]]:
    """Return exceptions, the most valuable first: code, owner, order, SKU, pence at risk, age and what to do."""
    with connect.open_ledger(settings) as ledger:
        found = ledger.exceptions(state=state, code=code, owner=owner)  # type: ignore[arg-type]
    now = datetime.now(UTC)
    rows = [exception_view(each, now) for each in found]
    return sorted(rows, key=lambda row: (-row["value_at_risk_pence"], row["first_seen_at"], row["code"]))


def accepted_suggestions(settings: Settings) -> list[dict[str, Any]]:
    """Return every SKU that a person let stand for one of PRIMA's, oldest first, with who and when."""
    with connect.open_ledger(settings) as ledger:
        found = ledger.mapping_history("sku")
    return [
        {
            "sku": each.key,
            "meant": each.value["sku"],
            "why": each.value["why"],
            "set_by": each.set_by,
            "set_at": _time(each.set_at),
            "ended_by": each.ended_by,
            "ended_at": _time(each.ended_at),
        }
        for each in found
    ]


def exception_view(each: ExceptionRecord, now: datetime) -> dict[str, Any]:
    """Return one exception: code, owner, order, SKU, pence at risk, age and what to do."""
    return {
        "code": each.code,
        "owner": each.owner,
        "order_number": each.order_number,
        "sku": each.sku,
        "value_at_risk_pence": each.value_at_risk_pence,
        "currency": each.currency,
        "first_seen_at": _time(each.first_seen_at),
        "next_step": each.next_step,
        "subject": each.subject,
        "sentence": each.sentence,
        "detail": each.detail,
        "severity": each.severity,
        "suggestions": list(each.suggestions),
        "occurrences": each.occurrences,
        "age_hours": round(each.age(now).total_seconds() / 3600, 1),
        "state": each.state,
    }


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
