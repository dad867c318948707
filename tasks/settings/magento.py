"""`[magento]`: where the shop is and how gently it is called."""

from typing import Literal

from pydantic import Field, field_validator

from tasks.settings.section import Section, without_user


class MagentoSettings(Section):
    """`[magento]`: where the shop is and how gently it is called."""

    base_url: str = Field(pattern=r"^https?://[^/\s]+", description="address of the shop, without /rest")
    auth: Literal["oauth1", "bearer"] = "oauth1"
    store_code: str = Field(default="", description="store code put in the path; empty = default view")
    connect_timeout_seconds: float = Field(default=5, gt=0)
    read_timeout_seconds: float = Field(default=60, gt=0)
    max_connections: int = Field(default=2, ge=1, le=8)
    calls_per_second: float = Field(default=10, gt=0, le=15, description="at most 15: Magento deadlocks near 18")
    page_size: int = Field(default=50, ge=1, le=300)
    overlap_minutes: int = Field(default=10, ge=0, description="how far each stream reads back behind its watermark")
    read_attempts: int = Field(default=4, ge=1, description="attempts of a read that met 429, 503 or no connection")
    ca_file: str = Field(default="", description="CA bundle for TLS; empty = the system's")
    stock_id: int = Field(default=1, ge=1, description="the stock whose salable quantity is read back")
    source_code: str = Field(default="default", description="the source that stock levels are written to")
    stock_batch_size: int = Field(default=250, ge=1, le=2000)

    @field_validator("base_url")
    @classmethod
    def _without_rest(cls, base_url: str) -> str:
        if "/rest" in base_url:
            raise ValueError("must stop before /rest, for instance https://shop.example")
        return without_user(base_url)
