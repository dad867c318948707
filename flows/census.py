"""Is every order of Magento where it belongs? Counted each night, by another key than the one orders are read by."""

from prefect import flow

from flows.carrying import carry
from flows.desk import desk_after_run
from flows.passing import whole
from flows.slots import slots_of_both_systems
from flows.watch import watch_orders
from schemas.batches import chunks
from tasks import connect
from tasks.decide import census as decide
from tasks.extract import census as extract
from tasks.extract import items as extract_items
from tasks.extract.orders import RECORDS_A_BATCH, fetch_numbered_orders
from tasks.normalise.census import listed_orders
from tasks.record import census as record
from tasks.record import unreadable
from tasks.record.census import CensusSummary
from tasks.settings import Settings


@flow(name="census", description="Every Magento order of the last days: in the ledger, in PRIMA, or an exception.")
@desk_after_run("census")
@slots_of_both_systems()
def take_census() -> CensusSummary:
    """Count Magento's orders against ledger and PRIMA, carry those that were missed, and look for gaps and silence.

    An order that the ledger should know and does not goes along the same line as any other; so does one that Magento
    has under a number that is missing from its sequence.
    """
    settings = Settings.from_env()
    rules, census_rule = connect.order_rules(settings), connect.census_rule(settings)
    items = extract_items.fetch_items()
    reading = extract.fetch_listed_orders()
    if reading.unreadable:
        unreadable.note_unreadable(reading.batch_id, whole(reading.unreadable))
    listed = listed_orders(reading.records, settings.orders.amounts)
    numbers = [order.order_number for order in listed]
    before = extract.fetch_evidence(whole(numbers), reading.since, reading.taken_at)
    gaps = decide.gaps_of(listed, before, step=settings.orders.number_step)
    present = extract.look_up_gaps(whole(gaps))
    to_read = decide.orders_to_read(listed, before, census_rule)
    missed = sorted({*to_read, *present})
    for some in chunks(missed, RECORDS_A_BATCH):
        carry(fetch_numbered_orders(whole(some), "orders found by the census"), items, rules, settings)
    evidence = extract.fetch_evidence(whole(numbers), reading.since, reading.taken_at)
    late = decide.found_late(listed, to_read, before)
    skipped = [decide.gap_note(left) for gap in gaps for left in decide.absent(gap, present)]
    summary = record.close_census(
        reading.batch_id,
        whole(listed),
        whole(decide.census(listed, evidence, census_rule, rules)),
        whole([*late, *skipped]),
        carried=len(missed),
        is_prima_shown=evidence.shown is not None,
    )
    watch_orders(settings)
    return summary
