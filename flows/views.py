"""What the command line shows of an order and the exceptions, as plain values; the ledger is the source."""

from datetime import UTC, datetime
from typing import Any

from schemas.money import show
from tasks import connect
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.records import ExceptionRecord, OrderRecord


def exceptions(
    settings: Settings, *, state: str = "open", code: str | None = None, owner: str | None = None
) -> list[dict[str, Any]]:
    """Return exceptions, the most valuable first: code, owner, order, SKU, pence at risk, age and what to do."""
    with connect.open_ledger(settings) as ledger:
        found = ledger.exceptions(state=state, code=code, owner=owner)  # type: ignore[arg-type]
    now = datetime.now(UTC)
    rows = [_exception(each, now) for each in found]
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


def order(settings: Settings, number: str) -> dict[str, Any] | None:
    """Return everything the ledger knows of an order, without personal data; None when it was never seen.

    `number` is Magento's increment id or PRIMA's number.
    """
    with connect.open_ledger(settings) as ledger:
        found = ledger.order(number) or ledger.order_by_prima_number(number)
        if found is None:
            return None
        return {
            "order_number": found.order_number,
            "order_number_prima": found.order_number_prima,
            "entity_id_magento": found.entity_id_magento,
            "state": found.state,
            "state_magento": found.state_magento,
            "status_magento": found.status_magento,
            "currency": found.currency,
            "net_pence": found.net_pence,
            "vat_pence": found.vat_pence,
            "gross_pence": found.gross_pence,
            "lines": [
                {
                    "line_number": line.line_number,
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "quantity_shipped": line.quantity_shipped,
                    "quantity_cancelled": line.quantity_cancelled,
                    "quantity_refunded": line.quantity_refunded,
                    "vat_pence": line.vat_pence,
                    "gross_pence": line.gross_pence,
                }
                for line in found.lines
            ],
            "timeline": _timeline(ledger, found),
            "exceptions": [
                _exception(each, datetime.now(UTC))
                for each in ledger.exceptions(state="all", order_number=found.order_number)
            ],
        }


def order_lines_of_text(view: dict[str, Any]) -> list[str]:
    """Return an order's view as lines of text."""
    money = view["currency"]
    lines = [
        f"Order {view['order_number']} is {view['state']} here, {view['state_magento']} in Magento, "
        f"PRIMA number {view['order_number_prima'] or 'none yet'}",
        f"Total {show(view['gross_pence'], money)}, VAT {show(view['vat_pence'], money)}",
        "",
    ]
    lines += [
        f"  {line['line_number']:>3}  {line['quantity']} x {line['sku']}  {show(line['gross_pence'], money)} "
        f"(VAT {show(line['vat_pence'], money)}), shipped {line['quantity_shipped']}"
        for line in view["lines"]
    ]
    lines += ["", *(f"  {event['at']}  {event['system']:<12} {event['what']}" for event in view["timeline"])]
    for each in view["exceptions"]:
        lines += [
            "",
            f"  {each['state']}: {each['code']} ({each['owner']}): {each['sentence']}",
            f"    {each['detail']}",
        ]
        if each["state"] == "open":
            lines.append(f"    Next: {each['next_step']}")
    return lines


def _timeline(ledger: Ledger, found: OrderRecord) -> list[dict[str, str]]:
    events = [(found.placed_at, "Magento", "placed")]
    if found.seen_at:
        events.append((found.seen_at, "magento-prima", "seen"))
    subjects = [f"order {found.order_number}"]
    for link in ledger.dispatch_links_of(found.order_number):
        subjects.append(f"dispatch {link.dispatch_number}")
    for subject in subjects:
        for posting in ledger.postings_of(subject):
            how = posting.state + (f", {posting.error_code}" if posting.error_code else "")
            reference = f" {posting.reference}" if posting.reference else ""
            what = f"{posting.operation}{reference} ({subject}): {how}"
            events.append((posting.finished_at or posting.begun_at, posting.system, what))
    if found.accepted_at:
        events.append((found.accepted_at, "PRIMA", f"accepted as {found.order_number_prima}"))
    return [{"at": _time(at) or "", "system": system, "what": what} for at, system, what in sorted(events)]


def _exception(each: ExceptionRecord, now: datetime) -> dict[str, Any]:
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
