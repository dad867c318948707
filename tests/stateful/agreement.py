"""What must be true of orders when a schedule is over, whatever went wrong on the way."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import create_engine, text

from tasks.record.orders import BLOCKING
from tasks.systems.ledger import BatchRecord, Ledger
from tests.stateful.orders import OrdersPlay

# The sums that `record.orders` demands of a batch; an older batch may lack a step that was added later.
SUMS = {
    "fetched": ("accepted", "rejected"),
    "accepted": ("to post", "already posted", "exceptions", "too young"),
    "to post": ("posted", "already", "refused", "unknown", "waiting"),
}


def disagreements(play: OrdersPlay) -> list[str]:
    """Return a sentence for everything that is not as it must be."""
    installation = play.installation
    in_prima = {order["order_number"]: order for order in installation.prima.orders()}
    with installation.ledger() as ledger:
        return [
            *_orders(play, ledger, in_prima),
            *_postings(play, ledger, in_prima),
            *_batches(ledger),
            *(f"evidence {each.evidence_id}: {each.problem}" for each in ledger.verify_evidence()),
        ]


def _orders(play: OrdersPlay, ledger: Ledger, in_prima: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Each order is in PRIMA once, to the penny, or has an open exception; the ledger says the same as PRIMA."""
    excepted = {note.order_number for note in ledger.exceptions() if note.code in BLOCKING}
    failed_notes = {note.order_number for note in ledger.exceptions(code="MAGENTO_NOTE_FAILED")}
    ours = set()
    for document in play.documents:
        number, prima_number = document["increment_id"], f"30{document['entity_id']:06d}"
        known, there = ledger.order(number), in_prima.get(prima_number)
        ours.add(prima_number)
        if there is None:
            if known is not None and known.accepted_at is not None:
                yield f"{number} is {known.state} in the ledger, and PRIMA does not have it"
            if number not in excepted:
                yield f"{number} is lost: PRIMA does not have it, and no exception says so"
            continue
        if known is None or known.accepted_at is None:
            yield f"{number} is in PRIMA, and the ledger says {known and known.state}"
        wanted = (_pence(document["grand_total"]), _pence(document["tax_amount"]))
        if (there["gross"], there["vat"]) != wanted:
            yield f"{number}: PRIMA has {(there['gross'], there['vat'])} pence gross and VAT, Magento {wanted}"
        noted = play.installation.magento.order(number).get("ext_order_id")
        if noted != prima_number and number not in failed_notes:
            yield f"{number} is accepted, and Magento's ext_order_id is {noted}"
    for stranger in in_prima.keys() - ours:
        yield f"PRIMA has {stranger}, which nobody placed"


def _postings(play: OrdersPlay, ledger: Ledger, in_prima: dict[str, dict[str, Any]]) -> Iterator[str]:
    """One posted attempt for each order in PRIMA, and no order was sent again without a reason."""
    posted = [posting for posting in ledger.postings_in("prima", {"posted"}) if posting.operation == "create order"]
    if sorted(posting.reference for posting in posted) != sorted(in_prima):
        yield f"the ledger says posted of {[posting.reference for posting in posted]}, PRIMA has {sorted(in_prima)}"
    requests = [each for each in play.installation.prima.requests() if each["request_type"] == "MultiNewOrder"]
    taken = Counter(order for order in in_prima for each in requests if _took(each, order))
    yield from (f"PRIMA took {order} {count} times" for order, count in taken.items() if count != 1)
    again = [each for each in requests if "(E:21)" in each["answer"]]
    if again and not play.schedule.may_repeat_a_posting:
        yield f"{len(again)} orders that PRIMA had were sent to it again"
    with_attempts = {posting.key: len(ledger.attempts(posting.key)) for posting in posted}
    sent = Counter(order for order in in_prima for each in requests if f'OrderNumber="{order}"' in each["xml"])
    for posting in posted:
        if sent[posting.reference] > with_attempts[posting.key]:
            counts = f"{sent[posting.reference]} times in {with_attempts[posting.key]} attempts"
            yield f"{posting.reference} was sent {counts}"


def _batches(ledger: Ledger) -> Iterator[str]:
    """The control totals of every batch agree."""
    for batch in ledger.batches(limit=1000):
        if batch.state == "failed":
            yield f"the batch {batch.batch_id} failed"
        if batch.state in ("closed", "waiting"):
            yield from _sums(batch)


def _sums(batch: BatchRecord) -> Iterator[str]:
    totals = batch.control_totals
    for whole, parts in SUMS.items():
        for figure in ("count", "net_pence", "vat_pence", "gross_pence"):
            made = sum(totals.get(part, {}).get(figure, 0) for part in parts)
            if totals[whole][figure] != made:
                yield f"{batch.batch_id}: {whole} is {totals[whole][figure]} {figure}, {' + '.join(parts)} make {made}"


def leases_held(url: str) -> list[str]:
    """Return the lanes that somebody still holds."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text("select name from leases")).scalars())
    finally:
        engine.dispose()


def _took(request: dict[str, str], order: str) -> bool:
    return f'OrderNumber="{order}"' in request["xml"] and 'RequestStatus="OK"' in request["answer"]


def _pence(amount: Any) -> int:
    return int(Decimal(str(amount)) * 100)
