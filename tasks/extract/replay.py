"""One order to be played again: what was sent of it, how Magento has it now, and the request that would be sent."""

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents import SalesOrder
from schemas.replay import Attempt, Attributes, PreparedOrder, SentOrder
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import CallRefusedError, NotFoundError, OutcomeUnknownError
from tasks.extract.orders import OrderBatch, read_numbered
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, Posting
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
        attempts = [_attempt(ledger, posting) for posting in ledger.attempts(f"{KEY}{order.order_number}")]
    return SentOrder(order.order_number, order.order_number_prima, order.state, attempts)


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_order_again(order_number: str, *, is_to_be_posted: bool) -> OrderBatch:
    """Return a batch of this one order as Magento has it now; the ledger hears of it only when it is to be posted.

    Raises NotFoundError when Magento has no order of this number.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        read = read_numbered(magento, [order_number])
        if not read.records and not read.unreadable:
            raise NotFoundError("there is no such order.", system="Magento", operation="replay", reference=order_number)
        now = datetime.now(UTC)
        batch_id = ledger.open_batch(STREAM, now, now) if is_to_be_posted else ""
    return OrderBatch(batch_id, read.records, None, True, read.unreadable)


@task(cache_policy=NO_CACHE)
def fetch_prepared(orders: Sequence[SalesOrder]) -> PreparedOrder | None:
    """Return the request that would be sent, and whether PRIMA shows the order; None without an order. Sends nothing.

    Source: `OrderStatus` for the look. Raises SystemUnavailableError when PRIMA is out of reach.
    """
    if not orders:
        return None
    (order,) = orders
    settings = Settings.from_env()
    account = order.customer_id_magento if settings.prima.orders.customer == "reuse" else None
    with connect.open_ledger(settings) as ledger, connect.open_prima(settings) as prima:
        customer_code = ledger.customer_codes([account]).get(account, "") if account else ""
        word, look = _look(prima, order.order_number_prima)
        try:
            document = prima.prepare_order(order, customer_code=customer_code).document
        except CallRefusedError as error:
            return PreparedOrder(problem=str(error), word=word, look=look)
    return PreparedOrder(attributes_of(document), word=word, look=look)


def attributes_of(document: str) -> Attributes:
    """Return the attributes of an order request by name: `Data/@OrderNumber`, `OrderLineData 1/@Price`."""
    found: dict[str, str] = {}
    for data in parse_text(document):
        for element in (data, *data):
            line = element.get("OrderLine")
            place = f"{element.tag} {line}" if line else str(element.tag)
            found |= {f"{place}/@{name}": str(value) for name, value in element.attrib.items()}
    return found


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
