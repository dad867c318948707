"""PRIMA's items by Magento SKU: from the items extract, a file, or the pattern of the settings."""

import csv
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents import StockTuple
from schemas.items import ItemIndex
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import ConfigurationError
from tasks.settings import Settings

COLUMNS = ("sku", "product", "mtrx1", "mtrx2", "mtrx3", "mtrx4")


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_items(*, from_tuples: bool = False) -> ItemIndex:
    """Return the index from SKU to stock tuple that the settings ask for.

    Source: extract `items` of the reporting source (active items), the CSV file `sku.file`, or `sku.pattern`. A pattern
    only leads from a SKU to its tuple; with `from_tuples`, for stock, it is applied to every SKU that Magento has.
    Raises ConfigurationError when the settings name a source that is not there.
    """
    settings = Settings.from_env()
    mapped = connect.mapped_items(settings)
    if settings.sku.source == "pattern":
        index = ItemIndex([], mapped, settings.sku.pattern)
        return ItemIndex(_of_magento(settings, index), mapped, settings.sku.pattern) if from_tuples else index
    if settings.sku.source == "file":
        return ItemIndex(_from_file(Path(settings.sku.file)), mapped)
    with connect.open_reporting(settings) as reporting:
        if reporting is None:
            raise ConfigurationError(
                "sku.source is items, but prima.reporting names neither url nor folder.",
                system="settings",
                next_step="Name a reporting source, or set sku.source to file or pattern.",
            )
        rows = reporting.read("items")
    return ItemIndex(
        [(row["sku"], StockTuple(*(row[name] for name in COLUMNS[1:]))) for row in rows if row["is_active"]], mapped
    )


def _of_magento(settings: Settings, index: ItemIndex) -> list[tuple[str, StockTuple]]:
    """Return the SKUs of Magento's source that the pattern fits, each with its tuple."""
    with connect.open_magento(settings) as magento:
        skus = [str(row["sku"]) for page in magento.source_items(None, settings.magento.source_code) for row in page]
    return [(sku, index.item(sku)) for sku in skus if index.problem(sku) is None]


def _from_file(path: Path) -> list[tuple[str, StockTuple]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise ConfigurationError(
                    f"{path} has no column {', '.join(missing)}.",
                    system="settings",
                    next_step=f"sku.file needs the columns {','.join(COLUMNS)}.",
                )
            return [(row["sku"], StockTuple(*(row[name] or "" for name in COLUMNS[1:]))) for row in reader]
    except OSError as error:
        raise ConfigurationError(f"sku.file {path} cannot be read: {error.strerror}.", system="settings") from error
