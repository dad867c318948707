"""Orders to be played again: what was sent of them, how Magento has them now, and the requests that would be sent."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents import SalesOrder
from schemas.replay import Attempt, Attributes, PreparedOrder, SentOrder
from tasks import connect
from tasks.errors import CallRefusedError, OutcomeUnknownError
from tasks.settings import Settings
from tasks.systems.ledger import ErasedError, Ledger, Posting
from tasks.systems.prima import PrimaClient
from tasks.systems.prima.documents import parse_text

KEY = "prima/sales_order/"
STREAM = "replay"


@task(cache_policy=NO_CACHE)
def fetch_sent(number: str) -> SentOrder:
    """Return what the ledger holds of an order, by Magento's or PRIMA's number; of one never seen the number alone.

    Source: postings and the request documents that were kept as evidence for them.
    """
    with connect.open_ledger(Settings.from_env()) as ledger:
        order = ledger.order(number) or ledger.order_by_prima_number(number)
        if order is None:
            return SentOrder(number)
        attempts = ledger.attempts(f"{KEY}{order.order_number}")
        return _sent(ledger, order.order_number, order.order_number_prima, order.state, attempts)


@task(cache_policy=NO_CACHE)
def fetch_sent_of(order_numbers: Sequence[str]) -> dict[str, SentOrder]:
    """Return what the ledger holds of each of these orders, by Magento's number, in the order given."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        known = {order.order_number: order for order in ledger.placed_by_number(order_numbers)}
        attempts = ledger.attempts_of([f"{KEY}{number}" for number in known])
        return {
            number: _sent(
                ledger,
                number,
                known[number].order_number_prima,
                known[number].state,
                attempts.get(f"{KEY}{number}", []),
            )
            if number in known
            else SentOrder(number)
            for number in order_numbers
        }


@task(cache_policy=NO_CACHE)
def fetch_magento_numbers(numbers: Sequence[str]) -> dict[str, str]:
    """Return Magento's number by each of these numbers of Magento or PRIMA; one never seen is taken as it is."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        known = ledger.order_numbers_known(numbers)
        by_prima = {number: ledger.order_by_prima_number(number) for number in numbers if number not in known}
    return {number: found.order_number if (found := by_prima.get(number)) else number for number in numbers}


@task(cache_policy=NO_CACHE)
def fetch_known_orders(
    order_numbers: Sequence[str], dates: tuple[datetime, datetime] | None
) -> dict[str, tuple[str, int, int]]:
    """Return currency, gross and VAT in pence of the ledger's orders placed then, or else of these numbers."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        found = ledger.placed_by_number(order_numbers) if dates is None else ledger.orders_placed(*dates)
    return {order.order_number: (order.currency, order.gross_pence, order.vat_pence) for order in found}


@task(cache_policy=NO_CACHE)
def fetch_prepared(orders: Sequence[SalesOrder], in_prima: Collection[str] = ()) -> dict[str, PreparedOrder]:
    """Return the request of each order that would be sent, and whether PRIMA shows the order. Sends nothing.

    Source: `OrderStatus` for the look, which the orders `in_prima` by the ledger do without. Raises
    SystemUnavailableError when PRIMA is out of reach.
    """
    if not orders:
        return {}
    settings = Settings.from_env()
    reused = settings.prima.orders.customer == "reuse"
    accounts = {order.customer_id_magento for order in orders if reused and order.customer_id_magento}
    found: dict[str, PreparedOrder] = {}
    with connect.open_ledger(settings) as ledger, connect.open_prima(settings) as prima:
        codes = ledger.customer_codes(sorted(accounts)) if accounts else {}
        for order in orders:
            is_known = order.order_number in in_prima
            word, look = ("", "") if is_known else _look(prima, order.order_number_prima)
            customer_code = codes.get(order.customer_id_magento or 0, "") if reused else ""
            try:
                document = prima.prepare_order(order, customer_code=customer_code).document
            except CallRefusedError as error:
                found[order.order_number] = PreparedOrder(problem=str(error), word=word, look=look)
            else:
                found[order.order_number] = PreparedOrder(attributes_of(document), word=word, look=look)
    return found


def attributes_of(document: str) -> Attributes:
    """Return the attributes of an order request by name: `Data/@OrderNumber`, `OrderLineData 1/@Price`.

    The second payment and later ones are numbered: `OrderPaymentData 2/@TranAmount`.
    """
    found: dict[str, str] = {}
    for data in parse_text(document):
        times: Counter[str] = Counter()
        for element in (data, *data):
            times[str(element.tag)] += 1
            again = times[str(element.tag)]
            number = element.get("OrderLine") or (str(again) if again > 1 else "")
            place = f"{element.tag} {number}".rstrip()
            found |= {f"{place}/@{name}": str(value) for name, value in element.attrib.items()}
    return found


def _sent(
    ledger: Ledger, order_number: str, order_number_prima: str, state: str, postings: Sequence[Posting]
) -> SentOrder:
    """Return what was sent of an order; of one that was erased only what became of it, and why no more."""
    try:
        attempts = [_attempt(ledger, posting) for posting in postings]
    except ErasedError as error:
        bare = [_attempt(ledger, replace(posting, request_evidence_id=None)) for posting in postings]
        return SentOrder(order_number, order_number_prima, state, bare, error.message)
    return SentOrder(order_number, order_number_prima, state, attempts)


def _attempt(ledger: Ledger, posting: Posting) -> Attempt:
    document = b""
    if posting.request_evidence_id is not None:
        document = ledger.evidence(posting.request_evidence_id)
    return Attempt(
        posting.state,
        posting.begun_at,
        posting.reference,
        posting.error_code,
        posting.error_text,
        attributes_of(document.decode("utf-8")) if document else {},
    )


def _look(prima: PrimaClient, order_number_prima: str) -> tuple[str, str]:
    try:
        found = prima.order_status(order_number_prima)
    except (CallRefusedError, OutcomeUnknownError) as error:
        return "", str(error)
    return (found.status_text if found is not None else ""), ""
