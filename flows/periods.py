"""Closing a month or a VAT quarter: preview, sign-off by two people, lock, check after the lock, reopening.

Each is a deployment with a form in the Prefect UI, and a command of `magento-prima period`.
"""

from pathlib import Path

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput

from flows import period_views
from flows.reconciliation import reconcile
from schemas.periods import ClosingPeriod, Role, closing_period
from tasks.errors import ConfigurationError
from tasks.reconcile import period_steps

SECONDS_TO_SIGN = 3600


class Signature(RunInput):
    """What the form of a sign-off asks for."""

    by: str
    comment: str = ""


def named(period: str) -> ClosingPeriod:
    """Return the period of a name; raises ConfigurationError, which says how periods are named."""
    try:
        return closing_period(period)
    except ValueError as error:
        raise ConfigurationError(f"{error}.", system="magento-prima", operation="period") from error


@flow(name="period-preview", description="Reconcile a month or a VAT quarter, and show what would be signed.")
def preview_period(period: str, by: str) -> period_views.PeriodView:
    """Reconcile the period, freeze its figures, and keep them in the ledger for the signatures.

    Args:
        period: 2026-11 for a month, vat-2026-11 for the VAT quarter that ends with November 2026.
        by: Who asks for it.

    The last locked period before it is compared with its lock first, so that what changed there since is shown here.
    Signatures that stood on other figures are void. Raises LedgerStateError when the period is locked.
    """
    span = named(period)
    locked = period_steps.fetch_locked_before(span)
    if locked:
        _check(named(locked), by)
    run = reconcile(from_date=span.from_date, to_date=span.to_date)
    reports = {"report.html": Path(run.page), "workbook.xlsx": Path(run.workbook)}
    period_steps.freeze_period(span, run.batch_id, reports, by)
    return _shown(span.name)


@flow(name="period-sign-off", description="Sign the figures of a period's preview, as preparer or as approver.")
def sign_off_period(
    period: str, role: Role, by: str = "", figures_hash: str = "", comment: str = ""
) -> period_views.PeriodView:
    """Sign: the preparer first, then a different approver.

    Without a hash the run pauses: its form in the Prefect UI shows the figures of the last preview, asks for name and
    comment, and signs exactly what it showed. A run that nobody answers within the hour fails, and nothing is signed.

    Args:
        period: The name of the period.
        role: preparer or approver.
        by: Who signs. The approver must be somebody else than the preparer.
        figures_hash: The hash of the figures that were looked at, as the preview shows it (its first 12 characters do);
            empty to be shown them.
        comment: Needed when breaks are open or parts were not reconciled: why it may be signed all the same.
    """
    name = named(period).name
    if not figures_hash:
        signature, figures_hash = _signature(name, by, comment)
        by, comment = signature.by, signature.comment
    period_steps.sign(name, role, by, figures_hash, comment)
    return _shown(name)


@flow(name="period-lock", description="Lock a period that preparer and approver signed, and pack its evidence.")
def lock_period(period: str, by: str) -> period_views.PeriodView:
    """Lock the signed figures; whatever changes afterwards becomes a prior-period item of the next period.

    Args:
        period: The name of the period.
        by: Who locks it.
    """
    period_steps.lock(named(period).name, by)
    return _shown(named(period).name)


@flow(name="period-check", description="Reconcile a locked period again: the same figures, or what changed.")
def check_period(period: str, by: str) -> period_views.PeriodCheck:
    """Compare a locked period with its lock: the same hash, or which documents changed and by how much.

    Args:
        period: The name of the period.
        by: Who asks for it.

    What was not known yet is kept as prior-period items, which the next period takes when it is locked.
    """
    return _check(named(period), by)


@flow(name="period-reopen", description="Open a locked period again, with a reason; both must sign anew.")
def reopen_period(period: str, by: str, reason: str) -> period_views.PeriodView:
    """Open a locked period again; the reason is in the audit trail. The evidence of the earlier lock stays.

    Args:
        period: The name of the period.
        by: Who reopens it.
        reason: Why it is opened again; kept in the audit trail.
    """
    period_steps.reopen(named(period).name, by, reason)
    return _shown(named(period).name)


def _signature(name: str, by: str, comment: str) -> tuple[Signature, str]:
    """Show the figures of the last preview and wait for the form; return it and the hash of what was shown."""
    view = period_views.period(name)
    form = Signature.with_initial_data(description=period_views.markdown(view), by=by, comment=comment)
    return pause_flow_run(wait_for_input=form, timeout=SECONDS_TO_SIGN, poll_interval=2), view.figures_hash


def _check(span: ClosingPeriod, by: str) -> period_views.PeriodCheck:
    run = reconcile(from_date=span.from_date, to_date=span.to_date)
    record, figures_hash, new = period_steps.compare(span.name, run.batch_id, by)
    return period_views.check_of(record, figures_hash, new)


def _shown(name: str) -> period_views.PeriodView:
    view = period_views.period(name)
    create_markdown_artifact(
        key=f"period-{name}", markdown=period_views.markdown(view), description=f"Period {name}: {view.state}"
    )
    return view
