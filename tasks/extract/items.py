"""PRIMA's items by Magento SKU: from the items extract, a file, or the pattern of the settings."""

import csv
from collections.abc import Mapping
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

COLUMNS = ("sku", "product", "mtrx1", "mtrx2", "mtrx3", "mtrx4")
_CODES = itemgetter(*COLUMNS[1:])


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_items(*, from_tuples: bool = False) -> ItemIndex:
    """Return the index from SKU to stock tuple that the settings ask for.

    Source: extract `items` of the reporting source (active items), the CSV file `sku.file`, or `sku.pattern`. A pattern
    only leads from a SKU to its tuple; with `from_tuples`, for stock, it is applied to every SKU that Magento has.
    The ledger's accepted suggestions win over all three, the settings' `sku.mapped` over these.
    Where the settings tell children's sizes, PRIMA's VAT rates come with it, from the extract whatever the source.
    Raises ConfigurationError when the settings name a source that is not there.
    """
    settings = Settings.from_env()
    pattern = settings.sku.pattern if settings.sku.source == "pattern" else ""
    mapped = connect.mapped_items(settings)
    accepted = _accepted(settings)
    stocked = _stocked(settings, accepted) if from_tuples and accepted else ()
    rows = _rows(settings, mapped, from_tuples=from_tuples)
    return ItemIndex(rows, mapped, pattern, accepted=accepted, stocked=stocked, vat_rates=_vat_rates(settings))


def _rows(settings: Settings, mapped: Mapping[str, StockTuple], *, from_tuples: bool) -> list[tuple[str, StockTuple]]:
    """Return SKU and stock tuple of each item that the source of the settings has."""
    if settings.sku.source == "pattern":
        return _of_magento(settings, ItemIndex([], mapped, settings.sku.pattern)) if from_tuples else []
    if settings.sku.source == "file":
        return _from_file(Path(settings.sku.file))
    rows = _extract(settings, "sku.source is items", "set sku.source to file or pattern")
    return [(row["sku"], _tuple(row)) for row in rows if row["is_active"]]


def _vat_rates(settings: Settings) -> dict[StockTuple, Decimal]:
    """Return PRIMA's VAT rate of each item, sold or no longer; nothing where no setting needs it."""
    if settings.childrens_sizes is None:
        return {}
    rows = _extract(settings, "there is a table [childrens_sizes]", "remove [childrens_sizes]")
    return {_tuple(row): row["vat_rate"] for row in rows}


def _extract(settings: Settings, because: str, otherwise: str) -> list[dict[str, Any]]:
    with connect.open_reporting(settings) as reporting:
        if reporting is None:
            raise ConfigurationError(
                f"{because}, but prima.reporting names neither url nor folder.",
                system="settings",
                next_step=f"Name a reporting source, or {otherwise}.",
            )
        return reporting.read("items")


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
