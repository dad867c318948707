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
def fetch_items() -> ItemIndex:
    """Return the index from SKU to stock tuple that the settings ask for.

    Source: extract `items` of the reporting source (active items), the CSV file `sku.file`, or `sku.pattern`.
    Raises ConfigurationError when the settings name a source that is not there.
    """
    settings = Settings.from_env()
    mapped = connect.mapped_items(settings)
    if settings.sku.source == "pattern":
        return ItemIndex([], mapped, settings.sku.pattern)
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
