"""Every order, invoice and refund of a period, in Magento and in PRIMA: do they agree, by how much not, and why."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
from prefect import flow

from flows.desk import desk_after_run
from flows.passing import whole
from flows.slots import slots_of_both_systems
from schemas.breaks import TolerancePolicy
from schemas.orders import OrderFrames
from tasks import connect
from tasks.normalise import orders as normalise_orders
from tasks.normalise.creditmemos import creditmemos
from tasks.normalise.delivery_rates import delivery_rates
from tasks.normalise.invoices import invoices
from tasks.normalise.reporting import extract_rows
from tasks.normalise.set_apart import set_apart
from tasks.normalise.shipments import shipments
from tasks.reconcile import artifacts, findings, inputs, report, run, stage
from tasks.reconcile.period import Period, london_today, period_of
from tasks.settings import Settings
from tasks.settings.order_rules import size_rule
from tasks.systems.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class ReconciliationSummary:
    """How a run ended: one sentence, whether there is nothing to act on, and where the files are."""

    headline: str
    is_agreed: bool
    break_count: int
    mended_count: int
    batch_id: str
    database: str
    page: str
    workbook: str


@flow(name="reconciliation", description="VAT and totals of Magento and PRIMA for a business date or a period.")
@desk_after_run("reconciliation")
@slots_of_both_systems()
def reconcile(
    business_date: date | None = None, from_date: date | None = None, to_date: date | None = None
) -> ReconciliationSummary:
    """Reconcile a London business date, a range of them, or yesterday when nothing is given.

    Args:
        business_date: The London date on which the documents were made.
        from_date: First London date of a range; needs `to_date`.
        to_date: Last London date of the range, included.

    Publishes `reconciliation.duckdb`, the Parquet files of today, and `reconciliation-<date>.html` and `.xlsx` in the
    warehouse folder, and keeps each break with an exception in the ledger. Breaks of other days are looked at again
    until they are mended or somebody settles them. Raises ReconciliationError, and publishes nothing, when Magento's
    total plus the variances is not PRIMA's total.
    """
    settings = Settings.from_env()
    run_at = datetime.now(UTC).replace(microsecond=0)
    period = period_of(run_at, business_date, from_date, to_date)
    run_id = findings.open_run(period)
    breaks = stage.fetch_breaks()
    dated = [*stage.fetch_prima_numbers(period), *breaks.prima_numbers]
    unpaid = stage.fetch_open_money()
    magento = stage.fetch_magento(period, whole(dated), [*breaks.order_numbers, *unpaid])
    orders = normalise_orders.orders(magento.orders, settings.orders.amounts)
    known = stage.fetch_known_orders(whole(list(orders.orders["order_number"])), whole(dated))
    rules = connect.order_rules(settings)
    numbers = inputs.order_numbers(orders.orders, known.orders, rules.number)
    prima = stage.fetch_prima(whole({*dated, *numbers["order_number_prima"]}), whole(known.orders))
    staged = inputs.staged(
        magento_side(magento, orders, settings, prima.evidence),
        prima_side(prima, settings),
        ledger_side(known, breaks, settings, prima.evidence),
        rules.number,
        run_facts(period, run_at, run_id, magento, prima, settings),
        stage.fetch_settlements(unpaid),
    )
    found = run.publish_tables(whole(staged.tables), settings.warehouse.folder, london_today(run_at))
    mended = findings.record_breaks(whole(found), whole(staged.problems), run_id)
    files = report.write_files(found, Path(settings.warehouse.folder), period.label)
    artifacts.show_reconciliation(found, files, settings.warehouse.url)
    database = Warehouse(settings.warehouse.folder).path
    return ReconciliationSummary(
        report.headline(found),
        found.is_agreed,
        len(found.breaks),
        mended,
        run_id,
        str(database),
        str(files.page),
        str(files.workbook),
    )


def magento_side(
    reading: stage.MagentoReading, orders: OrderFrames, settings: Settings, evidence: str
) -> inputs.MagentoSide:
    """Return Magento's frames; invoices and refunds only where PRIMA shows figures to compare them with."""
    amounts = settings.orders.amounts
    has_figures = evidence == "reporting"
    invoiced = invoices(reading.invoices if has_figures else [], amounts)
    refunded = creditmemos(reading.creditmemos if has_figures else [], amounts)
    return inputs.MagentoSide(
        orders.orders,
        orders.lines,
        delivery_rates(reading.orders),
        invoiced.documents,
        invoiced.lines,
        refunded.documents,
        refunded.lines,
        shipments(reading.shipments if has_figures else []),
        {
            "orders": set_apart(reading.orders, amounts),
            "invoices": set_apart(reading.invoices, amounts),
            "refunds": set_apart(reading.creditmemos, amounts),
        },
        store_codes(orders.orders, settings),
        reading.unread,
    )


def store_codes(orders: pd.DataFrame, settings: Settings) -> dict[str, str]:
    """Return the store view of each order: its code in the settings, else its id."""
    codes = {store.id: store.code for store in settings.stores}
    pairs = zip(orders["order_number"], orders["store_id"], strict=True)
    return {number: codes.get(store_id, f"store {store_id}") for number, store_id in pairs}


def ledger_side(
    known: stage.LedgerReading, breaks: stage.CarriedBreaks, settings: Settings, evidence: str
) -> inputs.LedgerSide:
    """Return what the ledger adds; without PRIMA's figures only orders are looked at again."""
    again = [each for each in breaks.again if evidence == "reporting" or each.level == "orders"]
    policy = breaks.policy or TolerancePolicy(order_pence=settings.reconciliation.tolerance_pence)
    return inputs.LedgerSide(
        known.orders, known.postings, breaks.known, {(each.level, each.order_key) for each in again}, policy
    )


def prima_side(reading: stage.PrimaReading, settings: Settings) -> inputs.PrimaSide:
    """Return PRIMA's frames, and what the settings say about reading them."""
    services = [settings.prima.orders.delivery_product, settings.prima.orders.rounding_product]
    return inputs.PrimaSide(
        {name: extract_rows(name, records) for name, records in reading.extracts.items()},
        dict(settings.statuses),
        sorted({int(rate * 100) for entry in settings.vat_rates for rate in entry.rates}, reverse=True),
        frozenset(service.product for service in services if service),
        reading.unread,
        size_rule(settings),
    )


def run_facts(
    period: Period,
    run_at: datetime,
    run_id: str,
    magento: stage.MagentoReading,
    prima: stage.PrimaReading,
    settings: Settings,
) -> inputs.RunFacts:
    """Return what the run is about: dates, as-at times and lag."""
    return inputs.RunFacts(
        period.from_date,
        period.to_date,
        run_at,
        magento.as_at,
        prima.as_at,
        prima.evidence,
        settings.reconciliation.lag_hours,
        run_id,
    )
