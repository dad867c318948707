"""What a round left behind, as the ledger has it: control totals of the batches, and exceptions by code."""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from schemas.money import pounds_text, show
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.records import BatchRecord, ExceptionRecord

BATCHES_SHOWN = 50
AMOUNTS = ("net_pence", "vat_pence", "gross_pence")


def control_totals(ledger: Ledger) -> Table:
    """Return a row for each step that had anything to do, oldest batch first; amounts only where a step carries any."""
    table = Table("batch of", "step", title="Control totals", title_justify="left")
    for name in ("count", "net", "VAT", "gross"):
        table.add_column(name, justify="right")
    for batch in reversed(ledger.batches(limit=BATCHES_SHOWN)):
        for position, row in enumerate(_steps(batch)):
            table.add_row(batch.stream if position == 0 else "", *row)
        table.add_section()
    return table


def comparisons(ledger: Ledger) -> Table:
    """Return what the last reconciliation compared: Magento plus variance is PRIMA, by level and currency."""
    table = Table("compared", title="Reconciliation", title_justify="left")
    for name in ("Magento", "variance", "PRIMA", "unexplained"):
        table.add_column(name, justify="right")
    for batch in ledger.batches("reconciliation", limit=1):
        levels: dict[str, dict[str, int]] = {}
        for key, value in batch.control_totals.items():
            level, _, name = key.rpartition(" ")
            if level and isinstance(value, int):
                levels.setdefault(level, {})[name] = value
        for level, found in levels.items():
            table.add_row(level, *(pounds_text(value) for value in found.values()))
    return table


def exceptions_by_code(ledger: Ledger) -> Table:
    """Return count and value at risk of the open exceptions by code, the most valuable first, and who acts."""
    table = Table("open exceptions", "owner", title="What needs a person", title_justify="left")
    table.add_column("count", justify="right")
    table.add_column("at risk", justify="right")
    for code, records in _by_code(ledger.exceptions(state="open")):
        table.add_row(code, records[0].owner, str(len(records)), _value(records))
    return table


def _steps(batch: BatchRecord) -> Iterable[tuple[str, ...]]:
    for step, totals in batch.control_totals.items():
        if isinstance(totals, Mapping) and totals.get("count"):
            has_amounts = any(totals.get(name) for name in AMOUNTS)
            amounts = (pounds_text(totals[name]) if has_amounts else "" for name in AMOUNTS)
            yield step, str(totals["count"]), *amounts
        elif isinstance(totals, int) and " " not in step:
            yield step, str(totals), "", "", ""


def _by_code(records: Iterable[ExceptionRecord]) -> list[tuple[str, list[ExceptionRecord]]]:
    groups: dict[str, list[ExceptionRecord]] = {}
    for record in records:
        groups.setdefault(record.code, []).append(record)
    return sorted(groups.items(), key=lambda group: (-sum(_pence(group[1]).values()), group[0]))


def _pence(records: Sequence[ExceptionRecord]) -> dict[str, int]:
    by_currency: dict[str, int] = {}
    for record in records:
        by_currency[record.currency] = by_currency.get(record.currency, 0) + record.value_at_risk_pence
    return by_currency


def _value(records: Sequence[ExceptionRecord]) -> str:
    return " + ".join(show(pence, currency) for currency, pence in _pence(records).items() if pence)
