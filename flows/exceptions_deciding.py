"""Acts of the desk that decide for many at once: accept what is suggested, release or refuse what checks hold."""

from dataclasses import replace

from prefect import flow

from flows.desk import desk_after_run
from flows.exceptions_acts import done
from flows.exceptions_retry import after
from schemas.desk import ActPlan, ActResult, Which
from tasks.decide import acts as decide
from tasks.decide import many
from tasks.errors import ConfigurationError
from tasks.extract import items as extract_items
from tasks.extract.desk import fetch_cases, fetch_mappable, fetch_waiting_for_mapping
from tasks.record import acts as record
from tasks.record import releases


@flow(name="exceptions-accept", description="Names that exceptions lack stand for what is suggested for each of them.")
@desk_after_run("exceptions-accept")
def accept_suggestions(which: Which, by: str, because: str = "", dry_run: bool = False) -> ActResult:
    """Map each SKU, carrier, payment or shipping method to the one that is suggested, and run again what waits.

    Args:
        which: The exceptions that are meant: by number, or every open one that fits the filters.
        by: Who accepts; kept with each mapping.
        because: Why; kept with each mapping. No personal data of customers.
        dry_run: Only list what would be done.

    Refused, with why, is what nothing is suggested for, what is suggested with low confidence, and a name for which
    two are as likely: those take `exceptions map`. Every other open exception about an accepted name goes on as well.
    Raises ConfigurationError when nobody is named, nothing is meant or a single exception does not fit;
    SystemUnavailableError at the end when a system was out of reach: the mappings are kept then.
    """
    decide.checked(which, "accept", by, because, needs_reason=False)
    cases = fetch_cases(which)
    wanted = many.suggested(cases)
    kinds = {each.kind for each in wanted}
    items = extract_items.fetch_items() if "sku" in kinds else None
    known = {each: fetch_mappable(each.kind, each.meant, items) for each in wanted}
    plan, mappings = many.accept(cases, known, [case for kind in kinds for case in fetch_waiting_for_mapping(kind)])

    def act() -> ActResult:
        kept = [record.record_mapped(each, meant, by.strip(), because.strip()) for meant, each in mappings.items()]
        rows = tuple(row for result in kept for row in result.rows)
        return replace(record.acted(plan, by.strip(), []), rows=rows + record.refused_rows(plan))

    result = done(which, plan, by, dry_run, act)
    return result if dry_run else after(plan, result, by.strip())


@flow(name="exceptions-release", description="Orders go to PRIMA although a check holds them, each with who and why.")
@desk_after_run("exceptions-release")
def release_held(which: Which, by: str, because: str, dry_run: bool = False) -> ActResult:
    """Release what the orders of these exceptions are held for, and carry them from a fresh read of Magento.

    Args:
        which: The exceptions that are meant: by number, or every open one that fits the filters.
        by: Who releases; kept with each release and in the history.
        because: Why; kept with each. No personal data of customers.
        dry_run: Only list what would be done.

    Refused, with why, is what no check of an order holds; a held stock snapshot is released by its own number. Raises
    ConfigurationError when nobody or no reason is named, nothing is meant, or a single exception does not fit;
    SystemUnavailableError at the end when a system was out of reach: the releases are kept then.
    """
    decide.checked(which, "release", by, because, needs_reason=True)
    plan = many.release(fetch_cases(which))
    result = done(which, plan, by, dry_run, lambda: _released(plan, by.strip(), because.strip()))
    return result if dry_run else after(plan, result, by.strip())


@flow(name="exceptions-refuse", description="Orders that a check holds do not go to PRIMA, each with who and why.")
@desk_after_run("exceptions-refuse")
def refuse_held(which: Which, by: str, because: str, dry_run: bool = False) -> ActResult:
    """Keep the orders of these exceptions from PRIMA, until they are cancelled in Magento or somebody releases them.

    Args:
        which: The exceptions that are meant: by number, or every open one that fits the filters.
        by: Who refuses; kept with each refusal and in the history.
        because: Why; kept with each, and shown. No personal data of customers.
        dry_run: Only list what would be done.

    Each stays on the desk as REFUSED_BY_HAND: nothing is cancelled or paid back in Magento by it. Refused, with why, is
    what no check of an order holds; a held stock snapshot is refused by its own number. Raises ConfigurationError when
    nobody or no reason is named, nothing is meant, or a single exception does not fit; SystemUnavailableError at the
    end when Magento was out of reach: the refusals are kept then.
    """
    decide.checked(which, "refuse", by, because, needs_reason=True)
    plan = many.refuse(fetch_cases(which))
    result = done(which, plan, by, dry_run, lambda: _refused(plan, by.strip(), because.strip()))
    return result if dry_run else after(plan, result, by.strip())


def _refused(plan: ActPlan, by: str, because: str) -> ActResult:
    """Keep a refusal for each order of the plan; one that went on meanwhile is refused like the others."""
    numbers = sorted({case.order_number for case, _ in plan.to_do})
    held = {number for number in numbers if releases.record_refusal(number, by, because)}
    return record.acted(plan, by, [case.number for case, _ in plan.to_do if case.order_number in held])


def _released(plan: ActPlan, by: str, because: str) -> ActResult:
    """Keep a release for each order of the plan; one that went on meanwhile is refused like the others."""
    held = {case.order_number for case, _ in plan.to_do}
    for number in sorted(held):
        try:
            releases.record_release(number, by, because)
        except ConfigurationError:
            held.discard(number)
    return record.acted(plan, by, [case.number for case, _ in plan.to_do if case.order_number in held])
