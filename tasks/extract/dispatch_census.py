"""Both sides of the census of dispatches: PRIMA's dispatches and Magento's shipments of the same days."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import chunks
from schemas.dispatch_census import CensusDispatch, CensusLine, CensusOrder, CensusShipment, DispatchCensusEvidence
from schemas.dispatches import TOLD_STATES
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.extract.dispatches import Source, open_source, ours_of, subject_of
from tasks.extract.orders import Gathered, in_parts
from tasks.settings import Settings
from tasks.settings.order_rules import number_rule
from tasks.systems.ledger import DispatchLink, Ledger, OrderRecord
from tasks.systems.ledger.records import UNSHIPPED_PRODUCT_TYPES
from tasks.systems.magento import DISPATCH_COMMENT, MagentoClient, Reading

NOT_SHIPPED, BY_HAND = "NOT_SHIPPED_IN_MAGENTO", "SHIPPED_BY_HAND"
# A shipment may be made a little before the dispatch that it tells of is dated, and its clock is another one.
MARGIN = timedelta(days=1)
NUMBERS_A_QUESTION = 500


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_dispatch_census() -> DispatchCensusEvidence:
    """Return the dispatches and shipments of the last `fulfilment.look_back_days`, and what the ledger says of both.

    Source: extracts `dispatches` and `dispatch_lines` (or the inbox) by the time of dispatch; GET /V1/shipments by
    change; the ledger for links, orders and open exceptions. A dispatch that an earlier census found not shipped is
    counted until it is, however long ago it left: it is read by its number, and the shipments by their order.
    """
    settings = Settings.from_env()
    taken_at = datetime.now(UTC)
    since = taken_at - timedelta(days=settings.fulfilment.look_back_days)
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        with open_source(settings, ledger) as source:
            read = [row for row in source.read("dispatches", since=since) if row["dispatched_at"] >= since]
            older = source.read("dispatches", keys={"dispatch_number": _listed_before(ledger)})
            older = [row for row in older if row["dispatched_at"] < since]
            ours = ours_of([*read, *older], number_rule(settings))
            numbers = [row["dispatch_number"] for row in ours]
            units = _units(source, numbers, min([since, *(row["dispatched_at"] for row in older)]) - MARGIN)
        links = ledger.dispatches_known(numbers)
        orders = {
            order.order_number: order
            for order in ledger.orders_by_prima_numbers(sorted({row["order_number_prima"] for row in ours}))
        }
        long_ago = {row["order_number_prima"] for row in older}
        entity_ids = {order.entity_id_magento for order in orders.values() if order.order_number_prima in long_ago}
        window = since - MARGIN, taken_at
        shipments, unread, unclear = _shipments(ledger, magento, window, sorted(entity_ids))
        shipped = ledger.accepted_numbers({shipment.entity_id_magento for shipment in shipments})
        orders |= {order.order_number: order for order in ledger.orders(sorted(shipped - orders.keys()))}
        noted = _noted(ledger)
        known = frozenset(note.subject for note in ledger.exceptions(state="closed", code=BY_HAND))
    return DispatchCensusEvidence(
        taken_at,
        [_order(order) for order in orders.values() if order.accepted_at is not None],
        [_dispatch(row, units.get(row["dispatch_number"], {}), links.get(row["dispatch_number"])) for row in ours],
        [shipment for shipment in shipments if shipment.created_at >= since or shipment.is_ours],
        noted,
        known,
        others=len(read) + len(older) - len(ours),
        unread=unread,
        unclear=unclear,
    )


def _listed_before(ledger: Ledger) -> set[str]:
    """Return the numbers of the dispatches that an earlier census found not shipped."""
    return {note.subject.removeprefix(subject_of("")) for note in ledger.exceptions(code=NOT_SHIPPED)}


def _units(source: Source, numbers: Sequence[str], since: datetime) -> dict[str, dict[int, int]]:
    """Return the units of each of these dispatches by line of its order."""
    units: dict[str, dict[int, int]] = {}
    for some in chunks(sorted(numbers), NUMBERS_A_QUESTION):
        for line in source.read("dispatch_lines", since=since, keys={"dispatch_number": set(some)}):
            of_dispatch = units.setdefault(line["dispatch_number"], {})
            place = line["order_line_number"]
            of_dispatch[place] = of_dispatch.get(place, 0) + int(line["quantity"])
    return units


def _shipments(
    ledger: Ledger, magento: MagentoClient, window: tuple[datetime, datetime], of_orders: Sequence[int]
) -> tuple[list[CensusShipment], frozenset[str], frozenset[int]]:
    """Return the shipments that changed between two instants or belong to these orders, named by entity id.

    With them come the ids of those that Magento does not hand out (the flow of fulfilment has their exceptions), and
    the orders of those among them that no dispatch is linked to.
    """
    since, until = window
    parts: list[Gathered | Reading] = [*in_parts(magento.changed("shipments", (since, 0), until + timedelta(days=1)))]
    parts += [magento.documents_of("shipments", entity_id) for entity_id in of_orders]
    records = {int(record["entity_id"]): record for part in parts for record in part.records}
    linked = ledger.shipments_linked([str(entity_id) for entity_id in records])
    unreadable = {str(each.entity_id): each.order_id for part in parts for each in part.unreadable}
    known = ledger.shipments_linked(sorted(unreadable))
    unclear = frozenset(order_id for number, order_id in unreadable.items() if order_id and number not in known)
    return [_shipment(record, linked) for record in records.values()], frozenset(unreadable), unclear


def _shipment(record: Mapping[str, Any], linked: Mapping[str, DispatchLink]) -> CensusShipment:
    units: dict[int, int] = {}
    for item in record.get("items") or []:
        units[int(item["order_item_id"])] = units.get(int(item["order_item_id"]), 0) + int(item["qty"])
    texts = [str(each.get("comment", "")) for each in record.get("comments") or [] if isinstance(each, dict)]
    return CensusShipment(
        str(record["entity_id"]),
        str(record["increment_id"]),
        int(record["order_id"]),
        datetime.strptime(str(record["created_at"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC),
        units,
        str(record["entity_id"]) in linked or any(text.startswith(DISPATCH_COMMENT) for text in texts),
    )


def _noted(ledger: Ledger) -> dict[str, list[str]]:
    """Return the codes of the open exceptions of each dispatch, those of the census left out."""
    prefix = subject_of("")
    noted: dict[str, list[str]] = {}
    for note in ledger.exceptions():
        if note.subject.startswith(prefix) and note.code != NOT_SHIPPED:
            noted.setdefault(note.subject.removeprefix(prefix), []).append(note.code)
    return noted


def _dispatch(row: Mapping[str, Any], units: Mapping[int, int], link: DispatchLink | None) -> CensusDispatch:
    is_told = link is not None and link.state in TOLD_STATES
    return CensusDispatch(
        row["dispatch_number"],
        row["order_number_prima"],
        row["dispatched_at"],
        units,
        is_told,
        link.shipment_id if link is not None and is_told else "",
    )


def _order(order: OrderRecord) -> CensusOrder:
    return CensusOrder(
        order.order_number,
        order.order_number_prima,
        order.entity_id_magento,
        order.currency,
        order.accepted_at or datetime.now(UTC),
        [
            CensusLine(
                line.line_number,
                line.item_id_magento,
                line.sku,
                line.quantity,
                line.gross_pence,
                line.product_type not in UNSHIPPED_PRODUCT_TYPES,
            )
            for line in order.lines
        ],
    )
