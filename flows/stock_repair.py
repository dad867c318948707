"""Set Magento's stock right where it drifted: with a dry run, and always with fresh figures."""

from dataclasses import replace

from prefect import flow

from flows import read_back
from flows.desk import desk_after_run
from flows.passing import whole
from flows.slots import slots_of_both_systems
from flows.stocking import carry_stock
from tasks.decide import drift as decide
from tasks.post import stock_repair as post
from tasks.record import stock_check as record
from tasks.record.stock_check import StockCheckSummary
from tasks.settings import Settings


@flow(name="stock repair", description="Find every drift of Magento's stock; write fresh figures.")
@desk_after_run("stock-repair")
@slots_of_both_systems()
def repair_stock(dry_run: bool = True, delete_orphans: bool = False) -> StockCheckSummary:
    """Check all of Magento's stock, and unless it is a dry run write the levels that drifted anew.

    Args:
        dry_run: Only find and raise what drifted; nothing is written to Magento.
        delete_orphans: Also remove source items of SKUs that are no product.

    PRIMA is read again as a whole, so that nothing stale is written and the brakes apply; a level that is marked out of
    stock, or holds a fraction, is written even where its number is right. Reservations are never made good by bending a
    quantity, and sources that no setting names are left alone.
    """
    settings = Settings.from_env()
    first, second, found = read_back.look_twice(settings)
    if dry_run:
        return read_back.close(first, found, settings, is_dry_run=True)
    read_back.note_what_is_there(second, found, settings)
    record.mark_for_writing(decide.needs_writing(found))
    summary = read_back.close(first, found, settings)
    removed = post.delete_source_items(whole(decide.orphans_of(found))) if delete_orphans else 0
    written = carry_stock(settings).counts.get("posted", 0)
    return replace(summary, repaired=written + removed)
