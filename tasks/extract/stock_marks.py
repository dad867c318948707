"""What a whole stock cycle goes by, in a few words each; see `schemas/stock_marks.py`."""

import hashlib
from datetime import datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.stock import CODES
from schemas.stock_marks import FinishedCycle, LevelState, StockMarks
from tasks import connect
from tasks.errors import ConfigurationError
from tasks.extract.products import WHOLE
from tasks.settings import Settings


@task(cache_policy=NO_CACHE)
def fetch_finished_cycle() -> FinishedCycle | None:
    """Return the last whole cycle that was finished; None when another one was begun since. Source: the ledger."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return ledger.finished_cycle()


@task(cache_policy=NO_CACHE)
def fetch_marks(answer_sha256: str, items_sha256: str, asked_at: datetime) -> tuple[StockMarks, LevelState]:
    """Return what a cycle goes by that asked PRIMA at that time. Source: the ledger, the settings and their files."""
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        listed = ledger.watermark(WHOLE)
        open_units = sorted(ledger.open_units(asked_at).items())
        levels = ledger.level_state()
        marks = StockMarks(
            answer=answer_sha256,
            items=items_sha256,
            settings=_sha256(settings.model_dump_json().encode(), _categories(settings)),
            day=asked_at.date().isoformat(),
            open_units=_sha256(repr(open_units).encode()),
            products=f"{ledger.product_state()} {listed.at if listed else None}",
            levels=levels.mark,
            exceptions=ledger.exception_state(CODES),
        )
    return marks, levels


@task(cache_policy=NO_CACHE)
def fetch_level_state() -> LevelState:
    """Return what Magento is known to hold, in a few figures. Source: the ledger."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return ledger.level_state()


def _categories(settings: Settings) -> bytes:
    """Return the file of categories as it is; one that is not there is told where it is read."""
    if not settings.stock.categories_file:
        return b""
    try:
        return Path(settings.stock.categories_file).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"stock.categories_file {settings.stock.categories_file} cannot be read: {error}.", system="settings"
        ) from error


def _sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"\n".join(parts)).hexdigest()
