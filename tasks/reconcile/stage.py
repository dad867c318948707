"""Both systems and the ledger, read for the reconciliation of a period. Everything here may be read again."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.rules import NumberRule
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import NotFoundError
from tasks.reconcile.inputs import LedgerOrder
from tasks.reconcile.period import Period, london_today
from tasks.reconcile.posted_figures import posted_figures
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.records import OrderRecord
from tasks.systems.magento import MagentoClient
from tasks.systems.prima import ReportingSource

Record = dict[str, Any]
OWN_CODES = "RECON_"
PRIMA_EXTRACTS = ("sales_orders", "sales_order_lines", "invoices", "invoice_lines", "credit_notes")


@dataclass(frozen=True, slots=True)
class MagentoReading:
    """Magento's records of a period, and when the reading began."""

    orders: Sequence[Record] = field(repr=False)
    invoices: Sequence[Record] = field(repr=False)
    creditmemos: Sequence[Record] = field(repr=False)
    as_at: datetime


@dataclass(frozen=True, slots=True)
class PrimaReading:
    """PRIMA's records by extract. `evidence` is `ledger` when PRIMA has no reporting source: then there are only
    orders, with the figures that were posted, of which OrderStatus says that they exist."""

    extracts: dict[str, list[Record]] = field(repr=False)
    as_at: datetime
    evidence: str


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_prima_numbers(period: Period) -> list[str]:
    """Return PRIMA's numbers of our orders of which PRIMA dates an order, invoice or credit note in the period.

    Ours are orders that the ledger knows, and numbers that the rule for our numbers would make. Empty without a
    reporting source.
    """
    settings = Settings.from_env()
    with connect.open_reporting(settings) as reporting, connect.open_ledger(settings) as ledger:
        if reporting is None:
            return []
        dated = {number for number in _dated_numbers(reporting, period) if number}
        rule = connect.order_rules(settings).number
        return sorted(
            number
            for number in dated
            if has_our_shape(number, rule) or ledger.order_by_prima_number(number) is not None
        )


def _dated_numbers(reporting: ReportingSource, period: Period) -> Iterator[str]:
    for record in reporting.read("sales_orders", since=period.start):
        if period.start <= record["ordered_at"] < period.end:
            yield record["order_number_prima"]
    for name, dated in (("invoices", "invoice_date"), ("credit_notes", "credit_note_date")):
        for record in reporting.read(name, since=period.start):
            if period.from_date <= record[dated] <= period.to_date:
                yield record["order_number_prima"]


def has_our_shape(order_number_prima: str, rule: NumberRule) -> bool:
    """Tell whether a number of PRIMA may have been made by our rule: prefix, digits only, the right length."""
    return (
        len(order_number_prima) == rule.length
        and order_number_prima.isascii()
        and order_number_prima.isdigit()
        and order_number_prima.startswith(rule.prefix)
    )


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_magento(period: Period, prima_numbers: Sequence[str]) -> MagentoReading:
    """Return the orders placed in the period, the orders behind `prima_numbers`, and those that Magento invoiced or
    refunded in the period; and all invoices and credit memos of all these orders.

    Source: the streams of GET /V1/orders, /invoices and /creditmemos from the beginning of the period on (nothing of
    the period can have changed before), and single reads for what is older.
    """
    settings = Settings.from_env()
    as_at = datetime.now(UTC)
    rule = connect.order_rules(settings).number
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        # Reading on into tomorrow, so that an order that changes meanwhile comes again instead of getting lost.
        until = as_at + timedelta(days=1)
        orders = {
            int(record["entity_id"]): record
            for page in magento.stream("orders", (period.start, 0), until)
            for record in page
            if _is_made_in(period, record)
        }
        documents = {
            kind: [record for page in magento.stream(kind, (period.start, 0), until) for record in page]
            for kind in ("invoices", "creditmemos")
        }
        older = {entity_id for number in prima_numbers for entity_id in _entity_ids(number, ledger, magento, rule)}
        for records in documents.values():
            older |= {int(record["order_id"]) for record in records if _is_made_in(period, record)}
        older -= set(orders)
        for entity_id in sorted(older):
            _read_older(entity_id, magento, orders, documents)
    kept = {
        kind: list({int(each["entity_id"]): each for each in records if int(each["order_id"]) in orders}.values())
        for kind, records in documents.items()
    }
    return MagentoReading(list(orders.values()), kept["invoices"], kept["creditmemos"], as_at)


