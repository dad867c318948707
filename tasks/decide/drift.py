"""What Magento shows of stock against what was written there, and against Magento's own orders. Pure.

Every difference gets one cause, found by calculation. A drift of reservations is told with our own arithmetic; it is
never made good by bending a source quantity.
"""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from schemas.documents import ExceptionNote, SourceKey
from schemas.drift import Cause, Drift, Holding, KnownLevel, KnownStock, ReadBack, StockKey, StockReading
from schemas.money import show
from schemas.reasons import Severity

# A level that a push of this run wrote, and the levels that were written by the same call.
Writes = Sequence[Sequence[SourceKey]]
REPAIRED_BY_WRITING: tuple[Cause, ...] = (
    "missed push",
    "changed in Magento",
    "negative quantity",
    "fraction of a unit",
    "switched off",
    "source item gone",
)


def sample(writes: Writes, others: Collection[SourceKey], *, per_write: int, more: int, seed: str) -> list[SourceKey]:
    """Return the levels to read back: some of each call that wrote, and some of the others, never the same for long."""
    dice = random.Random(seed)
    chosen = [key for write in writes for key in dice.sample(list(write), min(per_write, len(write)))]
    rest = sorted(set(others) - set(chosen))
    return [*chosen, *dice.sample(rest, min(more, len(rest)))]


def writes_in_doubt(writes: Writes, found: Iterable[Drift]) -> list[SourceKey]:
    """Return every level of each call of which a level did not arrive: what one call wrote stands or falls together."""
    wrong = {(each.sku, each.source_code) for each in found if each.cause in REPAIRED_BY_WRITING}
    return [key for write in writes if wrong.intersection(write) for key in write]


def drifts(reading: StockReading, known: KnownStock) -> list[Drift]:
    """Return every difference, the gravest first."""
    orphans = _orphans(reading)
    missing = {(each.sku, each.source_code) for each in orphans}
    present = [each for each in reading.holdings if (each.sku, each.source_code) not in missing]
    found = [
        *orphans,
        *(drift for each in present if (drift := _of_holding(each, known, reading)) is not None),
        *_gone(reading, known),
        *_reservations(reading, known),
        *_open_units(reading, known),
    ]
    ranks: dict[Severity, int] = {"critical": 0, "problem": 1, "warning": 2, "info": 3}
    return sorted(found, key=lambda each: (ranks[each.severity], -each.units, each.subject))


def levels_of(found: Iterable[Drift]) -> list[SourceKey]:
    """Return the levels of which Magento holds another quantity than the ledger believes."""
    return sorted({(each.sku, each.source_code) for each in found if each.cause in REPAIRED_BY_WRITING})


def needs_writing(found: Iterable[Drift]) -> list[SourceKey]:
    """Return the levels whose quantity may be right and that must be written all the same."""
    causes = ("switched off", "fraction of a unit")
    return sorted({(each.sku, each.source_code) for each in found if each.cause in causes})


def orphans_of(found: Iterable[Drift]) -> list[SourceKey]:
    """Return the source items that belong to no product."""
    return sorted({(each.sku, each.source_code) for each in found if each.cause == "orphan"})


def read_backs(reading: StockReading, known: KnownStock, found: Iterable[Drift]) -> list[ReadBack]:
    """Return each level that was read or should have been there, with the cause where it is not as expected."""
    causes = {(each.sku, each.source_code): each.cause for each in found if each.cause in REPAIRED_BY_WRITING}
    held = {(each.sku, each.source_code): each.quantity for each in reading.holdings}
    keys = {key for key in held if key[1] in known.sources} | known.levels.keys()
    return [
        ReadBack(
            *key,
            reading.read_at,
            _plain(held[key]) if key in held else "",
            known.levels[key].quantity if key in known.levels else None,
            causes.get(key, ""),
        )
        for key in sorted(keys)
    ]


def read_backs_of(found: Iterable[Drift], reading: StockReading) -> list[ReadBack]:
    """Return the levels of a reading of everything that are not as expected; the others are too many to be kept."""
    held = {(each.sku, each.source_code) for each in reading.holdings}
    return [
        ReadBack(
            each.sku,
            each.source_code,
            reading.read_at,
            _plain(each.found) if (each.sku, each.source_code) in held else "",
            each.expected,
            each.cause,
        )
        for each in found
        if each.cause in REPAIRED_BY_WRITING
    ]


