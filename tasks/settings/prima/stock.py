"""`[prima.stock]`: what PRIMA's stock answers mean beside their quantities."""

from datetime import date
from typing import Literal

from pydantic import Field

from tasks.settings.section import Section


class PrimaStockSettings(Section):
    """`[prima.stock]`: which dates of expected stock are believed, and what a missing row means."""

    date_horizon_days: int = Field(
        default=60, ge=0, description="an AvailableDate further ahead than this is no date; 0 = none is believed"
    )
    placeholder_dates: list[date] = Field(
        default_factory=list, description="dates that stand for 'unknown', such as 2027-12-31"
    )
    missing_row: Literal["unchanged", "ignore"] = Field(
        default="unchanged",
        description="an item that Magento sells and PRIMA's answer lacks keeps its stock: unchanged = with an "
        "exception, ignore = without one, for a shop that also sells what PRIMA does not know",
    )
