"""What a read-back found: levels confirmed, exceptions raised and closed, one table in the Prefect UI."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.documents import ExceptionNote, SourceKey
from schemas.drift import CODES, CODES_OF_SKUS, Drift, ReadBack, StockReading
from schemas.money import show
from tasks import connect
from tasks.settings import Settings
from tasks.systems.ledger import Ledger

BY = STREAM = "stock check"
ROWS_SHOWN = 200
READ_BACKS_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class StockCheckSummary:
    """How a check ended: what was read, drifts by cause, what they are worth, and the gravest in words.

    `repaired`: levels that a repair wrote or removed.
    """

    batch_id: str
    counts: Mapping[str, int]
    by_cause: Mapping[str, int]
    value_at_risk_pence: int
    found: Sequence[str]
    is_dry_run: bool = False
    repaired: int = 0


@task(cache_policy=NO_CACHE)
def confirm_holdings(reading: StockReading, levels: Collection[SourceKey]) -> None:
    """Note what Magento was read to hold of these levels: the next run writes what differs from its sum."""
    wanted = set(levels)
    held = {(each.sku, each.source_code): int(each.quantity) for each in reading.holdings}
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.confirm_levels((*key, held[key], reading.read_at) for key in wanted & held.keys())
        ledger.forget_levels(wanted - held.keys())


@task(cache_policy=NO_CACHE)
def mark_for_writing(levels: Collection[SourceKey]) -> None:
    """Let the next run write these levels even where their number is right already."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.write_anew(levels)


@task(cache_policy=NO_CACHE)
def record_sample(
    batch_id: str, reading: StockReading, notes: Sequence[ExceptionNote], read_backs: Sequence[ReadBack]
) -> None:
    """Keep what a sample read, raise what it found, and close what it found right again, SKU by SKU."""
    still = {(note.code, note.subject) for note in notes}
    skus = reading.skus or frozenset()
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.record_read_backs(batch_id, read_backs)
        for code in CODES_OF_SKUS:
            over = [
                note.subject
                for note in ledger.exceptions(code=code)
                if note.sku in skus and (code, note.subject) not in still
            ]
            if over:
                ledger.close_exceptions(subjects=over, codes=[code], by=f"batch {batch_id}")
        if notes:
            ledger.raise_exceptions(batch_id, notes)
            get_run_logger().warning(f"stock {batch_id}: read-back found {len(notes)} levels that are not as written")


@task(cache_policy=NO_CACHE)
def close_check(
    first: StockReading,
    found: Sequence[Drift],
    notes: Sequence[ExceptionNote],
    off: Sequence[ReadBack],
    *,
    is_dry_run: bool = False,
) -> StockCheckSummary:
    """Raise what a check of everything found, close what it no longer finds, and show it. A dry run changes nothing.

    `off` are the levels that are not as expected, kept with the read-backs of each SKU.
    """
    counts = {
        "source items": len(first.holdings),
        "products": len(first.products),
        "salable quantities": len(first.salable),
        "open lines": len(first.open_units),
        "drifts": len(found),
    }
    batch_id = ""
    if not is_dry_run:
        with connect.open_ledger(Settings.from_env()) as ledger:
            batch_id = ledger.open_batch(STREAM, first.read_at, datetime.now(UTC))
            _close_what_is_over(ledger, notes)
            ledger.raise_exceptions(batch_id, notes)
            ledger.record_read_backs(batch_id, off)
            ledger.forget_read_backs(before=first.read_at - READ_BACKS_KEPT)
            ledger.close_batch(batch_id, "closed", counts)
    summary = StockCheckSummary(
        batch_id,
        counts,
        dict(Counter(each.cause for each in found)),
        sum(each.value_pence for each in found),
        [f"{each.subject}: {each.cause} ({each.severity}): {each.words}" for each in found[:ROWS_SHOWN]],
        is_dry_run,
    )
    _show(summary, found)
    return summary


def _close_what_is_over(ledger: Ledger, notes: Sequence[ExceptionNote]) -> None:
    still = {(note.code, note.subject) for note in notes}
    for code in sorted(set(CODES.values())):
        over = [note.subject for note in ledger.exceptions(code=code) if (code, note.subject) not in still]
        if over:
            ledger.close_exceptions(subjects=over, codes=[code], by=BY)


def _show(summary: StockCheckSummary, found: Sequence[Drift]) -> None:
    currency = Settings.from_env().stock.value_currency
    rows = [
        {
            "severity": each.severity,
            "cause": each.cause,
            "about": each.subject,
            "expected": each.expected,
            "found": str(each.found),
            "worth": show(each.value_pence, currency),
            "arithmetic": each.words,
        }
        for each in found[:ROWS_SHOWN]
    ]
    read = ", ".join(f"{name} {count}" for name, count in summary.counts.items())
    causes = ", ".join(f"{cause} {count}" for cause, count in summary.by_cause.items()) or "nothing is off"
    text = f"{read}. {causes}; worth {show(summary.value_at_risk_pence, currency)}."
    create_table_artifact(key="stock-check", table=rows, description=text)
    get_run_logger().info(f"stock check {summary.batch_id}: {text}")