def seen_twice(first: Iterable[Drift], second: Iterable[Drift]) -> list[Drift]:
    """Return what the second look found as well: what came and went between two readings is no drift."""
    before = {(each.code, each.subject) for each in first}
    return [each for each in second if (each.code, each.subject) in before]


def valued(found: Iterable[Drift], prices: Mapping[str, int]) -> list[Drift]:
    """Return the drifts with what their units sell for; a SKU without a price counts nothing."""
    return [replace(each, value_pence=each.units * prices.get(each.sku, 0)) for each in found]


def notes(found: Iterable[Drift], prices: Mapping[str, int], currency: str) -> list[ExceptionNote]:
    """Return an exception for each drift: severity, cause and arithmetic in its detail, and what it is worth."""
    return [
        ExceptionNote(
            each.code,
            each.subject,
            f"{each.cause} ({each.severity}): {each.words}; "
            + (f"worth {show(each.value_pence, currency)}" if each.sku in prices else "no price known"),
            order_number=each.order_number,
            sku=each.sku,
            value_at_risk_pence=each.value_pence,
            currency=currency,
        )
        for each in found
    ]


def _plain(quantity: Decimal | int) -> str:
    return f"{Decimal(quantity).normalize():f}"  # Magento gives whole numbers as ints


def _of_holding(holding: Holding, known: KnownStock, reading: StockReading) -> Drift | None:
    if holding.source_code not in known.sources:
        return _unmapped(holding, reading)
    level = known.levels.get((holding.sku, holding.source_code))
    expected = level.quantity if level else max(0, int(holding.quantity))
    if holding.quantity < 0:
        return _drift("negative quantity", holding, expected, "a source cannot hold less than nothing", known)
    if level is not None and int(holding.quantity) != level.quantity:
        return _changed(holding, level, known)
    if holding.quantity != int(holding.quantity):
        return _drift("fraction of a unit", holding, expected, "no part of a unit can be sold", known)
    if holding.quantity > 0 and not holding.is_in_stock:
        words = f"Magento holds {holding.quantity} and marks them out of stock: none is sold"
        return replace(_drift("switched off", holding, expected, words, known), found=Decimal(0), severity="warning")
    return None


def _changed(holding: Holding, level: KnownLevel, known: KnownStock) -> Drift:
    is_missed = level.is_from_push and level.before is not None and int(holding.quantity) == level.before
    if is_missed:
        words = f"{level.quantity} was written at {level.at:%Y-%m-%d %H:%M:%S} UTC, Magento still holds {level.before}"
        return _drift("missed push", holding, level.quantity, words, known)
    how = "written" if level.is_from_push else "read"
    words = f"{level.quantity} was {how} at {level.at:%Y-%m-%d %H:%M:%S} UTC, Magento holds {holding.quantity}"
    return _drift("changed in Magento", holding, level.quantity, words, known)


def _unmapped(holding: Holding, reading: StockReading) -> Drift | None:
    if holding.quantity <= 0 or not holding.is_in_stock:
        return None
    stocks = [stock for stock, sources in reading.sources_of_stocks.items() if holding.source_code in sources]
    sold = f"sold by stock {', '.join(map(str, stocks))}" if stocks else "part of no stock, so not sold"
    return Drift(
        "unmapped source",
        "problem" if stocks else "info",
        f"sku {holding.sku} at {holding.source_code}",
        holding.sku,
        holding.source_code,
        0,
        holding.quantity,
        f"{holding.quantity} at {holding.source_code}, which no setting names; {sold}",
    )


def _orphans(reading: StockReading) -> list[Drift]:
    if not reading.is_complete:
        return []
    return [
        Drift(
            "orphan",
            "info",
            f"sku {each.sku} at {each.source_code}",
            each.sku,
            each.source_code,
            0,
            each.quantity,
            f"{each.source_code} holds {each.quantity} of a SKU that is no product",
        )
        for each in reading.holdings
        if each.sku.casefold() not in reading.products
    ]


