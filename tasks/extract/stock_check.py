"""What Magento shows of stock, as a whole or of some SKUs, and what the ledger knows of the same."""

import random
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.documents import SourceKey
from schemas.drift import CODES_OF_SKUS, Holding, KnownStock, StockKey, StockReading
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import CallRefusedError, NotFoundError, UnexpectedResponseError
from tasks.extract.orders import known_unreadable
from tasks.settings import Settings
from tasks.systems.magento import MagentoClient

QUANTITIES = "qty_ordered,qty_canceled,qty_shipped,qty_refunded,qty_invoiced"
FIELDS = f"entity_id,increment_id,store_id,items[item_id,parent_item_id,sku,product_type,{QUANTITIES}]"


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_stock_reading(skus: Collection[str] | None = None) -> StockReading:
    """Return everything that Magento shows of stock: of all SKUs, or of some.

    Source: GET /V1/inventory/source-items of every source, /V1/products, the orders that are not finished, and the
    salable quantity of each SKU, one call each: of those in unfinished orders, then of the others by turns, at most
    `stock.read_back.nightly_salable`. Orders that cannot be read are left out.
    """
    settings = Settings.from_env()
    read_at = datetime.now(UTC)
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        sources = _sources_of_stocks(magento)
        holdings = _holdings(magento, None if skus is None else sorted(skus))
        products = _products(magento, skus)
        orders = [
            record
            for reading in magento.unfinished_orders(leave_out=known_unreadable(ledger), fields=FIELDS)
            for record in reading.records
        ]
        ordered = {str(line.get("sku")) for order in orders for line in order.get("items") or []}
        wanted = _by_turns(holdings, ordered, sources, settings.stock.read_back.nightly_salable, read_at.date())
        return StockReading(
            read_at,
            None if skus is None else frozenset(skus),
            is_complete=True,
            holdings=holdings,
            products=products,
            salable=_salable(magento, wanted),
            orders=orders,
            stock_of_store=_stock_of_store(magento),
            sources_of_stocks=sources,
        )


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_sample_reading(keys: Collection[SourceKey]) -> StockReading:
    """Return what Magento's sources hold of a few levels, and the salable quantity of fewer still.

    Source: GET /V1/inventory/source-items by SKU; get-product-salable-quantity, one call each, for
    `stock.read_back.sample_salable` SKUs.
    """
    settings = Settings.from_env()
    skus = sorted({sku for sku, _ in keys})
    few = settings.stock.read_back.sample_salable
    read_at = datetime.now(UTC)
    with connect.open_magento(settings) as magento:
        holdings = _holdings(magento, skus) if skus else []
        sources = _sources_of_stocks(magento) if skus and few else {}
        wanted = random.Random(read_at.isoformat()).sample(skus, min(few, len(skus)))
        salable = _salable(magento, [(sku, settings.magento.stock_id) for sku in wanted])
    return StockReading(
        read_at, frozenset(skus), is_complete=False, holdings=holdings, salable=salable, sources_of_stocks=sources
    )


