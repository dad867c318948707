"""Every order, invoice and refund of a period, in Magento and in PRIMA: do they agree, by how much not, and why."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from prefect import flow

from flows.passing import whole
from flows.slots import slots_of_both_systems
from schemas.orders import OrderFrames
from tasks import connect
from tasks.normalise import orders as normalise_orders
from tasks.normalise.creditmemos import creditmemos
from tasks.normalise.delivery_rates import delivery_rates
from tasks.normalise.invoices import invoices
from tasks.normalise.reporting import extract_rows
from tasks.reconcile import artifacts, findings, inputs, report, run, stage
from tasks.reconcile.period import Period, london_today, period_of
from tasks.settings import Settings
from tasks.systems.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class ReconciliationSummary:
    """How a run ended: one sentence, whether there is nothing to act on, and where the files are."""

    headline: str
    is_agreed: bool
    break_count: int
    batch_id: str
    database: str
    page: str


@flow(name="reconciliation", description="VAT and totals of Magento and PRIMA for a business date or a period.")
@slots_of_both_systems()
def reconcile(
    business_date: date | None = None, from_date: date | None = None, to_date: date | None = None
) -> ReconciliationSummary:
    """Reconcile a London business date, a range of them, or yesterday when nothing is given.

    Publishes `reconciliation.duckdb`, the Parquet files of today and the page `reconciliation-<date>.html` in the
    warehouse folder, and raises an exception for each break. Raises ReconciliationError, and publishes nothing, when
    Magento's total plus the variances is not PRIMA's total.
    """
    settings = Settings.from_env()
    run_at = datetime.now(UTC).replace(microsecond=0)
    period = period_of(run_at, business_date, from_date, to_date)
    dated = stage.fetch_prima_numbers(period)
    magento = stage.fetch_magento(period, whole(dated))
    orders = normalise_orders.orders(magento.orders, settings.orders.amounts)
    known = stage.fetch_known_orders(whole(list(orders.orders["order_number"])), whole(dated))
    rules = connect.order_rules(settings)
    numbers = inputs.order_numbers(orders.orders, known, rules.number)
    prima = stage.fetch_prima(whole({*dated, *numbers["order_number_prima"]}), whole(known))
    staged = inputs.staged(
        magento_side(magento, orders, settings, prima.evidence),
        prima_side(prima, settings),
        known,
        rules.number,
        run_facts(period, run_at, magento, prima, settings),
    )
    found = run.publish_tables(whole(staged.tables), settings.warehouse.folder, london_today(run_at))
    batch_id = findings.record_breaks(whole(found), whole(staged.problems), period)
    page = report.write_page(found, Path(settings.warehouse.folder), period.label)
    artifacts.show_reconciliation(found, page)
    database = Warehouse(settings.warehouse.folder).path
    return ReconciliationSummary(
        report.headline(found), found.is_agreed, len(found.breaks), batch_id, str(database), str(page)
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
    )


def prima_side(reading: stage.PrimaReading, settings: Settings) -> inputs.PrimaSide:
    """Return PRIMA's frames, and what the settings say about reading them."""
    delivery = settings.prima.orders.delivery_product
    return inputs.PrimaSide(
        {name: extract_rows(name, records) for name, records in reading.extracts.items()},
        dict(settings.statuses),
        sorted({int(rate * 100) for entry in settings.vat_rates for rate in entry.rates}, reverse=True),
        frozenset({delivery.product} if delivery else set()),
    )


def run_facts(
    period: Period,
    run_at: datetime,
    magento: stage.MagentoReading,
    prima: stage.PrimaReading,
    settings: Settings,
) -> inputs.RunFacts:
    """Return what the run is about: dates, as-at times, tolerance and lag."""
    rules = settings.reconciliation
    return inputs.RunFacts(
        period.from_date,
        period.to_date,
        run_at,
        magento.as_at,
        prima.as_at,
        prima.evidence,
        rules.tolerance_pence,
        rules.lag_hours,
    )
