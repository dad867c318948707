"""PRIMA's available to sell, and what the ledger and Magento say about the same SKUs."""

import csv
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.documents import SourceKey, StockRow, StockTuple
from schemas.stock import StockEvidence
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import CallRefusedError, ConfigurationError
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.magento import MagentoClient
from tasks.systems.prima import PrimaClient, StockSnapshot

STREAM = "stock"
STREAM_OF_SOME = "stock of some SKUs"
SKUS_A_QUESTION = 100
# So many items refused one by one, and none answered: then it is not the items.
REFUSED_AT_FIRST = 10


@dataclass(frozen=True)
class AskedStock:
    """PRIMA's answer about all stock, taken apart by `snapshot` when that is needed. Times are UTC."""

    sha256: str
    asked_at: datetime
    answered_at: datetime
    read: Callable[[], StockSnapshot] = field(repr=False)

    @cached_property
    def snapshot(self) -> StockSnapshot:
        """The rows of the answer."""
        return self.read()


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_stock_answer(known_sha256: str = "") -> tuple[str, AskedStock]:
    """Return a new batch id and PRIMA's stock of all products, with the time at which it was asked for.

    Source: ProductAvailableToSell with both limits empty, or the extract `stock` of the reporting source, whose time is
    the one up to which its figures are complete. An answer of the digest `known_sha256` was read before without fault,
    and is not taken apart here. Raises UnexpectedResponseError for another one that is malformed.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        asked = _of_extract(settings) if settings.stock.figure_from == "extract" else _of_web_service(settings)
        if asked.sha256 != known_sha256:
            asked.snapshot  # noqa: B018 - a fault shows here, where PRIMA can be asked again
        return ledger.open_batch(STREAM, asked.asked_at, asked.answered_at), asked


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_stock_of(items: Sequence[StockTuple]) -> tuple[str, StockSnapshot]:
    """Return a new batch id and PRIMA's stock of these items alone.

    Source: MultiAvailableToSell, `prima.skus_per_stock_request` items a call, or the rows of the extract `stock`. An
    item that PRIMA refuses to tell of has no row; raises CallRefusedError when it refuses them all.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        if settings.stock.figure_from == "extract":
            snapshot = _of_extract(settings, frozenset(items)).snapshot
        else:
            asked_at = datetime.now(UTC)
            with connect.open_prima(settings) as prima:
                rows = _rows_of(prima, items)
            snapshot = StockSnapshot(rows, asked_at, datetime.now(UTC), "")
        return ledger.open_batch(STREAM_OF_SOME, snapshot.asked_at, snapshot.answered_at), snapshot


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_stock_evidence(keys: Collection[SourceKey], asked_at: datetime, *, is_whole: bool = True) -> StockEvidence:
    """Return open units, what Magento's sources hold, and the last sums.

    Source: the ledger; GET /V1/inventory/source-items for each level whose quantity in Magento is not confirmed, and
    for each one that is not among `keys`: it may be gone from Magento as well. The first time each source is read as a
    whole. Of SKUs that are no product of Magento nothing is returned. Open units are those of orders that PRIMA
    accepted before `asked_at`: only those are off its figure for certain. `is_whole` is False when only some SKUs were
    asked for: then others are not missed.
    """
    settings = Settings.from_env()
    listed = {key for key in keys if all(key)}
    with connect.open_ledger(settings) as ledger, connect.open_magento(settings) as magento:
        in_magento: dict[SourceKey, int] = {}
        all_confirmed = ledger.confirmed_levels()
        doubtful = {key for key in listed if key not in all_confirmed}
        products = ledger.stocked_products({sku for sku, _ in doubtful})
        possible = {key for key in listed if key not in doubtful or key[0] in products}
        for source in connect.stock_rules(settings).sources:
            confirmed = {key: quantity for key, quantity in all_confirmed.items() if key[1] == source}
            wanted = {key for key in possible if key[1] == source}
            in_magento |= _held(ledger, magento, source, wanted, confirmed, is_whole)
        return StockEvidence(
            ledger.open_units(asked_at),
            in_magento,
            asked_at,
            without_row=frozenset(possible - in_magento.keys()),
            sums=ledger.stock_sums(),
            categories=_categories(settings),
        )


