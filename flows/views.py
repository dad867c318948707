"""What the command line shows of exceptions and suggestions, as plain values; the ledger is the source."""

import json
from datetime import UTC, datetime
from typing import Any

from schemas.desk import Which
from schemas.fixes import fix_of
from schemas.mapped import MAPPED
from schemas.money import pounds_text
from schemas.reasons import Reason, reason_or_former
from schemas.reasons_page import VALUES, escalation
from tasks import connect
from tasks.extract.desk import cases_of
from tasks.settings import Settings
from tasks.systems.ledger.records import ExceptionEvent, ExceptionRecord


def exceptions(
    settings: Settings,
    *,
    state: str = "open",
    code: str | None = None,
    owner: str | None = None,
    which: Which | None = None,
    with_resting: bool = True,
) -> list[dict[str, Any]]:
    """Return exceptions, the most valuable first: number, code, owner, order, SKU, pence at risk, age, what to do.

    `which` filters further; without `with_resting` those that are snoozed or ignored are left out.
    """
    now = datetime.now(UTC)
    with connect.open_ledger(settings) as ledger:
        found = ledger.exceptions(state=state, code=code, owner=owner)  # type: ignore[arg-type]
        if which is not None and not which.is_empty:
            meant = {case.number for case in cases_of(ledger, found, settings) if which.fits(case, now)}
            found = [note for note in found if note.id in meant]
    rows = [exception_view(each, now) for each in found if with_resting or not each.is_resting(now)]
    return sorted(rows, key=lambda row: (-row["value_at_risk_pence"], row["first_seen_at"], row["code"]))


def exception(settings: Settings, number: int) -> dict[str, Any] | None:
    """Return one exception with its history, by its number; None when there is none."""
    with connect.open_ledger(settings) as ledger:
        found = ledger.exceptions(state="all", number=number)
        if not found:
            return None
        events = ledger.exception_events(number)
    return {**exception_view(found[0], datetime.now(UTC)), "history": [event_view(each) for each in events]}


def event_view(event: ExceptionEvent) -> dict[str, Any]:
    """Return one line of the history of an exception."""
    return {"at": _time(event.at), "actor": event.actor, "event": event.event, "text": history_text(event)}


def history_text(event: ExceptionEvent) -> str:
    """Return what happened in words: what a changed exception was before is kept as JSON."""
    if event.event != "changed":
        return event.text
    before = json.loads(event.text)
    return f"before: {before.get('detail', '')}, {pounds_text(before.get('value_at_risk_pence', 0))} at risk"


def code_view(reason: Reason) -> dict[str, Any]:
    """Return what the table of reasons says of a code, in the words of the handbook."""
    return {
        "code": reason.code,
        "sentence": reason.sentence,
        "owner": reason.owner,
        "severity": reason.severity,
        "value_at_risk": VALUES[reason.value_rule],
        "next_person": escalation(reason),
        "next_step": reason.next_step,
        "may": list(reason.may),
        "acts": list(reason.acts),
        "anchor": reason.anchor,
    }


def accepted_suggestions(settings: Settings) -> list[dict[str, Any]]:
    """Return every name that a person let stand for another: SKUs, then carriers, payments, charges, oldest first."""
    with connect.open_ledger(settings) as ledger:
        found = [(kind, each) for kind, name in MAPPED.items() for each in ledger.mapping_history(name)]
    return [
        {
            "kind": kind,
            "sku": each.key,
            "meant": each.value["sku" if kind == "sku" else "meant"],
            "why": each.value["why"],
            "set_by": each.set_by,
            "set_at": _time(each.set_at),
            "ended_by": each.ended_by,
            "ended_at": _time(each.ended_at),
        }
        for kind, each in found
    ]


def exception_view(each: ExceptionRecord, now: datetime) -> dict[str, Any]:
    """Return one exception: code, owner, order, SKU, pence at risk, age and what to do."""
    reason = reason_or_former(each.code)
    fix = fix_of(each.id, each.code, each.sku, each.suggestions)
    return {
        "number": each.id,
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
        "assigned_to": each.assigned_to,
        "snoozed_until": _time(each.snoozed_until),
        "ignored_at": _time(each.ignored_at),
        "is_resting": each.is_resting(now),
        "fix": {"text": fix.text, "confidence": fix.confidence, "command": fix.command} if fix else None,
        "acts": list(reason.acts),
        "may": list(reason.may),
        "anchor": each.anchor,
        "closed_at": _time(each.closed_at),
        "closed_by": each.closed_by,
    }


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
