"""Acts of the exceptions desk that change nothing in either system: each a form in the Prefect UI and a command."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from prefect import flow

from flows.desk import desk_after_run
from schemas.desk import ActPlan, ActResult, Which
from tasks.decide import acts as decide
from tasks.errors import ConfigurationError
from tasks.extract.desk import fetch_cases
from tasks.record import acts as record

LONDON = ZoneInfo("Europe/London")


@flow(name="exceptions-assign", description="Give exceptions to a person, or back to their team.")
@desk_after_run("exceptions-assign")
def assign_exceptions(which: Which, to: str, by: str, because: str = "", dry_run: bool = False) -> ActResult:
    """Give exceptions to a person; lists, the desk page and the daily report show who has them.

    Args:
        which: The exceptions that are meant: by number, or every open one that fits the filters.
        to: Who has them from now on; empty gives them back to the team that owns their code.
        by: Who assigns them; kept in the history.
        because: A remark for the one who gets them. No personal data of customers.
        dry_run: Only list what would be done.

    Raises ConfigurationError when nobody is named, nothing is meant, or a single exception cannot be assigned.
    """
    decide.checked(which, "assign", by, because, needs_reason=False)
    plan = decide.assign(fetch_cases(which), to.strip())
    return done(which, plan, by, dry_run, lambda: record.record_assigned(plan, to.strip(), by.strip(), because.strip()))


@flow(name="exceptions-comment", description="Keep a remark in the history of exceptions.")
@desk_after_run("exceptions-comment")
def comment_on_exceptions(which: Which, text: str, by: str, dry_run: bool = False) -> ActResult:
    """Keep a remark in the history of exceptions.

    Args:
        which: The exceptions that are meant: by number, or every open one that fits the filters.
        text: The remark. No personal data of customers.
        by: Who says so; kept in the history.
        dry_run: Only list what would be done.

    Raises ConfigurationError when there is no text, nobody is named, or nothing is meant.
    """
    decide.checked(which, "comment", by, text, needs_reason=True)
    plan = decide.comment(fetch_cases(which), text.strip())
    return done(which, plan, by, dry_run, lambda: record.record_comment(plan, by.strip(), text.strip()))


@flow(name="exceptions-snooze", description="Let exceptions rest until a time: no list, page or alert names them.")
@desk_after_run("exceptions-snooze")
def snooze_exceptions(which: Which, until: datetime, by: str, because: str, dry_run: bool = False) -> ActResult:
    """Let exceptions rest until a time. Runs go on looking at what they are about, and close them when it is over.

    Args:
        which: The exceptions that are meant: by number, or every open one that fits the filters.
        until: When they come back; up to 90 days ahead, critical ones up to 24 hours. Without a time zone: London's.
        by: Who decides; kept in the history.
        because: Why they may rest; kept in the history. No personal data of customers.
        dry_run: Only list what would be done.

    Raises ConfigurationError when nobody or no reason is named, nothing is meant, or a single exception may not rest
    so long.
    """
    decide.checked(which, "snooze", by, because, needs_reason=True)
    until = until if until.tzinfo else until.replace(tzinfo=LONDON)
    until = until.astimezone(UTC)
    plan = decide.snooze(fetch_cases(which), until, datetime.now(UTC))
    return done(which, plan, by, dry_run, lambda: record.record_snoozed(plan, until, by.strip(), because.strip()))


@flow(name="exceptions-ignore", description="Leave exceptions as they are, with a reason, until more is at risk.")
@desk_after_run("exceptions-ignore")
def ignore_exceptions(which: Which, by: str, because: str, dry_run: bool = False) -> ActResult:
    """Leave exceptions as they are: they stand in no list until more is at risk. What they hold stays held.

    Args:
        which: The exceptions that are meant: by number, or every open one that fits the filters.
        by: Who decides; kept in the history.
        because: Why nothing is to be done; kept in the history. No personal data of customers.
        dry_run: Only list what would be done.

    Raises ConfigurationError when nobody or no reason is named, nothing is meant, or a single exception may not be
    ignored: unknown outcomes, lost figures and overdue refunds never are.
    """
    decide.checked(which, "ignore", by, because, needs_reason=True)
    plan = decide.ignore(fetch_cases(which))
    return done(which, plan, by, dry_run, lambda: record.record_ignored(plan, by.strip(), because.strip()))


@flow(name="exceptions-close", description="Close exceptions of which no run can tell that they are over.")
@desk_after_run("exceptions-close")
def close_exceptions(which: Which, by: str, because: str, dry_run: bool = False) -> ActResult:
    """Close exceptions that only a person can tell to be over, such as a shipment that was put right by hand.

    Args:
        which: The exceptions that are meant: by number, or every open one that fits the filters.
        by: Who closes them; kept in the history.
        because: What was done about it; kept in the history. No personal data of customers.
        dry_run: Only list what would be done.

    Raises ConfigurationError when nobody or no reason is named, nothing is meant, or a single exception closes itself.
    """
    decide.checked(which, "close", by, because, needs_reason=True)
    plan = decide.close(fetch_cases(which))
    return done(which, plan, by, dry_run, lambda: record.record_closed(plan, by.strip(), because.strip()))


def done(which: Which, plan: ActPlan, by: str, dry_run: bool, act: Callable[[], ActResult]) -> ActResult:
    """Do what was planned, or show it; raises ConfigurationError when the one exception that is meant does not fit."""
    if which.is_one and plan.refused:
        (_, why) = plan.refused[0]
        raise ConfigurationError(
            f"{why}.".replace("..", "."),
            system="magento-prima",
            operation=f"exceptions {plan.act}",
            reference=f"exception {which.numbers[0]}",
        )
    result = record.preview(plan, by.strip()) if dry_run else act()
    record.show_act(result)
    return result