def _rows_of(prima: PrimaClient, items: Sequence[StockTuple]) -> list[StockRow]:
    """Ask for the items; where PRIMA refuses a list of them, for its halves: one may spoil the answer for all."""
    rows: list[StockRow] = []
    refused = 0
    groups = deque([list(items)] if items else [])
    while groups:
        group = groups.popleft()
        try:
            rows += prima.available_to_sell(group)
        except CallRefusedError as error:
            half = len(group) // 2
            if half:
                groups.extendleft((group[half:], group[:half]))
                continue
            refused += 1
            get_run_logger().warning(f"PRIMA does not tell of {group[0]}: {error}")
            if not rows and (not groups or refused == REFUSED_AT_FIRST):
                raise
    return rows


def _of_web_service(settings: Settings) -> AskedStock:
    with connect.open_prima(settings) as prima:
        answer = prima.ask_for_stock()
    return AskedStock(answer.sha256, answer.asked_at, answer.answered_at, answer.snapshot)


def _of_extract(settings: Settings, items: frozenset[StockTuple] | None = None) -> AskedStock:
    with connect.open_reporting(settings) as reporting:
        if reporting is None:
            raise ConfigurationError(
                "stock.figure_from is extract, but prima.reporting names neither url nor folder.",
                system="settings",
                next_step="Name a reporting source, or set stock.figure_from to web_service.",
            )
        asked_at = reporting.as_at()
        found = reporting.as_read("stock")
    answered_at = datetime.now(UTC)

    def read() -> StockSnapshot:
        records = found.texts()
        if items is not None:
            names = ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4")
            records = [record for record in records if StockTuple(*(record[name] for name in names)) in items]
        return StockSnapshot([], asked_at, answered_at, "", records)

    return AskedStock(found.sha256, asked_at, answered_at, read)


def _held(
    ledger: Ledger,
    magento: MagentoClient,
    source: str,
    listed: set[SourceKey],
    confirmed: Mapping[SourceKey, int],
    is_whole: bool,
) -> dict[SourceKey, int]:
    """Return what a source holds of the listed levels and, when all were asked for, of those that are missing."""
    missing: set[SourceKey] = set()
    if is_whole:
        noted = {(note.sku, source) for note in ledger.exceptions(code="STOCK_NOT_IN_PRIMA")}
        missing = (confirmed.keys() | noted) - listed
    doubtful = (listed - confirmed.keys()) | missing
    is_first = is_whole and not confirmed
    found = _source_quantities(magento, ledger, None if is_first else sorted(sku for sku, _ in doubtful), source)
    ledger.forget_levels(missing & confirmed.keys() - found.keys())
    return {key: quantity for key, quantity in confirmed.items() if key in listed} | found


def _source_quantities(
    magento: MagentoClient, ledger: Ledger, skus: Sequence[str] | None, source_code: str
) -> dict[SourceKey, int]:
    """Return Magento's quantities of SKUs (None: all), fractions cut off; what is read is confirmed in the ledger."""
    if skus is not None and not skus:
        return {}
    read_at = datetime.now(UTC)
    products = ledger.stocked_products(skus)
    quantities = {
        (str(record["sku"]), source_code): int(record["quantity"])
        for page in magento.source_items(list(skus) if skus and len(skus) <= SKUS_A_QUESTION else None, source_code)
        for record in page
        if str(record["sku"]) in products
    }
    ledger.confirm_levels((*key, quantity, read_at) for key, quantity in quantities.items())
    return quantities


def _categories(settings: Settings) -> dict[str, set[str]]:
    """Return the categories of each SKU in `stock.categories_file`: one row for each of them."""
    if not settings.stock.categories_file:
        return {}
    path = Path(settings.stock.categories_file)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in ("sku", "category") if name not in (reader.fieldnames or [])]
            if missing:
                raise ConfigurationError(
                    f"stock.categories_file {path} has no column {', '.join(missing)}.", system="settings"
                )
            found: dict[str, set[str]] = {}
            for row in reader:
                found.setdefault(row["sku"], set()).add((row["category"] or "").strip())
            return found
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"stock.categories_file {path} cannot be read: {error}.", system="settings") from error
