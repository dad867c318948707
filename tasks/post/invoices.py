"""Invoices in Magento where the settings want them: of what PRIMA accepted, or of what left; each exactly once."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import PostingResult, PostingState
from schemas.documents import ShipmentLine
from tasks import connect
from tasks.errors import CallRefusedError, OutcomeUnknownError, SystemUnavailableError, UnexpectedResponseError
from tasks.post.attempts import NOT_SENT, Patience, standing
from tasks.post.shipment_looks import CLOCKS_APART, may_be_it, may_still_arrive, units_of
from tasks.settings import PaymentMethodSettings, Settings
from tasks.systems.ledger import Ledger, Posting
from tasks.systems.ledger.invoicing import ToInvoice
from tasks.systems.magento import MagentoClient
from tasks.systems.magento.quantities import items_by_id, left_to_invoice, left_to_ship

OPERATION = "invoice"
SECONDS = 300
DAYS_BACK = 60
AT_MOST = 500
FAILED = "INVOICE_FAILED"
UNKNOWN = "INVOICE_OUTCOME_UNKNOWN"
NOTHING_LEFT = "nothing left to invoice"
OVER = ("canceled", "closed")
LIVE = ("pending", "unknown")
# A gateway that declined is not asked again every ten minutes.
PATIENCE = Patience(3, (timedelta(hours=1), timedelta(hours=6)))


@dataclass(frozen=True, slots=True)
class _Desk:
    ledger: Ledger
    magento: MagentoClient
    settings: Settings


@task(cache_policy=NO_CACHE)
def post_invoices() -> list[PostingResult]:
    """Invoice what is due by `payment_methods.<code>.invoice_when`; returns one result an invoice, by order number.

    Source: POST /V1/order/{id}/invoice; the ledger says what is due. The order is read first: what somebody invoiced by
    hand is not invoiced again, and after a lost answer the order's invoices are read before another call. Money is
    taken only where `invoice_capture` says so. When Magento is out of reach the rest stays `waiting`.
    """
    settings = Settings.from_env()
    methods = connect.payment_methods(settings)
    since = datetime.now(UTC) - timedelta(days=DAYS_BACK)
    accepted = {code for code, method in methods.items() if method.invoice_when == "accepted"}
    dispatched = {code for code, method in methods.items() if method.invoice_when == "dispatched"}
    if not accepted | dispatched:
        return []
    with connect.open_ledger(settings) as ledger:
        due = ledger.orders_to_invoice(accepted, since, limit=AT_MOST) if accepted else []
        due += ledger.dispatches_to_invoice(dispatched, since, limit=AT_MOST) if dispatched else []
        if not due:
            return []
        results: list[PostingResult] = []
        with connect.open_magento(settings) as magento:
            desk = _Desk(ledger, magento, settings)
            for position, wanted in enumerate(due):
                try:
                    results.append(_invoice(desk, wanted, methods[wanted.payment_method]))
                except SystemUnavailableError as error:
                    left = due[position:]
                    return results + [_result(each, "waiting", code=NOT_SENT, detail=str(error)) for each in left]
    return results


def _invoice(desk: _Desk, wanted: ToInvoice, method: PaymentMethodSettings) -> PostingResult:
    ledger = desk.ledger
    with ledger.lane(f"order {wanted.order_number}", owner=connect.owner(), seconds=SECONDS) as is_ours:
        if not is_ours:
            return _result(wanted, "waiting", detail="another worker has this order")
        attempts = ledger.attempts(wanted.key)
        try:
            settled = _look(desk, wanted, attempts)
            if settled is not None:
                return settled
            lines = _lines(desk.magento, wanted)
        except (CallRefusedError, OutcomeUnknownError, UnexpectedResponseError) as error:
            if attempts and attempts[-1].state in LIVE:
                return _result(wanted, "unknown", code=UNKNOWN, detail=str(error))
            return _result(wanted, "refused", code=FAILED, detail=str(error))
        if lines is None:
            return _result(wanted, "waiting", detail="the goods that it belongs to have not left")
        text = json.dumps({"lines": [[line.item_id_magento, line.quantity] for line in lines], "key": wanted.key})
        request_hash = hashlib.sha256(f"{text} {method.invoice_capture}".encode()).hexdigest()
        patience = standing(attempts, request_hash, PATIENCE, datetime.now(UTC))
        if not patience.may_be_sent:
            said = patience.last.error_text if patience.last is not None else ""
            return _result(wanted, "refused", code=FAILED, detail=said + patience.words)
        posting = ledger.begin_posting(
            wanted.key,
            system="magento",
            operation=OPERATION,
            subject=f"order {wanted.order_number}",
            request_hash=request_hash,
            evidence_id=ledger.keep_evidence(
                "magento invoice", f"order {wanted.order_number}", text, media="application/json"
            ),
        )
        if not lines:
            ledger.finish_posting(posting.id, "posted", reference=NOTHING_LEFT)
            return _result(wanted, "already", reference=NOTHING_LEFT)
        return _send(desk, wanted, method, lines, posting)


def _send(
    desk: _Desk, wanted: ToInvoice, method: PaymentMethodSettings, lines: Sequence[ShipmentLine], posting: Posting
) -> PostingResult:
    ledger = desk.ledger
    try:
        invoice_id = desk.magento.invoice(
            wanted.entity_id_magento,
            lines,
            method.invoice_capture,
            notify_customer=method.invoice_notify,
            text=_comment(wanted),
        )
    except SystemUnavailableError as error:
        ledger.finish_posting(posting.id, "refused", error_code=NOT_SENT, error_text=str(error))
        raise
    except CallRefusedError as error:
        ledger.finish_posting(posting.id, "refused", error_code=error.code, error_text=error.message)
        return _result(wanted, "refused", code=FAILED, detail=error.message)
    except OutcomeUnknownError as error:
        ledger.finish_posting(posting.id, "unknown", error_text=str(error))
        try:
            found = _found(desk, wanted, ledger.attempts(wanted.key))
        except (SystemUnavailableError, UnexpectedResponseError):
            found = ""  # the next run looks before it invoices again
        if found:
            ledger.resolve_posting(posting.id, "posted", reference=found)
            return _result(wanted, "posted", reference=found)
        return _result(wanted, "unknown", code=UNKNOWN, detail=str(error))
    ledger.finish_posting(posting.id, "posted", reference=invoice_id)
    return _result(wanted, "posted", reference=invoice_id)


def _look(desk: _Desk, wanted: ToInvoice, attempts: Sequence[Posting]) -> PostingResult | None:
    """Settle what an earlier call left open, or gave up and that arrived after all; None when a call may be made."""
    if not attempts or not (attempts[-1].state in LIVE or any(each.resolution for each in attempts)):
        return None
    last = attempts[-1]
    found = _found(desk, wanted, attempts)
    if last.state == "refused":
        if not found:
            return None
        last = desk.ledger.begin_posting(
            wanted.key, system="magento", operation=OPERATION, subject=last.subject, request_hash=last.request_hash
        )
    if found:
        desk.ledger.resolve_posting(last.id, "posted", reference=found)
        return _result(wanted, "posted", reference=found)
    if may_still_arrive(last, desk.settings.fulfilment.settle_seconds):
        return _result(wanted, "unknown", code=UNKNOWN, detail="Magento does not show it yet: a later run looks again")
    desk.ledger.resolve_posting(last.id, "not_there")
    return None


def _found(desk: _Desk, wanted: ToInvoice, attempts: Sequence[Posting]) -> str:
    """Return the id of the invoice that came of these attempts, by its comment or by lines and time; else nothing.

    Raises SystemUnavailableError and UnexpectedResponseError where nothing was seen, or not everything that it may be:
    that is no "not there".
    """
    reading = desk.magento.documents_of("invoices", wanted.entity_id_magento)
    invoices = reading.records
    for invoice in invoices:
        texts = [str(each.get("comment", "")).strip() for each in invoice.get("comments") or []]
        if _comment(wanted) in texts:
            return str(invoice["entity_id"])
    others = {each.reference for each in desk.ledger.postings_of(attempts[-1].subject) if each.operation == OPERATION}
    nobodys = [each for each in reading.unreadable if str(each.entity_id) not in others]
    if nobodys:
        raise may_be_it(nobodys)
    kept = next((each.request_evidence_id for each in reversed(attempts) if each.request_evidence_id), None)
    if kept is None:
        return ""
    asked = dict(json.loads(desk.ledger.evidence(kept))["lines"])
    since = min(each.begun_at for each in attempts) - CLOCKS_APART
    alike = [
        str(invoice["entity_id"])
        for invoice in invoices
        if not invoice.get("comments") and _units(invoice) == asked and _created_at(invoice) >= since
    ]
    return alike[0] if alike else ""


def _lines(magento: MagentoClient, wanted: ToInvoice) -> list[ShipmentLine] | None:
    """Return the units to invoice, none when nothing is left; None when it is not time yet.

    Of a dispatch these are its shipment's units. With the last goods goes all that is left: what nobody ships is
    invoiced with them.
    """
    order = magento.order(wanted.entity_id_magento)
    if order.get("state") in OVER:
        return []
    items = {number: item for number, item in items_by_id(order).items() if not item.get("parent_item_id")}
    left = {number: left_to_invoice(item) for number, item in items.items()}
    has_goods_to_come = any(left_to_ship(item) for item in items.values() if not item.get("is_virtual"))
    if wanted.is_dispatch and has_goods_to_come:
        if not wanted.shipment_id:
            return None
        shipped = Counter(units_of(magento.shipment(wanted.shipment_id)))
        left = {number: min(units, shipped[number]) for number, units in left.items()}
    return [ShipmentLine(number, units) for number, units in sorted(left.items()) if units]


def _comment(wanted: ToInvoice) -> str:
    return f"PRIMA {wanted.key.removeprefix('magento/invoice/')}"


def _units(invoice: Mapping[str, Any]) -> dict[int, int]:
    """Return the units of an invoice by order line, without the child lines that Magento repeats without money."""
    parents = [item for item in invoice.get("items") or [] if item.get("price") is not None]
    return units_of({"items": parents})


def _created_at(invoice: Mapping[str, Any]) -> datetime:
    return datetime.strptime(str(invoice["created_at"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _result(
    wanted: ToInvoice, state: PostingState, *, reference: str = "", code: str = "", detail: str = ""
) -> PostingResult:
    return PostingResult(wanted.key, wanted.order_number, state, reference, code, detail)
