"""The steps of closing a period, each with its line in the ledger: freeze, sign, lock, check, reopen."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.periods import ClosingPeriod, PeriodRecord, PriorItem, Role, lock_problem
from tasks import connect
from tasks.errors import ConfigurationError, NotFoundError
from tasks.reconcile import closing, evidence_pack
from tasks.reconcile.period import london_today
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, LedgerStateError
from tasks.systems.ledger.periods import first_broken
from tasks.systems.warehouse import Warehouse


@task(cache_policy=NO_CACHE)
def fetch_locked_before(period: ClosingPeriod) -> str:
    """Return the name of the last locked period of its kind before a period; empty for none.

    Raises LedgerStateError when the period itself is locked: it is checked, not previewed.
    """
    with connect.open_ledger(Settings.from_env()) as ledger:
        known = ledger.periods()
    if any(each.name == period.name and each.state == "locked" for each in known):
        raise LedgerStateError(
            "it is locked.",
            system="ledger",
            operation="preview period",
            reference=period.name,
            next_step="Check it against its lock, or reopen it with a reason.",
        )
    earlier = [each for each in known if each.kind == period.kind and each.to_date < period.from_date]
    locked = [each for each in earlier if each.state == "locked"]
    return max(locked, key=lambda each: each.to_date).name if locked else ""


@task(cache_policy=NO_CACHE)
def freeze_period(period: ClosingPeriod, run_id: str, reports: Mapping[str, Path], by: str) -> PeriodRecord:
    """Freeze what a run found of a period, and keep the preview in the ledger."""
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        return preview(ledger, Warehouse(settings.warehouse.folder), period, run_id, reports, by)


def preview(
    ledger: Ledger, warehouse: Warehouse, period: ClosingPeriod, run_id: str, reports: Mapping[str, Path], by: str
) -> PeriodRecord:
    """Freeze a run in the folder of the period's revision, and record it. See `Ledger.preview_period`."""
    if not by.strip():
        raise ConfigurationError("nobody is named.", system="magento-prima", operation="preview period")
    try:
        revision = ledger.period(period.name).revision
    except NotFoundError:
        revision = 1
    frozen = closing.freeze(warehouse, period, run_id, revision, reports)
    return ledger.preview_period(
        period,
        figures_hash=frozen.figures_hash,
        run_id=run_id,
        folder=str(frozen.folder),
        figures=frozen.figures,
        by=by,
    )


@task(cache_policy=NO_CACHE)
def sign(name: str, role: Role, by: str, figures_hash: str, comment: str) -> PeriodRecord:
    """Put a signature on the figures of the last preview. See `Ledger.sign_period`."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return ledger.sign_period(name, role, by=by, figures_hash=figures_hash, comment=comment)


@task(cache_policy=NO_CACHE)
def lock(name: str, by: str) -> PeriodRecord:
    """Pack the evidence of a period that both have signed, and lock it."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return lock_signed(ledger, name, by, datetime.now(UTC))


def lock_signed(ledger: Ledger, name: str, by: str, now: datetime) -> PeriodRecord:
    """Pack and lock; nothing is locked when the frozen figures are not the signed ones.

    The pack holds the audit trail up to the lock; the line of the lock holds the pack's SHA-256.
    """
    record = ledger.period(name)
    problem = lock_problem(record, by, london_today(now), ledger.periods())
    if problem:
        raise LedgerStateError(f"{problem}.", system="ledger", operation="lock period", reference=name)
    folder = Path(record.folder)
    closing.check_frozen(folder, span_of(record), record.figures_hash)
    waiting = [item for item in ledger.prior_items(carried_into="") if is_for(record, item, ledger.periods())]
    pack, sha256 = evidence_pack.write(record, folder, ledger.period_events(name), waiting)
    return ledger.lock_period(name, by=by, today=london_today(now), pack=str(pack), pack_sha256=sha256)


def is_for(record: PeriodRecord, item: PriorItem, known: list[PeriodRecord]) -> bool:
    """Tell whether a period would take an item: the item's own period is of the same kind and ended before."""
    own = next(each for each in known if each.name == item.period)
    return own.kind == record.kind and own.to_date < record.from_date


def span_of(record: PeriodRecord) -> ClosingPeriod:
    """Return name and dates of a period of the ledger."""
    return ClosingPeriod(record.name, record.kind, record.from_date, record.to_date)


@task(cache_policy=NO_CACHE)
def compare(name: str, run_id: str, by: str) -> tuple[PeriodRecord, str, list[PriorItem]]:
    """Compare a run with the lock of a period: the record, the hash found, and the items that are new."""
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        return compare_with_lock(ledger, Warehouse(settings.warehouse.folder), name, run_id, by)


def compare_with_lock(
    ledger: Ledger, warehouse: Warehouse, name: str, run_id: str, by: str
) -> tuple[PeriodRecord, str, list[PriorItem]]:
    """Record what changed since the lock as prior-period items. Raises as `Ledger.check_period` does."""
    record = ledger.period(name)
    if record.state != "locked":
        raise LedgerStateError(
            f"it is {record.state}, not locked.", system="ledger", operation="check period", reference=name
        )
    closing.check_frozen(Path(record.folder), span_of(record), record.figures_hash)
    figures_hash, changed = closing.changes(warehouse, span_of(record), run_id, Path(record.folder))
    items = ledger.check_period(name, changed, figures_hash=figures_hash, batch_id=run_id, by=by)
    return record, figures_hash, items


@task(cache_policy=NO_CACHE)
def reopen(name: str, by: str, reason: str) -> PeriodRecord:
    """Open a locked period again. See `Ledger.reopen_period`."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return ledger.reopen_period(name, by=by, reason=reason)


def evidence_problems(ledger: Ledger, name: str) -> list[str]:
    """Return what is wrong with the evidence of a period: its audit trail, its frozen figures, its pack."""
    record = ledger.period(name)
    found = []
    broken = first_broken(ledger.period_events(name))
    if broken is not None:
        found.append(f"line {broken + 1} of the audit trail does not fit its seal")
    if record.state == "locked":
        try:
            closing.check_frozen(Path(record.folder), span_of(record), record.figures_hash)
        except ConfigurationError as error:
            found.append(str(error))
        found += evidence_pack.problems(Path(record.pack), record.pack_sha256)
    return found
