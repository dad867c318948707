"""Orders played again, as text and as JSON; what tells something about a person only when it is asked for."""

from collections.abc import Iterator
from typing import Any

from schemas.money import show
from schemas.replay import Replay, ReplayedRange


def as_plain(replay: Replay, *, with_customer: bool) -> dict[str, Any]:
    """Return a replay for JSON; what may tell something about a person only when it is asked for."""
    return {
        "order_number": replay.order_number,
        "order_number_prima": replay.order_number_prima,
        "source": replay.source,
        "verdict": replay.verdict,
        "decision": replay.decision,
        "was_posted": replay.was_posted,
        "sent_at": replay.sent_at,
        "differences": [
            {"attribute": name, "sent": sent, "now": now}
            for name, sent, now in rows_of(replay, with_customer=with_customer)
        ],
    }


def lines_of_text(replay: Replay, *, with_customer: bool) -> list[str]:
    """Return a replay as lines of text: the decision, then the differences, or the stored request as it is."""
    when = f"sent {replay.sent_at:%Y-%m-%d %H:%M} UTC" if replay.sent_at else "never sent"
    lines = [f"Order {replay.order_number}, PRIMA number {replay.order_number_prima or 'none yet'}, {when}"]
    lines += [f"Decision: {replay.decision}", ""]
    rows = list(rows_of(replay, with_customer=with_customer))
    if rows and replay.sent_at:
        lines += ["Differs:", *(f"  {name}: {sent or '(empty)'} -> {now or '(empty)'}" for name, sent, now in rows)]
    elif replay.sent_at and replay.attributes:
        lines.append("Nothing differs from what was sent.")
    if replay.source == "evidence" or not replay.sent_at:
        shown = [(each.name, each.shown(with_customer=with_customer)[1]) for each in replay.attributes]
        lines += ["", "The request:", *(f"  {name}: {value}" for name, value in shown if value)]
    return lines


def rows_of(replay: Replay, *, with_customer: bool) -> Iterator[tuple[str, str, str]]:
    """Yield name, sent and now of each attribute that differs."""
    for each in replay.differences:
        sent, now = each.shown(with_customer=with_customer)
        yield each.name, sent, now


def range_as_plain(found: ReplayedRange, *, with_customer: bool) -> dict[str, Any]:
    """Return a replayed range for JSON: every verdict with its order numbers, every order that differs."""
    return {
        "source": found.source,
        "from_date": found.from_date,
        "to_date": found.to_date,
        "verdicts": [
            {
                "verdict": each.name,
                "currency": each.currency,
                "orders": each.count,
                "gross_pence": each.gross_pence,
                "vat_pence": each.vat_pence,
                "order_numbers": list(each.order_numbers),
            }
            for each in found.verdicts
        ],
        "differing_by_attribute": dict(found.by_attribute),
        "differing": [as_plain(each, with_customer=with_customer) for each in found.differing],
        "posted": list(found.posted),
        "missing": list(found.missing),
        "unreadable": list(found.unreadable),
    }


def range_as_text(found: ReplayedRange, *, with_customer: bool) -> list[str]:
    """Return a replayed range as lines of text: verdicts, attributes that differ, then order by order."""
    lines = [
        f"{each.name}: {each.count} orders, {show(each.gross_pence, each.currency)}, "
        f"VAT {show(each.vat_pence, each.currency)}"
        for each in found.verdicts
    ] or ["No orders."]
    if found.posted:
        lines.append(f"Posted by this run: {', '.join(found.posted)}")
    if found.missing:
        lines.append(f"Nobody knows: {', '.join(found.missing)}")
    if found.unreadable:
        lines.append(f"Magento does not hand out the orders with entity id {', '.join(map(str, found.unreadable))}")
    lines += ["", f"{len(found.differing)} orders would be sent otherwise than they were:" if found.differing else ""]
    lines += [f"  {name}: {count} orders" for name, count in found.by_attribute.items()]
    for each in found.differing:
        lines += ["", f"  Order {each.order_number}: {each.decision}"]
        rows = rows_of(each, with_customer=with_customer)
        lines += [f"    {name}: {sent or '(empty)'} -> {now or '(empty)'}" for name, sent, now in rows]
    return lines
