"""Acts of the exceptions desk after which something runs again: retry, and map with what waits for the mapping."""

from prefect import flow

from flows.desk import desk_after_run
from flows.exceptions_acts import done
from flows.rerunning import run_again
from schemas.desk import ActPlan, ActResult, Which
from tasks.decide import acts as decide
from tasks.errors import SystemUnavailableError
from tasks.extract import items as extract_items
from tasks.extract.desk import fetch_cases, fetch_mappable, fetch_waiting_for_mapping
from tasks.record import acts as record


@flow(name="exceptions-retry", description="Run again what exceptions are about, from a fresh read of both systems.")
@desk_after_run("exceptions-retry")
def retry_exceptions(which: Which, by: str, because: str = "", dry_run: bool = False) -> ActResult:
    """Run again what exceptions are about: carry the orders, write the stock, run the flow that would close them.

    Args:
        which: The exceptions that are meant: by number, or every open one that fits the filters.
        by: Who wants it; kept in the history.
        because: What was put right before; kept in the history. No personal data of customers.
        dry_run: Only list what would be run again.

    Everything is read anew: stock, prices and orders as they were then are never written. An order that PRIMA has or
    may have is not sent again. Raises ConfigurationError when nobody is named, nothing is meant, or nothing can be run
    again for a single exception; SystemUnavailableError at the end when a system was out of reach.
    """
    decide.checked(which, "retry", by, because, needs_reason=False)
    plan = decide.retry(fetch_cases(which))
    result = done(which, plan, by, dry_run, lambda: record.record_retried(plan, by.strip(), because.strip()))
    return result if dry_run else after(plan, result, by.strip())


@flow(name="exceptions-map", description="A SKU, carrier, payment or shipping method stands for one that is known.")
@desk_after_run("exceptions-map")
def map_exception(number: int, stands_for: str, by: str, because: str = "", dry_run: bool = False) -> ActResult:
    """Let the name that an exception lacks stand for one that is known, and run again everything that waits for it.

    Args:
        number: The exception: SKU_UNKNOWN, SKU_CASE, SKU_AMBIGUOUS, CARRIER_UNKNOWN, PAYMENT_UNMAPPED or
            DELIVERY_UNMAPPED. Every other open exception about the same name is meant as well.
        stands_for: A SKU that PRIMA has one item for; or a carrier, payment or shipping method of the settings.
        by: Who decides; kept with the mapping.
        because: Why; kept with the mapping. No personal data of customers.
        dry_run: Only list what would be done.

    The mapping counts for everything later, until it is withdrawn; what the settings say wins over it. Raises
    ConfigurationError with why when it does not fit; SystemUnavailableError at the end when a system was out of reach:
    the mapping is kept then.
    """
    which = Which(numbers=[number])
    decide.checked(which, "map", by, because, needs_reason=False)
    (case,) = fetch_cases(which)
    kind, wanted = case.reason.mapping, stands_for.strip()
    items = extract_items.fetch_items() if kind == "sku" else None
    known, decided = fetch_mappable(kind, wanted, items) if kind else (set(), set())
    meant = decide.meant(case, wanted, known, decided)
    plan = decide.mapped(meant, fetch_waiting_for_mapping(meant.kind))
    result = done(which, plan, by, dry_run, lambda: record.record_mapped(plan, meant, by.strip(), because.strip()))
    return result if dry_run else after(plan, result, by.strip())


def after(plan: ActPlan, result: ActResult, by: str) -> ActResult:
    """Run again what was planned and show what became of it."""
    problems = run_again(decide.rerun(plan), by)
    result = record.record_outcome(result, problems)
    record.show_act(result)
    if problems:
        raise SystemUnavailableError("; ".join(problems), system="magento-prima", operation=f"exceptions {plan.act}")
    return result
