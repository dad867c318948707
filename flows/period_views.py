"""What people see of a period: its figures, who signed, what is carried, what changed after the lock."""

from dataclasses import dataclass, field
from typing import Any

from schemas.money import show
from schemas.periods import HASH_SHOWN, PeriodEvent, PeriodRecord, PriorItem
from schemas.vat_return import net_error_limit_pence, past_error_pence
from tasks import connect
from tasks.reconcile import period_steps
from tasks.settings import Settings

ITEMS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class PeriodView:
    """A period for a person: `prior_items` are changes of earlier periods that it takes, `later_items` those after its
    own lock.

    `past_error_pence` is the VAT by which earlier returns were wrong, by these. `problems` is what is wrong with its
    evidence; empty when all of it is as it was sealed.
    """

    name: str
    from_date: str
    to_date: str
    state: str
    revision: int
    figures_hash: str
    preparer: str
    approver: str
    pack: str
    pack_sha256: str
    figures: dict[str, Any] = field(default_factory=dict)
    past_error_pence: int = 0
    prior_items: list[dict[str, Any]] = field(default_factory=list)
    later_items: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PeriodCheck:
    """A locked period reconciled again: whether the hash is that of the lock, and what was not known before."""

    name: str
    is_same: bool
    locked_hash: str
    figures_hash: str
    new_items: list[dict[str, Any]]


def period(name: str) -> PeriodView:
    """Return a period from the ledger; raises NotFoundError when nobody previewed it yet."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        record = ledger.period(name)
        known = ledger.periods()
        waiting = [] if record.state == "locked" else ledger.prior_items(carried_into="")
        prior = [item for item in waiting if period_steps.is_for(record, item, known)]
        prior += ledger.prior_items(carried_into=name)
        later = ledger.prior_items(of=name)
        events = ledger.period_events(name)
        problems = period_steps.evidence_problems(ledger, name)
    return PeriodView(
        record.name,
        record.from_date.isoformat(),
        record.to_date.isoformat(),
        record.state,
        record.revision,
        record.figures_hash,
        record.preparer,
        record.approver,
        record.pack,
        record.pack_sha256,
        dict(record.figures),
        past_error_pence([item.change for item in prior]),
        [plain_item(item) for item in prior],
        [plain_item(item) for item in later],
        [_plain_event(event) for event in events],
        problems,
    )


def periods() -> list[dict[str, Any]]:
    """Return every period in one line each, oldest first."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        known = ledger.periods()
    return [
        {
            "name": each.name,
            "state": each.state,
            "revision": each.revision,
            "figures_hash": each.figures_hash,
            "preparer": each.preparer,
            "approver": each.approver,
            "locked_at": each.locked_at.isoformat() if each.locked_at else "",
        }
        for each in known
    ]


def check_of(record: PeriodRecord, figures_hash: str, new: list[PriorItem]) -> PeriodCheck:
    """Return what a check of a locked period found."""
    return PeriodCheck(
        record.name,
        figures_hash == record.figures_hash,
        record.figures_hash,
        figures_hash,
        [plain_item(item) for item in new],
    )


def plain_item(item: PriorItem) -> dict[str, Any]:
    """Return a prior-period item in plain values; amounts are changes since the lock, in pence."""
    change = item.change
    return {
        "item": item.item_id,
        "period": item.period,
        "side": change.side,
        "documents": change.level,
        "document": change.document_number,
        "order": change.order_key,
        "vat_rate": change.rate,
        "currency": change.currency,
        "kind": change.kind,
        "net_pence": change.net_pence,
        "vat_pence": change.vat_pence,
        "gross_pence": change.gross_pence,
        "found_at": item.found_at.isoformat(),
        "carried_into": item.carried_into,
    }


def _plain_event(event: PeriodEvent) -> dict[str, Any]:
    return {
        "at": event.at.isoformat(),
        "who": event.actor,
        "what": event.event,
        "text": event.text,
        "revision": event.revision,
        "figures_hash": event.figures_hash,
    }


