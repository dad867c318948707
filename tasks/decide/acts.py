"""Whether an act fits an exception, and what it would do. Pure: every act of the desk is checked here."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from schemas.desk import ActPlan, Case, Meant, Rerun, Which
from schemas.reasons import Act, Retry
from tasks.errors import ConfigurationError

# How long an exception may rest before it has to be looked at again.
LONGEST_REST = timedelta(days=90)
LONGEST_CRITICAL_REST = timedelta(hours=24)
IN_PRIMA = frozenset({"accepted", "part_dispatched", "dispatched", "closed", "cancelled"})
MAY_BE_IN_PRIMA = frozenset({"posting", "unknown"})
# Exceptions of one code may be about several kinds of things: what its subject begins with says which.
RETRY_OF_SUBJECT: dict[str, Retry] = {"dispatch": "dispatches", "credit": "refunds", "refund": "refunds"}
Fit = Callable[[Case], tuple[str, str]]


def checked(which: Which, act: Act, by: str, because: str, *, needs_reason: bool) -> None:
    """Raise ConfigurationError when nobody is named, or no reason where one is needed, or nothing is meant."""
    problems = []
    if which.is_empty:
        problems.append("name an exception by its number, or at least one filter: all at once is never meant")
    if not by.strip():
        problems.append("say who does it: it is kept in the history")
    if needs_reason and not because.strip():
        problems.append("say why: it is kept in the history")
    if problems:
        raise ConfigurationError(
            "; ".join(problems) + ".", problems=problems, system="magento-prima", operation=f"exceptions {act}"
        )


def assign(cases: Sequence[Case], to: str) -> ActPlan:
    """Give exceptions to a person; empty gives them back to their team."""

    def fit(case: Case) -> tuple[str, str]:
        if case.assigned_to == to:
            return "", f"it is with {to or 'its team'} already"
        return (f"to {to}" if to else f"back to {case.reason.owner}"), ""

    return planned("assign", cases, fit)


def comment(cases: Sequence[Case], text: str) -> ActPlan:
    """Add a remark to the history."""
    return planned("comment", cases, lambda _: (text, ""))


def snooze(cases: Sequence[Case], until: datetime, now: datetime) -> ActPlan:
    """Let exceptions rest until a time, not longer than their severity allows."""

    def fit(case: Case) -> tuple[str, str]:
        longest = LONGEST_CRITICAL_REST if case.reason.severity == "critical" else LONGEST_REST
        if until <= now:
            return "", f"{until:%Y-%m-%d %H:%M} UTC is past"
        if until - now > longest:
            return "", f"it is {case.reason.severity} and may rest until {now + longest:%Y-%m-%d %H:%M} UTC at most"
        return f"rests until {until:%Y-%m-%d %H:%M} UTC", ""

    return planned("snooze", cases, fit)


def ignore(cases: Sequence[Case]) -> ActPlan:
    """Leave exceptions as they are, until more is at risk."""

    def fit(case: Case) -> tuple[str, str]:
        if not case.reason.can_be_ignored:
            instead = "settle the break: magento-prima breaks" if case.code.startswith("RECON_") else "snooze it"
            return "", f"{case.code} is never ignored; {instead}"
        if case.ignored_at is not None:
            return "", "it is ignored already"
        return "left as it is until more is at risk", ""

    return planned("ignore", cases, fit)


def close(cases: Sequence[Case]) -> ActPlan:
    """Close exceptions of which no run can tell that they are over."""

    def fit(case: Case) -> tuple[str, str]:
        if not case.reason.is_closed_by_hand:
            return "", f"{case.code} closes itself when its cause is gone: retry it, or ignore it with a reason"
        return "closed", ""

    return planned("close", cases, fit)


def retry(cases: Sequence[Case]) -> ActPlan:
    """Run again what each exception is about, from a fresh read: what was read before is never written."""

    def fit(case: Case) -> tuple[str, str]:
        what = retry_of(case)
        if not what:
            return "", f"nothing can be run again for {case.code}: {case.reason.next_step}"
        if what == "order" and not case.order_number:
            return "", "it names no order; the next run of orders looks at it again"
        if what == "order" and case.order_state in IN_PRIMA:
            return "", f"order {case.order_number} is {case.order_state}: PRIMA has or had it, and it is not sent again"
        if what == "order" and case.order_state in MAY_BE_IN_PRIMA:
            return "run orders, which looks in PRIMA before anything is sent", ""
        return _words_of(case, what), ""

    return planned("retry", cases, fit)


def retry_of(case: Case) -> Retry:
    """Return what is run again about an exception."""
    what = case.reason.retry
    return RETRY_OF_SUBJECT.get(case.subject.partition(" ")[0], what) if what == "order" else what


def rerun(plan: ActPlan) -> Rerun:
    """Return everything that a plan runs again, each order, SKU and flow once."""
    orders, skus, flows = set(), set(), set()
    for case, _ in plan.to_do:
        what = retry_of(case)
        if what == "order" and case.order_state in MAY_BE_IN_PRIMA:
            flows.add("orders")
        elif what == "order":
            orders.add(case.order_number)
        elif what == "stock" and case.sku:
            skus.add(case.sku)
        else:
            flows.add(what)
    if "stock" in flows:
        skus.clear()  # the whole snapshot holds them
    return Rerun(tuple(sorted(orders)), tuple(sorted(skus)), tuple(sorted(flows)))


def meant(case: Case, stands_for: str, known: Collection[str], decided: Collection[str] = ()) -> Meant:
    """Return the mapping that an exception asks for; raises ConfigurationError with why when it does not fit.

    `known` are the names that it may be mapped to, `decided` those that the settings decide themselves.
    """
    kind = case.reason.mapping
    if not case.is_open:
        raise _refusal(case, "it is closed already.")
    if kind is None:
        raise _refusal(case, f"nothing is mapped for {case.code}. {case.reason.next_step}")
    if not case.key:
        raise _refusal(case, f"it does not tell which {kind} it is about.")
    if case.key in decided:
        raise _refusal(case, f"{kind} {case.key} stands in the settings by now: retry the exception instead.")
    if stands_for == case.key:
        raise _refusal(case, f"{kind} {case.key} cannot stand for itself.")
    if stands_for not in known:
        place = "is no SKU that PRIMA has exactly one item for" if kind == "sku" else "does not stand in the settings"
        some = ", ".join(sorted(known)[:10]) if kind != "sku" else ", ".join(case.suggestions)
        raise _refusal(case, f"{stands_for} {place}." + (f" Known: {some}." if some else ""))
    return Meant(kind, case.key, stands_for)


def mapped(wanted: Meant, cases: Sequence[Case]) -> ActPlan:
    """Return every open exception that waits for a mapping."""
    waiting = [case for case in cases if case.reason.mapping == wanted.kind and case.key == wanted.key]
    return planned("map", waiting, lambda case: (f"{wanted}; then {_words_of(case, retry_of(case))}", ""))


def _words_of(case: Case, what: Retry) -> str:
    if what == "order":
        return f"carry order {case.order_number} from a fresh read of Magento"
    if what == "stock" and case.sku:
        return f"read the stock of {case.sku} in PRIMA anew and write it"
    flow = {"stock": "inventory", "stock check": "stock-check", "figures": "verification", "dispatches": "fulfilment"}
    return f"run {flow.get(what, what)}"


def planned(act: Act, cases: Sequence[Case], fit: Fit) -> ActPlan:
    """Return what an act would do to each exception, by `fit`: in words, or why not. What is closed is refused."""
    to_do, refused = [], []
    for case in cases:
        text, why = fit(case) if case.is_open else ("", "it is closed already")
        if not why and act not in case.reason.acts:
            why = f"{act} does not fit {case.code}; these do: {', '.join(case.reason.acts)}"
        if why:
            refused.append((case, why))
        else:
            to_do.append((case, text))
    return ActPlan(act, tuple(to_do), tuple(refused))


def _refusal(case: Case, message: str) -> ConfigurationError:
    return ConfigurationError(
        message, system="magento-prima", operation="exceptions map", reference=f"exception {case.number}"
    )
