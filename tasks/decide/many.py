"""Decisions about many exceptions at once: which suggestions are accepted, which orders released or refused. Pure."""

from collections.abc import Collection, Mapping, Sequence

from schemas.desk import ActPlan, Case, Meant
from schemas.fixes import fix_of, likeliest
from schemas.order_checks import REFUSED
from tasks.decide.acts import mapped, meant, planned
from tasks.errors import ConfigurationError

# What a mapping may lead to, and what the settings decide themselves, as `fetch_mappable` returns them.
Known = tuple[Collection[str], Collection[str]]


def suggested(cases: Sequence[Case]) -> list[Meant]:
    """Return what is suggested for the open ones of these exceptions, each mapping once."""
    found = (_suggested(case) for case in cases if case.is_open)
    return list(dict.fromkeys(each for each in found if each is not None))


def accept(
    cases: Sequence[Case], known: Mapping[Meant, Known], waiting: Sequence[Case]
) -> tuple[ActPlan, dict[Meant, ActPlan]]:
    """Return what accepting the suggestions of these exceptions would do, and for each mapping what waits for it.

    `known` are the names of each suggestion's kind, `waiting` all open exceptions that a mapping of these kinds solves.
    """
    meanings: dict[tuple[str, str], set[str]] = {}
    for each in suggested(cases):
        meanings.setdefault((each.kind, each.key), set()).add(each.meant)

    def fit(case: Case) -> tuple[str, str]:
        wanted = _suggested(case)
        fix = fix_of(case.number, case.code, case.sku, case.suggestions)
        by_itself = f"decide it by itself: magento-prima exceptions map {case.number}"
        if case.reason.mapping is None:
            return "", f"nothing is mapped for {case.code}"
        if wanted is None or fix is None:
            return "", f"nothing is suggested for it; {by_itself}"
        if fix.confidence == "low" or len(meanings[wanted.kind, wanted.key]) > 1:
            return "", f"what is suggested is not sure ({', '.join(case.suggestions)}); {by_itself}"
        try:
            meant(case, wanted.meant, *known[wanted])
        except ConfigurationError as error:
            return "", error.message
        return str(wanted), ""

    plan = planned("accept", cases, fit)
    mappings = {each: mapped(each, waiting) for each in suggested([case for case, _ in plan.to_do])}
    return ActPlan("accept", tuple(row for each in mappings.values() for row in each.to_do), plan.refused), mappings


def release(cases: Sequence[Case]) -> ActPlan:
    """Let the orders of these exceptions pass the checks that hold them."""

    def fit(case: Case) -> tuple[str, str]:
        if case.reason.hold == "stock snapshot":
            return "", "it is released by its number, after a look at its figures: magento-prima stock-brake show"
        if case.reason.hold and case.order_state not in ("held", "refused"):
            return "", f"order {case.order_number} is {case.order_state or 'not known'}: no check holds it"
        return f"release order {case.order_number}, and carry it from a fresh read of Magento", ""

    return planned("release", cases, fit)


def refuse(cases: Sequence[Case]) -> ActPlan:
    """Keep the orders of these exceptions, which checks hold, from PRIMA for good."""

    def fit(case: Case) -> tuple[str, str]:
        if case.reason.hold == "stock snapshot":
            return "", "it is refused by its number, after a look at its figures: magento-prima stock-brake show"
        if case.code == REFUSED:
            return "", "it is refused already: cancel the order in Magento, or release it"
        if case.reason.hold and case.order_state not in ("held", "refused"):
            return "", f"order {case.order_number} is {case.order_state or 'not known'}: no check holds it"
        return f"order {case.order_number} does not go to PRIMA", ""

    return planned("refuse", cases, fit)


def _suggested(case: Case) -> Meant | None:
    name = likeliest(case.code, case.suggestions)
    kind = case.reason.mapping
    return Meant(kind, case.key, name) if kind and case.key and name else None