def _is_made_in(period: Period, record: Record) -> bool:
    made = datetime.strptime(str(record["created_at"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return period.start <= made < period.end


def _entity_ids(number: str, ledger: Ledger, magento: MagentoClient, rule: NumberRule) -> list[int]:
    """Return Magento's id of the order that PRIMA keeps under a number: from the ledger, else undoing the rule."""
    known = ledger.order_by_prima_number(number)
    if known is not None:
        return [known.entity_id_magento]
    own = number[len(rule.prefix) :].lstrip("0")
    if not own:
        return []
    if rule.source == "entity_id":
        return [int(own)]
    # The rule drops leading zeros; Magento pads to nine digits.
    found = magento.orders_by_number(sorted({own, own.zfill(9)}))
    return [int(record["entity_id"]) for record in found]


def _read_older(
    entity_id: int, magento: MagentoClient, orders: dict[int, Record], documents: dict[str, list[Record]]
) -> None:
    try:
        order = magento.order(entity_id)
    except NotFoundError:
        return  # PRIMA has an order that Magento has not: the reconciliation says so
    orders[entity_id] = order
    if order.get("total_invoiced"):
        documents["invoices"] += magento.invoices_of(entity_id)
    if order.get("total_refunded"):
        documents["creditmemos"] += magento.creditmemos_of(entity_id)


@task(cache_policy=NO_CACHE)
def fetch_known_orders(order_numbers: Sequence[str], prima_numbers: Sequence[str]) -> list[LedgerOrder]:
    """Return what the ledger knows of these orders, found by either number, with their oldest open exception."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        known = {order.order_number: order for order in ledger.orders(order_numbers)}
        for number in prima_numbers:
            order = ledger.order_by_prima_number(number)
            if order is not None:
                known[order.order_number] = order
        codes: dict[str, str] = {}
        for note in ledger.exceptions():
            is_own = note.code.startswith(OWN_CODES)
            if note.order_number and not is_own and note.subject == f"order {note.order_number}":
                codes.setdefault(note.order_number, note.code)
    wanted = {*order_numbers, *known}
    return [_ledger_order(number, known.get(number), codes.get(number, "")) for number in sorted(wanted)]


def _ledger_order(order_number: str, order: OrderRecord | None, exception_code: str) -> LedgerOrder:
    if order is None:
        return LedgerOrder(order_number, exception_code=exception_code)
    return LedgerOrder(
        order_number,
        order.order_number_prima,
        london_today(order.placed_at),
        order.state,
        order.accepted_at,
        exception_code,
    )


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_prima(prima_numbers: Collection[str], known: Sequence[LedgerOrder]) -> PrimaReading:
    """Return what PRIMA holds under these numbers: orders, invoices, credit notes, whatever their date.

    Without a reporting source: the figures that the ledger posted, for the orders that OrderStatus says exist.
    """
    settings = Settings.from_env()
    with connect.open_reporting(settings) as reporting:
        if reporting is not None:
            as_at = reporting.as_at()
            wanted = {"order_number_prima": sorted(prima_numbers)}
            extracts = {name: reporting.read(name, keys=wanted) for name in PRIMA_EXTRACTS}
            return PrimaReading(extracts, as_at, "reporting")
    as_at = datetime.now(UTC)
    with connect.open_ledger(settings) as ledger, connect.open_prima(settings) as prima:
        orders = ledger.orders([order.order_number for order in known])
        return PrimaReading(posted_figures(orders, prima), as_at, "ledger")
