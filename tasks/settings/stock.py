"""`[stock]`: which of PRIMA's figures is sold where, what is kept back, and how it is written to Magento."""

from datetime import time
from decimal import Decimal
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.section import ExactDecimal, Section


class BufferRuleSettings(Section):
    """`[[stock.buffer_rules]]`: units or per cent kept back from the shop, for the SKUs that fit. The first one counts.

    `category` is that of `stock.categories_file`; a channel of the shop is named by the source that it sells from.
    """

    sku: str = Field(default="*", min_length=1, description='a SKU or a pattern such as "GIFT-*"; upper case counts')
    category: str = Field(default="", description="a category of stock.categories_file; empty = any")
    source_code: str = Field(default="", description="a Magento source, for a channel of its own; empty = any")
    units: int = Field(default=0, ge=0)
    percent: ExactDecimal = Field(
        default=Decimal(0),
        ge=0,
        le=100,
        description='of what is available, rounded up, as text: "2.5"',
    )
    floor: int = Field(default=0, ge=0, validate_default=True, description="at least so many units")

    @field_validator("floor")
    @classmethod
    def _something_kept(cls, floor: int, info: ValidationInfo) -> int:
        if info.data.get("units") and info.data.get("percent"):
            raise ValueError("give units or percent, not both")
        return floor


class BackOrderSettings(Section):
    """`[stock.back_orders]`: selling what PRIMA expects; off while `units` is 0."""

    units: int = Field(default=0, ge=0, description="most units of a SKU that may wait for new stock; 0 = off")
    within_days: int = Field(default=30, ge=0, description="how far away PRIMA's AvailableDate may be")


class QuietTimeSettings(Section):
    """`[[stock.quiet_times]]`: hours of the day, London's, in which no stock is written: the shop's reindex."""

    start: time = Field(description="a time without zone: 02:00:00")
    end: time = Field(description="a time without zone; before start = on the next day")


class BrakeSettings(Section):
    """`[stock.brakes]`: beyond which change a snapshot cannot be true. Shares in per cent; 100 switches a fall off."""

    zeroed_percent: int = Field(default=20, ge=0, le=100, description="sellable SKUs that would be sold out at once")
    fall_percent: int = Field(default=40, ge=0, le=100, description="how far the units of all SKUs together may fall")
    rise_percent: int = Field(default=100, ge=0, description="how far the units of all SKUs together may rise")
    moved_percent: int = Field(
        default=60, ge=0, description="sum of all changes, up and down: quantities that stand with the wrong SKUs"
    )
    fewest_skus: int = Field(default=20, ge=1, description="with fewer sellable SKUs only the rows are counted")
    same_percent: int = Field(
        default=10, ge=0, le=50, description="how far a snapshot may differ from the one that was released"
    )


class ReadBackSettings(Section):
    """`[stock.read_back]`: how much of Magento's stock is read after each run, and of salable quantities each night."""

    per_write: int = Field(default=3, ge=0, description="levels of each call that wrote; 0 = none")
    sample_skus: int = Field(default=20, ge=0, description="further SKUs in each run, others every time")
    sample_salable: int = Field(default=5, ge=0, description="SKUs of these whose salable quantity is asked for")
    nightly_salable: int = Field(
        default=5_000, ge=0, description="salable quantities asked for in a night, one call each; the rest takes turns"
    )


class StockRuleSettings(Section):
    """`[stock]`: the sellable figure, safety buffers, PRIMA's warehouses, and the pace of writing."""

    figure_from: Literal["web_service", "extract"] = Field(
        default="web_service", description="PRIMA's web service, or the extract stock of the reporting source"
    )
    sellable: Literal["available", "available_less_reserved", "physical_less_allocated"] = Field(
        default="available",
        validate_default=True,
        description="which quantities of the extract stock are sold; the web service gives one figure only",
    )
    buffer: int = Field(default=0, ge=0, description="units kept back of every SKU")
    buffers: dict[str, int] = Field(default_factory=dict, description="units kept back of single SKUs")
    buffer_rules: list[BufferRuleSettings] = Field(default_factory=list)
    categories_file: str = Field(default="", description="CSV file for buffer_rules: sku,category, a row for each")
    warehouses: dict[str, str] = Field(
        default_factory=dict,
        validate_default=True,
        description="PRIMA's warehouse = Magento's source, \"\" to leave it out; empty = all to magento.source_code",
    )
    back_orders: BackOrderSettings = BackOrderSettings()
    products_hours: float = Field(
        default=24, gt=0, description="after which all of Magento's products are listed anew; changes are every cycle"
    )
    work_out_minutes: float = Field(
        default=60,
        ge=0,
        description="after which stock is worked out although PRIMA's answer and all else are as before; 0 = each run",
    )
    push_by: Literal["sync", "bulk"] = Field(
        default="sync", description="bulk needs the shop's consumer async.operations.all to run"
    )
    bulk_deadline_seconds: float = Field(default=300, gt=0, description="after which a bulk is read back instead")
    oldest_figure_minutes: float = Field(
        default=30, gt=0, description="older figures are not written; the next run reads fresh ones"
    )
    push_attempts: int = Field(default=4, ge=1, description="tries of a batch that Magento was too busy for")
    push_pause_seconds: float = Field(default=2, ge=0, description="before the second try; doubled for each more")
    quiet_times: list[QuietTimeSettings] = Field(default_factory=list)
    value_currency: str = Field(
        default="GBP", pattern=r"^[A-Z]{3}$", description="the currency of PRIMA's prices that stock is valued in"
    )
    brakes: BrakeSettings = BrakeSettings()
    read_back: ReadBackSettings = ReadBackSettings()

    @field_validator("sellable")
    @classmethod
    def _figure_there(cls, sellable: str, info: ValidationInfo) -> str:
        if sellable != "available" and info.data.get("figure_from") == "web_service":
            raise ValueError('needs figure_from = "extract": the web service gives available-to-sell only')
        return sellable

    @field_validator("warehouses")
    @classmethod
    def _warehouses_there(cls, warehouses: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if warehouses and info.data.get("figure_from") == "web_service":
            raise ValueError('needs figure_from = "extract": the web service knows no warehouses')
        if warehouses and not any(warehouses.values()):
            raise ValueError("leaves every warehouse out: at least one must go to a source")
        return warehouses

    @field_validator("buffers")
    @classmethod
    def _units_kept(cls, buffers: dict[str, int]) -> dict[str, int]:
        wrong = sorted(sku for sku, units in buffers.items() if units < 0)
        if wrong:
            raise ValueError(f"must be 0 or more units, but not so for {', '.join(wrong)}")
        return buffers
