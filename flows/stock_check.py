"""Is Magento's stock what was written there, and what its own orders make of it? Read back as a whole each night."""

from prefect import flow

from flows import read_back
from flows.desk import desk_after_run
from flows.slots import slots_of_both_systems
from tasks.record.stock_check import StockCheckSummary
from tasks.settings import Settings


@flow(name="stock check", description="Every source item and salable quantity against what was written, with causes.")
@desk_after_run("stock-check")
@slots_of_both_systems()
def check_stock() -> StockCheckSummary:
    """Read all of Magento's stock back, and raise each difference with cause, severity and value.

    What Magento really holds is noted, so that the next run of `inventory` writes fresh figures where they differ. The
    ledger follows Magento's own orders where it missed a shipment, cancellation or refund. A drift of reservations is
    only told.
    """
    settings = Settings.from_env()
    first, second, found = read_back.look_twice(settings)
    read_back.note_what_is_there(second, found, settings)
    return read_back.close(first, found, settings)
