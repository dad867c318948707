"""Reading Magento's stock back: a sample after each push, everything for the nightly check and for a repair."""

from collections.abc import Sequence

from flows.following import follow_orders
from flows.passing import whole
from schemas.documents import ExceptionNote
from schemas.drift import Drift, KnownStock, StockReading
from tasks import connect
from tasks.decide import drift as decide
from tasks.extract import prices as extract_prices
from tasks.extract import stock_check as extract
from tasks.normalise import orders as normalise_orders
from tasks.normalise.open_units import with_open_units
from tasks.record import progress
from tasks.record import stock_check as record
from tasks.record.stock_check import StockCheckSummary
from tasks.settings import Settings


def read_sample_back(batch_id: str, settings: Settings) -> None:
    """Read back some of what a run wrote and some other levels; where a call had no effect, all that it wrote.

    What looks wrong is looked at again under the stock lane. What Magento really holds is noted, so that the next run
    writes it right.
    """
    rule = settings.stock.read_back
    writes, others = extract.fetch_writes(batch_id)
    keys = decide.sample(writes, others, per_write=rule.per_write, more=rule.sample_skus, seed=batch_id)
    if not keys:
        return
    reading = extract.fetch_sample_reading(whole(keys))
    known = extract.fetch_known_stock(whole(reading))
    suspects = decide.drifts(reading, known)
    found: list[Drift] = []
    if suspects:
        doubtful = decide.writes_in_doubt(writes, suspects)
        with connect.stock_lane(settings):
            reading = extract.fetch_sample_reading(whole([*keys, *doubtful]))
            known, found = _after_shipments(reading, settings)
            record.confirm_holdings(whole(reading), decide.levels_of(found))
    looked_at = decide.read_backs(reading, known, found)
    record.record_sample(batch_id, whole(reading), _notes(found, settings)[1], whole(looked_at))


def look_twice(settings: Settings) -> tuple[StockReading, StockReading, list[Drift]]:
    """Read everything, and what looks wrong once more under the stock lane; return both and what stays wrong.

    The first reading takes minutes, in which pushes and shipments go on.
    """
    first = with_open_units(extract.fetch_stock_reading())
    suspects = decide.drifts(first, extract.fetch_known_stock(whole(first)))
    if not suspects:
        return first, first, []
    with connect.stock_lane(settings):
        second = with_open_units(extract.fetch_stock_reading(sorted({each.sku for each in suspects})))
        return first, second, decide.seen_twice(suspects, _after_shipments(second, settings)[1])


def note_what_is_there(second: StockReading, found: Sequence[Drift], settings: Settings) -> None:
    """Let the ledger know what Magento's sources really hold, and what its orders still have to ship."""
    record.confirm_holdings(whole(second), decide.levels_of(found))
    numbers = sorted({each.order_number for each in found if each.order_number})
    if numbers:
        lines = normalise_orders.orders(extract.fetch_orders_of(numbers), settings.orders.amounts).lines
        progress.record_progress(whole(lines), [])


def close(
    first: StockReading, found: list[Drift], settings: Settings, *, is_dry_run: bool = False
) -> StockCheckSummary:
    """Value what was found, raise and close exceptions, and show it; a dry run only shows."""
    valued, notes = _notes(found, settings)
    off = decide.read_backs_of(found, first)
    return record.close_check(whole(first), whole(valued), whole(notes), whole(off), is_dry_run=is_dry_run)


def _after_shipments(reading: StockReading, settings: Settings) -> tuple[KnownStock, list[Drift]]:
    """Judge a reading once the ledger knows what was shipped before it: Magento takes that off its sources itself."""
    follow_orders(settings)
    known = extract.fetch_known_stock(whole(reading))
    return known, decide.drifts(reading, known)


def _notes(found: list[Drift], settings: Settings) -> tuple[list[Drift], list[ExceptionNote]]:
    prices = extract_prices.fetch_prices(sorted({each.sku for each in found})) if found else {}
    valued = decide.valued(found, prices)
    return valued, decide.notes(valued, prices, settings.stock.value_currency)
