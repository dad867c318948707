"""What an order went through, from the ledger and, if they can be asked, from both systems as they are now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flows.views import exception_view
from schemas.money import show
from schemas.timeline import Fact, FactKind, OpenProblem, OrderNow
from tasks import connect
from tasks.decide import timeline as decide
from tasks.errors import IntegrationError
from tasks.record.orders import BLOCKING
from tasks.settings import Settings
from tasks.systems.ledger import ExceptionRecord, Ledger, OrderRecord, Posting

OURS, MAGENTO, PRIMA = "magento-prima", "Magento", "PRIMA"
EXTRACTS = ("dispatches", "invoices", "credit_notes")
_SYSTEMS = {"magento": MAGENTO, "prima": PRIMA}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the systems say of an order now. `unread` says which of them could not be asked, and why."""

    order: Mapping[str, Any] | None = None
    documents: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    extracts: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


NOT_ASKED = Asked()


def ask(settings: Settings, order: OrderRecord) -> Asked:
    """Return what Magento has of the order and what PRIMA's reporting source shows; never raises for one of them."""
    record: Mapping[str, Any] | None = None
    documents: dict[str, list[dict[str, Any]]] = {}
    extracts: dict[str, list[dict[str, Any]]] = {}
    unread: list[str] = []
    try:
        with connect.open_magento(settings) as magento:
            record = magento.order(order.entity_id_magento)
            reading = magento.documents_of("invoices", order.entity_id_magento)
            documents["invoices"] = list(reading.records)
            unread += [f"Magento does not hand out invoice entity {each.entity_id}" for each in reading.unreadable]
    except IntegrationError as error:
        unread.append(f"Magento could not be asked: {error}")
    try:
        with connect.open_reporting(settings) as reporting:
            if reporting is not None and order.order_number_prima:
                for name in EXTRACTS:
                    extracts[name] = reporting.read(name, keys={"order_number_prima": [order.order_number_prima]})
    except IntegrationError as error:
        unread.append(f"PRIMA's reporting source could not be asked: {error}")
    return Asked(record, documents, extracts, tuple(unread))


def facts(ledger: Ledger, order: OrderRecord, asked: Asked) -> list[Fact]:
    """Return everything that happened to an order: what the ledger kept, and what the systems show."""
    found = [Fact(order.placed_at, MAGENTO, "placed", f"placed, {show(order.gross_pence, order.currency)}")]
    if order.seen_at:
        found.append(Fact(order.seen_at, OURS, "seen", "seen"))
    if order.accepted_at:
        found.append(Fact(order.accepted_at, PRIMA, "accepted", f"accepted as {order.order_number_prima}"))
    found += _held(ledger.exceptions(state="all", order_number=order.order_number))
    found += _dispatched(ledger, order, asked)
    found += _invoiced(order, asked)
    found += _given_back(ledger, order)
    subjects = [f"order {order.order_number}"]
    subjects += [f"dispatch {link.dispatch_number}" for link in ledger.dispatch_links_of(order.order_number)]
    found += [_posting(posting) for subject in subjects for posting in ledger.postings_of(subject)]
    if order.state == "cancelled" and order.state_since:
        found.append(Fact(order.state_since, OURS, "cancelled", "cancelled on both sides"))
    return found


def order_now(ledger: Ledger, order: OrderRecord, asked: Asked, alert_days: int) -> OrderNow:
    """Return how an order stands, for `decide` to say what happens next."""
    told = {link.dispatch_number for link in ledger.dispatch_links_of(order.order_number) if link.shipment_id}
    shown = [row["dispatch_number"] for row in asked.extracts.get("dispatches", [])]
    return OrderNow(
        order.state,
        order.state_magento,
        sum(line.open_units for line in order.lines),
        [
            OpenProblem(note.code, note.owner, note.next_step)
            for note in ledger.exceptions(order_number=order.order_number)
        ],
        [number for number in shown if number not in told],
        [
            (kept.refund.refund_number, kept.refund.refund_date + timedelta(days=alert_days))
            for kept in ledger.refunds_of([order.order_number])
            if kept.settled_at is None and order.accepted_at is not None
        ],
    )


def view_of(ledger: Ledger, found: OrderRecord, settings: Settings, asked: Asked = NOT_ASKED) -> dict[str, Any]:
    """Return where an order is, from the ledger and from what the systems were asked."""
    now = order_now(ledger, found, asked, settings.refunds.alert_days)
    return {
        "order_number": found.order_number,
        "order_number_prima": found.order_number_prima,
        "entity_id_magento": found.entity_id_magento,
        "state": found.state,
        "state_magento": str(asked.order["state"]) if asked.order else found.state_magento,
        "status_magento": str(asked.order["status"]) if asked.order else found.status_magento,
        "currency": found.currency,
        "net_pence": found.net_pence,
        "vat_pence": found.vat_pence,
        "gross_pence": found.gross_pence,
        "lines": [
            {
                "line_number": line.line_number,
                "sku": line.sku,
                "quantity": line.quantity,
                "quantity_shipped": line.quantity_shipped,
                "quantity_cancelled": line.quantity_cancelled,
                "quantity_refunded": line.quantity_refunded,
                "vat_pence": line.vat_pence,
                "gross_pence": line.gross_pence,
            }
            for line in found.lines
        ],
        "timeline": [_event(fact) for fact in decide.timeline(facts(ledger, found, asked))],
        "next": decide.next_step(now),
        "unread": list(asked.unread),
        "exceptions": [
            exception_view(each, datetime.now(UTC))
            for each in ledger.exceptions(state="all", order_number=found.order_number)
        ],
    }


