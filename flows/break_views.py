"""What the command line shows of breaks and the tolerance policy, and what people do about them; in the ledger."""

from datetime import UTC, datetime
from typing import Any, Literal

from schemas.breaks import KnownBreak, TolerancePolicy
from schemas.money import show
from tasks import connect
from tasks.reconcile.findings import CODES, subject_of
from tasks.settings import Settings

State = Literal["open", "settled", "all"]


def breaks(settings: Settings, state: str) -> list[dict[str, Any]]:
    """Return breaks, the most valuable first."""
    with connect.open_ledger(settings) as ledger:
        found = ledger.breaks(state)  # type: ignore[arg-type]
    return [_plain(each, datetime.now(UTC)) for each in found]


def one_break(settings: Settings, number: int) -> dict[str, Any]:
    """Return a break with its history; raises NotFoundError when there is none of that number."""
    with connect.open_ledger(settings) as ledger:
        found = ledger.break_by_id(number)
        events = ledger.break_events(number)
    history = [
        {"at": event.at.isoformat(), "who": event.actor, "what": event.event, "text": event.text} for event in events
    ]
    return {**_plain(found, datetime.now(UTC)), "history": history}


def assign(settings: Settings, number: int, owner: str, by: str) -> None:
    """Name who looks into a break."""
    with connect.open_ledger(settings) as ledger:
        ledger.assign_break(number, owner=owner, by=by)


def comment(settings: Settings, number: int, text: str, by: str, reason_code: str = "") -> None:
    """Keep a remark on a break."""
    with connect.open_ledger(settings) as ledger:
        ledger.comment_on_break(number, text=text, by=by, reason_code=reason_code)


def settle(settings: Settings, number: int, how: Literal["acceptance", "journal"], reference: str, by: str) -> None:
    """Close a break and its exception. Raises ValueError without who and why, LedgerStateError when it is closed."""
    with connect.open_ledger(settings) as ledger:
        ledger.settle_break(number, how, reference=reference, by=by)
        found = ledger.break_by_id(number)
        subjects = [subject_of(found.level, found.order_key)]
        ledger.close_exceptions(subjects=subjects, codes=CODES, by=by, note=f"{how}: {reference}")


def tolerance(settings: Settings) -> dict[str, Any]:
    """Return the policy in force and all versions, oldest first; version 0 is the settings file's."""
    from_settings = TolerancePolicy(order_pence=settings.reconciliation.tolerance_pence)
    with connect.open_ledger(settings) as ledger:
        versions = [from_settings, *ledger.tolerance_policies()]
    plain = [
        {name: getattr(each, name) for name in TolerancePolicy.__dataclass_fields__ if name != "set_at"}
        | {"set_at": each.set_at.isoformat() if each.set_at else ""}
        for each in versions
    ]
    return {"in_force": plain[-1], "versions": plain}


def set_tolerance(
    settings: Settings,
    *,
    order_pence: int,
    line_pence: int | None,
    day_pence: int | None,
    methods: tuple[str, ...],
    materiality_pence: int,
    by: str,
    because: str,
) -> int:
    """Put a policy in force; return its version. Raises ValueError for one that makes no sense."""
    policy = TolerancePolicy(
        order_pence=order_pence,
        line_pence=line_pence,
        day_pence=day_pence,
        methods=methods,
        materiality_pence=materiality_pence,
        set_by=by,
        set_because=because,
    )
    with connect.open_ledger(settings) as ledger:
        return ledger.set_tolerance_policy(policy).version


def lines_of_text(view: dict[str, Any]) -> list[str]:
    """Return a break for a person to read."""
    head = [
        f"break {view['break_id']}: {view['level']} of {view['order_key']}, {view['business_date']}",
        f"{view['status']}, {view['cause']}: {show(view['variance_pence'], view['currency'])},"
        f" VAT {show(view['vat_variance_pence'], view['currency'])}",
        f"open for {view['age_days']} days ({view['age_band']}), seen in {view['nights']} runs, with {view['owner']}",
        *([view["settled"]] if view["settled"] else []),
    ]
    return [*head, *(f"  {each['at'][:16]} {each['who']}: {each['what']} {each['text']}" for each in view["history"])]


def tolerance_lines(view: dict[str, Any]) -> list[str]:
    """Return the policy and its versions for a person to read."""
    return [_policy_line(each, each is view["versions"][-1]) for each in view["versions"]]


def _policy_line(policy: dict[str, Any], is_in_force: bool) -> str:
    limits = [f"{policy['order_pence']}p a document"]
    limits += [
        f"{policy[name]}p a {word}"
        for name, word in (("line_pence", "line"), ("day_pence", "day"))
        if policy[name] is not None
    ]
    causes = f", only for {', '.join(policy['methods'])}" if policy["methods"] else ""
    who = f"{policy['set_by']} {policy['set_at'][:16]}".strip()
    because = f": {policy['set_because']}" if policy["set_because"] else ""
    mark = " (in force)" if is_in_force else ""
    return (
        f"version {policy['version']}{mark}: {' and '.join(limits)}{causes};"
        f" material from {policy['materiality_pence']}p; set by {who}{because}"
    )


def _plain(found: KnownBreak, now: datetime) -> dict[str, Any]:
    values = {name: getattr(found, name) for name in KnownBreak.__dataclass_fields__}
    instants = {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime)}
    age = ((found.settled_at or now).date() - found.first_seen_at.date()).days
    settled = (
        f"closed by {found.settled_by} ({found.settled_who}): {found.settlement_reference}" if found.settled_by else ""
    )
    return {
        **values,
        **instants,
        "business_date": found.business_date.isoformat(),
        "age_days": age,
        "age_band": age_band(age),
        "settled": settled,
    }


def age_band(days: int) -> str:
    """Return the band of an age, as the reports cut it."""
    return next((band for limit, band in ((1, "0-1"), (7, "2-7"), (30, "8-30")) if days <= limit), "31+")
