"""Both systems and the ledger, read for the reconciliation of a period. Everything here may be read again."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.breaks import KnownBreak, TolerancePolicy
from schemas.rules import NumberRule
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import ConfigurationError, NotFoundError, UnexpectedResponseError
from tasks.reconcile.inputs import LedgerOrder, LedgerPosting
from tasks.reconcile.money_findings import MONEY_CODES
from tasks.reconcile.payment_inputs import MoneySide
from tasks.reconcile.period import Period, london_today
from tasks.reconcile.posted_figures import posted_figures
from tasks.reconcile.staging import Problem
from tasks.settings import Settings
from tasks.settings.order_rules import number_rule
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.proofs import PostingProof
from tasks.systems.ledger.records import OrderRecord
from tasks.systems.magento import FailedInsideError, MagentoClient, StreamName, Unreadable
from tasks.systems.magento.streams import STREAMS
from tasks.systems.prima import ReportingSource
from tasks.systems.settlements import read_folder

Record = dict[str, Any]
OWN_CODES = "RECON_"
KINDS: tuple[StreamName, ...] = ("invoices", "creditmemos", "shipments")
# The kind of document that an extract is about; a level whose extract cannot be read is not reconciled.
PRIMA_EXTRACTS = {
    "sales_orders": "orders",
    "sales_order_lines": "orders",
    "invoices": "invoices",
    "invoice_lines": "invoices",
    "credit_notes": "refunds",
    "dispatches": "",
    "dispatch_lines": "",
}
# What is not reconciled of an order when Magento does not hand out a document of it; shipments carry no money.
MAGENTO_LEVELS: Mapping[StreamName, Sequence[str]] = {
    "orders": ("orders", "invoices", "refunds"),
    "invoices": ("invoices",),
    "creditmemos": ("refunds",),
}
# Breaks of other days that one night reads again, those that were not looked at for longest first.
CARRIED_A_NIGHT = 500


@dataclass(frozen=True, slots=True)
class MagentoReading:
    """Magento's records of a period, and when the reading began. `unread` are documents that it did not hand out."""

    orders: Sequence[Record] = field(repr=False)
    invoices: Sequence[Record] = field(repr=False)
    creditmemos: Sequence[Record] = field(repr=False)
    shipments: Sequence[Record] = field(repr=False)
    as_at: datetime
    unread: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True)
class PrimaReading:
    """PRIMA's records by extract. `evidence` is `ledger` when PRIMA has no reporting source: then there are only
    orders, with the figures that were posted, of which OrderStatus says that they exist. `unread` are extracts that
    broke their contract; they have no records."""

    extracts: dict[str, list[Record]] = field(repr=False)
    as_at: datetime
    evidence: str
    unread: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """What the ledger holds of the orders: how far they are, what was written about them."""

    orders: list[LedgerOrder] = field(repr=False)
    postings: list[LedgerPosting] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CarriedBreaks:
    """Every break of earlier nights, the policy in force (None: that of the settings), and the breaks to look at again.

    `again` are the ones whose documents this run reads, whatever their day.
    """

    known: list[KnownBreak] = field(repr=False)
    policy: TolerancePolicy | None
    again: list[KnownBreak] = field(repr=False)

    @property
    def order_numbers(self) -> list[str]:
        """Magento's numbers of the orders to read again."""
        return sorted({each.order_number for each in self.again if each.order_number})

    @property
    def prima_numbers(self) -> list[str]:
        """PRIMA's numbers of the orders to read again."""
        return sorted({number for each in self.again for number in each.order_number_prima.split(",") if number})