def _gone(reading: StockReading, known: KnownStock) -> list[Drift]:
    """Return the levels that Magento has no row for any more."""
    there = {(each.sku, each.source_code) for each in reading.holdings}
    return [
        _drift(
            "source item gone",
            Holding(sku, source, Decimal(0), False),
            level.quantity,
            f"{level.quantity} was known to be there, Magento has no such source item",
            known,
        )
        for (sku, source), level in known.levels.items()
        if (reading.skus is None or sku in reading.skus) and (sku, source) not in there
    ]


def _reservations(reading: StockReading, known: KnownStock) -> list[Drift]:
    """Compare what Magento says it sells with what its sources hold less what its own open orders reserve.

    Where the orders were not read, only this is certain: it cannot sell more than the sources hold less the units that
    PRIMA has accepted.
    """
    held = _held_by_stock(reading)
    reserved = _reserved(reading, known)
    found = []
    for (sku, stock_id), salable in sorted(reading.salable.items()):
        parts = held.get((sku, stock_id), [])
        in_sources = sum((each.quantity for each in parts), Decimal(0))
        units = reserved.get((sku, stock_id), 0)
        computed = max(0, int(in_sources - units))
        if salable == computed or (not reading.is_complete and salable < computed):
            continue
        sources = " + ".join(f"{each.quantity} at {each.source_code}" for each in parts) or "nothing in stock"
        words = (
            f"{sources}, less {units} reserved by open orders, make {computed}; Magento sells {salable}: "
            f"its reservations are off by {salable - computed:+d}"
        )
        severity: Severity = "critical" if salable > computed else "problem"
        subject = f"sku {sku} in stock {stock_id}"
        found.append(Drift("reservations", severity, subject, sku, "", computed, Decimal(salable), words))
    return found


def _held_by_stock(reading: StockReading) -> dict[StockKey, list[Holding]]:
    stocks: dict[str, list[int]] = {}
    for stock_id, sources in reading.sources_of_stocks.items():
        for source in sources:
            stocks.setdefault(source, []).append(stock_id)
    held: dict[StockKey, list[Holding]] = {}
    for each in reading.holdings:
        for stock_id in stocks.get(each.source_code, []) if each.is_in_stock else []:
            held.setdefault((each.sku, stock_id), []).append(each)
    return held


def _reserved(reading: StockReading, known: KnownStock) -> dict[StockKey, int]:
    totals: dict[StockKey, int] = {}
    if reading.is_complete:
        for each in reading.open_units:
            totals[each.sku, each.stock_id] = totals.get((each.sku, each.stock_id), 0) + each.units
        return totals
    for (sku, source), units in known.open_units.items():
        for stock_id, sources in reading.sources_of_stocks.items():
            if source in sources:
                totals[sku, stock_id] = totals.get((sku, stock_id), 0) + units
    return totals


def _open_units(reading: StockReading, known: KnownStock) -> list[Drift]:
    """Compare the units that the ledger adds to PRIMA's figure with Magento's own orders, line by line."""
    if not reading.is_complete:
        return []
    in_magento = {
        (each.order_number, each.item_id_magento): each for each in reading.open_units if each.item_id_magento
    }
    found = []
    for key in sorted({key for key in in_magento if key[0] in known.accepted} | known.open_lines.keys()):
        (sku, ours), theirs = known.open_lines.get(key, ("", 0)), in_magento.get(key)
        units = theirs.units if theirs else 0
        if ours != units:
            found.append(_line_drift(key, theirs.sku if theirs else sku, ours, units))
    return found


def _line_drift(key: tuple[str, int], sku: str, ours: int, units: int) -> Drift:
    number, item_id = key
    words = f"the ledger counts {ours} units of line {item_id} as still to be shipped, Magento {units}"
    severity: Severity = "critical" if ours > units else "problem"
    return Drift("open units", severity, f"order {number} line {item_id}", sku, "", units, Decimal(ours), words, number)


def _drift(cause: Cause, holding: Holding, expected: int, words: str, known: KnownStock) -> Drift:
    """More in Magento than was written sells what is not there; less hides what is."""
    subject = f"sku {holding.sku}" if len(known.sources) == 1 else f"sku {holding.sku} at {holding.source_code}"
    severity: Severity = "critical" if holding.quantity > expected else "warning"
    return Drift(cause, severity, subject, holding.sku, holding.source_code, expected, holding.quantity, words)