def customer(asked: Asked) -> dict[str, Any]:
    """Return who ordered and where it goes, as Magento has it; empty where Magento could not be asked."""
    if asked.order is None:
        return {}
    record = asked.order
    assignments = (record.get("extension_attributes") or {}).get("shipping_assignments") or [{}]
    address = (assignments[0].get("shipping") or {}).get("address") or record.get("billing_address") or {}
    parts = [*(address.get("street") or []), address.get("city"), address.get("postcode"), address.get("country_id")]
    return {
        "name": " ".join(filter(None, (address.get("firstname"), address.get("lastname")))),
        "email": record.get("customer_email") or "",
        "telephone": address.get("telephone") or "",
        "address": ", ".join(str(part) for part in parts if part),
    }


def _held(exceptions: list[ExceptionRecord]) -> list[Fact]:
    found = []
    for note in exceptions:
        kind: FactKind = "held"
        word = "held" if note.code in BLOCKING else "needs attention"
        found.append(Fact(note.first_seen_at, OURS, kind, f"{word}: {note.code} ({note.owner}): {note.sentence}"))
        if note.closed_at:
            found.append(Fact(note.closed_at, OURS, kind, f"{note.code} is over"))
    return found


def _dispatched(ledger: Ledger, order: OrderRecord, asked: Asked) -> list[Fact]:
    """Return when each parcel left PRIMA, and when Magento told the customer, parcel by parcel."""
    found = []
    for row in asked.extracts.get("dispatches", []):
        how = " ".join(filter(None, (row["carrier"], row["service"])))
        numbers = ", ".join(each.strip() for each in (row["tracking_numbers"] or "").split(";") if each.strip())
        by = f" by {how}" if how else ""
        parcels = f", parcel {numbers}" if numbers else ", no tracking number yet"
        what = f"dispatch {row['dispatch_number']} left{by}{parcels}"
        found.append(Fact(row["dispatched_at"], PRIMA, "dispatched", what))
    links = ledger.dispatch_links_of(order.order_number)
    tracks = ledger.dispatch_tracks([link.dispatch_number for link in links])
    for link in links:
        for track in tracks.get(link.dispatch_number, []):
            state = "withdrawn: " if track.state == "withdrawn" else ""
            what = f"{state}parcel {track.track_number} with {track.title}, shipment {link.shipment_id}"
            found.append(Fact(track.told_at, MAGENTO, "told", what, url=track.url))
        if link.shipment_id and not tracks.get(link.dispatch_number):
            what = f"shipment {link.shipment_id} of dispatch {link.dispatch_number}, without tracking"
            found.append(Fact(link.updated_at, MAGENTO, "told", what))
    return found


def _invoiced(order: OrderRecord, asked: Asked) -> list[Fact]:
    found = []
    for record in asked.documents.get("invoices", []):
        at = datetime.strptime(str(record["created_at"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        found.append(Fact(at, MAGENTO, "invoiced", f"invoice {record['increment_id']}, {record['grand_total']:.2f}"))
    for row in asked.extracts.get("invoices", []):
        what = f"invoice {row['invoice_number']}, {row['gross_amount']:.2f} {order.currency}"
        found.append(_on_day(row["invoice_date"], PRIMA, "invoiced", what))
    return found


def _given_back(ledger: Ledger, order: OrderRecord) -> list[Fact]:
    """Return refunds of Magento and credit notes of PRIMA, with what answers what."""
    found = []
    for kept in ledger.refunds_of([order.order_number]):
        refund = kept.refund
        answer = f", credited by {', '.join(kept.answers)}" if kept.answers else ""
        answer = answer or (f", {kept.settled_why}" if kept.settled_at else ", no credit note in PRIMA yet")
        what = f"credit memo {refund.refund_number}, {show(refund.gross_pence, refund.currency)} refunded{answer}"
        found.append(Fact(refund.refunded_at, MAGENTO, "refunded", what))
    for credit in ledger.credit_notes_of([order.order_number]):
        note = credit.note
        open_end = "" if credit.settled_at else ", no refund in Magento yet"
        what = f"credit note {note.credit_note_number}, {show(note.gross_pence, note.currency)}{open_end}"
        found.append(_on_day(note.credit_note_date, PRIMA, "credited", what))
    return found


def _on_day(day: date, system: str, kind: FactKind, what: str) -> Fact:
    return Fact(datetime(day.year, day.month, day.day, tzinfo=UTC), system, kind, what, is_day=True)


def _posting(posting: Posting) -> Fact:
    how = posting.state + (f", {posting.error_code}" if posting.error_code else "")
    reference = f" {posting.reference}" if posting.reference else ""
    what = f"{posting.operation}{reference} ({posting.subject}): {how}"
    system = _SYSTEMS.get(posting.system, posting.system)
    return Fact(posting.finished_at or posting.begun_at, system, "posting", what)


def _event(fact: Fact) -> dict[str, str]:
    at = fact.at.astimezone(UTC)
    return {
        "at": at.strftime("%Y-%m-%d" if fact.is_day else "%Y-%m-%dT%H:%M:%SZ"),
        "system": fact.system,
        "kind": fact.kind,
        "what": fact.what,
        "url": fact.url,
    }
