"""PRIMA's answer is the same as before: nothing is worked out, unless something else that counts has changed."""

from dataclasses import replace
from datetime import UTC, datetime

from flows.inventory import sync_inventory
from flows.orders import sync_orders
from tasks.extract import stock_marks as extract_marks
from tasks.record.stock import StockSummary
from tests.flows.shopping import PRICE, STOCK_WRITE, a_line, buy, stock_both, stock_writes
from tests.installation import Installation

SKUS = ("TEE-NAVY-M", "TEE-NAVY-L", "TEE-NAVY-S")
SKU, OTHER, THIRD = SKUS
SNAPSHOT = "ProductAvailableToSell"


def is_worked_out(installation: Installation, summary: StockSummary) -> bool:
    """Tell whether a cycle went the whole way: one that did is the one that was finished last, or leaves none."""
    with installation.ledger() as ledger:
        finished = ledger.finished_cycle()
    return finished is None or finished.batch_id == summary.batch_id


def unchanged_cycle(installation: Installation) -> StockSummary:
    """Run a cycle that finds nothing to work out: the next one, should the day have changed since the last."""
    with installation.ledger() as ledger:
        before = ledger.finished_cycle()
    assert before is not None
    summary = sync_inventory()
    if before.marks.day != datetime.now(UTC).date().isoformat():
        summary = sync_inventory()
    assert not is_worked_out(installation, summary)
    return summary


def test_while_all_is_as_it_was_nothing_is_worked_out_and_each_single_change_is_met(installation: Installation) -> None:
    stock_both(installation, dict.fromkeys(SKUS, 100))
    installation.add_settings("[stock]\nbuffer = 0")
    first = sync_inventory()
    assert is_worked_out(installation, first)
    second = unchanged_cycle(installation)
    assert second.counts == first.counts
    assert stock_writes(installation) == 0
    with installation.ledger() as ledger:
        assert [batch.state for batch in ledger.batches("stock", limit=2)] == ["closed", "closed"]

    installation.configure(buffer="3")
    sync_inventory()
    assert installation.magento.source_quantity(SKU) == 97, "a changed buffer"

    buy(installation, a_line(SKU, 10))
    sync_orders()
    installation.prima.receive(SKU, 10)
    with installation.ledger() as ledger:
        known = ledger.finished_cycle()
    assert known is not None
    marks, _ = extract_marks.fetch_marks.fn(known.marks.answer, known.marks.items, datetime.now(UTC))
    assert set(marks.changed(known.marks)) - {"day"} == {"open_units"}
    sync_inventory()
    assert installation.magento.source_quantity(SKU) == 107, "units of a new order, PRIMA's answer as it was"

    unchanged_cycle(installation)
    with installation.ledger() as ledger:
        finished = ledger.finished_cycle()
        assert finished is not None
        ledger.keep_finished_cycle("yesterday's", replace(finished.marks, day="2026-01-01"), finished.counts)
    assert is_worked_out(installation, sync_inventory()), "another day: expected stock is judged anew"

    installation.magento.set_source_quantity(OTHER, 33)
    sync_inventory()
    assert installation.open_codes() == {f"sku {OTHER}": "STOCK_DRIFT"}, "an unchanged cycle reads a sample back too"
    sync_inventory()
    assert installation.magento.source_quantity(OTHER) == 97, "what the read-back found"
    assert installation.open_codes() == {}


def test_what_was_refused_held_or_left_out_is_worked_out_again_although_primas_answer_is_the_same(
    installation: Installation,
) -> None:
    stock_both(installation, dict.fromkeys(SKUS, 100))
    sync_inventory()
    installation.prima.sell_elsewhere(SKU, 1)
    installation.magento.faults.add(STOCK_WRITE, "status", times=1, status=400)
    assert sync_inventory().counts["refused"] == 1
    with installation.ledger() as ledger:
        assert ledger.finished_cycle() is None, "a cycle that was begun and not finished leaves nothing to go by"
    sync_inventory()
    assert installation.magento.source_quantity(SKU) == 99, "a push that was refused"

    installation.prima.faults.add(SNAPSHOT, "empty_snapshot")
    assert sync_inventory().held
    assert not sync_inventory().held
    assert installation.open_codes() == {}, "a hold ends with the same sane answer as before it"

    installation.magento.add_product("ONLY-IN-MAGENTO", price=PRICE, quantity=3)
    with installation.ledger() as ledger:
        ledger.write_anew([(OTHER, "default")])
    writes = stock_writes(installation)
    sync_inventory()
    assert stock_writes(installation) == writes + 1, "a repair asked for a level to be written"
    unchanged_cycle(installation)

    with installation.ledger() as ledger:
        ledger.forget_levels([(THIRD, "default")])
    assert is_worked_out(installation, sync_inventory()), "a level that is not known any more"

    installation.add_settings("[stock]\nwork_out_minutes = 0")
    assert is_worked_out(installation, sync_inventory())
    assert is_worked_out(installation, sync_inventory())
