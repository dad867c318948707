"""PRIMA's items by Magento SKU: from the items extract, a file, or the pattern of the settings."""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents import StockTuple
from schemas.items import ItemIndex
from schemas.suggestions import SKU_MAPPING
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tasks.systems.prima import ExtractAsRead

COLUMNS = ("sku", "product", "mtrx1", "mtrx2", "mtrx3", "mtrx4")
_CODES = itemgetter(*COLUMNS[1:])


@dataclass(frozen=True)
class ItemsAsRead:
    """The items as their source gave them: a digest tells whether they are the same as before, `index` reads them."""

    sha256: str
    rows: Callable[[], list[tuple[str, StockTuple]]] = field(repr=False)
    mapped: Mapping[str, StockTuple]
    pattern: str
    accepted: Mapping[str, str]
    stocked: Sequence[str] = ()

    def index(self, vat_rates: Mapping[StockTuple, Decimal] | None = None) -> ItemIndex:
        """Return the index from SKU to stock tuple; raises UnexpectedResponseError for rows that break the contract."""
        return ItemIndex(
            self.rows(),
            self.mapped,
            self.pattern,
            accepted=self.accepted,
            stocked=self.stocked,
            vat_rates=vat_rates,
        )


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_items() -> ItemIndex:
    """Return the index from SKU to stock tuple that the settings ask for.

    Source: extract `items` of the reporting source (active items), the CSV file `sku.file`, or `sku.pattern`, which
    leads from a SKU to its tuple. The ledger's accepted suggestions win over all three, the settings' `sku.mapped` over
    these. Where the settings tell children's sizes, PRIMA's VAT rates come with it, from the extract whatever the
    source. Raises ConfigurationError when the settings name a source that is not there.
    """
    settings = Settings.from_env()
    return _as_read(settings, from_tuples=False).index(_vat_rates(settings))


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_items_of_stock() -> ItemsAsRead:
    """Return the items for stock, which is given by tuple, not taken apart yet.

    Source: as of `fetch_items`; a pattern is applied to every SKU that Magento's source has. Raises ConfigurationError
    when the settings name a source that is not there.
    """
    return _as_read(Settings.from_env(), from_tuples=True)


def _as_read(settings: Settings, *, from_tuples: bool) -> ItemsAsRead:
    pattern = settings.sku.pattern if settings.sku.source == "pattern" else ""
    mapped = connect.mapped_items(settings)
    accepted = _accepted(settings)
    stocked = _stocked(settings, accepted) if from_tuples and accepted else []
    source, rows = _rows(settings, mapped, from_tuples=from_tuples)
    known = repr((source, sorted(accepted.items()), stocked)).encode("utf-8", "surrogatepass")
    return ItemsAsRead(hashlib.sha256(known).hexdigest(), rows, mapped, pattern, accepted, stocked)


def _rows(
    settings: Settings, mapped: Mapping[str, StockTuple], *, from_tuples: bool
) -> tuple[str, Callable[[], list[tuple[str, StockTuple]]]]:
    """Return a digest of what the source of the settings gave, and what reads SKU and tuple of each item in it."""
    if settings.sku.source == "pattern":
        index = ItemIndex([], mapped, settings.sku.pattern)
        skus = _skus_of_magento(settings) if from_tuples else []
        sha256 = hashlib.sha256(repr(skus).encode("utf-8", "surrogatepass")).hexdigest()
        return sha256, lambda: [(sku, index.item(sku)) for sku in skus if index.problem(sku) is None]
    if settings.sku.source == "file":
        path = Path(settings.sku.file)
        content = _content(path)
        return hashlib.sha256(content).hexdigest(), lambda: _from_file(path, content)
    found = _extract(settings, "sku.source is items", "set sku.source to file or pattern")
    return found.sha256, lambda: [(row["sku"], _tuple(row)) for row in found.records() if row["is_active"]]


def _vat_rates(settings: Settings) -> dict[StockTuple, Decimal]:
    """Return PRIMA's VAT rate of each item, sold or no longer; nothing where no setting needs it."""
    if settings.childrens_sizes is None:
        return {}
    rows = _extract(settings, "there is a table [childrens_sizes]", "remove [childrens_sizes]")
    return {_tuple(row): row["vat_rate"] for row in rows.records()}


def _extract(settings: Settings, because: str, otherwise: str) -> ExtractAsRead:
    with connect.open_reporting(settings) as reporting:
        if reporting is None:
            raise ConfigurationError(
                f"{because}, but prima.reporting names neither url nor folder.",
                system="settings",
                next_step=f"Name a reporting source, or {otherwise}.",
            )
        return reporting.as_read("items")


def _tuple(row: Mapping[str, Any]) -> StockTuple:
    return StockTuple._make(_CODES(row))


def _accepted(settings: Settings) -> dict[str, str]:
    """Return the suggestions that people accepted, PRIMA's SKU by Magento's; see `flows.suggestions`."""
    with connect.open_ledger(settings) as ledger:
        return {sku: str(value["sku"]) for sku, value in ledger.mappings(SKU_MAPPING).items()}


def _stocked(settings: Settings, accepted: Mapping[str, str]) -> list[str]:
    """Return the accepted SKUs that Magento keeps stock of while it has none of PRIMA's: the product is misspelt there.

    Where Magento has PRIMA's SKU as well, stock stays with that one: the other is an order from before a correction.
    """
    asked = sorted({*accepted, *accepted.values()})
    source = settings.magento.source_code
    with connect.open_magento(settings) as magento:
        there = {str(record["sku"]) for page in magento.source_items(asked, source) for record in page}
    return [sku for sku, meant in accepted.items() if sku in there and meant not in there]


def _skus_of_magento(settings: Settings) -> list[str]:
    """Return the SKUs of Magento's source, which the pattern is applied to."""
    with connect.open_magento(settings) as magento:
        return [str(row["sku"]) for page in magento.source_items(None, settings.magento.source_code) for row in page]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"sku.file {path} cannot be read: {error.strerror}.", system="settings") from error


def _from_file(path: Path, content: bytes) -> list[tuple[str, StockTuple]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"sku.file {path} is not UTF-8 (byte {error.start}).", system="settings") from error
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        raise ConfigurationError(
            f"{path} has no column {', '.join(missing)}.",
            system="settings",
            next_step=f"sku.file needs the columns {','.join(COLUMNS)}.",
        )
    return [(row["sku"], StockTuple(*(row[name] or "" for name in COLUMNS[1:]))) for row in reader]