@task(cache_policy=NO_CACHE)
def fetch_breaks() -> CarriedBreaks:
    """Return the breaks that earlier nights left, and the tolerance policy in force. Source: the ledger."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        known = ledger.known_breaks()
        policy = ledger.tolerance_policy()
    still_open = [each for each in known if not each.settled_by]
    waiting = sorted(still_open, key=lambda each: (each.last_seen_at, each.break_id))
    return CarriedBreaks(known, policy, waiting[:CARRIED_A_NIGHT])


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_prima_numbers(period: Period) -> list[str]:
    """Return PRIMA's numbers of our orders of which PRIMA dates an order, invoice or credit note in the period.

    Ours are orders that the ledger knows, and numbers that the rule for our numbers would make. Empty without a
    reporting source; an extract that breaks its contract names none here, and is reported when it is read.
    """
    settings = Settings.from_env()
    with connect.open_reporting(settings) as reporting, connect.open_ledger(settings) as ledger:
        if reporting is None:
            return []
        dated = {number for number in _dated_numbers(reporting, period) if number}
        rule = number_rule(settings)
        return sorted(
            number
            for number in dated
            if has_our_shape(number, rule) or ledger.order_by_prima_number(number) is not None
        )


def _dated_numbers(reporting: ReportingSource, period: Period) -> Iterator[str]:
    for record in _read(reporting, "sales_orders", [], since=period.start):
        if period.start <= record["ordered_at"] < period.end:
            yield record["order_number_prima"]
    for name, dated in (("invoices", "invoice_date"), ("credit_notes", "credit_note_date")):
        for record in _read(reporting, name, [], since=period.start):
            if period.from_date <= record[dated] <= period.to_date:
                yield record["order_number_prima"]


def _read(reporting: ReportingSource, name: str, unread: list[Problem], **narrowed: Any) -> list[Record]:
    """Return the records of an extract; none, and a problem more, when it breaks its contract."""
    try:
        return reporting.read(name, **narrowed)
    except (UnexpectedResponseError, ConfigurationError) as error:
        unread.append(Problem(f"PRIMA {name}", str(error), PRIMA_EXTRACTS[name]))
        return []


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
def fetch_magento(period: Period, prima_numbers: Sequence[str], carried_numbers: Sequence[str] = ()) -> MagentoReading:
    """Return the orders placed in the period, the orders behind `prima_numbers` and `carried_numbers` (Magento's own),
    and those that Magento invoiced or refunded in the period; and all invoices, credit memos and shipments of these.

    With settlement files also those invoiced or refunded `payments.lag_days` before: their money is due now.

    Source: the streams of GET /V1/orders, /invoices, /creditmemos and /shipments from the beginning of the period on
    (nothing of the period can have changed before), and single reads for what is older. What Magento does not hand out
    is told in `unread`, and what hangs on it is not reconciled.
    """
    settings = Settings.from_env()
    as_at = datetime.now(UTC)
    rule = number_rule(settings)
    due = period.before(settings.payments.lag_days) if settings.payments.folder else period
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        # Reading on into tomorrow, so that an order that changes meanwhile comes again instead of getting lost.
        until = as_at + timedelta(days=1)
        unread: list[Unreadable] = []
        orders = {
            int(record["entity_id"]): record
            for record in _changed(magento, "orders", period.start, until, unread)
            if _is_made_in(period, record)
        }
        documents: dict[str, list[Record]] = {
            kind: list(_changed(magento, kind, due.start, until, unread)) for kind in KINDS
        }
        older = {entity_id for number in prima_numbers for entity_id in _entity_ids(number, ledger, magento, rule)}
        carried = magento.numbered_orders(list(carried_numbers))
        older |= {int(record["entity_id"]) for record in carried.records}
        known = {each.entity_id for each in unread if each.kind == "orders"}
        unread += [each for each in carried.unreadable if each.entity_id not in known]
        for records in documents.values():
            made = [record for record in records if _is_made_in(period, record) or _is_made_in(due, record)]
            older |= {int(record["order_id"]) for record in made}
        older -= set(orders)
        older -= {each.entity_id for each in unread if each.kind == "orders"}
        for entity_id in sorted(older):
            try:
                _read_older(entity_id, magento, orders, documents)
            except FailedInsideError as error:
                unread.append(Unreadable(entity_id, str(error)))
        problems = [problem for each in unread for problem in _problems(ledger, each)]
    kept = {
        kind: list({int(each["entity_id"]): each for each in records if int(each["order_id"]) in orders}.values())
        for kind, records in documents.items()
    }
    return MagentoReading(
        list(orders.values()), kept["invoices"], kept["creditmemos"], kept["shipments"], as_at, problems
    )


def _changed(
    magento: MagentoClient, kind: StreamName, since: datetime, until: datetime, unread: list[Unreadable]
) -> Iterator[Record]:
    """Yield what changed, and put aside what Magento does not hand out."""
    for reading in magento.changed(kind, (since, 0), until):
        unread += reading.unreadable
        yield from reading.records


def _problems(ledger: Ledger, document: Unreadable) -> Iterator[Problem]:
    """Say which document Magento does not hand out; what hangs on it is not compared: of an order, everything."""
    about = f"Magento {STREAMS[document.kind].noun} entity {document.entity_id}"
    order_id = document.entity_id if document.kind == "orders" else document.order_id
    number = next(iter(ledger.accepted_numbers({order_id})), "")
    levels = MAGENTO_LEVELS.get(document.kind, ()) if number else ()
    for level in levels or ("",):
        subject = about if len(levels) < 2 else f"{about}: {level}"
        yield Problem(subject, document.problem, level, order_number=number)


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
        documents["shipments"] += magento.shipments_of(entity_id)
    if order.get("total_refunded"):
        documents["creditmemos"] += magento.creditmemos_of(entity_id)


@task(cache_policy=NO_CACHE)
def fetch_settlements(again: Collection[str] = ()) -> MoneySide:
    """Return what payment providers settled, from the files of `[payments]`; nothing where no folder is named.

    `again` are the orders whose money an exception is open about.
    """
    payments = Settings.from_env().payments
    if not payments.folder:
        return MoneySide()
    formats = payments.formats()
    rows, refused = read_folder(Path(payments.folder), formats)
    return MoneySide(rows, refused, formats, payments.lag_days, again)


@task(cache_policy=NO_CACHE)
def fetch_open_money() -> list[str]:
    """Return the orders about whose money an exception is open, those not looked at for longest first.

    Source: the ledger. None where no settlement files are configured: nothing could be found.
    """
    settings = Settings.from_env()
    if not settings.payments.folder:
        return []
    with connect.open_ledger(settings) as ledger:
        records = [record for code in MONEY_CODES for record in ledger.exceptions(code=code)]
    waiting = sorted(records, key=lambda each: (each.last_seen_at, each.id))
    return list(dict.fromkeys(record.order_number for record in waiting))[:CARRIED_A_NIGHT]


@task(cache_policy=NO_CACHE)
def fetch_known_orders(order_numbers: Sequence[str], prima_numbers: Sequence[str]) -> LedgerReading:
    """Return what the ledger knows of these orders, found by either number: state, oldest open exception, postings."""
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
        hashes = ledger.record_hashes(list(known))
        proofs = ledger.posting_proofs(list(known))
    # The request that PRIMA took, else the last that was tried.
    sent = {proof.order_number: proof.request_sha256 for proof in proofs if proof.system == "prima"}
    taken = [proof for proof in proofs if proof.system == "prima" and proof.state == "posted"]
    sent |= {proof.order_number: proof.request_sha256 for proof in taken}
    return LedgerReading(
        [
            _ledger_order(
                number, known.get(number), codes.get(number, ""), hashes.get(number, ""), sent.get(number, "")
            )
            for number in sorted({*order_numbers, *known})
        ],
        [_ledger_posting(proof) for proof in proofs],
    )


def _ledger_order(
    order_number: str, order: OrderRecord | None, exception_code: str, magento_sha256: str, prima_sha256: str
) -> LedgerOrder:
    if order is None:
        return LedgerOrder(order_number, exception_code=exception_code)
    return LedgerOrder(
        order_number,
        order.order_number_prima,
        london_today(order.placed_at),
        order.state,
        order.accepted_at,
        exception_code,
        order.verified_at,
        magento_sha256,
        prima_sha256,
    )


def _ledger_posting(proof: PostingProof) -> LedgerPosting:
    return LedgerPosting(
        proof.posting_key,
        proof.attempt,
        proof.order_number,
        proof.begun_at,
        proof.operation,
        proof.state,
        proof.request_sha256,
        proof.answer_sha256,
    )


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_prima(prima_numbers: Collection[str], known: Sequence[LedgerOrder]) -> PrimaReading:
    """Return what PRIMA holds under these numbers: orders, invoices, credit notes, dispatches, whatever their date.

    Without a reporting source: the figures that the ledger posted, for the orders that OrderStatus says exist.
    """
    settings = Settings.from_env()
    with connect.open_reporting(settings) as reporting:
        if reporting is not None:
            as_at = reporting.as_at()
            wanted = {"order_number_prima": sorted(prima_numbers)}
            unread: list[Problem] = []
            extracts = {name: _read(reporting, name, unread, keys=wanted) for name in PRIMA_EXTRACTS}
            return PrimaReading(extracts, as_at, "reporting", unread)
    as_at = datetime.now(UTC)
    with connect.open_ledger(settings) as ledger, connect.open_prima(settings) as prima:
        orders = ledger.orders([order.order_number for order in known])
        return PrimaReading(posted_figures(orders, prima), as_at, "ledger")