def lines_of_text(view: PeriodView) -> list[str]:
    """Return a period for a person at a terminal."""
    signed = [f"{role} {who}" for role, who in (("preparer", view.preparer), ("approver", view.approver)) if who]
    lines = [
        f"period {view.name}, {view.from_date} to {view.to_date}, revision {view.revision}: {view.state}"
        + (f"; signed by {' and '.join(signed)}" if signed else ""),
        f"figures {view.figures_hash[:HASH_SHOWN] or '(no preview yet)'}",
        *_totals(view.figures),
        *([_open_points(view.figures)] if view.figures else []),
    ]
    lines += _boxes(view)
    lines += _items("changed in earlier periods after their lock", view.prior_items)
    lines += _items("changed in this period after its lock", view.later_items)
    if view.pack:
        lines.append(f"evidence pack {view.pack}, SHA-256 {view.pack_sha256}")
    lines += [f"WRONG: {problem}" for problem in view.problems]
    lines += [f"  {each['at'][:16]} {each['who']}: {each['what']} {each['text']}".rstrip() for each in view.history]
    return lines


def check_lines(check: PeriodCheck) -> list[str]:
    """Return what a check found for a person at a terminal."""
    if check.is_same:
        return [f"period {check.name}: the same figures, {check.locked_hash[:HASH_SHOWN]}"]
    hashes = f"locked {check.locked_hash[:HASH_SHOWN]}, now {check.figures_hash[:HASH_SHOWN]}"
    head = f"period {check.name}: figures changed after the lock ({hashes})"
    if not check.new_items:
        return [f"{head}; nothing that was not known already"]
    return [head, *_items("not known before", check.new_items)]


def markdown(view: PeriodView) -> str:
    """Return a period for the Prefect UI."""
    head, *rest = lines_of_text(view)
    return "\n".join([f"**{head}**", "", *(f"- {line.strip()}" for line in rest)])


def _totals(figures: dict[str, Any]) -> list[str]:
    return [
        f"{row['level']} in {row['side']}: {row['documents']}, net {show(row['net_pence'], row['currency'])},"
        f" VAT {show(row['vat_pence'], row['currency'])}, gross {show(row['gross_pence'], row['currency'])}"
        for row in figures.get("totals", [])
    ]


def _boxes(view: PeriodView) -> list[str]:
    lines = []
    for row in view.figures.get("vat_boxes", []):
        currency = row["currency"]
        sides = [
            f"{name} Box 1 {show(row[f'{side}_box_1_pence'], currency)},"
            f" Box 6 {show(row[f'{side}_box_6_pence'], currency)}"
            for name, side in (("Magento", "magento"), ("PRIMA", "prima"))
        ]
        lines.append(f"VAT return ({row['basis']}): {'; '.join(sides)}")
        if currency == "GBP":
            past, limit = view.past_error_pence, net_error_limit_pence(row["prima_box_6_pence"])
            verdict = "above it: notify" if abs(past) > limit else "within it"
            lines.append(
                f"VAT in which PRIMA differs from what was charged {show(row['net_error_pence'])}; errors of earlier"
                f" returns {show(past)}; limit of a correction on the next return {show(limit)}, {verdict}"
            )
    return lines


def _open_points(figures: dict[str, Any]) -> str:
    return (
        f"{figures['open_breaks']} breaks stay open and are carried, {figures['unexplained']} of them unexplained;"
        f" {figures['not_reconciled']} parts were not reconciled; PRIMA's figures: {figures['prima_evidence']}"
    )


def _items(title: str, items: list[dict[str, Any]]) -> list[str]:
    if not items:
        return []
    lines = [f"{len(items)} figures {title}:"]
    for each in items[:ITEMS_SHOWN]:
        carried = f", taken by {each['carried_into']}" if each["carried_into"] else ""
        rate = f" at {each['vat_rate']}%" if each["vat_rate"] else ""
        lines.append(
            f"  {each['period']}: {each['side']}, {each['documents']} {each['document']} of order {each['order']}{rate}"
            f" {each['kind']}: net {show(each['net_pence'], each['currency'])},"
            f" VAT {show(each['vat_pence'], each['currency'])}{carried}"
        )
    left = len(items) - ITEMS_SHOWN
    return [*lines, *([f"  and {left} more"] if left > 0 else [])]