@task(cache_policy=NO_CACHE)
def fetch_writes(batch_id: str) -> tuple[list[list[SourceKey]], list[SourceKey]]:
    """Return the levels that each call of a run wrote, and some others, as many as are to be read back or more.

    Source: the ledger. Levels with an open exception about drift come as writes of their own, to be looked at again.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        writes = ledger.writes_of(batch_id)
        noted = {note.sku for code in CODES_OF_SKUS for note in ledger.exceptions(code=code)}
        again = [[key] for key in ledger.known_levels(sorted(noted))] if noted else []
        chosen = settings.stock.read_back.sample_skus
        others = ledger.some_levels(chosen + settings.stock.read_back.per_write * len(writes)) if chosen else []
    return [*writes, *again], others


@task(cache_policy=NO_CACHE)
def fetch_known_stock(reading: StockReading) -> KnownStock:
    """Return what the ledger knows of the levels and orders of a reading. Source: the ledger."""
    settings = Settings.from_env()
    sources = frozenset(connect.stock_rules(settings).sources)
    skus = None if reading.skus is None else sorted(reading.skus)
    with connect.open_ledger(settings) as ledger:
        levels = {key: level for key, level in ledger.known_levels(skus).items() if key[1] in sources}
        if not reading.is_complete:
            return KnownStock(levels, sources, open_units=ledger.open_units(datetime.now(UTC)))
        accepted = ledger.accepted_among([each.order_number for each in reading.open_units])
        lines = ledger.open_line_units()
        if reading.skus is not None:
            lines = {key: line for key, line in lines.items() if line[0] in reading.skus}
        return KnownStock(levels, sources, lines, ledger.open_units(datetime.now(UTC)), frozenset(accepted))


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_orders_of(order_numbers: Collection[str]) -> list[dict[str, Any]]:
    """Return the full records of these orders; one that cannot be read is left out. Source: GET /V1/orders."""
    with connect.open_magento(Settings.from_env()) as magento:
        return list(magento.numbered_orders(sorted(order_numbers)).records)


def _holdings(magento: MagentoClient, skus: list[str] | None) -> list[Holding]:
    return [
        Holding(str(row["sku"]), str(row["source_code"]), row["quantity"], int(row["status"]) == 1)
        for page in magento.source_items(skus)
        for row in page
    ]


def _products(magento: MagentoClient, skus: Collection[str] | None) -> frozenset[str]:
    if skus is not None:
        return frozenset(sku.casefold() for sku in magento.products_there(sorted(skus)))
    return frozenset(sku.casefold() for page in magento.product_skus() for sku in page)


def _stock_of_store(magento: MagentoClient) -> dict[int, int]:
    """Return the stock that the orders of each store view reserve on."""
    stock_of_website = {
        str(channel["code"]): int(stock["stock_id"])
        for stock in magento.stocks()
        for channel in (stock.get("extension_attributes") or {}).get("sales_channels", [])
        if channel.get("type") == "website"
    }
    codes = {int(site["id"]): str(site["code"]) for site in magento.websites()}
    return {
        int(view["id"]): stock_of_website[codes[int(view["website_id"])]]
        for view in magento.store_views()
        if codes.get(int(view["website_id"])) in stock_of_website
    }


def _sources_of_stocks(magento: MagentoClient) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for link in sorted(magento.stock_source_links(), key=lambda link: int(link.get("priority") or 0)):
        stock_id = int(link["stock_id"])
        found[stock_id] = (*found.get(stock_id, ()), str(link["source_code"]))
    return found


def _by_turns(
    holdings: Iterable[Holding],
    ordered: Collection[str],
    sources: Mapping[int, tuple[str, ...]],
    most: int,
    today: date,
) -> list[StockKey]:
    """Return SKU and stock for each salable quantity to ask for: ordered SKUs first, of the others other ones a day."""
    stocks: dict[str, list[int]] = {}
    for stock_id, codes in sources.items():
        for code in codes:
            stocks.setdefault(code, []).append(stock_id)
    there = {(each.sku, stock_id) for each in holdings for stock_id in stocks.get(each.source_code, [])}
    first = sorted(key for key in there if key[0] in ordered)
    rest = sorted(there.difference(first))
    start = (today.toordinal() * max(0, most - len(first))) % len(rest) if rest else 0
    return [*first, *rest[start:], *rest[:start]][:most]


def _salable(magento: MagentoClient, wanted: Iterable[StockKey]) -> dict[StockKey, int]:
    """Return salable quantities; a SKU that is no product, or has no stock of its own, is left out.

    So is one at which Magento fails, with a line in the log: a single product must not end the look at all others.
    """
    found: dict[StockKey, int] = {}
    for sku, stock_id in wanted:
        try:
            found[sku, stock_id] = int(magento.salable_quantity(sku, stock_id))
        except (NotFoundError, CallRefusedError):
            continue
        except UnexpectedResponseError as error:
            get_run_logger().warning(f"Magento does not tell what it sells of {sku} in stock {stock_id}: {error}")
    return found
