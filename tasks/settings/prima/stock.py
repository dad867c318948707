"""`[prima.stock]`: what PRIMA's stock answers mean beside their quantities."""

from datetime import date
from itertools import pairwise
from typing import Literal

from pydantic import Field, field_validator

from tasks.settings.section import Section


class ProductRangeSettings(Section):
    """One entry of `[[prima.stock.ranges]]`: products from the first to the last code, both included."""

    first: str = Field(default="", description="first product code; empty = from the beginning")
    last: str = Field(default="", description="last product code; empty = to the end")


class PrimaStockSettings(Section):
    """`[prima.stock]`: which dates of expected stock are believed, and what a missing row means."""

    ranges: list[ProductRangeSettings] = Field(
        default_factory=list,
        description="product ranges that a full snapshot is asked for in, one request each; empty = all in one request",
    )
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

    @field_validator("ranges")
    @classmethod
    def _whole(cls, ranges: list[ProductRangeSettings]) -> list[ProductRangeSettings]:
        for position, (before, after) in enumerate(pairwise(ranges), start=1):
            if not before.last or before.last != after.first:
                raise ValueError(f"must join: entry {position + 1} must begin with the code that ends entry {position}")
        if any(each.first and each.last and each.first >= each.last for each in ranges):
            raise ValueError("must each begin before they end")
        if ranges and (ranges[0].first or ranges[-1].last):
            raise ValueError("must leave nothing out: the first range has no first, the last one no last")
        return ranges
