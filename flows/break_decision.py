"""A person decides about a break of the reconciliation, or what is tolerated: with name and reason, from a form."""

from dataclasses import dataclass
from typing import Literal

from prefect import flow

from flows import break_views
from flows.desk import desk_after_run
from tasks.errors import ConfigurationError
from tasks.settings import Settings

Decision = Literal["assign", "comment", "acceptance", "journal"]


@dataclass(frozen=True, slots=True)
class Decided:
    """What was kept: the number of the break or the version of the policy, and one sentence."""

    number: int
    sentence: str


@flow(name="break decision", description="Assign, comment on, accept or journal a break of the reconciliation.")
@desk_after_run("break-decision")
def decide_break(break_id: int, decision: Decision, text: str, by: str) -> Decided:
    """Keep what a person decides about a break.

    Args:
        break_id: The number of the break, as `magento-prima breaks list` and the report show it.
        decision: Assign or comment on it; close it by acceptance, or by the journal that corrects it in the accounts.
        text: Who looks into it; the remark; why it is accepted; or the journal's reference.
        by: Who decides; kept in the history of the break.

    Accepted or journalled, it stays closed for as long as its figures stay. Raises ConfigurationError without a text
    or a name, NotFoundError for an unknown break, LedgerStateError for one that is closed.
    """
    if not text.strip() or not by.strip():
        raise ConfigurationError(
            "text and by must be given: a decision is kept with a name and a reason.",
            system="magento-prima",
            operation=decision,
            reference=str(break_id),
        )
    settings = Settings.from_env()
    if decision == "assign":
        break_views.assign(settings, break_id, text.strip(), by.strip())
    elif decision == "comment":
        break_views.comment(settings, break_id, text.strip(), by.strip())
    else:
        break_views.settle(settings, break_id, decision, text.strip(), by.strip())
    return Decided(break_id, f"break {break_id}: {decision}, {text.strip()}")


@flow(name="tolerance", description="Put a new version of the reconciliation's tolerance policy in force.")
def decide_tolerance(
    by: str,
    why: str,
    order_pence: int = 0,
    line_pence: int | None = None,
    day_pence: int | None = None,
    methods: list[str] | None = None,
    materiality_pence: int = 0,
) -> Decided:
    """Keep a new version with who, when and why; the next run of `reconciliation` applies it.

    Args:
        by: Who sets it; kept with the version.
        why: Why; kept with the version, for the auditors.
        order_pence: The largest difference of one document that is tolerated, in pence.
        line_pence: The largest difference of one line, in pence; empty for no limit of its own.
        day_pence: The largest sum of tolerated differences of a day and currency, in pence; empty for no limit.
        methods: Only breaks of these causes, such as ROUNDING_METHOD; without any, of every cause.
        materiality_pence: Breaks below so many pence are marked as not material.

    Raises ConfigurationError for a policy that makes no sense.
    """
    try:
        version = break_views.set_tolerance(
            Settings.from_env(),
            order_pence=order_pence,
            line_pence=line_pence,
            day_pence=day_pence,
            methods=tuple(methods or ()),
            materiality_pence=materiality_pence,
            by=by,
            because=why,
        )
    except ValueError as error:
        raise ConfigurationError(f"{error}.", system="magento-prima", operation="tolerance") from error
    return Decided(version, f"tolerance policy {version} is in force")
